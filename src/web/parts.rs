//! The inputs and limits of the public web server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::tile_archive::OpenArchive;
use crate::accounts::AccountId;
use crate::admin::operations::Rooms;
use crate::admin::stream::StreamPiece;
use crate::base::clock::Clock;
use crate::base::http as accept_loop;
use crate::base::lifecycle::Lifecycle;
use crate::base::source::Proxies;
use crate::base::threads::ConnectionThreads;
use crate::config::{Live, MapTiles, PublicUrl};
use crate::gateway::Gateway;
use crate::oauth::OAuth;
use crate::races::Races;

/// Whether the gateway is ready to work. `Err` names in a few words what is missing; anybody may read it.
pub type Ready = Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>;

/// Starts the export of all that is stored about a person, and returns its parts as they are made.
pub type PersonalExport = Arc<dyn Fn(&AccountId) -> mpsc::Receiver<StreamPiece> + Send + Sync>;

/// What the public web server depends on.
#[derive(Clone)]
pub struct WebParts {
    pub oauth: OAuth,
    pub gateway: Gateway,
    /// Provides the data for `/control` and `/health`.
    pub races: Races,
    /// The modules that carry out what a person does on their own page.
    pub rooms: Rooms,
    pub export: PersonalExport,
    /// The URL that people and Claude use.
    pub public_url: PublicUrl,
    pub proxies: Arc<Proxies>,
    /// Whether Garmin is simulated, which every page then says.
    pub simulated: bool,
    /// The map on the pages of races.
    pub map_tiles: Option<MapTiles>,
    /// The file with the map's tiles, if they do not come from another server.
    pub tile_archive: Option<Arc<OpenArchive>>,
    /// The operator's name and e-mail.
    pub live: watch::Receiver<Live>,
    pub clock: Clock,
    pub ready: Ready,
    pub limits: WebLimits,
    /// Where connections are served.
    pub threads: ConnectionThreads,
    pub lifecycle: Lifecycle,
}

/// Connections per address on which no known client has called yet. A browser opens six.
const CONNECTIONS_PER_SOURCE: usize = 64;

/// Limits for clients that are not authenticated yet.
#[derive(Clone, Debug)]
pub struct WebLimits {
    pub connections: accept_loop::ServerLimits,
    /// Time from the end of the headers to the end of the body.
    pub body_timeout: Duration,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections: accept_loop::ServerLimits {
                per_source: CONNECTIONS_PER_SOURCE,
                ..accept_loop::ServerLimits::default()
            },
            body_timeout: Duration::from_secs(30),
        }
    }
}
