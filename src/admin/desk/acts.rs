//! What can be done.

use jiff::Timestamp;
use serde_json::Map;

use super::Desk;
use crate::accounts::{self};
use crate::admin::api::{Act, Answer, Refusal, Target};
use crate::notify::Tested;
use crate::oauth::FamilyId;
use crate::workers::StopReason;
use crate::workers::rehearsal::{self, Rehearsal};

impl Desk {
    /// Does an act. Who did it is in the log.
    pub(in crate::admin) async fn act(&self, act: Act, uid: Option<u32>) -> Result<Answer, Refusal> {
        let (op, rooms) = (name_of(&act), &self.rooms);
        let answer = match act {
            Act::Invite { email } => {
                let email = accounts::is_email(&email)
                    .then_some(email)
                    .ok_or_else(|| Refusal::Invalid("that is no e-mail address".into()))?;
                rooms.accounts.invite(&email).await?;
                Answer::Done("They may sign in now.".into())
            }
            Act::Uninvite { email } => {
                rooms.accounts.uninvite(&email).await?;
                Answer::Done(
                    "They may not sign in any more. Access that they have stays: revoke it if it shall end."
                        .into(),
                )
            }
            Act::StopWorker { account } => {
                rooms
                    .workers
                    .stop(&self.account(&account)?, StopReason::Operator)
                    .await;
                Answer::Done("It is stopped. The next call starts a new one.".into())
            }
            Act::Revoke(Target::Account(account)) => {
                Answer::Revoked(rooms.revoke_account(&self.account(&account)?, uid).await?)
            }
            Act::Revoke(Target::Token(family)) => {
                let family: FamilyId = family
                    .parse()
                    .map_err(|_| Refusal::Invalid("that is no id of a sign-in: see `tokens`".into()))?;
                Answer::Revoked(rooms.revoke_family(&family, uid).await?)
            }
            Act::Revoke(Target::Client(client)) => Answer::Revoked(rooms.revoke_client(&client, uid).await?),
            Act::Revoke(Target::All) => Answer::Revoked(rooms.revoke_all(uid).await?),
            Act::Forget { account } => Answer::Revoked(rooms.forget(&self.account(&account)?, uid).await?),
            Act::StartRace { account, link } => {
                let account = self.account(&account)?;
                let started = rooms
                    .races
                    .start_tracking(&account, &link, &Map::new(), None)
                    .await?;
                Answer::Done(format!("{} is watched.", started.race))
            }
            Act::StopRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.stop_tracking(&account, &race).await?;
                Answer::Done("It is watched no more. What was recorded stays.".into())
            }
            Act::ChangeLimits { race, limits } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.update_thresholds(&account, &race, &limits).await?;
                Answer::Done("The limits are changed.".into())
            }
            Act::LookAtRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.look(&account, &race)?;
                Answer::Done("Claude is asked to look at it.".into())
            }
            Act::TestNotify => Answer::Done(tested(&self.notifier.test().await?)?),
            Act::RehearseWorker => match rehearsal::rehearse(self.script.clone()).await {
                Rehearsal::Fails(reason) => return Err(Refusal::Unavailable(reason)),
                works => Answer::Done(works.to_string()),
            },
            Act::Probe => Answer::Probe {
                token: rooms.gateway.probe().expose().to_owned(),
            },
            Act::Purge {
                account,
                before,
                erase,
                compact,
            } => {
                let before = before.unwrap_or(Timestamp::MAX);
                let erase = erase.then_some(before);
                Answer::Purged(self.purge(account.as_deref(), erase, compact).await?)
            }
            Act::PrepareSecret { current, new } => Answer::Done(self.prepare_secret(&current, &new).await?),
            Act::SettleSecret { new } => Answer::Done(self.settle_secret(&new).await?),
        };
        if let Answer::Revoked(fell) = &answer {
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
fn tested(tested: &[Tested]) -> Result<String, Refusal> {
    if tested.is_empty() {
        let how = "no phone is set: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, or NTFY_TOPIC, or let people set their own";
        return Err(Refusal::Unavailable(how.into()));
    }
    let failed: Vec<_> = tested.iter().filter_map(|one| one.failed.clone()).collect();
    if !failed.is_empty() {
        return Err(Refusal::Unavailable(failed.join("; ")));
    }
    let sent: Vec<_> = tested
        .iter()
        .map(|one| format!("{} ({})", one.channel, one.sent))
        .collect();
    Ok(format!("A test message is on its way: {}.", sent.join(", ")))
}

/// An act's name in the log.
fn name_of(act: &Act) -> &'static str {
    match act {
        Act::Invite { .. } => "invite",
        Act::Uninvite { .. } => "uninvite",
        Act::StopWorker { .. } => "stop_worker",
        Act::Revoke(Target::Account(_)) => "revoke_account",
        Act::Revoke(Target::Token(_)) => "revoke_token",
        Act::Revoke(Target::Client(_)) => "revoke_client",
        Act::Revoke(Target::All) => "revoke_all",
        Act::Forget { .. } => "forget",
        Act::StartRace { .. } => "start_race",
        Act::StopRace { .. } => "stop_race",
        Act::ChangeLimits { .. } => "change_limits",
        Act::LookAtRace { .. } => "look_at_race",
        Act::TestNotify => "test_notify",
        Act::RehearseWorker => "rehearse_worker",
        Act::Probe => "probe",
        Act::Purge { .. } => "purge",
        Act::PrepareSecret { .. } => "prepare_secret",
        Act::SettleSecret { .. } => "settle_secret",
    }
}
