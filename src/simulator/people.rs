//! The people that the pretend Garmin knows.

use super::data::PersonSeed;

/// One pretend person: how they sign in, and the seed of their data.
#[derive(Debug, Clone)]
pub struct Person {
    /// At example.org, which is reserved for examples.
    pub email: String,
    /// Printed by the demo.
    pub password: String,
    /// The second factor; `None` = a password is enough.
    pub mfa: Option<Mfa>,
    pub is_locked: bool,
    pub data: PersonSeed,
}

/// The second factor of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    pub method: MfaBy,
    /// Never changes.
    pub code: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaBy {
    /// An e-mail, sent on request.
    Email,
    /// An authenticator app.
    Totp,
}

impl Person {
    /// A person without a second factor.
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

    /// Adds a second factor.
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

    /// Locks the account.
    #[must_use]
    pub fn locked(self) -> Self {
        Self {
            is_locked: true,
            ..self
        }
    }

    /// `a*****@example.org`, as Garmin shows where a code was sent.
    pub(super) fn masked_email(&self) -> String {
        let (name, domain) = self.email.split_once('@').unwrap_or((&self.email, ""));
        format!("{}*****@{domain}", name.chars().take(1).collect::<String>())
    }
}

/// The people of the demo: one needs only a password, one gets a code by e-mail, one uses an authenticator app and
/// miles, and one is locked out.
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
    fn an_email_is_masked_as_garmin_does() {
        assert_eq!(
            Person::new(1, "Ann", "ann@example.org", "x").masked_email(),
            "a*****@example.org"
        );
    }
}
