//! The map below the course of a page, from the operator's PMTiles file.

use std::fs::File;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::simulator::SimulatorSettings;
use pmtiles::{Compression, PmTilesWriter, TileCoord, TileType};
use serde_json::json;

use super::page::get;
use super::{Tracked, start};
use crate::whole::World;

const PICTURE: &[u8] = b"\x89PNG, of the whole world";

#[tokio::test]
async fn a_page_shows_the_tiles_of_a_file_from_the_gateway_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("world.pmtiles");
    let mut archive = PmTilesWriter::new(TileType::Png)
        .internal_compression(Compression::Gzip)
        .tile_compression(Compression::None)
        .max_zoom(0)
        .create(File::create(&path).unwrap())
        .unwrap();
    archive
        .add_tile(TileCoord::new(0, 0, 0).unwrap(), PICTURE)
        .unwrap();
    archive.finalize().unwrap();
    let address = format!("file://{}", path.display()).leak();
    let clock = Clock::manual(start());
    let settings = SimulatorSettings {
        clock: clock.clone(),
        ..SimulatorSettings::default()
    };
    let world = World::with(settings, 10, &[("MAP_TILES_URL", address)]).await;
    let tracked = Tracked::in_world(world, clock, "marathon").await;
    tracked.play(3600).await;

    let share = tracked.shared(json!({})).await;
    let (_, page) = get(&tracked.world, &share).await;
    assert!(
        page.contains("href=\"/tiles/0-0-0\"") && page.contains("Map: world."),
        "{page}"
    );
    let url = tracked.world.url("/tiles/0-0-0");
    let tile = tracked.world.http.get(url).send().await.unwrap();
    let header = |name: &str| tile.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (tile.status().as_u16(), header("content-type")),
        (200, "image/png".into())
    );
    assert!(
        header("cache-control").contains("max-age")
            && header("cross-origin-resource-policy") == "same-origin"
    );
    assert_eq!(tile.bytes().await.unwrap(), PICTURE);
    // Tiles that the archive does not contain, and paths that do not name a tile.
    for place in ["1-0-0", "0-1-0", "32-0-0", "0-0", "0-0-0-0", "-1-0-0", "a-b-c"] {
        let (status, _) = get(&tracked.world, &format!("/tiles/{place}")).await;
        assert_eq!(status, 404, "{place}");
    }
}
