//! Parameters as `application/x-www-form-urlencoded`: the query of `/authorize`, the bodies of `/token` and `/revoke`.
//!
//! Stricter than a browser: input that two parsers could read differently is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::error::OAuthError;

/// Upper bound of a query or body. Claude's longest has about 600 bytes; a client id may have 2,000.
pub(super) const MAX_FORM_BYTES: usize = 16 * 1024;

const MAX_PARAMETERS: usize = 40;

/// Decoded parameters. Each name occurs once; only `resource` may be repeated (RFC 8707 §2).
///
/// Implements no `Debug`, because the values are codes and tokens.
pub(super) struct FormParameters(Vec<(String, String)>);

impl FormParameters {
    /// Parses `text`. Errors: `InvalidRequest` (caller) if it is too long, repeats a parameter, or decodes to control
    /// characters or to bytes that are not UTF-8.
    pub(super) fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_FORM_BYTES {
            return Err(OAuthError::InvalidRequest("the parameters are too long".into()));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            // Bytes that are not UTF-8 become the replacement character, which no client sends on purpose.
            let unreadable = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
            if name.chars().any(unreadable) || value.chars().any(unreadable) {
                return Err(OAuthError::InvalidRequest(
                    "a parameter holds bytes that are not text".into(),
                ));
            }
            if pairs.len() == MAX_PARAMETERS {
                return Err(OAuthError::InvalidRequest("there are too many parameters".into()));
            }
            if name != "resource" && pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(OAuthError::InvalidRequest(
                    "a parameter was sent more than once".into(),
                ));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Adds the `client_id` of an HTTP Basic header (RFC 6749 §2.3.1) if the form has none. The secret is ignored,
    /// because every client is a public one. A header that cannot be read counts as absent.
    /// Errors: `InvalidRequest` (caller) if header and form name different clients.
    pub(super) fn with_basic_client(mut self, authorization: Option<&str>) -> Result<Self, OAuthError> {
        let Some(client_id) = authorization.and_then(basic_client) else {
            return Ok(self);
        };
        match self.find("client_id") {
            Some(in_form) if in_form != client_id => {
                return Err(OAuthError::InvalidRequest(
                    "client_id differs from the one in the Authorization header".into(),
                ));
            }
            Some(_) => {}
            None => self.0.push(("client_id".to_owned(), client_id)),
        }
        Ok(self)
    }

    /// The value of `name`. An empty value counts as not sent (RFC 6749 §3.1).
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().filter(|(seen, _)| seen == name);
        values
            .map(|(_, value)| value.as_str())
            .find(|value| !value.is_empty())
    }

    /// The values of `resource` that are not empty.
    pub(super) fn resources(&self) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(|(seen, _)| seen == "resource");
        values
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of `name`, or an `InvalidRequest` that names the missing parameter.
    pub(super) fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.find(name)
            .ok_or_else(|| OAuthError::InvalidRequest(format!("the parameter {name} is missing").into()))
    }
}

/// The client id in `Basic base64(id:secret)`, form-encoded or, as some clients send it, unencoded.
fn basic_client(authorization: &str) -> Option<String> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    // An unencoded id that is a URL contains a colon itself.
    let (id, _) = credentials.rsplit_once(':')?;
    let (id, _) = form_urlencoded::parse(id.as_bytes()).next()?;
    (!id.is_empty() && !id.chars().any(char::is_control)).then(|| id.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_count_as_absent() {
        let form = FormParameters::parse("a=1+2%203&b=&c&d=%E2%82%AC").ok().unwrap();
        assert_eq!(form.find("a"), Some("1 2 3"));
        assert_eq!(form.find("b"), None);
        assert_eq!(form.find("c"), None);
        assert_eq!(form.find("d"), Some("€"));
        assert!(form.require("zz").is_err());
    }

    #[test]
    fn http_basic_names_the_client_and_its_secret_is_ignored() {
        let client = |form: &str, header: Option<&str>| {
            let header = header.map(|credentials| format!("Basic {}", STANDARD.encode(credentials)));
            let form = FormParameters::parse(form).ok().unwrap();
            let form = form.with_basic_client(header.as_deref()).map_err(|e| e.code())?;
            Ok(form.find("client_id").map(str::to_owned))
        };
        let cli = |id: &str| Ok(Some(id.to_owned()));
        assert_eq!(client("a=b", Some("cli_x:secret")), cli("cli_x"));
        assert_eq!(client("client_id=", Some("cli_x:")), cli("cli_x"));
        assert_eq!(client("client_id=cli_x", Some("cli_x:")), cli("cli_x"));
        let url = "https://app.example.org/client.json";
        assert_eq!(
            client("", Some("https%3A%2F%2Fapp.example.org%2Fclient.json:")),
            cli(url)
        );
        assert_eq!(client("", Some(&format!("{url}:secret"))), cli(url));
        assert_eq!(client("client_id=cli_y", Some("cli_x:")), Err("invalid_request"));
        for unreadable in ["", "no colon", ":secret", "a\u{0}:b"] {
            assert_eq!(client("", Some(unreadable)), Ok(None), "{unreadable:?}");
        }
        for header in ["Bearer x", "Basic", "Basic !!!", "basic"] {
            assert_eq!(basic_client(header), None, "{header}");
        }
        assert_eq!(basic_client("bAsIc Y2xpX3g6").as_deref(), Some("cli_x"));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for text in [
            "code=a&code=b",
            "code=a&code=a",
            "code=&code=a",
            "co%64e=a&code=b",
            "a=%00",
            "a=b%0d%0aSet-Cookie",
            "a=%FF",
            "%80=a",
        ] {
            assert!(FormParameters::parse(text).is_err(), "{text}");
        }
        let many: Vec<String> = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=1")).collect();
        assert!(FormParameters::parse(&many.join("&")).is_err());
        assert!(FormParameters::parse(&"a".repeat(MAX_FORM_BYTES + 1)).is_err());
        let twice = FormParameters::parse("resource=a&resource=b").ok().unwrap();
        assert_eq!(twice.resources().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_was_encoded_comes_back(text in ".*", value in "[^\\pC\u{FFFD}]{1,40}") {
            drop(FormParameters::parse(&text));
            let encoded: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("name", &value)
                .finish();
            let form = FormParameters::parse(&encoded).ok().unwrap();
            prop_assert_eq!(form.find("name"), Some(value.as_str()));
        }
    }
}
