//! The body of a request to the API: JSON, or a file.

use bytes::Bytes;
use serde_json::Value;

use crate::base::secrets::random_id;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiBody {
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

impl ApiBody {
    pub fn json(value: &Value) -> Self {
        Self {
            content_type: "application/json".to_owned(),
            bytes: value.to_string().into(),
        }
    }

    /// A file as the only part, `file`, of a `multipart/form-data` body (RFC 7578). Garmin recognizes the type of a
    /// file by its name, so the part needs no content type.
    pub fn file(name: &str, content_type: Option<&str>, content: &[u8]) -> Self {
        let boundary = random_id("part");
        // A quote or a line break would end the name.
        let name = name.replace(|c: char| c == '"' || c.is_control(), "_");
        let kind = content_type.map_or_else(String::new, |kind| format!("Content-Type: {kind}\r\n"));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n{kind}\r\n"
        );
        let end = format!("\r\n--{boundary}--\r\n");
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            bytes: [head.as_bytes(), content, end.as_bytes()].concat().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_only_part_of_its_body() {
        let body = ApiBody::file("a\"\r\nb.fit", None, b"\x0e\x10");
        let boundary = body
            .content_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        let mut wanted = format!("--{boundary}\r\n").into_bytes();
        wanted.extend(
            b"Content-Disposition: form-data; name=\"file\"; filename=\"a___b.fit\"\r\n\r\n\x0e\x10\r\n",
        );
        wanted.extend(format!("--{boundary}--\r\n").bytes());
        assert_eq!(body.bytes, wanted);
    }
}
