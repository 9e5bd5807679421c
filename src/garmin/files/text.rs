//! The characters of an XML file, in the encodings that programs for GPX files write.

use std::borrow::Cow;

/// How far into a file its encoding is declared.
const DECLARATION_BYTES: usize = 200;

/// The encodings in which each byte is one character. Windows differs from ISO 8859-1 only in punctuation, which no
/// number contains.
const ONE_BYTE: [&str; 5] = ["iso-8859-1", "latin1", "iso-8859-15", "windows-1252", "us-ascii"];

/// Decodes UTF-8, UTF-16, or the encoding of one byte per character that the file declares. `None`: another one.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => return utf16(bytes, u16::from_le_bytes),
        [0, b'<', ..] => return utf16(bytes, u16::from_be_bytes),
        _ => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES))?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, declared) = head.split_once("encoding=")?;
    let declared = declared.trim_start_matches(['"', '\'']);
    let is_one_byte = ONE_BYTE.iter().any(|name| declared.starts_with(name));
    is_one_byte.then(|| bytes.iter().map(|byte| char::from(*byte)).collect())
}

/// A file that was cut within a character is read up to there.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, str>> {
    let units = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    let text: String = char::decode_utf16(units).map_while(Result::ok).collect();
    (!text.is_empty()).then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::super::{FileError, read};
    use super::*;

    fn gpx(encoding: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?><gpx><trk><name>Kärntner Lauf</name><trkseg>\
             <trkpt lat=\"48\" lon=\"10\"><time>2026-01-08T10:00:00Z</time></trkpt></trkseg></trk></gpx>"
        )
    }

    fn one_byte(text: &str) -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    }

    #[test]
    fn a_file_is_decoded_as_it_declares() {
        let whole = read(gpx("UTF-8").as_bytes()).unwrap();
        let utf16 = gpx("UTF-16");
        let little: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            one_byte(&gpx("ISO-8859-1")),
            one_byte(&gpx("windows-1252")),
            [&[0xff, 0xfe], &little[..]].concat(),
            [&[0xfe, 0xff], &big[..]].concat(),
            little,
        ] {
            assert_eq!(read(&bytes).as_ref(), Ok(&whole));
        }
        assert!(
            decode(&one_byte(&gpx("ISO-8859-1")))
                .unwrap()
                .contains("Kärntner")
        );
    }

    #[test]
    fn another_encoding_is_told_as_such() {
        assert_eq!(read(&one_byte(&gpx("KOI8-R"))), Err(FileError::Characters));
        assert_eq!(read(&[0x80; 64]), Err(FileError::UnknownFormat));
    }
}
