use serde::Deserialize;
use url::Url;

use super::*;
use crate::config::GarminHosts;
use crate::garmin::livetrack::{LinkProblem, PastedLink, find};
use crate::races::mailbox::addressee::{Addressee, MailPerson, addressee};

#[derive(Deserialize)]
struct MailCase {
    shape: String,
    /// The mail as text. Non-ASCII letters are sent in ISO 8859-1 if the mail names it, else in UTF-8.
    mail: String,
    whose: String,
    link: String,
}

fn cases() -> Vec<MailCase> {
    serde_json::from_str(include_str!("../../../../tests/scenarios/chats/mails.json")).unwrap()
}

fn hosts() -> GarminHosts {
    let url = |text: &str| Url::parse(text).unwrap();
    GarminHosts {
        livetrack: url("https://livetrack.garmin.com"),
        ..GarminHosts::at(&url("https://sso.garmin.com"))
    }
}

fn people() -> Vec<MailPerson> {
    let person = |name: &str, letter: &str, own: &str| MailPerson {
        account: format!("acc_{}", letter.repeat(16)).parse().unwrap(),
        email: format!("{name}@example.org"),
        addresses: vec![own.to_owned()],
    };
    vec![
        person("ann", "a", "races+ann@example.net"),
        person("ben", "b", "races-ben@example.net"),
    ]
}

/// A mail as it comes over the wire.
fn on_the_wire(mail: &str) -> Vec<u8> {
    let is_latin = mail.contains("charset=iso-8859-1");
    let mail = mail.replace('\n', "\r\n");
    if is_latin {
        mail.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    } else {
        mail.into_bytes()
    }
}

#[test]
fn every_shape_of_mail_is_read() {
    let (cases, people) = (cases(), people());
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let token = "0A1B2C3D4E5F60718293A4B5C6D7E8F";
    for case in &cases {
        let letter = Letter::read(&on_the_wire(&case.mail));
        let link = match find(&letter.text, &hosts()) {
            Ok(PastedLink::Complete(link)) => {
                assert_eq!(link.token.expose(), token, "{}", case.shape);
                "complete"
            }
            Ok(_) if letter.is_about_livetrack() => "short",
            Ok(_) => "other",
            Err(LinkProblem::Incomplete) => "incomplete",
            Err(_) => "none",
        };
        assert_eq!(link, case.link, "{}: {}", case.shape, letter.text);
        let whose = match addressee(&letter, &people) {
            Addressee::One(account) if account == people[0].account => "ann",
            Addressee::One(_) => "ben",
            Addressee::Several => "several",
            Addressee::Nobody => "nobody",
        };
        assert_eq!(whose, case.whose, "{}: {letter:?}", case.shape);
    }
}

#[test]
fn bytes_that_are_no_mail_are_read_in_little_time() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(3_000);
    let boundary =
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n".to_owned() + &"--x\r\n\r\n".repeat(20_000);
    let addresses = format!("To: {}\r\n\r\n", "a@example.org,".repeat(18_000));
    for bytes in [
        &b""[..],
        b"\0\xff",
        nested.as_bytes(),
        boundary.as_bytes(),
        addresses.as_bytes(),
    ] {
        let letter = Letter::read(bytes);
        assert!(letter.written_to.len() <= MAX_ADDRESSES);
    }
}

/// The parser panics on this mail in a build with debug assertions.
#[test]
fn a_panic_of_the_parser_gives_an_empty_letter() {
    let mail = "Content-Type: multipart/m; boundary=\"out\"\r\n\r\n-yp--out\r\nContent-Type: message/rfc822\r\n\r\n\
        Content-Type:message/rfc822\r\n\n\r\n\n--out--\r";
    assert!(catch_unwind(|| MessageParser::default().parse(mail)).is_err());
    assert_eq!(Letter::read(mail.as_bytes()), Letter::default());
}

/// Some mail programs attach a forwarded mail as a file of an unknown type.
#[test]
fn a_mail_that_is_attached_as_a_file_is_read() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let link = "https://livetrack.garmin.com/session/11112222-3333-4444-8555-666677778888/token/0A1B2C3D4E5F60718293A4B5C6D7E8F";
    let inner = format!("From: Garmin <noreply@garmin.com>\r\nSubject: LiveTrack\r\n\r\nView: {link}\r\n");
    let with_file = |name: &str| {
        format!(
            "From: ann@example.org\r\nTo: races@example.net\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsee there\r\n\
             --x\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
            STANDARD.encode(&inner)
        )
    };
    let text = |name| Letter::read(with_file(name).as_bytes()).text;
    assert!(text("Watch.EML").contains(link), "{}", text("Watch.EML"));
    assert!(!text("picture.jpg").contains(link));
}
