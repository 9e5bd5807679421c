//! Carries out what a person does on their page. Each act calls one function of another module.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};
use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tokio_stream::wrappers::ReceiverStream;

use super::acted::{Acted, PageClosing};
use super::form::PageAct;
use super::race_links;
use super::refusal::PageRefusal;
use crate::accounts::{AccountId, GrantGiven, GrantWithdrawn, MailAddressProblem};
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
    Ok(match act {
        PageAct::SignOut => {
            rooms.oauth.close_page(visitor).await?;
            Acted::Closed(PageClosing::SignedOut)
        }
        PageAct::EndApp(app) => end_app(rooms, visitor, &app).await?,
        PageAct::HistoryOn => switched(rooms.history.switch_on(account, is_allowed).await?, "history_on"),
        PageAct::HistoryOff { is_confirmed: false } => Acted::Refused(PageRefusal::EraseUnconfirmed),
        PageAct::HistoryOff { .. } => switched(
            rooms.history.switch_off(account, is_allowed).await?,
            "history_off",
        ),
        PageAct::Forget { is_confirmed: false } => Acted::Refused(PageRefusal::ForgetUnconfirmed),
        PageAct::Forget { .. } => {
            rooms.forget(account, EndedBy::Person).await?;
            tracing::info!(account.id = %account, "page.forgotten");
            Acted::Closed(PageClosing::Forgotten)
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
                return Ok(Acted::Refused(PageRefusal::NoPhone));
            }
            set_phone(rooms, visitor, phone, "phone_set").await
        }
        PageAct::RemovePhone => set_phone(rooms, visitor, Phone::default(), "phone_removed").await,
        PageAct::SetTimeZone(name) => {
            let zone = Some(name).filter(|name| !name.is_empty());
            let known = zone.as_deref().map(TimeZone::get).transpose();
            let Ok(known) = known else {
                return Ok(Acted::Refused(PageRefusal::UnknownZone));
            };
            let name = known.and_then(|zone| zone.iana_name().map(str::to_owned));
            let is_set = rooms.accounts.choose_time_zone(account, name, is_allowed).await?;
            // The next call starts a worker in the new zone.
            rooms.gateway.renew_worker(account).await;
            done(is_set, "time_zone_set")
        }
        PageAct::SetMailAddresses(text) => {
            let set = rooms.accounts.choose_mail_addresses(account, &text, is_allowed);
            match set.await {
                Ok(_) => Acted::Done("mails_set"),
                Err(MailAddressProblem::Store(reason)) => return Err(reason),
                Err(MailAddressProblem::AccessEnded) => Acted::Refused(PageRefusal::PageOver),
                Err(problem) => Acted::Refused(PageRefusal::MailAddresses(problem)),
            }
        }
        PageAct::SetTools(text) => {
            let Ok(profile) = read_choice(&text) else {
                return Ok(Acted::Refused(PageRefusal::ToolNames));
            };
            if let Some(unknown) = rooms.gateway.unknown_tool(profile.as_ref()) {
                return Ok(Acted::Refused(if unknown.is_choice {
                    PageRefusal::StandsAlone(unknown.name)
                } else {
                    PageRefusal::NoTool(unknown.name)
                }));
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
            GrantGiven::Wrong(wrong) => Acted::Refused(PageRefusal::Grant(wrong)),
            given => done(given != GrantGiven::NotAllowed, "grant_given"),
        },
        PageAct::WithdrawGrant(to) => match rooms.gateway.sharing().withdraw(account, &to, is_allowed).await?
        {
            GrantWithdrawn::Missing => Acted::Refused(PageRefusal::GrantGone),
            withdrawn => done(withdrawn != GrantWithdrawn::NotAllowed, "grant_withdrawn"),
        },
        PageAct::ShareRace {
            race,
            role,
            name,
            with,
        } => race_links::share(rooms, visitor, &race, role, &name, &with).await?,
        PageAct::EndShare { race, share } => race_links::end(rooms, visitor, &race, &share).await?,
        // Answered by `export`.
        PageAct::Export => Acted::Broken,
    })
}

/// The result of an act. If the visit was over, nothing was changed.
fn done(is_done: bool, key: &'static str) -> Acted {
    if is_done {
        Acted::Done(key)
    } else {
        Acted::Refused(PageRefusal::PageOver)
    }
}

fn switched(switched: Switched, key: &'static str) -> Acted {
    done(switched != Switched::NotAllowed, key)
}

/// Ends a client's sign-in at once, as the operator's `revoke` does.
async fn end_app(rooms: &Rooms, visitor: &PageVisitor, app: &str) -> Result<Acted, StoreError> {
    let Ok(family) = app.parse::<FamilyId>() else {
        return Ok(Acted::Refused(PageRefusal::AppGone));
    };
    let families = rooms.oauth.families()?;
    let is_own = |account: &AccountId| *account == visitor.account;
    if !families
        .iter()
        .any(|one| one.id == family && is_own(&one.account))
    {
        return Ok(Acted::Refused(PageRefusal::AppGone));
    }
    let opened_here = visitor.via.as_ref() == Some(&family);
    rooms
        .revoke(RevocationScope::Family(family), EndedBy::Person)
        .await?;
    tracing::info!(account.id = %visitor.account, "page.app_ended");
    Ok(if opened_here {
        Acted::Closed(PageClosing::AppEnded)
    } else {
        Acted::Done("app_ended")
    })
}

async fn set_phone(rooms: &Rooms, visitor: &PageVisitor, phone: Phone, key: &'static str) -> Acted {
    let caller = RaceCaller::Page(visitor.clone());
    match rooms.races.set_phone(&caller, phone).await {
        Ok(_) => Acted::Done(key),
        Err(SetPhoneError::Store(reason)) => reason.into(),
        Err(refused) => Acted::Refused(PageRefusal::Phone(refused)),
    }
}

/// All that is stored about the person, as a file. It breaks off if the visit ends.
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
