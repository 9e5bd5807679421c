//! The operator's own map: a PMTiles archive, read tile by tile.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use pmtiles::{AsyncBackend, AsyncPmTilesReader, BackendResponse, PmtError, PmtResult, TileCoord};

use crate::config::TileArchive;

/// Upper bound of one read in bytes. No tile or directory of an archive is longer.
const LONGEST_READ: usize = 8 * 1024 * 1024;

/// An open archive. Its header and root directory stay in memory, and the rest is read on demand.
pub struct OpenArchive(AsyncPmTilesReader<ArchiveFile>);

/// The file is read, not mapped into memory, because the whole process would crash if somebody shortened a mapped file.
struct ArchiveFile(Arc<File>);

impl AsyncBackend for ArchiveFile {
    async fn read(&self, offset: u64, length: usize) -> PmtResult<BackendResponse> {
        let file = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || read_at(&file, offset, length));
        let bytes = read.await.map_err(std::io::Error::other)??;
        Ok(BackendResponse::new(bytes))
    }
}

/// Reads up to `length` bytes; fewer at the end of the file.
fn read_at(file: &File, offset: u64, length: usize) -> std::io::Result<Bytes> {
    let mut bytes = BytesMut::zeroed(length.min(LONGEST_READ));
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    bytes.truncate(filled);
    Ok(bytes.freeze())
}

impl OpenArchive {
    pub async fn open(archive: &TileArchive) -> Result<Self, PmtError> {
        let file = File::open(&archive.path)?;
        let reader = AsyncPmTilesReader::try_from_source(ArchiveFile(Arc::new(file))).await?;
        Ok(Self(reader))
    }

    /// The media type of its tiles, and their encoding.
    pub(super) fn form(&self) -> (&'static str, Option<&'static str>) {
        let header = self.0.get_header();
        (
            header.tile_type.content_type(),
            header.tile_compression.content_encoding(),
        )
    }

    /// The tile at `<zoom>-<x>-<y>`, if the archive has it.
    pub(super) async fn tile(&self, place: &str) -> PmtResult<Option<Bytes>> {
        match coordinates(place) {
            Some(coordinates) => self.0.get_tile(coordinates).await,
            None => Ok(None),
        }
    }
}

/// The tile that `<zoom>-<x>-<y>` names, if it is one.
fn coordinates(place: &str) -> Option<TileCoord> {
    let mut numbers = place.split('-');
    let zoom = numbers.next()?.parse().ok()?;
    let (x, y) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let is_whole = numbers.next().is_none();
    TileCoord::new(zoom, x, y).ok().filter(|_| is_whole)
}
