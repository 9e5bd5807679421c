//! Checks the sources under `src/` against the house rules: floors, fenced crates, cycles of files, duplicate type
//! names.
//!
//! The floors are read from the table in `src/lib.rs`, so that the map and the rule are one text. Current violations
//! are listed in `tidy/exceptions.txt`. That list may only shrink: a new finding fails the test, and so does a line
//! that is no longer needed.

mod finding;
mod rules;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use finding::Finding;
use source::Source;

const HEAD: &str = "\
# What breaks a house rule today, read by tests/it/tidy.rs: the rule, its subject, the files. Lines only leave this list:
#     cargo test --test it tidy::shrink_the_exceptions -- --ignored
";

fn exceptions_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tidy/exceptions.txt")
}

fn exceptions() -> BTreeSet<Finding> {
    let text = fs::read_to_string(exceptions_file()).unwrap();
    finding::parse(&text)
}

/// Every current violation of a rule.
fn findings() -> BTreeSet<Finding> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let map = fs::read_to_string(root.join("lib.rs")).unwrap();
    let sources = Source::read_all(&root);
    assert!(sources.len() > 100, "the sources were not found");
    rules::all(&map, &sources)
}

#[test]
fn the_sources_keep_the_house_rules() {
    let problems = finding::compare(&findings(), &exceptions());
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Drops the lines of the list that are no longer needed. It never adds one, so a new exception is written by hand
/// and seen in review.
#[test]
#[ignore = "rewrites tests/it/tidy/exceptions.txt"]
fn shrink_the_exceptions() {
    let kept = finding::shrink(&findings(), &exceptions());
    let lines: String = kept
        .iter()
        .flat_map(|finding| [finding.to_string(), "\n".to_owned()])
        .collect();
    fs::write(exceptions_file(), format!("{HEAD}{lines}")).unwrap();
}

mod made_up {
    //! Runs the rules on small made-up sources, because each rule must be able to fail.

    use super::finding::{Finding, compare, parse, shrink};
    use super::rules;
    use super::source::Source;
    use std::collections::BTreeSet;

    const MAP: &str = "//! | 0 | [`base`]: clock |\n//! | 1 | [`store`]: records; [`web`]: the public face |\n\
        //! | 2 | [`cli`]: the subcommands |\n";

    fn found(sources: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = sources
            .iter()
            .map(|(path, text)| Source::parse(path, text))
            .collect();
        rules::all(MAP, &Source::without_tests(sources))
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn an_import_from_below_is_allowed() {
        let sources = [
            ("base.rs", ""),
            ("store.rs", "use crate::base::Clock;\nuse std::fs;"),
            (
                "store/open.rs",
                "use crate::store::Store; fn now() -> crate::base::Clock {}",
            ),
        ];
        assert_eq!(found(&sources), [""; 0]);
    }

    #[test]
    fn an_import_from_above_or_beside_is_found() {
        for text in [
            "use crate::store::Store;",
            "use crate::{base::Clock, store::{self, Store}};",
            "fn open() -> crate::store::Store {}",
            "fn open() { assert!(crate::store::open()); }",
            "use super::super::store::Store;",
        ] {
            let sources = [("store.rs", ""), ("web/page.rs", text)];
            assert_eq!(found(&sources), ["floor store: web/page.rs"], "{text}");
        }
    }

    #[test]
    fn a_room_that_is_not_on_the_map_is_found() {
        assert_eq!(found(&[("attic.rs", "")]), ["floor attic: attic.rs"]);
    }

    #[test]
    fn a_fenced_crate_is_found_outside_its_room() {
        for (text, fence) in [
            ("use warp::Filter;", "warp"),
            ("fn reply(reply: impl warp::Reply) {}", "warp"),
            ("use sled as database;", "sled"),
            (
                "use std::process; fn f() { process::Command::new(\"ls\"); }",
                "std::process::Command",
            ),
            ("use tokio::process::Child;", "tokio::process"),
            (
                "use std::env; fn f() -> String { env::var(\"HOME\") }",
                "std::env::var*",
            ),
            (
                "fn f() { println!(\"{}\", std::env::var_os(\"HOME\")) }",
                "std::env::var*",
            ),
        ] {
            let line = format!("fence {fence}: cli/page.rs");
            assert_eq!(found(&[("cli/page.rs", text)]), [line], "{text}");
        }
        for text in [
            "use std::env; fn f() { env::current_dir() }",
            "use std::process; fn f() { process::id() }",
            "// warp::Filter\nconst TEXT: &str = \"warp::Filter\";",
        ] {
            assert_eq!(found(&[("cli/page.rs", text)]), [""; 0], "{text}");
        }
        assert_eq!(found(&[("web/page.rs", "use warp::Filter;")]), [""; 0]);
    }

    #[test]
    fn files_that_import_each_other_are_a_circle() {
        let sources = [
            ("web.rs", "use crate::web::page::Page;"),
            ("web/page.rs", "use super::form::Form;"),
            ("web/form.rs", "use super::{Face, page};"),
            ("web/apart.rs", "use super::page::Page;"),
        ];
        assert_eq!(found(&sources), ["circle: web.rs web/form.rs web/page.rs"]);
        assert_eq!(found(&sources[1..]), ["circle: web/form.rs web/page.rs"]);
        assert_eq!(found(&sources[2..]), [""; 0]);
    }

    #[test]
    fn a_type_name_that_two_files_define_is_found() {
        let sources = [
            ("web/a.rs", "pub struct State;"),
            ("web/b.rs", "enum State { Open }"),
            ("web/c.rs", "type State = u8; trait Other {}"),
            ("web/d.rs", "mod inner { struct Other; }"),
        ];
        assert_eq!(found(&sources), ["doubled State: web/a.rs web/b.rs web/c.rs"]);
    }

    #[test]
    fn tests_are_left_out() {
        let sources = [
            ("store.rs", "pub struct State;"),
            (
                "web/page.rs",
                "#[cfg(test)] mod tests { use crate::store::State; struct State; }
                 #[cfg(test)] use warp::Filter;
                 #[cfg(test)] mod support;
                 impl Page { #[cfg(test)] fn page() { sled::open() } }",
            ),
            ("web/page/support.rs", "use crate::store::State; struct State;"),
        ];
        assert_eq!(found(&sources), [""; 0]);
    }

    fn set(lines: &str) -> BTreeSet<Finding> {
        parse(lines)
    }

    #[test]
    fn the_list_is_read_as_it_is_written() {
        let lines = "# a comment\n\ncircle: a.rs b.rs\ndoubled State: a.rs b.rs c.rs\n";
        let written: Vec<_> = set(lines).iter().map(Finding::to_string).collect();
        assert_eq!(written, ["circle: a.rs b.rs", "doubled State: a.rs b.rs c.rs"]);
    }

    #[test]
    fn the_list_may_only_shrink() {
        let listed = set("doubled State: a.rs b.rs c.rs\nfloor store: web.rs\n");

        assert!(compare(&listed, &listed).is_empty());

        let grown = set("doubled State: a.rs b.rs c.rs d.rs\nfloor store: web.rs\n");
        assert_eq!(compare(&grown, &listed).len(), 2, "a new file, and a stale line");
        assert_eq!(shrink(&grown, &listed), set("floor store: web.rs"));

        let shrunk = set("doubled State: a.rs b.rs");
        assert_eq!(
            compare(&shrunk, &listed).len(),
            2,
            "two lines are wider than needed"
        );
        assert_eq!(shrink(&shrunk, &listed), shrunk);

        assert_eq!(compare(&set(""), &set("circle: a.rs b.rs")).len(), 1);
        assert_eq!(compare(&set("circle: a.rs b.rs"), &set("")).len(), 1);
    }
}
