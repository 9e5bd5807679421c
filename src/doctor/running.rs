//! Checks the running gateway, its store, and the program of its workers.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use jiff::tz::TimeZone;

use super::{Finding, Patient};
use crate::admin::SOCKET_NAME;
use crate::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRefusal, AdminRequest};
use crate::admin::client::{AdminClient, ClientError};
use crate::admin::views::Overview;
use crate::base::causes::chain;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::RootSecret;
use crate::config::REVIEWED;
use crate::store::{self, OpenError, Store};
use crate::upkeep::give_to_owner_of;
use crate::workers::rehearsal::{self, Rehearsal, Script};

pub(super) async fn gateway(patient: &mut Patient) -> Vec<Finding> {
    const CHECK: &str = "gateway";
    let usual = patient.config.runtime_dir.join(SOCKET_NAME);
    let path = patient.visit.socket.as_ref().unwrap_or(&usual);
    let mut client = match AdminClient::connect(path).await {
        Ok(client) => client,
        Err(ClientError::NotRunning(_)) => {
            return vec![Finding::warn(
                CHECK,
                "it is not running",
                "start it: systemctl start garmin-gateway, or garmin-gateway serve",
            )];
        }
        Err(e) => {
            return vec![Finding::fail(CHECK, e.to_string(), unreached(&e))];
        }
    };
    let program = client.hello().program.clone();
    let mut findings = vec![if program == env!("CARGO_PKG_VERSION") {
        Finding::ok(CHECK, format!("version {program} is running"))
    } else {
        Finding::warn(
            CHECK,
            format!(
                "version {program} is running, but this program is {}",
                env!("CARGO_PKG_VERSION")
            ),
            "restart it: systemctl restart garmin-gateway",
        )
    }];
    let overview = client.ask(AdminRequest::Read(AdminRead::Overview)).await;
    if let Ok(AdminAnswer::Overview(Overview { url, attention, .. })) = &overview {
        if *url != patient.config.public_url.mcp() {
            findings.push(Finding::warn(
                CHECK,
                format!("its address is not the one in these settings: {url}"),
                "restart it, or name its settings with --env-file",
            ));
        }
        for point in attention {
            findings.push(Finding::warn(
                CHECK,
                format!("{}: {}", point.subject, point.text),
                "see `garmin-gateway console`",
            ));
        }
    }
    patient.gateway = Some(client);
    patient.overview = Some(overview);
    findings
}

/// What to do about a gateway that runs but can't be asked.
pub(super) fn unreached(e: &ClientError) -> &'static str {
    match e {
        ClientError::Broken(_) | ClientError::Silent => "restart it: systemctl restart garmin-gateway",
        ClientError::NotAllowed(_) => "use sudo, or a user in its group",
        ClientError::OtherVersion { .. } => {
            "use the same version of this program, or restart it: systemctl restart garmin-gateway"
        }
        ClientError::NotRunning(_) => "start it: systemctl start garmin-gateway, or garmin-gateway serve",
        ClientError::Refused(_) => "see `garmin-gateway monitor --all`",
    }
}

/// Checks whether the store is intact and can be opened. A running gateway has it open, and reports if it can't
/// write.
pub(super) fn store(patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "store";
    if let Some(damage) = store::damage(&patient.config.db_path) {
        return vec![Finding::fail(
            CHECK,
            format!("damage was found when it was opened: {damage}"),
            "restore the newest backup, which clears this finding; see the README",
        )];
    }
    if let Some(overview) = &patient.overview {
        return match overview {
            Ok(AdminAnswer::Overview(seen)) => {
                vec![Finding::ok(
                    CHECK,
                    format!("open, {} KB", seen.store_bytes.div_ceil(1024)),
                )]
            }
            Ok(_) => Vec::new(),
            Err(e) => vec![Finding::fail(CHECK, e.to_string(), unreached(e))],
        };
    }
    if let Some(finding) = not_there(&patient.config.db_path) {
        return vec![finding];
    }
    // Only reads the secret: the gateway creates a missing one at its start, and a new one can't open this data.
    let secret = match patient.config.secret.read() {
        Ok(secret) => secret,
        Err(e) => {
            return vec![Finding::warn(
                CHECK,
                format!("it can't be checked without the secret: {}", chain(&e)),
                "put the right secret back, or use sudo if only root may read it; then run the doctor again",
            )];
        }
    };
    let mut findings = vec![opened(&patient.config.db_path, &secret)];
    // As root, opening the store may leave files that the service's user can't write.
    if let Err(e) = give_to_owner_of(&patient.config.db_path) {
        findings.push(Finding::fail(
            CHECK,
            format!(
                "{} can't be given to its owner: {e}",
                patient.config.db_path.display()
            ),
            "give it to the service's user with chown -R, or the gateway may not be able to write it",
        ));
    }
    findings
}

/// Why there is no store to open, if there is none. Opening would create it, and the doctor changes nothing.
fn not_there(path: &Path) -> Option<Finding> {
    const CHECK: &str = "store";
    const CREATED: &str = "it will be created at the first start";
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none().then(|| Finding::ok(CHECK, CREATED)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Some(Finding::ok(
            CHECK,
            if store::is_half_replaced(path) {
                "its replacement was interrupted, and the next start completes it"
            } else {
                CREATED
            },
        )),
        Err(e) => Some(Finding::warn(
            CHECK,
            format!("{} can't be read: {e}", path.display()),
            "run the doctor with sudo to check it",
        )),
    }
}

/// Opens the store of a gateway that is not running, and closes it again.
fn opened(path: &Path, secret: &RootSecret) -> Finding {
    const CHECK: &str = "store";
    match Store::open(path, secret) {
        Ok(store) => Finding::ok(
            CHECK,
            format!("opens, {} KB", store.size_on_disk().div_ceil(1024)),
        ),
        Err(e) => Finding::fail(
            CHECK,
            chain(&e),
            match e {
                OpenError::WrongSecret(_) => {
                    "put back the secret that was used before; restoring a backup takes the secret that it was made with"
                }
                OpenError::InUse(_) => {
                    "find the other process with fuser, or give this gateway its own DATA_DIR"
                }
                OpenError::NotADirectory(_) => {
                    "set DB_PATH to a directory, or to a path where nothing is yet"
                }
                OpenError::Newer { .. } => "install the newer version again",
                OpenError::Disk { .. } | OpenError::Damaged { .. } => {
                    "check the disk, then restore the newest backup: garmin-gateway restore FILE --replace"
                }
            },
        ),
    }
}

/// Checks whether a worker starts and answers. A running gateway tests this as its user and within its unit;
/// otherwise the doctor does.
pub(super) async fn worker(patient: &mut Patient) -> Vec<Finding> {
    const CHECK: &str = "worker";
    let fix = "check GARMIN_MCP_CMD; without it the built-in worker is used";
    let mut findings = Vec::new();
    if let Some(command) = &patient.config.workers.command {
        findings.push(Finding::warn(
            "worker port",
            "any process on this machine can read through a worker's port: garmin_mcp does not authenticate its callers",
            "run no untrusted programs or users on this machine, or use the built-in worker",
        ));
        let is_garmin_mcp = |word: &String| word.replace('-', "_").contains("garmin_mcp");
        if command.iter().any(is_garmin_mcp) {
            let today = patient.visit.clock.now().to_zoned(TimeZone::UTC).date();
            findings.extend(REVIEWED.too_old(today).map(pin_is_old));
        }
    }
    findings.extend(rehearse(patient, CHECK, fix).await);
    findings
}

/// Garmin's private interfaces change, and only newer revisions of `garmin_mcp` follow them.
fn pin_is_old(days: i32) -> Finding {
    Finding::warn(
        "worker pin",
        format!("the revision of garmin_mcp that this version installs is {days} days old"),
        "upgrade garmin-gateway, review a newer revision and give it to `worker install --ref`, or use the built-in worker",
    )
}

async fn rehearse(patient: &mut Patient, check: &'static str, fix: &str) -> Vec<Finding> {
    let patience = patient.config.workers.startup_timeout + Duration::from_secs(15);
    if let Some(gateway) = &mut patient.gateway {
        let request = AdminRequest::Act(AdminAct::RehearseWorker);
        return vec![match gateway.ask_within(request, patience).await {
            Ok(AdminAnswer::Done(text)) => rehearsed_well(check, text),
            Ok(_) => return Vec::new(),
            Err(ClientError::Refused(AdminRefusal::Unavailable(reason))) => Finding::fail(check, reason, fix),
            Err(e) => Finding::fail(check, e.to_string(), unreached(&e)),
        }];
    }
    let lifecycle = Lifecycle::new();
    let rehearsed = match Script::of(&patient.config, patient.visit.program.clone(), &lifecycle) {
        Ok(script) => rehearsal::rehearse(script).await,
        Err(e) => Rehearsal::Fails(e.to_string()),
    };
    lifecycle.drain(Duration::from_secs(5)).await;
    vec![match rehearsed {
        Rehearsal::Fails(reason) => Finding::fail(check, reason, fix),
        works => rehearsed_well(check, works.to_string()),
    }]
}

/// A worker that lists no tool works, but nobody can use it.
fn rehearsed_well(check: &'static str, says: String) -> Finding {
    if says.starts_with(rehearsal::NO_TOOLS) {
        Finding::warn(
            check,
            says,
            "check the names in GARMIN_ENABLED_TOOLS and GARMIN_DISABLED_TOOLS",
        )
    } else {
        Finding::ok(check, says)
    }
}
