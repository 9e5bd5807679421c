//! What can be done.

use jiff::Timestamp;
use serde_json::Map;

use super::Desk;
use crate::accounts::{self};
use crate::admin::api::{AdminAct, AdminAnswer, AdminRefusal, RevocationTarget};
use crate::notify::Tested;
use crate::oauth::FamilyId;
use crate::workers::StopReason;
use crate::workers::rehearsal::{self, Rehearsal};

impl Desk {
    /// Does an act. Who did it is in the log.
    pub(in crate::admin) async fn act(
        &self,
        act: AdminAct,
        uid: Option<u32>,
    ) -> Result<AdminAnswer, AdminRefusal> {
        let (op, rooms) = (name_of(&act), &self.rooms);
        let answer = match act {
            AdminAct::Invite { email } => {
                let email = accounts::is_email(&email)
                    .then_some(email)
                    .ok_or_else(|| AdminRefusal::Invalid("that is no e-mail address".into()))?;
                rooms.accounts.invite(&email).await?;
                AdminAnswer::Done("They may sign in now.".into())
            }
            AdminAct::Uninvite { email } => {
                rooms.accounts.uninvite(&email).await?;
                AdminAnswer::Done(
                    "They may not sign in any more. Access that they have stays: revoke it if it shall end."
                        .into(),
                )
            }
            AdminAct::StopWorker { account } => {
                rooms
                    .workers
                    .stop(&self.account(&account)?, StopReason::Operator)
                    .await;
                AdminAnswer::Done("It is stopped. The next call starts a new one.".into())
            }
            AdminAct::Revoke(RevocationTarget::Account(account)) => {
                AdminAnswer::Revoked(rooms.revoke_account(&self.account(&account)?, uid).await?)
            }
            AdminAct::Revoke(RevocationTarget::Token(family)) => {
                let family: FamilyId = family
                    .parse()
                    .map_err(|_| AdminRefusal::Invalid("that is no id of a sign-in: see `tokens`".into()))?;
                AdminAnswer::Revoked(rooms.revoke_family(&family, uid).await?)
            }
            AdminAct::Revoke(RevocationTarget::Client(client)) => {
                AdminAnswer::Revoked(rooms.revoke_client(&client, uid).await?)
            }
            AdminAct::Revoke(RevocationTarget::All) => AdminAnswer::Revoked(rooms.revoke_all(uid).await?),
            AdminAct::Forget { account } => {
                AdminAnswer::Revoked(rooms.forget(&self.account(&account)?, uid).await?)
            }
            AdminAct::StartRace { account, link } => {
                let account = self.account(&account)?;
                let started = rooms
                    .races
                    .start_tracking(&account, &link, &Map::new(), None)
                    .await?;
                AdminAnswer::Done(format!("{} is watched.", started.race))
            }
            AdminAct::StopRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.stop_tracking(&account, &race).await?;
                AdminAnswer::Done("It is watched no more. What was recorded stays.".into())
            }
            AdminAct::ChangeLimits { race, limits } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.update_thresholds(&account, &race, &limits).await?;
                AdminAnswer::Done("The limits are changed.".into())
            }
            AdminAct::LookAtRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.look(&account, &race)?;
                AdminAnswer::Done("Claude is asked to look at it.".into())
            }
            AdminAct::TestNotify => AdminAnswer::Done(tested(&self.notifier.test().await?)?),
            AdminAct::RehearseWorker => match rehearsal::rehearse(self.script.clone()).await {
                Rehearsal::Fails(reason) => return Err(AdminRefusal::Unavailable(reason)),
                works => AdminAnswer::Done(works.to_string()),
            },
            AdminAct::Probe => AdminAnswer::Probe {
                token: rooms.gateway.probe().expose().to_owned(),
            },
            AdminAct::Purge {
                account,
                before,
                erase,
                compact,
            } => {
                let before = before.unwrap_or(Timestamp::MAX);
                let erase = erase.then_some(before);
                AdminAnswer::Purged(self.purge(account.as_deref(), erase, compact).await?)
            }
            AdminAct::PrepareSecret { current, new } => {
                AdminAnswer::Done(self.prepare_secret(&current, &new).await?)
            }
            AdminAct::SettleSecret { new } => AdminAnswer::Done(self.settle_secret(&new).await?),
        };
        if let AdminAnswer::Revoked(fell) = &answer {
            tracing::info!(
                op,
                peer.uid = uid,
                families = fell.families,
                access_tokens = fell.tokens,
                workers = fell.workers,
                calls = fell.calls,
                races = fell.races,
                accounts = fell.accounts,
                "admin.acted"
            );
        } else {
            tracing::info!(op, peer.uid = uid, "admin.acted");
        }
        Ok(answer)
    }
}

/// What became of the test messages; an error when any did not go out.
fn tested(tested: &[Tested]) -> Result<String, AdminRefusal> {
    if tested.is_empty() {
        let how = "no phone is set: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, or NTFY_TOPIC, or let people set their own";
        return Err(AdminRefusal::Unavailable(how.into()));
    }
    let failed: Vec<_> = tested.iter().filter_map(|one| one.failed.clone()).collect();
    if !failed.is_empty() {
        return Err(AdminRefusal::Unavailable(failed.join("; ")));
    }
    let sent: Vec<_> = tested
        .iter()
        .map(|one| format!("{} ({})", one.channel, one.sent))
        .collect();
    Ok(format!("A test message is on its way: {}.", sent.join(", ")))
}

/// An act's name in the log.
fn name_of(act: &AdminAct) -> &'static str {
    match act {
        AdminAct::Invite { .. } => "invite",
        AdminAct::Uninvite { .. } => "uninvite",
        AdminAct::StopWorker { .. } => "stop_worker",
        AdminAct::Revoke(RevocationTarget::Account(_)) => "revoke_account",
        AdminAct::Revoke(RevocationTarget::Token(_)) => "revoke_token",
        AdminAct::Revoke(RevocationTarget::Client(_)) => "revoke_client",
        AdminAct::Revoke(RevocationTarget::All) => "revoke_all",
        AdminAct::Forget { .. } => "forget",
        AdminAct::StartRace { .. } => "start_race",
        AdminAct::StopRace { .. } => "stop_race",
        AdminAct::ChangeLimits { .. } => "change_limits",
        AdminAct::LookAtRace { .. } => "look_at_race",
        AdminAct::TestNotify => "test_notify",
        AdminAct::RehearseWorker => "rehearse_worker",
        AdminAct::Probe => "probe",
        AdminAct::Purge { .. } => "purge",
        AdminAct::PrepareSecret { .. } => "prepare_secret",
        AdminAct::SettleSecret { .. } => "settle_secret",
    }
}
