//! Names, scales and units of messages and fields, from `profile.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The name of a field and its conversion: value = raw / `scale` - `offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldProfile {
    pub name: &'static str,
    pub scale: f64,
    pub offset: f64,
    /// `-` for none, `time`, `semicircles`, or the name of an enumeration.
    pub unit: &'static str,
}

#[derive(Default)]
struct FitProfile {
    messages: HashMap<u16, &'static str>,
    fields: HashMap<(u16, u8), FieldProfile>,
    values: HashMap<(&'static str, u16), &'static str>,
}

static PROFILE: LazyLock<FitProfile> = LazyLock::new(|| parse(include_str!("profile.txt")));

/// The name of a kind of message.
pub fn message_name(message: u16) -> Option<&'static str> {
    PROFILE.messages.get(&message).copied()
}

pub fn field(message: u16, field: u8) -> Option<FieldProfile> {
    PROFILE.fields.get(&(message, field)).copied()
}

/// The name of a value of an enumeration, such as `running` of `sport`.
pub fn value_name(enumeration: &'static str, value: f64) -> Option<&'static str> {
    let value = (0..=255).find(|number| (f64::from(*number) - value).abs() < f64::EPSILON)?;
    PROFILE.values.get(&(enumeration, value)).copied()
}

/// The number of the message with this name.
pub fn message_number(name: &str) -> Option<u16> {
    let mut messages = PROFILE.messages.iter();
    messages
        .find(|(_, known)| **known == name)
        .map(|(number, _)| *number)
}

/// The value of an enumeration with this name.
pub fn value_of(enumeration: &str, name: &str) -> Option<u16> {
    let mut values = PROFILE.values.iter();
    values
        .find(|((of, _), known)| *of == enumeration && **known == name)
        .map(|((_, value), _)| *value)
}

/// Skips lines that it does not understand. A test ensures that there are none.
fn parse(text: &'static str) -> FitProfile {
    let mut profile = FitProfile::default();
    let (mut message, mut enumeration) = (None, None);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        let is_inner = line.starts_with(' ');
        match (words.as_slice(), enumeration, message) {
            (["enum", name], ..) => enumeration = Some(*name),
            ([value, name], Some(enumeration), _) if is_inner => {
                if let Ok(value) = value.parse() {
                    profile.values.insert((enumeration, value), name);
                }
            }
            ([number, name, conversion @ ..], _, Some(message)) if is_inner => {
                let [scale, offset, unit] = conversion else {
                    insert(&mut profile, message, number, name, (1.0, 0.0, "-"));
                    continue;
                };
                if let (Ok(scale), Ok(offset)) = (scale.parse(), offset.parse()) {
                    insert(&mut profile, message, number, name, (scale, offset, unit));
                }
            }
            ([number, name], ..) => {
                message = number.parse().ok();
                profile.messages.extend(message.map(|message| (message, *name)));
            }
            _ => {}
        }
    }
    profile
}

fn insert(
    profile: &mut FitProfile,
    message: u16,
    number: &str,
    name: &'static str,
    (scale, offset, unit): (f64, f64, &'static str),
) {
    if let Ok(number) = number.parse() {
        let field = FieldProfile {
            name,
            scale,
            offset,
            unit,
        };
        profile.fields.insert((message, number), field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_profile_is_understood() {
        let lines = include_str!("profile.txt")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("enum"));
        let known = PROFILE.messages.len() + PROFILE.fields.len() + PROFILE.values.len();
        assert_eq!(known, lines.count());
    }

    #[test]
    fn fields_and_values_have_their_names() {
        assert_eq!(message_name(20), Some("record"));
        let altitude = field(20, 78).unwrap();
        assert_eq!(
            (altitude.name, altitude.scale, altitude.offset, altitude.unit),
            ("enhanced_altitude", 5.0, 500.0, "m")
        );
        assert_eq!(value_name("sport", 5.0), Some("swimming"));
        assert_eq!(value_of("sub_sport", "trail"), Some(3));
        assert_eq!(message_number("hrv"), Some(78));
    }
}
