//! The tiles of a map that lie below the course, in the projection of the web (EPSG:3857).
//!
//! The choice of tiles depends only on what the page shows, so a family's page reveals nothing about what it hides.

use std::f64::consts::PI;

use super::drawing::{Projection, WIDTH};
use crate::config::MapTiles;
use crate::garmin::livetrack::Position;

/// Maximum number of tiles. More would not make the map better, and a phone loads them all.
const MOST: u32 = 12;

/// Beyond this latitude, north or south, there are no tiles.
const FARTHEST_LAT: f64 = 85.0;

/// A tile, and where it lies on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapTile {
    pub url: String,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

pub(super) fn tiles(map: &MapTiles, projection: &Projection) -> Vec<MapTile> {
    let (north_west, south_east) = (
        projection.position(0.0, 0.0),
        projection.position(WIDTH, projection.height),
    );
    if north_west.lat > FARTHEST_LAT || south_east.lat < -FARTHEST_LAT {
        return Vec::new();
    }
    if !map.covers((south_east.lat, north_west.lon), (north_west.lat, south_east.lon)) {
        return Vec::new();
    }
    let Some(grid) = map
        .zooms()
        .rev()
        .map(|zoom| Grid::over(zoom, north_west, south_east))
        .find(|grid| grid.count() <= i64::from(MOST))
    else {
        return Vec::new();
    };
    let mut tiles = Vec::new();
    for row in grid.rows.0..=grid.rows.1 {
        for column in grid.columns.0..=grid.columns.1 {
            let (x, y) = projection.place(grid.corner(column, row));
            let (right, bottom) = projection.place(grid.corner(column + 1, row + 1));
            let Some((column, row)) = grid.numbers(column, row) else {
                continue;
            };
            tiles.push(MapTile {
                url: map.url(grid.zoom, column, row),
                x: tenths(x),
                y: tenths(y),
                // The neighbours overlap a little, so that no seam shows.
                width: tenths(right - x + 0.4),
                height: tenths(bottom - y + 0.4),
            });
        }
    }
    tiles
}

fn tenths(units: f64) -> f64 {
    (units * 10.0).round() / 10.0
}

/// The tiles of one zoom that cover a rectangle: first and last column and row.
struct Grid {
    zoom: u32,
    columns: (i64, i64),
    rows: (i64, i64),
}

impl Grid {
    fn over(zoom: u32, north_west: Position, south_east: Position) -> Self {
        let side = f64::from(1_u32 << zoom);
        let column = |lon: f64| whole((lon + 180.0) / 360.0 * side);
        let row = |lat: f64| whole((1.0 - lat.to_radians().tan().asinh() / PI) / 2.0 * side);
        Self {
            zoom,
            columns: (column(north_west.lon), column(south_east.lon)),
            rows: (row(north_west.lat), row(south_east.lat)),
        }
    }

    fn count(&self) -> i64 {
        (self.columns.1 - self.columns.0 + 1) * (self.rows.1 - self.rows.0 + 1)
    }

    /// The north-western corner of a tile.
    fn corner(&self, column: i64, row: i64) -> Position {
        let side = f64::from(1_u32 << self.zoom);
        Position {
            lat: ((1.0 - 2.0 * row as f64 / side) * PI).sinh().atan().to_degrees(),
            lon: column as f64 / side * 360.0 - 180.0,
        }
    }

    /// The numbers of a tile; columns wrap around the earth. `None` beyond the poles.
    fn numbers(&self, column: i64, row: i64) -> Option<(u32, u32)> {
        let side = 1_i64 << self.zoom;
        let row = u32::try_from(row).ok().filter(|row| i64::from(*row) < side)?;
        Some((u32::try_from(column.rem_euclid(side)).ok()?, row))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a number of tiles, of which there are 131,072 in a row at most"
)]
fn whole(tiles: f64) -> i64 {
    tiles.floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MapTiles {
        let sources = crate::config::Sources::of_pairs([
            ("HOME", "/h"),
            ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
            ("MAP_TILES_URL", "https://tiles.example.org/{z}/{x}/{y}.png"),
        ]);
        crate::config::Config::load(&sources)
            .unwrap()
            .races
            .map_tiles
            .unwrap()
    }

    fn over(positions: &[(f64, f64)]) -> (Projection, Vec<MapTile>) {
        let positions: Vec<_> = positions
            .iter()
            .map(|&(lat, lon)| Position { lat, lon })
            .collect();
        let projection = Projection::fit(&positions, 260.0, 620.0).unwrap();
        (projection, tiles(&server(), &projection))
    }

    /// The formulas of wiki.openstreetmap.org/wiki/Slippy_map_tilenames give 14/8937/5681 for Vienna's cathedral.
    #[test]
    fn the_tile_of_a_known_place_lies_where_the_place_is() {
        let cathedral = Position {
            lat: 48.2085,
            lon: 16.3731,
        };
        let (projection, tiles) = over(&[(48.19, 16.34), (48.225, 16.41)]);
        let (x, y) = projection.place(cathedral);
        let holds = |tile: &&MapTile| {
            (tile.x..tile.x + tile.width).contains(&x) && (tile.y..tile.y + tile.height).contains(&y)
        };
        let [tile] = tiles.iter().filter(holds).collect::<Vec<_>>()[..] else {
            panic!("{tiles:?}")
        };
        let numbers: Vec<u32> = tile.url["https://tiles.example.org/".len()..]
            .trim_end_matches(".png")
            .split('/')
            .map(|number| number.parse().unwrap())
            .collect();
        let far = 14 - numbers[0];
        assert_eq!(
            (numbers[1], numbers[2]),
            (8937 >> far, 5681 >> far),
            "{}",
            tile.url
        );
    }

    #[test]
    fn the_whole_map_is_covered_by_a_few_tiles() {
        for positions in [
            // A lap, a marathon, a stage race along a meridian, the Pacific, and far north.
            [(46.62, 14.30), (46.625, 14.31)],
            [(48.19, 16.30), (48.25, 16.45)],
            [(46.0, 14.0), (48.5, 14.2)],
            [(-17.0, 179.9), (-16.8, -179.8)],
            [(78.2, 15.4), (78.3, 15.9)],
        ] {
            let (projection, tiles) = over(&positions);
            assert!((1..=12).contains(&tiles.len()), "{}", tiles.len());
            let edge =
                |f: fn(&MapTile) -> f64, best: fn(f64, f64) -> f64| tiles.iter().map(f).reduce(best).unwrap();
            assert!(edge(|tile| tile.x, f64::min) <= 0.0 && edge(|tile| tile.y, f64::min) <= 0.0);
            assert!(edge(|tile| tile.x + tile.width, f64::max) >= WIDTH);
            assert!(edge(|tile| tile.y + tile.height, f64::max) >= projection.height);
            let drawn: f64 = tiles.iter().map(|tile| tile.width * tile.height).sum();
            assert!(
                drawn < 14.0 * WIDTH * projection.height,
                "far more than the map: {drawn}"
            );
        }
        // There is no such map at the pole.
        assert!(over(&[(89.0, 0.0), (89.1, 1.0)]).1.is_empty());
    }
}
