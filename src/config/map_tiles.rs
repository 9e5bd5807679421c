//! The map below the courses on the live pages of races: from a tile server, or from a PMTiles file.

use std::fs::File;
use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use pmtiles::{Header, TileType};
use url::Url;

use super::hosts::any_url;
use super::reader::SettingsReader;
use super::settings;
use crate::base::loopback::is_loopback;

/// The highest zoom level that all servers have.
const NEAREST_ZOOM: u32 = 17;

/// The length of a PMTiles archive's header.
const HEADER_BYTES: usize = 127;

/// The prefix of the paths at which the gateway serves tiles of an archive. `<zoom>-<x>-<y>` follows.
pub const OWN_TILES: &str = "/tiles/";

/// Square tiles in the Web Mercator projection (EPSG:3857), which OpenStreetMap and most other servers use.
#[derive(Clone, Debug, PartialEq)]
pub struct MapTiles {
    pub source: TileSource,
    /// The attribution, in the operator's words; by default the name of the host or of the file.
    pub credit: String,
}

/// Where the tiles come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TileSource {
    /// A server from which readers' browsers load the tiles.
    Server(TileServer),
    /// A file on this machine, from which the gateway serves the tiles.
    Archive(TileArchive),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileServer {
    /// The address of a tile, with `{z}`, `{x}` and `{y}`.
    template: String,
    /// Scheme, host and port, in the form of a source in a content security policy.
    pub origin: String,
    pub host: String,
}

/// A PMTiles archive of raster tiles.
#[derive(Clone, Debug, PartialEq)]
pub struct TileArchive {
    pub path: PathBuf,
    zooms: RangeInclusive<u32>,
    /// The south-west and the north-east corner, each as latitude and longitude in degrees.
    bounds: [(f64, f64); 2],
}

impl MapTiles {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let credit = reader.string(&settings::MAP_TILES_CREDIT);
        let source = reader.optional(&settings::MAP_TILES_URL, parse)?;
        let named = match &source {
            TileSource::Server(server) => server.host.clone(),
            TileSource::Archive(archive) => archive.name(),
        };
        Some(Self {
            source,
            credit: credit.unwrap_or(named),
        })
    }

    /// The address of one tile.
    pub fn url(&self, zoom: u32, x: u32, y: u32) -> String {
        match &self.source {
            TileSource::Server(server) => {
                let number = |text: String, name, number: u32| text.replace(name, &number.to_string());
                let text = number(server.template.clone(), "{z}", zoom);
                number(number(text, "{x}", x), "{y}", y)
            }
            TileSource::Archive(_) => format!("{OWN_TILES}{zoom}-{x}-{y}"),
        }
    }

    /// The server from which browsers load the tiles; `None` if the gateway serves them.
    pub fn server(&self) -> Option<&TileServer> {
        match &self.source {
            TileSource::Server(server) => Some(server),
            TileSource::Archive(_) => None,
        }
    }

    pub fn archive(&self) -> Option<&TileArchive> {
        match &self.source {
            TileSource::Server(_) => None,
            TileSource::Archive(archive) => Some(archive),
        }
    }

    /// The zoom levels for which tiles exist.
    pub fn zooms(&self) -> RangeInclusive<u32> {
        match &self.source {
            TileSource::Server(_) => 0..=NEAREST_ZOOM,
            TileSource::Archive(archive) => archive.zooms.clone(),
        }
    }

    /// Whether tiles can exist between these corners, given as latitude and longitude.
    pub fn covers(&self, south_west: (f64, f64), north_east: (f64, f64)) -> bool {
        match &self.source {
            TileSource::Server(_) => true,
            TileSource::Archive(archive) => {
                let [low, high] = archive.bounds;
                low.0 <= north_east.0
                    && south_west.0 <= high.0
                    && low.1 <= north_east.1
                    && south_west.1 <= high.1
            }
        }
    }
}

impl TileArchive {
    /// Reads the header. Error: what is wrong with the file.
    fn read(path: PathBuf) -> Result<Self, String> {
        let mut header = [0; HEADER_BYTES];
        File::open(&path)
            .and_then(|mut file| file.read_exact(&mut header))
            .map_err(|e| format!("the file can't be read: {e}"))?;
        let header = Header::try_from_bytes(header.to_vec().into()).ok();
        let header = header
            .filter(|header| header.spec_version() == 3)
            .ok_or("the file is not a PMTiles archive of version 3")?;
        match header.tile_type {
            TileType::Png | TileType::Jpeg | TileType::Webp | TileType::Avif => {}
            TileType::Mvt | TileType::Mlt => {
                return Err("its tiles are vectors, but a page can only show pictures: give an archive of PNG, JPEG, WebP or AVIF tiles".into());
            }
            TileType::Unknown => return Err("the kind of its tiles is unknown".into()),
        }
        Ok(Self {
            path,
            zooms: header.min_zoom.into()..=u32::from(header.max_zoom).min(NEAREST_ZOOM),
            bounds: [
                (header.min_latitude, header.min_longitude),
                (header.max_latitude, header.max_longitude),
            ],
        })
    }

    fn name(&self) -> String {
        let name = self.path.file_stem().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

fn parse(text: &str) -> Result<TileSource, String> {
    if let Some(path) = text.strip_prefix("file://") {
        let path = Path::new(path);
        if !path.is_absolute() {
            return Err("a file needs its full path, as in file:///srv/map.pmtiles".into());
        }
        return TileArchive::read(path.to_owned()).map(TileSource::Archive);
    }
    server(text).map(TileSource::Server)
}

fn server(text: &str) -> Result<TileServer, String> {
    if let Some(missing) = ["{z}", "{x}", "{y}"].iter().find(|name| !text.contains(**name)) {
        return Err(format!("it does not contain {missing}"));
    }
    // Braces are not valid in a URL. A placeholder in the host would also make each tile come from a different host.
    let url: Url = any_url(&text.replace(['{', '}'], ""))?;
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err("a page served over https does not show pictures loaded over http".into());
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let origin = url.origin().ascii_serialization();
    if !text.starts_with(&origin) {
        return Err("it must begin with a plain host: no placeholder, user, capitals or port 443".into());
    }
    Ok(TileServer {
        template: text.to_owned(),
        origin,
        host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &tempfile::TempDir, tile_type: u8, head: &[u8]) -> String {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..head.len()].copy_from_slice(head);
        // Internal and tile compression: none. Then the tile type, the zoom levels, and the bounds in units of 1e-7
        // degrees.
        bytes[97..100].copy_from_slice(&[1, 1, tile_type]);
        bytes[100..102].copy_from_slice(&[3, 14]);
        for (at, degrees) in [(102, 14_i32), (106, 46), (110, 15), (114, 47)] {
            bytes[at..at + 4].copy_from_slice(&(degrees * 10_000_000).to_le_bytes());
        }
        let path = directory.path().join("carinthia.pmtiles");
        std::fs::write(&path, bytes).unwrap();
        format!("file://{}", path.display())
    }

    #[test]
    fn an_address_names_its_tiles_and_its_origin() {
        let source = parse("https://tiles.example.org:8443/osm/{z}/{x}/{y}.png?key=k").unwrap();
        let tiles = MapTiles {
            source,
            credit: "somebody".into(),
        };
        assert_eq!(
            tiles.url(12, 2200, 1400),
            "https://tiles.example.org:8443/osm/12/2200/1400.png?key=k"
        );
        let server = tiles.server().unwrap();
        assert_eq!(
            (server.origin.as_str(), server.host.as_str()),
            ("https://tiles.example.org:8443", "tiles.example.org")
        );
        assert!(parse("http://127.0.0.1:8080/{z}/{x}/{y}.png").is_ok());
    }

    #[test]
    fn a_file_tells_what_it_covers() {
        let directory = tempfile::tempdir().unwrap();
        let source = parse(&file(&directory, 2, b"PMTiles\x03")).unwrap();
        let tiles = MapTiles {
            source,
            credit: String::new(),
        };
        assert_eq!(
            (tiles.url(12, 2200, 1400), tiles.zooms()),
            ("/tiles/12-2200-1400".into(), 3..=14)
        );
        assert!(tiles.covers((46.6, 14.3), (46.7, 14.4)) && tiles.covers((40.0, 10.0), (50.0, 20.0)));
        assert!(!tiles.covers((48.1, 16.2), (48.3, 16.5)) && !tiles.covers((46.6, 15.1), (46.7, 15.2)));
        assert_eq!(tiles.archive().unwrap().name(), "carinthia");
    }

    #[test]
    fn what_can_not_be_shown_is_refused() {
        for wrong in [
            "https://tiles.example.org/{z}/{x}.png",
            "https://{z}.example.org/{x}/{y}.png",
            "http://tiles.example.org/{z}/{x}/{y}.png",
            "https://Tiles.example.org/{z}/{x}/{y}.png",
            "{z}/{x}/{y}",
            "file://map.pmtiles",
            "file:///nowhere/map.pmtiles",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let directory = tempfile::tempdir().unwrap();
        for (kind, head, why) in [
            (1, &b"PMTiles\x03"[..], "vectors"),
            (2, b"PMTiles\x02", "version 3"),
            (2, b"SQLite format 3", "version 3"),
        ] {
            let said = parse(&file(&directory, kind, head)).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
