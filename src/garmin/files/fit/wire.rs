//! The FIT wire format: headers, definitions and messages.

use super::super::error::FileError;
use super::numbers::{EPOCH_S, TIMESTAMP};

const CHECKSUM_BYTES: usize = 2;

/// Whether the bytes begin with the header of a FIT file.
pub fn is_fit(bytes: &[u8]) -> bool {
    bytes.get(8..12) == Some(b".FIT")
}

/// The messages of a FIT file in order, even if it is a chain of several files.
///
/// The iterator ends at the end of the file, or after one error if the file is damaged. Checksums are not compared: a
/// file whose upload broke off is still readable up to that point.
pub fn messages(bytes: &[u8]) -> FitMessages<'_> {
    FitMessages {
        rest: bytes,
        left: None,
        definitions: [None; 16],
        clock: None,
        has_file: false,
        is_done: false,
    }
}

#[derive(Debug, Clone)]
pub struct FitMessages<'a> {
    rest: &'a [u8],
    /// Bytes of messages before the checksum of the current file; `None` between two files.
    left: Option<usize>,
    definitions: [Option<FitDefinition<'a>>; 16],
    /// The last time seen, for messages that store only its lowest five bits.
    clock: Option<u32>,
    has_file: bool,
    is_done: bool,
}

/// The layout of the messages of one local type.
#[derive(Debug, Clone, Copy)]
struct FitDefinition<'a> {
    number: u16,
    is_big_endian: bool,
    /// Three bytes a field: number, size, base type.
    fields: &'a [u8],
    /// The size of a message in bytes.
    size: usize,
}

/// One message. Developer fields are skipped.
#[derive(Debug, Clone, Copy)]
pub struct FitMessage<'a> {
    /// Garmin's number for the message type, such as 20 for a record.
    pub number: u16,
    definition: FitDefinition<'a>,
    data: &'a [u8],
    /// The time of a message with a compressed header, in FIT seconds.
    compressed_time: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub struct FitField<'a> {
    pub number: u8,
    base: u8,
    is_big_endian: bool,
    data: &'a [u8],
}

impl<'a> Iterator for FitMessages<'a> {
    type Item = Result<FitMessage<'a>, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_done {
            match self.step() {
                Some(Step::Message(message)) => return Some(Ok(message)),
                Some(Step::Other) => {}
                Some(Step::End) => self.is_done = true,
                None => {
                    self.is_done = true;
                    return Some(Err(FileError::Damaged));
                }
            }
        }
        None
    }
}

enum Step<'a> {
    Message(FitMessage<'a>),
    Other,
    End,
}

impl<'a> FitMessages<'a> {
    /// Reads the next header, definition or message; `None` if the file is damaged.
    fn step(&mut self) -> Option<Step<'a>> {
        match self.left {
            None if self.rest.len() < 12 => return Some(Step::End),
            None => return self.file_header(),
            Some(0) => {
                self.rest = self.rest.get(CHECKSUM_BYTES..).unwrap_or_default();
                self.left = None;
                return Some(Step::Other);
            }
            Some(_) => {}
        }
        let header = *self.take(1)?.first()?;
        if header & 0x80 != 0 {
            let time = self.compressed_time(header & 0x1f);
            return self.message(header >> 5 & 0x03, time);
        }
        if header & 0x40 != 0 {
            self.definition(header)?;
            return Some(Step::Other);
        }
        self.message(header & 0x0f, None)
    }

    fn file_header(&mut self) -> Option<Step<'a>> {
        let size = usize::from(*self.rest.first()?);
        if !is_fit(self.rest) || size < 12 {
            // Some devices pad the end of the file.
            return self.has_file.then_some(Step::End);
        }
        let length = u32::from_le_bytes(self.rest.get(4..8)?.try_into().ok()?);
        self.rest = self.rest.get(size..)?;
        // A file that was never closed has the length 0. It is read to its end.
        self.left = Some(match usize::try_from(length).ok()? {
            0 => self.rest.len().saturating_sub(CHECKSUM_BYTES),
            length => length,
        });
        self.definitions = [None; 16];
        self.has_file = true;
        Some(Step::Other)
    }

    /// The next bytes of the current file.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        self.left = Some(self.left?.checked_sub(count)?);
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn definition(&mut self, header: u8) -> Option<()> {
        let head = self.take(5)?;
        let is_big_endian = *head.get(1)? != 0;
        let number = head.get(2..4)?.try_into().ok()?;
        let fields = self.take(usize::from(*head.get(4)?) * 3)?;
        let developer = if header & 0x20 == 0 {
            &[]
        } else {
            let count = *self.take(1)?.first()?;
            self.take(usize::from(count) * 3)?
        };
        let size = |fields: &[u8]| -> usize {
            fields
                .iter()
                .skip(1)
                .step_by(3)
                .map(|size| usize::from(*size))
                .sum()
        };
        let definition = FitDefinition {
            number: if is_big_endian {
                u16::from_be_bytes(number)
            } else {
                u16::from_le_bytes(number)
            },
            is_big_endian,
            fields,
            size: size(fields) + size(developer),
        };
        *self.definitions.get_mut(usize::from(header & 0x0f))? = Some(definition);
        Some(())
    }

    fn message(&mut self, local: u8, compressed_time: Option<u32>) -> Option<Step<'a>> {
        let definition = (*self.definitions.get(usize::from(local))?)?;
        let data = self.take(definition.size)?;
        let message = FitMessage {
            number: definition.number,
            definition,
            data,
            compressed_time,
        };
        if let Some(time) = message.fit_seconds() {
            self.clock = Some(time);
        }
        Some(Step::Message(message))
    }

    fn compressed_time(&self, low: u8) -> Option<u32> {
        let clock = self.clock?;
        let low = u32::from(low);
        let ahead = low.wrapping_sub(clock) & 0x1f;
        clock.checked_add(ahead)
    }
}

impl<'a> FitMessage<'a> {
    pub fn fields(&self) -> impl Iterator<Item = FitField<'a>> + use<'a> {
        let FitDefinition {
            fields,
            is_big_endian,
            ..
        } = self.definition;
        let mut rest = self.data;
        fields.chunks_exact(3).map_while(move |field| {
            let &[number, size, base] = field else { return None };
            let (data, after) = rest.split_at_checked(usize::from(size))?;
            rest = after;
            Some(FitField {
                number,
                base,
                is_big_endian,
                data,
            })
        })
    }

    pub fn field(&self, number: u8) -> Option<FitField<'a>> {
        self.fields().find(|field| field.number == number)
    }

    /// The raw value of a field; `None` if it is missing or invalid.
    pub fn number(&self, field: u8) -> Option<f64> {
        self.field(field)?.number()
    }

    /// The message's time in Unix seconds.
    pub fn time_s(&self) -> Option<f64> {
        self.fit_seconds().and_then(unix_s)
    }

    /// A field that holds a time, in Unix seconds.
    pub fn time_of(&self, field: u8) -> Option<f64> {
        self.field(field)?.time_s()
    }

    fn fit_seconds(&self) -> Option<u32> {
        let own = || match self.field(TIMESTAMP)?.data.try_into() {
            Ok(bytes) if self.definition.is_big_endian => Some(u32::from_be_bytes(bytes)),
            Ok(bytes) => Some(u32::from_le_bytes(bytes)),
            Err(_) => None,
        };
        self.compressed_time.or_else(own).filter(|time| *time != u32::MAX)
    }
}

/// Small values count from the moment the device was switched on, so they are not a time of day.
fn unix_s(fit_seconds: u32) -> Option<f64> {
    const FIRST: u32 = 0x1000_0000;
    (FIRST..u32::MAX)
        .contains(&fit_seconds)
        .then(|| f64::from(fit_seconds) + f64::from(EPOCH_S))
}

impl FitField<'_> {
    /// The value, or the first of several; `None` if it is invalid or a text.
    pub fn number(&self) -> Option<f64> {
        self.numbers().next()?
    }

    /// All values of an array. An invalid one is `None`.
    pub fn numbers(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.data
            .chunks_exact(self.width())
            .map(|value| self.valid(value))
    }

    /// The value as a time in Unix seconds.
    pub fn time_s(&self) -> Option<f64> {
        let bytes = self.data.try_into().ok()?;
        unix_s(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// The text up to its first zero byte; `None` for another type or an empty text.
    pub fn text(&self) -> Option<String> {
        if self.base & 0x1f != 7 {
            return None;
        }
        let end = self
            .data
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.data.len());
        let text = String::from_utf8_lossy(self.data.get(..end)?).into_owned();
        (!text.is_empty()).then_some(text)
    }

    fn width(&self) -> usize {
        match self.base & 0x1f {
            3 | 4 | 11 => 2,
            5 | 6 | 8 | 12 => 4,
            9 | 14 | 15 | 16 => 8,
            _ => 1,
        }
    }

    /// The bits of one value.
    fn raw(&self, bytes: &[u8]) -> Option<u64> {
        let big = self.is_big_endian;
        Some(match *bytes {
            [byte] => byte.into(),
            [a, b] if big => u16::from_be_bytes([a, b]).into(),
            [a, b] => u16::from_le_bytes([a, b]).into(),
            [a, b, c, d] if big => u32::from_be_bytes([a, b, c, d]).into(),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
            _ if big => u64::from_be_bytes(bytes.try_into().ok()?),
            _ => u64::from_le_bytes(bytes.try_into().ok()?),
        })
    }

    /// One value of the field's base type. Each type has a bit pattern that stands for "no value".
    fn valid(&self, bytes: &[u8]) -> Option<f64> {
        let raw = self.raw(bytes)?;
        let bits = u32::try_from(bytes.len() * 8).ok()?;
        let all_ones = u64::MAX >> (64 - bits);
        let signed = || {
            let shift = 64 - bits;
            let value = raw.cast_signed() << shift >> shift;
            (raw != all_ones >> 1).then_some(value as f64)
        };
        match self.base & 0x1f {
            1 | 3 | 5 | 14 => signed(),
            0 | 2 | 4 | 6 | 13 | 15 => (raw != all_ones).then_some(raw as f64),
            10 | 11 | 12 | 16 => (raw != 0).then_some(raw as f64),
            8 => Some(f64::from(f32::from_bits(u32::try_from(raw).ok()?))).filter(|value| value.is_finite()),
            9 => Some(f64::from_bits(raw)).filter(|value| value.is_finite()),
            _ => None,
        }
    }
}
