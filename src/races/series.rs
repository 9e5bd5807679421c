//! The samples of a race, stored in blocks by device time.
//!
//! Invariants:
//! - A point is identified by its time. A second report of the same time fills missing values and adds no point.
//! - Late batches are inserted in order; reading is always in order.
//! - A batch is stored in the caller's transaction.
//! - The newest block is rewritten as it grows. A full block is rewritten only for late data.
//!
//! A block's key is the race and the time of its first sample. Times between two keys belong to the earlier block.

mod block;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::race::id::RaceId;
use crate::race::track::TrackSample;
use crate::store::{Kind, Store, StoreError, Tx};
use block::{Block, MOST};

pub(super) const KIND: Kind = Kind::packed::<Block>();

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// The new samples, in order.
    pub new: Vec<TrackSample>,
    /// Number of known samples that gained values.
    pub filled: usize,
}

/// The samples with device times from `from` to `to`, inclusive, in order.
pub fn read(
    store: &Store,
    race: &RaceId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<TrackSample>, StoreError> {
    let blocks: Vec<Block> = store.range_packed(race.key(), &key(race, from), &key(race, to))?;
    let samples = blocks.into_iter().flat_map(|block| block.0);
    Ok(samples
        .filter(|sample| (from..=to).contains(&sample.point.at))
        .collect())
}

/// All samples of a race, in order.
pub fn read_all(store: &Store, race: &RaceId) -> Result<Vec<TrackSample>, StoreError> {
    read(store, race, Timestamp::UNIX_EPOCH, Timestamp::MAX)
}

/// Sifts a batch. Returns its new samples, in order and without duplicates, and all samples that must be stored: the
/// new ones, and known ones that gained values. The caller must be the only writer of the race.
pub fn sift(
    store: &Store,
    race: &RaceId,
    mut batch: Vec<TrackSample>,
) -> Result<(Vec<TrackSample>, Vec<TrackSample>), StoreError> {
    batch.sort_by_key(|sample| sample.point.at);
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let mut known = read(store, race, first.point.at, last.point.at)?;
    let mut sifted = Appended::default();
    let mut keep = Vec::with_capacity(batch.len());
    for sample in batch {
        if take(&mut known, sample.clone(), &mut sifted) {
            keep.push(sample);
        }
    }
    let times: Vec<_> = sifted.new.iter().map(|sample| sample.point.at).collect();
    // These include the values of a second report of the same time.
    let is_new = |sample: &TrackSample| times.binary_search(&sample.point.at).is_ok();
    Ok((known.into_iter().filter(is_new).collect(), keep))
}

/// Stores a batch, which may be in any order.
pub fn append(tx: &mut Tx<'_>, race: &RaceId, mut batch: Vec<TrackSample>) -> Result<Appended, StoreError> {
    batch.sort_by_key(|sample| sample.point.at);
    let mut appended = Appended::default();
    let mut batch = batch.into_iter().peekable();
    while let Some(first) = batch.next() {
        let (old_key, mut block) = match tx.last_packed::<Block>(race.key(), &key(race, first.point.at))? {
            Some((key, block)) => (Some(key), block),
            None => (None, Block::default()),
        };
        let full_before = block.0.len() >= MOST;
        let is_later = block.0.last().is_none_or(|last| last.point.at < first.point.at);
        let mut changed = false;
        let starts_block = full_before && is_later;
        let (mut samples, old_key) = if starts_block {
            (Vec::new(), None)
        } else {
            (std::mem::take(&mut block.0), old_key)
        };
        // The block reaches to the next key; the last block has no end.
        let end = next_key_time(tx, race, first.point.at)?;
        changed |= take(&mut samples, first, &mut appended);
        while let Some(next) = batch.next_if(|next| end.is_none_or(|end| next.point.at < end)) {
            changed |= take(&mut samples, next, &mut appended);
        }
        if changed {
            write(tx, race, old_key, samples)?;
        }
    }
    Ok(appended)
}

/// Erases all samples of a race.
pub fn forget(tx: &mut Tx<'_>, race: &RaceId) -> Result<usize, StoreError> {
    tx.remove_packed::<Block>(race.key())
}

/// Inserts a sample in order. Returns whether anything changed.
fn take(samples: &mut Vec<TrackSample>, sample: TrackSample, appended: &mut Appended) -> bool {
    match samples.binary_search_by_key(&sample.point.at, |known| known.point.at) {
        Err(place) => {
            appended.new.push(sample.clone());
            samples.insert(place, sample);
            true
        }
        Ok(place) => {
            let Some(known) = samples.get_mut(place) else {
                return false;
            };
            let before = known.point.clone();
            known.point.absorb(sample.point);
            let is_filled = known.point != before;
            appended.filled += usize::from(is_filled);
            is_filled
        }
    }
}

/// Replaces the block at `old_key` with blocks of these samples.
fn write(
    tx: &mut Tx<'_>,
    race: &RaceId,
    old_key: Option<Vec<u8>>,
    samples: Vec<TrackSample>,
) -> Result<(), StoreError> {
    let mut rest = samples;
    if let (Some(old), Some(first)) = (old_key, rest.first())
        && old != key(race, first.point.at)
    {
        tx.remove_packed::<Block>(&old)?;
    }
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(MOST));
        put(tx, race, rest)?;
        rest = later;
    }
    Ok(())
}

/// Writes one block, split in halves if it is too large, because unknown members may be long.
fn put(tx: &mut Tx<'_>, race: &RaceId, mut samples: Vec<TrackSample>) -> Result<(), StoreError> {
    let Some(at) = samples.first().map(|first| first.point.at) else {
        return Ok(());
    };
    let block = Block(samples);
    match tx.put_packed(&key(race, at), &block) {
        Err(StoreError::TooLarge(..)) if block.0.len() > 1 => {
            samples = block.0;
            let later = samples.split_off(samples.len() / 2);
            put(tx, race, samples)?;
            put(tx, race, later)
        }
        written => written,
    }
}

/// Start of the block after the one that contains `at`, if there is one.
fn next_key_time(tx: &Tx<'_>, race: &RaceId, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let after = key(race, at + jiff::SignedDuration::from_millis(1));
    let next = tx.next_packed_key::<Block>(race.key(), &after)?;
    Ok(next.and_then(|key| {
        let tail: [u8; 8] = key.get(key.len().checked_sub(8)?..)?.try_into().ok()?;
        Timestamp::from_millisecond(u64::from_be_bytes(tail).cast_signed()).ok()
    }))
}

/// The race, then milliseconds since 1970. Earlier times are clamped to 1970.
fn key(race: &RaceId, at: Timestamp) -> Vec<u8> {
    let ms = at.as_millisecond().max(0).cast_unsigned();
    [race.key(), &ms.to_be_bytes()].concat()
}
