//! The server of map tiles for the live pages of races.

use url::Url;

use super::hosts::any_url;
use super::reader::SettingsReader;
use super::settings;
use crate::base::loopback::is_loopback;

/// A server of square tiles in the projection of the web (EPSG:3857), as OpenStreetMap and most others have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapTiles {
    /// The address of a tile, with `{z}`, `{x}` and `{y}`.
    template: String,
    /// Scheme, host and port, as a content security policy names a source.
    pub origin: String,
    pub host: String,
    /// Whose map it is, in the server's words; else the name of its host.
    pub credit: String,
}

impl MapTiles {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let credit = reader.string(&settings::MAP_TILES_CREDIT);
        let address = reader.optional(&settings::MAP_TILES_URL, parse)?;
        let (template, origin, host) = address;
        Some(Self {
            template,
            origin,
            credit: credit.unwrap_or_else(|| host.clone()),
            host,
        })
    }

    /// The address of one tile.
    pub fn url(&self, zoom: u32, x: u32, y: u32) -> String {
        let number = |text: String, name, number: u32| text.replace(name, &number.to_string());
        let text = number(self.template.clone(), "{z}", zoom);
        number(number(text, "{x}", x), "{y}", y)
    }
}

/// The template, its origin and its host.
fn parse(text: &str) -> Result<(String, String, String), String> {
    if let Some(missing) = ["{z}", "{x}", "{y}"].iter().find(|name| !text.contains(**name)) {
        return Err(format!("{missing} is missing in it"));
    }
    // Braces are no part of a URL, and a host with them would be another one for each tile.
    let url: Url = any_url(&text.replace(['{', '}'], ""))?;
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err("a page that is served over https shows no pictures over http".into());
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let origin = url.origin().ascii_serialization();
    if !text.starts_with(&origin) {
        return Err("the host does not stand in it as it is".into());
    }
    Ok((text.to_owned(), origin, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_tiles_and_its_origin() {
        let (template, origin, host) =
            parse("https://tiles.example.org:8443/osm/{z}/{x}/{y}.png?key=k").unwrap();
        let tiles = MapTiles {
            template,
            origin,
            credit: host.clone(),
            host,
        };
        assert_eq!(
            tiles.url(12, 2200, 1400),
            "https://tiles.example.org:8443/osm/12/2200/1400.png?key=k"
        );
        assert_eq!(
            (tiles.origin.as_str(), tiles.credit.as_str()),
            ("https://tiles.example.org:8443", "tiles.example.org")
        );
        assert!(parse("http://127.0.0.1:8080/{z}/{x}/{y}.png").is_ok());
    }

    #[test]
    fn another_address_is_refused() {
        for wrong in [
            "https://tiles.example.org/{z}/{x}.png",
            "https://{z}.example.org/{x}/{y}.png",
            "http://tiles.example.org/{z}/{x}/{y}.png",
            "https://Tiles.example.org/{z}/{x}/{y}.png",
            "file:///tiles/{z}/{x}/{y}.png",
            "{z}/{x}/{y}",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
