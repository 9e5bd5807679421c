use super::data::PersonSeed;

/// One pretend person: their sign-in, and the seed of their data.
#[derive(Debug, Clone)]
pub struct Person {
    /// An address at example.org, which is reserved for examples.
    pub email: String,
    /// The password, which the demo prints.
    pub password: String,
    /// The second factor; `None` = the password is sufficient.
    pub mfa: Option<Mfa>,
    pub is_locked: bool,
    pub data: PersonSeed,
}

/// The second factor of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    pub method: MfaBy,
    /// The MFA code, which never changes.
    pub code: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaBy {
    /// A code by e-mail, sent on request.
    Email,
    /// A code from an authenticator app.
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

    #[must_use]
    pub fn locked(self) -> Self {
        Self {
            is_locked: true,
            ..self
        }
    }

    /// The form `a*****@example.org`, with which Garmin indicates where a code was sent.
    pub(super) fn masked_email(&self) -> String {
        let (name, domain) = self.email.split_once('@').unwrap_or((&self.email, ""));
        format!("{}*****@{domain}", name.chars().take(1).collect::<String>())
    }
}

/// The people of the demo. One needs only a password, one gets a code by e-mail, one uses an authenticator app and
/// statute units, and one is locked out.
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
