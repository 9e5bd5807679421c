//! A block: the rows of some weeks of one kind, as compressed columns.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::kind::{KeptKind, MemberForm};
use super::rows::{KeptRow, KeptValue};
use crate::accounts::AccountId;
use crate::store::columns::{ColumnReader, ColumnWriter};
use crate::store::{Packed, Table};

/// Upper bound of a decompressed block in bytes, far above any real one.
const LARGEST: usize = 4 << 20;
const MOST_ROWS: usize = 4_000;
/// A block is written a few times in its life and read often.
const LEVEL: u8 = 9;
const EPOCH: Date = date(1970, 1, 1);

/// The rows of one kind, in Garmin's order.
#[derive(Debug, Clone)]
pub(super) struct DayBlock {
    pub(super) kind: &'static KeptKind,
    pub(super) rows: Vec<KeptRow>,
}

impl DayBlock {
    pub(super) fn new(kind: &'static KeptKind) -> Self {
        Self {
            kind,
            rows: Vec::new(),
        }
    }

    /// Replaces the rows of these days.
    pub(super) fn replace(&mut self, from: Date, to: Date, rows: impl IntoIterator<Item = KeptRow>) {
        self.rows.retain(|row| row.date < from || row.date > to);
        self.rows.extend(rows);
        // Stable, so that several rows of a day keep Garmin's order.
        if self.kind.is_newest_first {
            self.rows.sort_by_key(|row| std::cmp::Reverse(row.date));
        } else {
            self.rows.sort_by_key(|row| row.date);
        }
    }

    /// The number of different days that have a row.
    pub(super) fn days(&self) -> usize {
        self.rows.chunk_by(|a, b| a.date == b.date).count()
    }
}

/// The key of a block: the person, the kind, and the number of the block.
pub(super) fn block_key(account: &AccountId, kind: &KeptKind, unit: u32) -> Vec<u8> {
    [kind_prefix(account, kind).as_slice(), &unit.to_be_bytes()].concat()
}

/// The part of the key that all blocks of a kind share.
pub(super) fn kind_prefix(account: &AccountId, kind: &KeptKind) -> Vec<u8> {
    [account.as_str().as_bytes(), &[kind.code]].concat()
}

impl Packed for DayBlock {
    const TABLE: Table = Table("history_days");

    fn pack(&self) -> Vec<u8> {
        let mut out = ColumnWriter::default();
        out.whole(u64::from(self.kind.code));
        out.whole(self.rows.len() as u64);
        out.whole(self.kind.members.len() as u64);
        out.numbers(
            self.rows
                .iter()
                .map(|row| i64::from((row.date - EPOCH).get_days())),
        );
        for (index, member) in self.kind.members.iter().enumerate() {
            let values = self.rows.iter().map(|row| row.values.get(index)?.as_ref());
            match member.form {
                MemberForm::Number => {
                    let number = |value: Option<&KeptValue>| match value {
                        Some(KeptValue::Number(number)) => Some(*number),
                        _ => None,
                    };
                    out.floats(&values.map(number).collect::<Vec<_>>());
                }
                MemberForm::Text | MemberForm::List(_) => {
                    let text = |value: Option<&KeptValue>| match value {
                        Some(KeptValue::Text(text)) => Some(text.clone()),
                        _ => None,
                    };
                    out.texts(&values.map(text).collect::<Vec<_>>());
                }
            }
        }
        miniz_oxide::deflate::compress_to_vec(&out.0, LEVEL)
    }

    fn unpack(_: u8, bytes: &[u8]) -> Option<Self> {
        let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, LARGEST).ok()?;
        let mut from = ColumnReader(&plain);
        let kind = KeptKind::of_code(u8::try_from(from.whole()?).ok()?)?;
        let count = usize::try_from(from.whole()?)
            .ok()
            .filter(|count| *count <= MOST_ROWS)?;
        let columns = usize::try_from(from.whole()?).ok()?;
        let members = kind.members.get(..columns)?;
        let mut rows = Vec::with_capacity(count);
        for days in from.numbers(count)? {
            rows.push(KeptRow {
                date: EPOCH.checked_add(i32::try_from(days).ok()?.days()).ok()?,
                values: Vec::with_capacity(kind.members.len()),
            });
        }
        for member in members {
            let values: Vec<Option<KeptValue>> = match member.form {
                MemberForm::Number => from
                    .floats(count)?
                    .into_iter()
                    .map(|number| number.map(KeptValue::Number))
                    .collect(),
                MemberForm::Text | MemberForm::List(_) => from
                    .texts(count)?
                    .into_iter()
                    .map(|text| text.map(KeptValue::Text))
                    .collect(),
            };
            for (row, value) in rows.iter_mut().zip(values) {
                row.values.push(value);
            }
        }
        for row in &mut rows {
            // Members that were added after the block was written have no value.
            row.values.resize(kind.members.len(), None);
        }
        Some(Self { kind, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn block(kind: &str, document: &serde_json::Value) -> DayBlock {
        let kind = KeptKind::named(kind).unwrap();
        let rows = kind.rows_of(document).unwrap();
        DayBlock { kind, rows }
    }

    fn steps(days: std::ops::RangeInclusive<u8>, steps: i64) -> serde_json::Value {
        days.map(
            |day| json!({"calendarDate": format!("2026-01-{day:02}"), "totalSteps": steps + i64::from(day)}),
        )
        .collect()
    }

    #[test]
    fn columns_round_trip_with_missing_values() {
        let stress = json!([
            {"calendarDate": "2026-01-01", "values": {"overallStressLevel": 31, "highStressDuration": null}},
            {"calendarDate": "2026-01-03", "values": {"mediumStressDuration": 61.25}},
            {"calendarDate": "2026-01-03", "values": {"overallStressLevel": -1}},
        ]);
        let block = block("stress", &stress);
        let back = DayBlock::unpack(1, &block.pack()).unwrap();
        assert_eq!((back.kind.name, &back.rows), ("stress", &block.rows));
        assert_eq!((back.rows.len(), back.days()), (3, 2));
        let empty = DayBlock::new(block.kind);
        assert!(DayBlock::unpack(1, &empty.pack()).unwrap().rows.is_empty());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let packed = block("steps", &steps(1..=20, 7_000)).pack();
        assert!(DayBlock::unpack(1, &packed).is_some());
        assert!(DayBlock::unpack(1, &[]).is_none());
        assert!(DayBlock::unpack(1, &packed[..packed.len() / 2]).is_none());
        let mut plain = miniz_oxide::inflate::decompress_to_vec(&packed).unwrap();
        let again = |plain: &[u8]| DayBlock::unpack(1, &miniz_oxide::deflate::compress_to_vec(plain, 6));
        assert!(again(&plain[..plain.len() - 3]).is_none(), "a column is cut off");
        plain[0] = 99;
        assert!(again(&plain).is_none(), "no such kind");
    }

    #[test]
    fn the_rows_of_some_days_are_replaced() {
        let mut days = block("steps", &steps(1..=10, 0));
        let newer = block("steps", &steps(8..=9, 500));
        days.replace(date(2026, 1, 8), date(2026, 1, 10), newer.rows);
        assert_eq!(days.days(), 9, "Garmin has nothing for the tenth any more");
        assert_eq!(days.rows[7].values[0], Some(KeptValue::Number(508.0)));
        assert!(days.rows.is_sorted_by_key(|row| row.date));
    }
}
