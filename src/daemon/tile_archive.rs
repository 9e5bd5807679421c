//! Opens the file of the map before anybody can ask for a page.

use std::sync::Arc;

use super::start_error::StartError;
use crate::config::MapTiles;
use crate::web::OpenArchive;

/// The file of the map for the pages of races, if the operator has one.
pub(super) async fn tile_archive(map: Option<&MapTiles>) -> Result<Option<Arc<OpenArchive>>, StartError> {
    let Some(archive) = map.and_then(MapTiles::archive) else {
        return Ok(None);
    };
    let open = OpenArchive::open(archive)
        .await
        .map_err(|why| StartError::MapTiles {
            path: archive.path.clone(),
            why: why.to_string(),
        })?;
    Ok(Some(Arc::new(open)))
}
