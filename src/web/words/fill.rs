//! Puts values into a sentence.

/// Replaces each name in braces by its value, once. A value that looks like a name in braces stays as it is.
pub(in crate::web) fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(sentence.len() + 16);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return text;
        };
        let value = values.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_sentence() {
        assert_eq!(fill("{a}, {b}.", &[("a", "{b}"), ("b", "2")]), "{b}, 2.");
        assert_eq!(fill("open {", &[]), "open ");
    }
}
