//! What a person does on their page. Each act is one function of another room.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};
use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tokio_stream::wrappers::ReceiverStream;

use super::form::PageAct;
use crate::accounts::{AccountId, GrantGiven, GrantWithdrawn};
use crate::admin::operations::Rooms;
use crate::admin::stream::StreamPiece;
use crate::gateway::discovery::read_choice;
use crate::history::Switched;
use crate::notify::message::{Phone, SetPhoneError};
use crate::oauth::{EndedBy, FamilyId, PageVisitor, RevocationScope};
use crate::races::RaceCaller;
use crate::store::StoreError;
use crate::web::face::Face;
use crate::web::reply::{self, Response};

/// What came of an act.
pub(super) enum Acted {
    /// The page is shown again, with the notice of this name.
    Done(&'static str),
    /// Nothing was changed. The text says why, and what to do.
    Refused(String),
    Closed(ClosedMessage),
    /// The store can't be used.
    Broken,
}

pub(super) struct ClosedMessage {
    pub(super) title: &'static str,
    pub(super) explanation: &'static str,
    pub(super) steps: Vec<String>,
}

impl From<StoreError> for Acted {
    fn from(reason: StoreError) -> Self {
        tracing::error!(%reason, "page.not_acted");
        Self::Broken
    }
}

/// Carries out an act, even if the browser does not wait for it.
pub(super) async fn run(face: Arc<Face>, visitor: PageVisitor, act: PageAct) -> Acted {
    let (answer, answered) = oneshot::channel();
    let acting = Arc::clone(&face);
    face.parts.lifecycle.spawn("own page", async move {
        let acted = carry_out(&acting, &visitor, act).await;
        answer.send(acted.unwrap_or_else(Acted::from)).ok();
    });
    answered.await.unwrap_or(Acted::Broken)
}

async fn carry_out(face: &Face, visitor: &PageVisitor, act: PageAct) -> Result<Acted, StoreError> {
    let (rooms, account) = (&face.parts.rooms, &visitor.account);
    let writing = visitor.clone();
    let is_allowed = move |tx: &crate::store::Tx<'_>| writing.is_open_within(tx);
    let origin = face.origin();
    Ok(match act {
        PageAct::SignOut => {
            rooms.oauth.close_page(visitor).await?;
            Acted::Closed(ClosedMessage {
                title: "The page is closed",
                explanation: "Nobody can use it in this browser any more. Your connected apps go on as before.",
                steps: vec![format!("Open it again at {origin}/me, or ask Claude to open it.")],
            })
        }
        PageAct::EndApp(app) => end_app(rooms, visitor, &app, origin).await?,
        PageAct::HistoryOn => switched(rooms.history.switch_on(account, is_allowed).await?, "history_on"),
        PageAct::HistoryOff { is_confirmed: false } => {
            Acted::Refused("Tick the box to say that the kept days may be erased.".into())
        }
        PageAct::HistoryOff { .. } => switched(
            rooms.history.switch_off(account, is_allowed).await?,
            "history_off",
        ),
        PageAct::Forget { is_confirmed: false } => {
            Acted::Refused("Tick the box to say that everything about you may be deleted.".into())
        }
        PageAct::Forget { .. } => {
            rooms.forget(account, EndedBy::Person).await?;
            tracing::info!(account.id = %account, "page.forgotten");
            Acted::Closed(ClosedMessage {
                title: "Everything about you is deleted",
                explanation: "Your connected apps are cut off, and Garmin’s permission, your races, your kept days and your \
                              settings are erased from this gateway. A backup that the operator made earlier may still \
                              contain them until it is replaced.",
                steps: vec![
                    "Remove the connector in Claude, if you don’t want to connect again.".to_owned(),
                    "At Garmin nothing was changed.".to_owned(),
                ],
            })
        }
        PageAct::SetPhone {
            telegram_chat,
            ntfy_topic,
        } => {
            let given = |text: String| Some(text).filter(|text| !text.is_empty());
            let phone = Phone {
                telegram_chat: given(telegram_chat),
                ntfy_topic: given(ntfy_topic),
            };
            if phone == Phone::default() {
                return Ok(Acted::Refused("Type a Telegram chat or an ntfy topic.".into()));
            }
            set_phone(rooms, visitor, phone, "phone_set").await
        }
        PageAct::RemovePhone => set_phone(rooms, visitor, Phone::default(), "phone_removed").await,
        PageAct::SetTimeZone(name) => {
            let zone = Some(name).filter(|name| !name.is_empty());
            let known = zone.as_deref().map(TimeZone::get).transpose();
            let Ok(known) = known else {
                return Ok(Acted::Refused(
                    "This time zone is not known. Write it as Europe/Vienna or America/New_York, or leave the field empty."
                        .into(),
                ));
            };
            let name = known.and_then(|zone| zone.iana_name().map(str::to_owned));
            let is_set = rooms.accounts.choose_time_zone(account, name, is_allowed).await?;
            // The next call starts a worker in the new zone.
            rooms.gateway.renew_worker(account).await;
            done(is_set, "time_zone_set")
        }
        PageAct::SetTools(text) => {
            let profile = match read_choice(&text) {
                Ok(profile) => profile,
                Err(wrong) => return Ok(Acted::Refused(format!("Tools: {wrong}."))),
            };
            if let Some(unknown) = rooms.gateway.unknown_tool(profile.as_ref()) {
                return Ok(Acted::Refused(format!("There is no tool {unknown}.")));
            }
            done(
                rooms.accounts.choose_tools(account, profile, is_allowed).await?,
                "tools_set",
            )
        }
        PageAct::SetCharts { are_off } => done(
            rooms.accounts.choose_views(account, are_off, is_allowed).await?,
            if are_off { "charts_off" } else { "charts_on" },
        ),
        PageAct::GrantAccess(wish) => match rooms.gateway.sharing().give(account, wish, is_allowed).await? {
            GrantGiven::Wrong(wrong) => Acted::Refused(format!("{}.", in_words(&wrong))),
            given => done(given != GrantGiven::NotAllowed, "grant_given"),
        },
        PageAct::WithdrawGrant(to) => match rooms.gateway.sharing().withdraw(account, &to, is_allowed).await?
        {
            GrantWithdrawn::Missing => Acted::Refused("This member sees nothing of yours any more.".into()),
            withdrawn => done(withdrawn != GrantWithdrawn::NotAllowed, "grant_withdrawn"),
        },
        // Answered by `export`.
        PageAct::Export => Acted::Broken,
    })
}

/// A message about an argument with the words that the form has for it.
fn in_words(wrong: &str) -> String {
    let labels = [
        ("to: ", "Who: "),
        ("groups: ", "What: "),
        ("until: ", "Until: "),
        ("name: ", "Your name for them: "),
    ];
    let labelled = labels
        .iter()
        .find_map(|(name, label)| Some(format!("{label}{}", wrong.strip_prefix(name)?)));
    labelled.unwrap_or_else(|| wrong.to_owned())
}

/// A visit that is over changes nothing.
fn done(is_done: bool, key: &'static str) -> Acted {
    if is_done {
        Acted::Done(key)
    } else {
        Acted::Refused("The page was closed in the meantime. Nothing was changed.".into())
    }
}

fn switched(switched: Switched, key: &'static str) -> Acted {
    done(switched != Switched::NotAllowed, key)
}

/// Ends a client's sign-in at once, as the operator's `revoke` does.
async fn end_app(rooms: &Rooms, visitor: &PageVisitor, app: &str, origin: &str) -> Result<Acted, StoreError> {
    let Ok(family) = app.parse::<FamilyId>() else {
        return Ok(Acted::Refused("This app is not connected any more.".into()));
    };
    let families = rooms.oauth.families()?;
    let is_own = |account: &AccountId| *account == visitor.account;
    if !families
        .iter()
        .any(|one| one.id == family && is_own(&one.account))
    {
        return Ok(Acted::Refused("This app is not connected any more.".into()));
    }
    let opened_here = visitor.via.as_ref() == Some(&family);
    rooms
        .revoke(RevocationScope::Family(family), EndedBy::Person)
        .await?;
    tracing::info!(account.id = %visitor.account, "page.app_ended");
    Ok(if opened_here {
        Acted::Closed(ClosedMessage {
            title: "The app is cut off",
            explanation: "It had opened this page, so the page is closed as well.",
            steps: vec![format!(
                "Open your page again at {origin}/me, by signing in at Garmin."
            )],
        })
    } else {
        Acted::Done("app_ended")
    })
}

async fn set_phone(rooms: &Rooms, visitor: &PageVisitor, phone: Phone, key: &'static str) -> Acted {
    let caller = RaceCaller::Page(visitor.clone());
    match rooms.races.set_phone(&caller, phone).await {
        Ok(_) => Acted::Done(key),
        Err(SetPhoneError::Store(reason)) => reason.into(),
        Err(refused) => Acted::Refused(format!("Phone: {refused}.")),
    }
}

/// All that is stored about the person, as a file. It ends early if the visit does.
pub(super) fn export(face: &Arc<Face>, visitor: &PageVisitor) -> Response {
    tracing::info!(account.id = %visitor.account, "page.exported");
    let parts = (face.parts.export)(&visitor.account);
    let day = face.parts.clock.now().strftime("%Y-%m-%d").to_string();
    let (oauth, visitor) = (face.parts.oauth.clone(), visitor.clone());
    let stream = ReceiverStream::new(parts).filter_map(move |piece| {
        std::future::ready(match piece {
            StreamPiece::Part(part) if oauth.is_page_open(&visitor) => Some(Ok(Bytes::from(part))),
            StreamPiece::Part(_) => Some(Err("the page was closed".to_owned())),
            StreamPiece::End(Ok(_)) => None,
            StreamPiece::End(Err(refusal)) => Some(Err(refusal.to_string())),
        })
    });
    let mut response = reply::stream(
        StatusCode::OK,
        HeaderValue::from_static("application/json"),
        stream,
    );
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"garmin-gateway-{day}.json\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    response
}
