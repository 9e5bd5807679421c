//! The tool that opens a person's own page: it answers with a link that works once.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::discovery::{failed, told};
use crate::oauth::{OAuth, PAGE_CODE_LIFE};
use crate::races::RaceCaller;

pub(super) const OPEN: &str = "open_my_page";

/// The tool, as an entry of `tools/list`.
pub(super) fn listing() -> Value {
    json!({
        "name": OPEN,
        "description": "A link to this person's own page at the gateway, for connected apps, kept days, \
                        phone, time zone, tools, export and deleting everything. The link opens once, within ten minutes. \
                        Show it to the person only when they ask for it, and never open it yourself.",
        "inputSchema": {"type": "object", "properties": {}},
    })
}

/// Answers [`OPEN`]. Only a client of the person gets a link, and the page closes with that client's access.
pub(super) async fn open(oauth: &OAuth, origin: &str, caller: &RaceCaller) -> Box<RawValue> {
    let RaceCaller::SignIn(account, family) = caller else {
        return failed(
            "This token can't open the page. The person can sign in at the gateway's address with /me at its end.",
        );
    };
    let writing = caller.clone();
    let issued = oauth.issue_page_code(account, Some(family.clone()), move |tx| writing.may_write(tx));
    match issued.await {
        Ok(Some(code)) => told(&json!({
            "link": format!("{origin}/me?code={}", code.expose()),
            "opens": "once",
            "valid_for_s": PAGE_CODE_LIFE.as_secs(),
            "note": "For this person alone: whoever opens it can read and delete everything. A newer link replaces it.",
        })),
        Ok(None) => failed("This connection's access has ended. Nothing was changed. Connect again."),
        Err(reason) => {
            tracing::error!(%reason, "page.link_not_issued");
            failed("The gateway's store can't be used at present. Try again.")
        }
    }
}
