//! Extracts the web addresses from pasted text, and removes what mail programs, chats and keyboards add around and
//! inside a link.
//!
//! It handles quoted-printable, HTML entities, percent-encoding (a wrapper such as SafeLinks carries the address
//! inside its own), Proofpoint's encodings, invisible characters, marks of bold text and lists, and line breaks
//! inside a link. No address is requested; the caller checks the host of each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Only this much of a longer text is searched. A whole e-mail without its pictures is far smaller.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Maximum depth of nested wrappers that are opened.
const MAX_LAYERS: usize = 4;

/// Maximum number of lines that one link may span.
const MAX_LINES: usize = 6;

/// The longest HTML entity that is read has 14 bytes.
const MAX_ENTITY_BYTES: usize = 16;

/// Upper bounds for the number of addresses examined in one text and for their length. They limit the work for a
/// hostile text.
const MAX_ADDRESSES: usize = 300;
const MAX_ADDRESS_BYTES: usize = 8 * 1024;

/// An address in the text. Each further item has one more line of the text appended, in case the link was broken
/// there.
pub(super) type Candidate = Vec<String>;

/// All candidates in `text`, in the order found. `bare_hosts`: hosts whose links are found without a scheme too.
pub(super) fn candidates(text: &str, bare_hosts: &[String]) -> Vec<Candidate> {
    let end = boundary(text, MAX_TEXT_BYTES);
    let text = text.get(..end).unwrap_or_default();
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut layers = vec![text];
    if let Some(decoded) = layers.first().and_then(|text| unquote_printable(text)) {
        layers.insert(0, decoded);
    }
    let mut found = Vec::new();
    for layer in layers {
        let mut layer = unescape_html(&layer).replace("\\/", "/");
        for _ in 0..MAX_LAYERS {
            found.extend(addresses(&layer, bare_hosts));
            let opened = open_wrappers(&layer);
            if opened == layer {
                break;
            }
            layer = opened;
        }
    }
    found
}

fn addresses(text: &str, bare_hosts: &[String]) -> Vec<Candidate> {
    let lower = text.to_ascii_lowercase();
    let mut starts: Vec<usize> = Vec::new();
    for scheme in ["https://", "http://"] {
        starts.extend(lower.match_indices(scheme).map(|(at, _)| at));
    }
    for host in bare_hosts {
        let bare = lower.match_indices(host.as_str()).map(|(at, _)| at);
        starts.extend(bare.filter(|at| is_word_start(&lower, *at)));
    }
    starts.sort_unstable();
    starts.truncate(MAX_ADDRESSES);
    starts
        .into_iter()
        .map(|at| candidate(bounded(text, at)))
        .collect()
}

/// The last start of a character at or before byte `most`.
fn boundary(text: &str, most: usize) -> usize {
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    (0..=most.min(text.len())).rev().find(is_boundary).unwrap_or(0)
}

/// The text from `at`, cut to the maximum length of an address.
fn bounded(text: &str, at: usize) -> &str {
    let end = boundary(text, at + MAX_ADDRESS_BYTES);
    text.get(at..end).unwrap_or_default()
}

/// Whether a host may start at `at`: the character before it is not part of a longer host, e-mail address or path.
fn is_word_start(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '@' | '/' | '\\' | '.' | '-' | '%')))
}

fn candidate(text: &str) -> Candidate {
    let mut whole = String::new();
    let mut grown = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        // A reply quotes with `>`, and a wrapped line may be indented.
        let line = if whole.is_empty() {
            line
        } else {
            line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
        };
        let (part, rest) = line.split_at(line.find(ends_address).unwrap_or(line.len()));
        whole.push_str(part);
        grown.push(whole.clone());
        let is_broken_off = !part.is_empty() && rest.trim().is_empty();
        if !is_broken_off {
            break;
        }
    }
    grown
}

/// Whether a character cannot occur in a link as Garmin or a wrapper writes it.
fn ends_address(c: char) -> bool {
    !c.is_ascii_graphic() || "\"'<>()[]{}|\\^`*".contains(c)
}

/// Zero-width characters, direction marks, soft hyphens, byte order marks, variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
    ) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
}

/// Decodes quoted-printable text (RFC 2045, 6.7); `None` when the text does not look encoded.
///
/// A token may begin with "3D", so `=3D` alone does not make a text quoted-printable.
fn unquote_printable(text: &str) -> Option<String> {
    let is_quoted = ["=\n", "=\r\n", "=3D\"", "quoted-printable"]
        .iter()
        .any(|sign| text.contains(sign));
    if !is_quoted {
        return None;
    }
    let text = text.replace("=\r\n", "").replace("=\n", "");
    let decoded = decode_escapes(&text, b'=');
    Some(decoded.chars().filter(|c| !is_invisible(*c)).collect())
}

fn unescape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after
            .bytes()
            .take(MAX_ENTITY_BYTES)
            .position(|b| b == b';')
            .and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
        if let Some((c, after)) = entity {
            if !is_invisible(c) {
                out.push(c);
            }
            rest = after;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "quot" => Some('"'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "nbsp" => Some(' '),
        "sol" => Some('/'),
        "colon" => Some(':'),
        "period" => Some('.'),
        "equals" => Some('='),
        "quest" => Some('?'),
        "zwnj" | "zwj" | "shy" | "ZeroWidthSpace" => Some('\u{200b}'),
        _ => {
            let number = name.strip_prefix('#').filter(|number| number.len() <= 8)?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Removes one layer of wrapping: percent-encoding, Proofpoint's own URL encoding, and Base64.
fn open_wrappers(text: &str) -> String {
    let mut text = decode_escapes(text, b'%');
    for wrapped in proofpoint_v2(&text).into_iter().chain(base64_addresses(&text)) {
        text.push('\n');
        text.push_str(&wrapped);
    }
    text
}

/// `urldefense.proofpoint.com/v2/url?u=https-3A__host_path`: `-` replaces `%`, and `_` replaces `/`.
fn proofpoint_v2(text: &str) -> Vec<String> {
    let found = text.match_indices("u=http").take(MAX_ADDRESSES);
    let encoded = found.filter_map(|(at, mark)| {
        let rest = bounded(text, at + mark.len() - "http".len());
        let value = rest.split(|c| c == '&' || ends_address(c)).next()?;
        (value.starts_with("http-3A__") || value.starts_with("https-3A__")).then_some(value)
    });
    encoded
        .map(|value| decode_escapes(&value.replace('-', "%").replace('_', "/"), b'%'))
        .collect()
}

/// Addresses that a wrapper encodes in Base64, as Sophos does.
fn base64_addresses(text: &str) -> Vec<String> {
    let found = text.match_indices("aHR0c").take(MAX_ADDRESSES);
    let encoded = found.filter_map(|(at, _)| {
        let rest = bounded(text, at);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/'));
        let bytes = STANDARD_NO_PAD
            .decode(rest.get(..end.unwrap_or(rest.len()))?)
            .ok()?;
        String::from_utf8(bytes).ok()
    });
    encoded.collect()
}

/// Replaces each `mark` followed by two hexadecimal digits with the byte that they encode.
fn decode_escapes(text: &str, mark: u8) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .filter(|pair| byte == mark && pair.iter().all(u8::is_ascii_hexdigit))
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(hex.unwrap_or(byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
