//! Text of strangers, made harmless.

/// `text` without control and format characters (which hide or reorder text), its white space made single blanks.
pub fn plain_text(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut plain = String::with_capacity(text.len());
    for c in shown.filter(|c| !c.is_control() && !is_format(*c)) {
        if c != ' ' || !(plain.is_empty() || plain.ends_with(' ')) {
            plain.push(c);
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Unicode's format characters (Cf) that matter: zero width, direction marks and overrides, tags, the soft hyphen;
/// and the line and paragraph separators.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_go() {
        for (text, plain) in [
            ("Ann E", "Ann E"),
            ("  a\t\r\n b  ", "a b"),
            ("a\u{200b}b\u{202e}c\u{7}\u{1b}[31m", "abc[31m"),
            ("\u{e0041}x", "x"),
            ("Žofie 走", "Žofie 走"),
            ("", ""),
        ] {
            assert_eq!(plain_text(text), plain, "{text:?}");
        }
    }
}
