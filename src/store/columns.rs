//! Columns of a block: whole numbers as variable-length differences.
//!
//! Floats are stored exactly: as integer multiples of a decimal unit or of Garmin's angle where the whole column
//! allows it, else as raw bits.

#[derive(Default)]
pub struct ColumnWriter(pub Vec<u8>);

/// Reads columns in the order in which they were written. `None` means that the bytes are damaged.
pub struct ColumnReader<'a>(pub &'a [u8]);

/// Which values of a column are present.
const NONE: u8 = 0;
const ALL: u8 = 1;
const SOME: u8 = 2;

/// Units of a float column: 10^-n for n up to 9, Garmin's angle (2^31 units are 180 degrees), or raw bits.
const DECIMALS: u8 = 9;
const ANGLE: u8 = 10;
const BITS: u8 = 255;
const ANGLES_PER_DEGREE: f64 = 2_147_483_648.0 / 180.0;

impl ColumnWriter {
    pub fn whole(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub fn signed(&mut self, value: i64) {
        self.whole((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    /// Each number as the difference from its predecessor.
    pub fn numbers(&mut self, values: impl IntoIterator<Item = i64>) {
        let mut before = 0_i64;
        for value in values {
            self.signed(value.wrapping_sub(before));
            before = value;
        }
    }

    /// Numbers, some of which may be missing.
    pub fn optional(&mut self, values: &[Option<i64>]) {
        self.presence(values.iter().map(Option::is_some));
        self.numbers(values.iter().copied().flatten());
    }

    /// Floats, some of which may be missing.
    pub fn floats(&mut self, values: &[Option<f64>]) {
        self.presence(values.iter().map(Option::is_some));
        let present = || values.iter().copied().flatten();
        if present().next().is_none() {
            return;
        }
        let unit = (0..=ANGLE).find(|unit| present().all(|value| to_units(value, *unit).is_some()));
        let unit = unit.unwrap_or(BITS);
        self.0.push(unit);
        if unit == BITS {
            present().for_each(|value| self.0.extend_from_slice(&value.to_bits().to_le_bytes()));
        } else {
            self.numbers(present().filter_map(|value| to_units(value, unit)));
        }
    }

    /// Texts, some of which may be missing. Equal texts are written once.
    pub fn texts(&mut self, values: &[Option<String>]) {
        let mut known: Vec<&str> = Vec::new();
        let mut places = Vec::with_capacity(values.len());
        for value in values {
            let place = value.as_deref().map_or(0, |text| {
                known.iter().rposition(|k| *k == text).unwrap_or_else(|| {
                    known.push(text);
                    known.len() - 1
                }) + 1
            });
            places.push(place);
        }
        self.whole(known.len() as u64);
        for text in known {
            self.whole(text.len() as u64);
            self.0.extend_from_slice(text.as_bytes());
        }
        for place in places {
            self.whole(place as u64);
        }
    }

    fn presence(&mut self, present: impl Iterator<Item = bool>) {
        let present: Vec<bool> = present.collect();
        if present.iter().all(|is| *is) {
            self.0.push(ALL);
        } else if present.iter().any(|is| *is) {
            self.0.push(SOME);
            let bits = |chunk: &[bool]| {
                chunk
                    .iter()
                    .rev()
                    .fold(0_u8, |bits, is| bits << 1 | u8::from(*is))
            };
            self.0.extend(present.chunks(8).map(bits));
        } else {
            self.0.push(NONE);
        }
    }
}

impl ColumnReader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn whole(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub fn signed(&mut self) -> Option<i64> {
        let value = self.whole()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub fn numbers(&mut self, count: usize) -> Option<Vec<i64>> {
        let mut before = 0_i64;
        let mut next = || {
            before = before.wrapping_add(self.signed()?);
            Some(before)
        };
        (0..count).map(|_| next()).collect()
    }

    pub fn optional(&mut self, count: usize) -> Option<Vec<Option<i64>>> {
        let present = self.presence(count)?;
        let values = self.numbers(present.iter().filter(|is| **is).count())?;
        Some(spread(&present, values))
    }

    pub fn floats(&mut self, count: usize) -> Option<Vec<Option<f64>>> {
        let present = self.presence(count)?;
        let kept = present.iter().filter(|is| **is).count();
        if kept == 0 {
            return Some(vec![None; count]);
        }
        let values = match self.byte()? {
            BITS => (0..kept)
                .map(|_| {
                    Some(f64::from_bits(u64::from_le_bytes(
                        self.bytes(8)?.try_into().ok()?,
                    )))
                })
                .collect::<Option<Vec<_>>>()?,
            unit @ 0..=ANGLE => {
                let numbers = self.numbers(kept)?;
                numbers
                    .into_iter()
                    .map(|number| from_units(number, unit))
                    .collect()
            }
            _ => return None,
        };
        Some(spread(&present, values))
    }

    pub fn texts(&mut self, count: usize) -> Option<Vec<Option<String>>> {
        let known = usize::try_from(self.whole()?)
            .ok()
            .filter(|known| *known <= count)?;
        let mut texts = Vec::with_capacity(known);
        for _ in 0..known {
            let length = usize::try_from(self.whole()?).ok()?;
            texts.push(String::from_utf8(self.bytes(length)?.to_vec()).ok()?);
        }
        (0..count)
            .map(|_| match usize::try_from(self.whole()?).ok()? {
                0 => Some(None),
                place => texts.get(place - 1).cloned().map(Some),
            })
            .collect()
    }

    fn presence(&mut self, count: usize) -> Option<Vec<bool>> {
        Some(match self.byte()? {
            NONE => vec![false; count],
            ALL => vec![true; count],
            SOME => {
                let bits = self.bytes(count.div_ceil(8))?;
                let is_set = |i: usize| bits.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
                (0..count).map(is_set).collect()
            }
            _ => return None,
        })
    }
}

fn spread<T: Copy>(present: &[bool], values: Vec<T>) -> Vec<Option<T>> {
    let mut values = values.into_iter();
    present
        .iter()
        .map(|is| if *is { values.next() } else { None })
        .collect()
}

/// The value in whole units, if the conversion is exact.
#[expect(clippy::cast_possible_truncation, reason = "the conversion back is checked")]
fn to_units(value: f64, unit: u8) -> Option<i64> {
    let units = match unit {
        0..=DECIMALS => value * 10_f64.powi(i32::from(unit)),
        _ => value * ANGLES_PER_DEGREE,
    };
    let whole = units.round();
    // Above this limit, a float can't represent every integer. The bits are compared, because -0 must stay distinct
    // from 0.
    let fits = whole.abs() < 9e15;
    (fits && from_units(whole as i64, unit).to_bits() == value.to_bits()).then_some(whole as i64)
}

fn from_units(units: i64, unit: u8) -> f64 {
    match unit {
        0..=DECIMALS => units as f64 / 10_f64.powi(i32::from(unit)),
        _ => units as f64 / ANGLES_PER_DEGREE,
    }
}
