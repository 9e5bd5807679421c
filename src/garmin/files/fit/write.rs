//! Writes FIT files: a header, definition and data messages, and a checksum.

use super::numbers::{EPOCH_S, TIMESTAMP};

/// Unix seconds as FIT counts them.
pub fn fit_time(unix_s: i64) -> u32 {
    u32::try_from(unix_s - i64::from(EPOCH_S)).unwrap_or(u32::MAX)
}

/// A FIT file under construction. A new definition is written whenever the message number or the fields change.
#[derive(Debug, Default)]
pub struct FitWriter {
    body: Vec<u8>,
    /// The last definition written: the message number and the encoded fields.
    defined: Option<(u16, Vec<[u8; 3]>)>,
}

/// A value to write. Times and unsigned 32-bit numbers are [`FitValue::Whole`].
#[derive(Debug, Clone, Copy)]
pub enum FitValue<'a> {
    Whole(u32),
    Signed(i32),
    /// One byte, such as a member of an enumeration.
    Byte(u8),
    /// An unsigned number of 16 bits.
    Short(u16),
    Text(&'a str),
}

impl FitWriter {
    /// Adds a message with these fields, already scaled.
    pub fn message(&mut self, number: u16, fields: &[(u8, FitValue<'_>)]) {
        let layout: Vec<[u8; 3]> = fields
            .iter()
            .map(|(field, value)| match value {
                FitValue::Whole(_) => [*field, 4, 0x86],
                FitValue::Signed(_) => [*field, 4, 0x85],
                FitValue::Byte(_) => [*field, 1, 0x00],
                FitValue::Short(_) => [*field, 2, 0x84],
                FitValue::Text(text) => [*field, length(text), 0x07],
            })
            .collect();
        if self.defined.as_ref() != Some(&(number, layout.clone())) {
            self.body.extend([0x40, 0, 0]);
            self.body.extend(number.to_le_bytes());
            self.body.push(u8::try_from(layout.len()).unwrap_or(u8::MAX));
            self.body.extend(layout.iter().flatten());
            self.defined = Some((number, layout));
        }
        self.body.push(0);
        for (_, value) in fields {
            match value {
                FitValue::Whole(value) => self.body.extend(value.to_le_bytes()),
                FitValue::Signed(value) => self.body.extend(value.to_le_bytes()),
                FitValue::Byte(value) => self.body.push(*value),
                FitValue::Short(value) => self.body.extend(value.to_le_bytes()),
                FitValue::Text(text) => {
                    let kept = usize::from(length(text)) - 1;
                    self.body.extend(text.bytes().take(kept));
                    self.body.push(0);
                }
            }
        }
    }

    /// Adds a message that begins with its time.
    pub fn timed(&mut self, number: u16, unix_s: i64, fields: &[(u8, FitValue<'_>)]) {
        let mut all = vec![(TIMESTAMP, FitValue::Whole(fit_time(unix_s)))];
        all.extend_from_slice(fields);
        self.message(number, &all);
    }

    /// The file, with header and checksum.
    pub fn finish(self) -> Vec<u8> {
        let mut file = vec![14, 0x20, 0x5c, 0x08];
        file.extend(u32::try_from(self.body.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(b".FIT");
        file.extend(checksum(&file).to_le_bytes());
        file.extend(self.body);
        file.extend(checksum(&file).to_le_bytes());
        file
    }
}

/// The length of a text in bytes, with its final zero.
fn length(text: &str) -> u8 {
    u8::try_from(text.len() + 1).unwrap_or(u8::MAX)
}

/// FIT's CRC-16 (polynomial 0xA001, least significant bit first).
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc: u16, _| {
            if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xa001 }
        })
    })
}
