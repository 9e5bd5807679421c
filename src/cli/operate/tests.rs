//! Tests of the options, and of what is told before an act and after a refusal.

use super::*;
use crate::cli::operate::args::limit;

#[test]
fn a_limit_is_a_name_and_a_number() {
    assert_eq!(limit("hr_max=150"), Ok(("hr_max".into(), 150.0)));
    for wrong in ["hr_max", "hr_max=", "hr_max=fast"] {
        assert!(limit(wrong).unwrap_err().contains("NAME=NUMBER"), "{wrong}");
    }
}

/// `races list --json` is the same as `races --json list`.
#[test]
fn common_options_may_follow_the_subcommand() {
    use clap::Parser;
    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        operate: Operate,
    }
    for words in [
        "list",
        "show race_x",
        "stop race_x",
        "limits race_x hr_max=150",
        "share race_x",
    ] {
        for order in [
            format!("x races {words} --json --socket /s"),
            format!("x races --json --socket /s {words}"),
        ] {
            let Ok(Line {
                operate: Operate::Races { common, .. },
            }) = Line::try_parse_from(order.split(' '))
            else {
                panic!("{order}")
            };
            assert!(common.json && common.socket == Some("/s".into()), "{order}");
        }
    }
    let test = Line::try_parse_from(["x", "notify", "test", "--socket", "/s"]).unwrap();
    assert!(matches!(test.operate, Operate::Notify { common, .. } if common.socket.is_some()));
}

#[test]
fn an_option_out_of_range_is_told_with_its_range() {
    for (line, told) in [
        ("races share race_x --privacy 99999999", "0..=5000"),
        ("races share race_x --privacy -5", "0..=5000"),
        ("races share race_x --hours 0", "1..=720"),
        ("backup --keep -1", "1..=65535"),
        ("races rehearse a.fit --speed -1", "above 0"),
        ("demo --port -1", "0..=65535"),
        ("purge --races-before tomorrow", "YYYY-MM-DD"),
    ] {
        let words = std::iter::once("garmin-gateway").chain(line.split(' '));
        let wrong = crate::cli::command()
            .try_get_matches_from(words)
            .unwrap_err()
            .to_string();
        assert!(wrong.contains(told) && !wrong.contains("'-- "), "{line}: {wrong}");
    }
}

#[test]
fn a_refusal_names_the_option_that_was_given() {
    assert_eq!(
        with_option("with: that link is full").unwrap(),
        "--join: that link is full"
    );
    assert_eq!(with_option("there is no race x"), None);
}

#[test]
fn consequences_are_counted() {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let family = |id: &str, label: &str| crate::admin::views::FamilyView {
        id: id.into(),
        account: format!("acc_{label}"),
        label: label.into(),
        client: "Claude".into(),
        client_id: "cli_claude".into(),
        access: "read only".into(),
        issued_at: at,
        last_used: None,
        expires_at: None,
    };
    let tokens = TokensView {
        families: vec![
            family("fam_1", "ann"),
            family("fam_2", "ann"),
            family("fam_3", "ben"),
        ],
        revocations: Vec::new(),
    };
    for (target, words) in [
        (
            RevocationTarget::Account("Ann".into()),
            "This ends all access of Ann: 2 sign-ins.",
        ),
        (
            RevocationTarget::Token("fam_3".into()),
            "This ends the access of ben through Claude.",
        ),
        (
            RevocationTarget::Client("cli_claude".into()),
            "This ends everyone's access through cli_claude: 3 sign-ins.",
        ),
        (RevocationTarget::All, "This ends everyone's access: 3 sign-ins."),
    ] {
        assert_eq!(consequences(&target, &tokens), words);
    }
}
