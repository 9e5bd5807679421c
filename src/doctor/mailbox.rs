//! Signs in to the mailbox that starts races, and asks the running gateway about it.

use super::{Finding, Patient};
use crate::admin::api::AdminAnswer;
use crate::races::{MailboxTrouble, probe_mailbox};

pub(super) async fn sign_in(patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "mailbox";
    let Some(config) = &patient.config.live.mailbox else {
        return Vec::new();
    };
    let tried = tokio::time::timeout(patient.visit.patience, probe_mailbox(config)).await;
    let place = config.place();
    if let Err(trouble) = tried.unwrap_or(Err(MailboxTrouble::Slow)) {
        return vec![Finding::fail(CHECK, format!("{place}: {trouble}"), trouble.fix())];
    }
    let told = match &patient.overview {
        Some(Ok(AdminAnswer::Overview(overview))) => overview.mailbox.as_deref(),
        _ => None,
    };
    vec![Finding::ok(
        CHECK,
        match told {
            Some(told) => format!("{place} opens; the gateway says: {told}"),
            None => format!("{place} opens"),
        },
    )]
}
