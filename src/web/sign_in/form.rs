//! Parses the posted forms of the sign-in pages. Pure.

use url::form_urlencoded;

use crate::base::secrets::Secret;
use crate::mcp::Access;
use crate::oauth::{HiddenFields, PostedAnswer, PostedForm};
use crate::web::language;

/// Parses a posted form. `None`: a field is missing or repeated, or a value is unknown.
pub(super) fn read_posted(body: &[u8]) -> Option<PostedForm> {
    let field = |name: &str| {
        let mut values = form_urlencoded::parse(body)
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then(|| first.into_owned())
    };
    let hidden = HiddenFields {
        transaction: field("transaction")?,
        csrf: field("csrf")?,
    };
    let access = || match field("access")?.as_str() {
        "read_only" => Some(Access::ReadOnly),
        "read_and_change" => Some(Access::ReadAndChange),
        _ => None,
    };
    let answer = match field("step")?.as_str() {
        // A language button posts the whole form, only to keep what was typed.
        "credentials" | "code" if language::is_choice(body) => PostedAnswer::ChangeLanguage {
            email: field("email"),
            access: access(),
        },
        "credentials" => PostedAnswer::Credentials {
            email: field("email")?.trim().to_owned(),
            password: Secret::new(field("password")?),
            access: access()?,
        },
        "code" => PostedAnswer::Code(Secret::new(field("code")?)),
        "deny" => PostedAnswer::Deny,
        _ => return None,
    };
    Some(PostedForm { hidden, answer })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_none(body: Vec<u8>) {
            read_posted(&body);
        }

        #[test]
        fn what_was_typed_arrives(email in "[^ \\s]{0,40}", password: String) {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("transaction", "t"), ("csrf", "c"), ("step", "credentials"), ("access", "read_only")])
                .append_pair("email", &email)
                .append_pair("password", &password)
                .finish();
            let Some(PostedAnswer::Credentials { email: read, password: secret, .. }) =
                read_posted(body.as_bytes()).map(|form| form.answer)
            else {
                panic!("{body}");
            };
            prop_assert_eq!(read.as_str(), email.trim());
            prop_assert_eq!(secret.expose(), password.as_str());
        }
    }

    #[test]
    fn forms_are_read_exactly() {
        let kind = |body: &str| {
            let PostedForm { hidden, answer } = read_posted(body.as_bytes())?;
            let HiddenFields { transaction, csrf } = hidden;
            Some(match answer {
                PostedAnswer::Credentials {
                    email,
                    password,
                    access,
                } => format!("{transaction} {email} {} {access:?}", password.expose()),
                PostedAnswer::Code(code) => format!("{transaction} {}", code.expose()),
                PostedAnswer::Deny => format!("{transaction} {csrf}"),
                PostedAnswer::ChangeLanguage { email, access } => format!("{email:?} {access:?}"),
            })
        };
        let check =
            |body: &str, expected: Option<&str>| assert_eq!(kind(body).as_deref(), expected, "{body}");
        let credentials = "transaction=t&csrf=c&step=credentials&email=+a%40b.c+&password=+p%26%C3%BC+";
        check(
            &format!("{credentials}&access=read_only"),
            Some("t a@b.c  p&ü  ReadOnly"),
        );
        check(
            &format!("{credentials}&access=read_and_change"),
            Some("t a@b.c  p&ü  ReadAndChange"),
        );
        check("transaction=t&csrf=c&step=code&code=123456", Some("t 123456"));
        check("transaction=t&csrf=c&step=deny", Some("t c"));
        check("step=deny&csrf=c&transaction=t&unknown=1", Some("t c"));
        check(
            &format!("{credentials}&access=read_only&lang=en&language=de"),
            Some(r#"Some(" a@b.c ") Some(ReadOnly)"#),
        );
        check(
            "transaction=t&csrf=c&step=code&code=123456&language=de&language=fr",
            Some("None None"),
        );
        check(credentials, None);
        check(&format!("{credentials}&access=everything"), None);
        check(
            &format!("{credentials}&access=read_only&access=read_and_change"),
            None,
        );
        check("transaction=t&transaction=u&csrf=c&step=deny", None);
        check("transaction=t&csrf=c&step=code", None);
        check("transaction=t&csrf=c&step=other", None);
        check("transaction=t&step=deny", None);
        check("csrf=c&step=deny", None);
        check("", None);
        check("\u{0}%%%", None);
    }
}
