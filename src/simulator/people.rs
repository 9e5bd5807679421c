//! The people that the pretend Garmin knows.

use super::data::PersonSeed;

/// One of them: how they sign in, and what their data grows from.
#[derive(Debug, Clone)]
pub struct Person {
    /// What they type; example.org belongs to nobody.
    pub email: String,
    /// Made up, and shown by the demo.
    pub password: String,
    /// The code on top, if they have one.
    pub mfa: Option<Mfa>,
    /// Whether Garmin has locked the account.
    pub is_locked: bool,
    /// Their data.
    pub data: PersonSeed,
}

/// A code on top of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    /// How it reaches the person.
    pub method: MfaBy,
    /// Always the same one.
    pub code: String,
}

/// How a code reaches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaBy {
    /// By e-mail, when it is asked for.
    Email,
    /// An app shows it.
    Totp,
}

impl Person {
    /// Somebody without a code.
    pub fn new(number: u64, first_name: &str, email: &str, password: &str) -> Self {
        Self {
            email: email.to_owned(),
            password: password.to_owned(),
            mfa: None,
            is_locked: false,
            data: PersonSeed {
                seed: number,
                profile_id: 900_000 + number,
                display_name: format!("{}{number}", first_name.to_lowercase()),
                full_name: format!("{first_name} Example"),
                unit_system: "metric".to_owned(),
            },
        }
    }

    /// The same person, with a code.
    #[must_use]
    pub fn with_mfa(self, method: MfaBy, code: &str) -> Self {
        Self {
            mfa: Some(Mfa {
                method,
                code: code.to_owned(),
            }),
            ..self
        }
    }

    /// The same person, locked out.
    #[must_use]
    pub fn locked(self) -> Self {
        Self {
            is_locked: true,
            ..self
        }
    }

    /// The e-mail with its name hidden, as Garmin writes it next to a code.
    pub(super) fn masked_email(&self) -> String {
        let (name, domain) = self.email.split_once('@').unwrap_or((&self.email, ""));
        format!("{}*****@{domain}", name.chars().take(1).collect::<String>())
    }
}

/// The people of the demo: one signs in at once, one needs a code, one uses an authenticator app and miles, one is
/// locked out.
pub fn demo_people() -> Vec<Person> {
    let mut dora = Person::new(3, "Dora", "dora@example.org", "demo-dora").with_mfa(MfaBy::Totp, "654321");
    "statute_us".clone_into(&mut dora.data.unit_system);
    vec![
        Person::new(1, "Ann", "ann@example.org", "demo-ann"),
        Person::new(2, "Ben", "ben@example.org", "demo-ben").with_mfa(MfaBy::Email, "123456"),
        dora,
        Person::new(4, "Lou", "lou@example.org", "demo-lou").locked(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_as_garmin_does() {
        assert_eq!(
            Person::new(1, "Ann", "ann@example.org", "x").masked_email(),
            "a*****@example.org"
        );
    }
}
