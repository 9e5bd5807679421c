//! Versions of this program, such as `1.2.3`.

/// Whether a version comes before another. False if one of them is not a version. What follows a `-` or `+` does not
/// count.
pub fn is_older(version: &str, than: &str) -> bool {
    matches!((numbers(version), numbers(than)), (Some(own), Some(other)) if own < other)
}

/// The three numbers of a version. `None` for a text with characters that no version has, which could disturb a
/// terminal or a URL.
pub fn numbers(version: &str) -> Option<[u64; 3]> {
    let is_usual = |b: u8| b.is_ascii_alphanumeric() || b".+-".contains(&b);
    if !version.bytes().all(is_usual) {
        return None;
    }
    let numbers = version.split(['-', '+']).next()?.split('.');
    let numbers: Result<Vec<u64>, _> = numbers.map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (older, newer) in [
            ("0.9.0", "0.10.0"),
            ("0.9.9", "1.0.0"),
            ("1.2.3", "1.2.4"),
            ("1.2.3-rc.1", "1.2.4+build"),
        ] {
            assert!(is_older(older, newer) && !is_older(newer, older));
        }
        for (version, than) in [
            ("1.0.0", "1.0.0"),
            ("1.0.0", "soon"),
            ("1.0.0", "2"),
            ("of an unknown version", "1.0.0"),
            ("1.0.0", "2.0.0-\u{1b}[2J"),
            ("1.0.0", "2.0.0-/../.."),
        ] {
            assert!(!is_older(version, than), "{version} {than}");
        }
    }
}
