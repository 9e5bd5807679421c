//! The members of a JSON object in their original order, with raw values.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// One JSON object. Duplicate members are kept; [`Members::duplicate`] finds them.
#[derive(Debug, Default)]
pub struct Members<'a>(Vec<RawMember<'a>>);

/// One member of an object: `"key": value`.
#[derive(Debug, Clone)]
pub struct RawMember<'a> {
    /// The decoded key. It is `Owned` exactly when it was written with escapes.
    pub key: Cow<'a, str>,
    /// The value, byte for byte.
    pub value: &'a RawValue,
}

impl<'a> Members<'a> {
    /// Parses an object; `None` if `json` is not one.
    pub fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The first member with this name.
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .find(|member| member.key == key)
            .map(|member| member.value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &RawMember<'a>> {
        self.0.iter()
    }

    /// A key that occurs twice, if any.
    pub fn duplicate(&self) -> Option<&str> {
        /// Up to this number of members, comparing all pairs is cheaper than sorting. A hostile object may have
        /// 100,000.
        const FEW: usize = 16;
        if self.0.len() <= FEW {
            let mut rest = self.0.as_slice();
            while let Some((first, others)) = rest.split_first() {
                if others.iter().any(|other| other.key == first.key) {
                    return Some(&first.key);
                }
                rest = others;
            }
            return None;
        }
        let mut keys: Vec<&str> = self.0.iter().map(|member| member.key.as_ref()).collect();
        keys.sort_unstable();
        keys.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        })
    }

    /// A key that another parser could mistake for one of `canonical`: it has escapes, or differs only in case.
    pub fn alias(&self, canonical: &[&str]) -> Option<&str> {
        self.0
            .iter()
            .find(|member| is_alias(member, canonical))
            .map(|member| member.key.as_ref())
    }
}

impl RawMember<'_> {
    /// Appends `"key":value` to `out`.
    pub fn write(&self, out: &mut String) {
        write_string(out, &self.key);
        out.push(':');
        out.push_str(self.value.get());
    }
}

/// Appends a JSON string, with its quotes, to `out`.
pub fn write_string(out: &mut String, text: &str) {
    let plain = text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// JSON parsers of other languages ignore case in keys and fold Unicode. In Go, `ſ` equals `s`, and the Kelvin sign
/// equals `k`.
fn is_alias(member: &RawMember<'_>, canonical: &[&str]) -> bool {
    if matches!(member.key, Cow::Borrowed(key) if canonical.contains(&key)) {
        return false;
    }
    if member.key.is_ascii() {
        return canonical.iter().any(|name| member.key.eq_ignore_ascii_case(name));
    }
    canonical.iter().any(|name| folded(&member.key).eq(folded(name)))
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Vec<RawMember<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(BorrowedStr(key)) = map.next_key()? {
                    members.push(RawMember {
                        key,
                        value: map.next_value()?,
                    });
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(ObjectVisitor).map(Members)
    }
}

/// A string that stays borrowed if the text has no escapes. (`Cow`'s own `Deserialize` always copies.)
pub(super) struct BorrowedStr<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedStr<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StrVisitor;
        impl<'de> Visitor<'de> for StrVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(StrVisitor).map(BorrowedStr)
    }
}

/// The text of a JSON string; `None` for any other value.
pub fn text<'a>(value: &'a RawValue) -> Option<Cow<'a, str>> {
    serde_json::from_str::<BorrowedStr<'a>>(value.get())
        .ok()
        .map(|key| key.0)
}

pub fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// MCP allows strings and whole numbers as ids and progress tokens.
pub fn is_string_or_integer(value: &RawValue) -> bool {
    let json = value.get();
    json.starts_with('"')
        || serde_json::from_str::<i64>(json).is_ok()
        || serde_json::from_str::<u64>(json).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_and_bytes() {
        let members = Members::of(r#" {"b" : 1.0 , "a":{"x" : [1, 2]}} "#).unwrap();
        let seen: Vec<_> = members.iter().map(|m| (m.key.as_ref(), m.value.get())).collect();
        assert_eq!(seen, [("b", "1.0"), ("a", r#"{"x" : [1, 2]}"#)]);
        assert!(Members::of("[1]").is_none());
        assert!(Members::of("{").is_none());
    }

    #[test]
    fn duplicates_are_found_however_written() {
        for (json, expected) in [
            (r#"{"a":1,"b":2}"#, None),
            (r#"{"a":1,"b":2,"a":1}"#, Some("a")),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r"{}", None),
        ] {
            assert_eq!(Members::of(json).unwrap().duplicate(), expected, "{json}");
        }
        for last in [999, 500] {
            let keys: Vec<String> = (0..999).chain([last]).map(|key| format!("\"{key}\":0")).collect();
            let json = format!("{{{}}}", keys.join(","));
            let expected = (last == 500).then_some("500");
            assert_eq!(Members::of(&json).unwrap().duplicate(), expected);
        }
    }

    #[test]
    fn aliases_are_other_spellings_only() {
        let canonical = ["method", "params", "id"];
        for (json, expected) in [
            (r#"{"method":1,"id":2,"foo":3}"#, None),
            (r#"{"Method":1}"#, Some("Method")),
            (r#"{"ID":1}"#, Some("ID")),
            (r#"{"m\u0065thod":1}"#, Some("method")),
            ("{\"param\u{17f}\":1}", Some("param\u{17f}")),
            (r#"{"methods":1}"#, None),
        ] {
            assert_eq!(Members::of(json).unwrap().alias(&canonical), expected, "{json}");
        }
    }

    #[test]
    fn strings_are_written_as_json() {
        for text in [
            "plain",
            "with \"quotes\"",
            "back\\slash",
            "line\nbreak",
            "ünïcode \u{1}",
        ] {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn ids_and_tokens_are_strings_or_whole_numbers() {
        for (json, expected) in [
            ("1", true),
            ("-1", true),
            ("18446744073709551615", true),
            ("\"a\"", true),
            ("1.5", false),
            ("1e3", false),
            ("null", false),
            ("true", false),
            ("{}", false),
            ("[]", false),
        ] {
            let value: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(is_string_or_integer(value), expected, "{json}");
        }
    }
}
