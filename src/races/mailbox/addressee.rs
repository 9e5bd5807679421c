//! Finds the person for whom an e-mail is. Pure.
//!
//! Headers prove nothing, because anybody can write them. They only choose between people, and give nobody access to
//! anything. A mail that fits two people is for neither of them, so that nobody gets a mail that may be for another
//! person.

use super::letter::Letter;
use crate::accounts::AccountId;

/// A person with the addresses to which their mails go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailPerson {
    pub(super) account: AccountId,
    /// The e-mail of the Garmin account.
    pub(super) email: String,
    /// Further addresses, which the person has set.
    pub(super) addresses: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    One(AccountId),
    Several,
    Nobody,
}

/// The person to whom the mail was delivered; else the one to whom it was written; else the one who sent or forwarded
/// it.
pub(super) fn addressee(letter: &Letter, people: &[MailPerson]) -> Addressee {
    let lists = [&letter.delivered_to, &letter.written_to, &letter.written_by];
    let found = lists.into_iter().map(|list| of_list(list, people));
    found
        .into_iter()
        .find(|found| *found != Addressee::Nobody)
        .unwrap_or(Addressee::Nobody)
}

fn of_list(list: &[String], people: &[MailPerson]) -> Addressee {
    let mut found = Addressee::Nobody;
    for person in people {
        if !list.iter().any(|address| is_theirs(address, person, people)) {
            continue;
        }
        if found != Addressee::Nobody {
            return Addressee::Several;
        }
        found = Addressee::One(person.account.clone());
    }
    found
}

/// Whether an address belongs to a person. The e-mail of an account, with which somebody has signed in at Garmin, takes
/// precedence over an address that anybody can set.
fn is_theirs(address: &str, person: &MailPerson, people: &[MailPerson]) -> bool {
    let is = |text: &String| text.eq_ignore_ascii_case(address);
    is(&person.email) || (person.addresses.iter().any(is) && !people.iter().any(|other| is(&other.email)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> AccountId {
        format!("acc_{}", name.repeat(16)).parse().unwrap()
    }

    fn person(name: &str, addresses: &[&str]) -> MailPerson {
        MailPerson {
            account: id(name),
            email: format!("{name}@example.org"),
            addresses: addresses.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn letter(delivered_to: &[&str], written_to: &[&str], written_by: &[&str]) -> Letter {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Letter {
            delivered_to: list(delivered_to),
            written_to: list(written_to),
            written_by: list(written_by),
            text: String::new(),
        }
    }

    #[test]
    fn a_mail_is_that_of_the_nearest_header() {
        let people = [person("a", &["races+a@example.net"]), person("b", &[])];
        let one = |name| Addressee::One(id(name));
        for (delivered_to, written_to, written_by, whose) in [
            (&["a@example.org"][..], &["b@example.org"][..], &[][..], one("a")),
            (
                &["x@example.org"],
                &["b@example.org"],
                &["a@example.org"],
                one("b"),
            ),
            (&[], &["races@example.net"], &["a@example.org"], one("a")),
            (&["races+a@example.net"], &[], &["b@example.org"], one("a")),
            (
                &[],
                &["a@example.org", "b@example.org"],
                &["a@example.org"],
                Addressee::Several,
            ),
            (&[], &["c@example.org", "a@example.org"], &[], one("a")),
            (&[], &["c@example.org"], &["d@example.org"], Addressee::Nobody),
            (&[], &[], &[], Addressee::Nobody),
        ] {
            let letter = letter(delivered_to, written_to, written_by);
            assert_eq!(addressee(&letter, &people), whose, "{letter:?}");
        }
    }

    #[test]
    fn nobody_takes_the_mails_of_another_account() {
        let people = [person("a", &["b@example.org"]), person("b", &[])];
        let found = addressee(&letter(&["b@example.org"], &[], &[]), &people);
        assert_eq!(found, Addressee::One(id("b")));
        // Without the other account, the address is free.
        let found = addressee(&letter(&["b@example.org"], &[], &[]), &people[..1]);
        assert_eq!(found, Addressee::One(id("a")));
    }

    #[test]
    fn an_address_of_two_people_is_nobodys() {
        let people = [
            person("a", &["team@example.org"]),
            person("b", &["team@example.org"]),
        ];
        let found = addressee(&letter(&["team@example.org"], &[], &[]), &people);
        assert_eq!(found, Addressee::Several);
    }
}
