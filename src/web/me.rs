//! A person's own page: `/me`.
//!
//! Invariants:
//! - The page opens by a one-time code, or by a sign-in at Garmin. A code is spent by a form, never by a GET, so that
//!   programs that open links before people do can't spend it.
//! - Its cookie is for this host alone, and no other site's request carries it (`SameSite=Strict`). Every form has a
//!   token that is derived from it.
//! - Each act calls a function that the operator's commands use too. It is carried out even if the browser does not
//!   wait.
//!
//! | file | what |
//! |---|---|
//! | `form` | parses a posted form |
//! | `acts`, `acted` | carries out an act, and its result |
//! | `race_links` | the links to pages of races |
//! | `refusal` | why an act was refused |
//! | `refused_form` | the refused form, as the page shows it again |
//! | `view`, `rows` | what the page shows |
//! | `limits` | how often a source and a person may post |

mod acted;
mod acts;
mod form;
pub(super) mod limits;
mod race_links;
mod refusal;
mod refused_form;
mod rows;
mod view;

use std::sync::Arc;

use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use url::form_urlencoded;

use self::acted::{Acted, PageClosing};
use self::form::{PageForm, PageStep};
use self::view::LastForm;
use super::face::Face;
use super::oauth::form as form_body;
use super::pages;
use super::problem::Problem;
use super::reply::{self, Forms, Response};
use super::request::Exchange;
use super::sign_in::{self, FormSender};
use super::words::fill;
use crate::base::secrets::Secret;
use crate::oauth::{AuthorizeStep, PageVisitor, VISIT_LIFE};

pub(super) use self::form::PageAct;
#[cfg(test)]
pub(super) use self::refusal::PageRefusal;
#[cfg(test)]
pub(super) use self::rows::{
    GivenRow, HeldRow, OnLinkRow, OwnApp, OwnGrants, OwnHistory, RaceLinkRow, RaceWithLinks,
};
#[cfg(test)]
pub(super) use self::view::{ChosenTools, OwnPage, PageNotice};

/// The page, its forms, and the sign-in in front of it.
pub(super) async fn own_page(face: Arc<Face>, mut exchange: Exchange) -> Response {
    if !face.is_own_host(&exchange) {
        return face.refuse_page(&exchange, Problem::WrongHost);
    }
    if exchange.method != Method::POST {
        return show(&face, &exchange);
    }
    if exchange
        .header("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
    {
        return face.refuse_page(&exchange, Problem::CrossSite);
    }
    let body = match form_body(&face, &mut exchange).await {
        Ok(body) => body,
        Err(problem) => return face.refuse_page(&exchange, problem),
    };
    exchange.note_language(&body);
    match PageForm::read(&body) {
        // The sign-in has its own fields, limits and protection.
        Some(PageForm {
            step: PageStep::SignIn,
            ..
        }) => {
            let sender = FormSender::of(&face, &exchange);
            match sign_in::own_page_step(&face, sender, &body).await {
                Some(AuthorizeStep::OwnPage { code }) => {
                    let cookie = open(&face, code.expose()).await;
                    opened(&face, &exchange, cookie)
                }
                Some(step) => sign_in::show_own_page_step(&face, &exchange, step),
                None => face.refuse_page(&exchange, Problem::BadForm),
            }
        }
        // Acts are limited by person, so that strangers behind the same address can't use up the limit of an open page.
        Some(PageForm {
            step: PageStep::Act(act),
            csrf,
        }) => act_on(face, exchange, act, &csrf).await,
        _ if !face
            .page_limits
            .take_source(exchange.peer().map(|peer| peer.source)) =>
        {
            too_many(&face, &exchange)
        }
        Some(PageForm {
            step: PageStep::Open(code),
            ..
        }) => {
            let cookie = open(&face, &code).await;
            opened(&face, &exchange, cookie)
        }
        None => face.refuse_page(&exchange, Problem::BadForm),
    }
}

/// The button that opens the page, if the address has a code; else the page of an open visit; else the sign-in.
fn show(face: &Arc<Face>, exchange: &Exchange) -> Response {
    let query = |name: &str| {
        let mut pairs = form_urlencoded::parse(exchange.query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if let Some(code) = query("code") {
        let page = pages::OpenOwnPage {
            frame: face.frame(exchange),
            code,
        };
        return reply::page(StatusCode::OK, &page, Forms::Own);
    }
    match visitor(face, exchange) {
        Ok(Some(visitor)) => page(
            face,
            exchange,
            &visitor,
            LastForm::Done(view::notice(query("done").as_deref(), exchange.language())),
        ),
        Ok(None) => sign_in::own_page(face, exchange),
        Err(problem) => face.refuse_page(exchange, problem),
    }
}

/// The person whose page is open in this browser. Error: the store can't be read.
fn visitor(face: &Face, exchange: &Exchange) -> Result<Option<PageVisitor>, Problem> {
    let Some(cookie) = exchange.cookie(cookie_name(face)) else {
        return Ok(None);
    };
    face.parts.oauth.page_visitor(cookie).map_err(|reason| {
        tracing::error!(%reason, "page.not_read");
        Problem::Broken
    })
}

fn page(face: &Face, exchange: &Exchange, visitor: &PageVisitor, last: LastForm) -> Response {
    let status = match &last {
        LastForm::Refused(..) => StatusCode::BAD_REQUEST,
        LastForm::Done(_) => StatusCode::OK,
    };
    match view::own_page(face, exchange, visitor, last) {
        Ok(page) => reply::page(status, &page, Forms::Own),
        Err(reason) => {
            tracing::error!(%reason, "page.not_read");
            face.refuse_page(exchange, Problem::Broken)
        }
    }
}

/// Spends a code and starts a visit. Returns the value of its cookie.
async fn open(face: &Face, code: &str) -> Result<Secret, Problem> {
    match face.parts.oauth.open_page(code).await {
        Ok(Some(cookie)) => Ok(cookie),
        Ok(None) => Err(Problem::SpentCode),
        Err(reason) => {
            tracing::error!(%reason, "page.not_opened");
            Err(Problem::Broken)
        }
    }
}

/// Hands the cookie to the browser. The redirect takes the code out of the address.
fn opened(face: &Face, exchange: &Exchange, cookie: Result<Secret, Problem>) -> Response {
    let cookie = match cookie {
        Ok(cookie) => cookie,
        Err(problem) => return face.refuse_page(exchange, problem),
    };
    let response = to_page(face, exchange, "");
    with_cookie(face, response, cookie.expose(), VISIT_LIFE.as_secs())
}

async fn act_on(face: Arc<Face>, exchange: Exchange, act: PageAct, csrf: &str) -> Response {
    let visitor = match visitor(&face, &exchange) {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return face.refuse_page(&exchange, Problem::PageClosed),
        Err(problem) => return face.refuse_page(&exchange, problem),
    };
    if !visitor.is_own_form(csrf) {
        return face.refuse_page(&exchange, Problem::CrossSite);
    }
    if !face.page_limits.take_act(&visitor.account, &act) {
        return too_many(&face, &exchange);
    }
    if matches!(act, PageAct::Export) {
        return acts::export(&face, &visitor);
    }
    match acts::run(Arc::clone(&face), visitor.clone(), act.clone()).await {
        Acted::Done(key) => to_page(&face, &exchange, key),
        Acted::Shared(url) => {
            let made = exchange.language().me.races.made;
            let notice = view::with_link(made, &url);
            page(&face, &exchange, &visitor, LastForm::Done(Some(notice)))
        }
        // The page may have been closed while the act was under way.
        Acted::Refused(_) if !face.parts.oauth.is_page_open(&visitor) => {
            face.refuse_page(&exchange, Problem::PageClosed)
        }
        Acted::Refused(why) => {
            let problem = why.problem(&face.frame(&exchange), face.origin());
            let refused = LastForm::Refused(problem, act);
            page(&face, &exchange, &visitor, refused)
        }
        Acted::Closed(why) => {
            let page = closed(&face, &exchange, why);
            with_cookie(&face, reply::page(StatusCode::OK, &page, Forms::None), "", 0)
        }
        Acted::Broken => face.refuse_page(&exchange, Problem::Broken),
    }
}

/// The message of an act that closed the page.
fn closed(face: &Face, exchange: &Exchange, why: PageClosing) -> pages::MessagePage {
    let frame = face.frame(exchange);
    let words = &frame.words.me.closed;
    let address = format!("{}{}", face.origin(), pages::OWN_PAGE);
    let at_address = |sentence| fill(sentence, &[("address", &address)]);
    let (said, steps) = match why {
        PageClosing::SignedOut => (&words.signed_out, vec![at_address(words.open_again)]),
        PageClosing::AppEnded => (&words.app_ended, vec![at_address(words.sign_in_again)]),
        PageClosing::Forgotten => {
            let steps = [words.remove_connector, words.garmin_stays];
            (&words.forgotten, steps.map(str::to_owned).to_vec())
        }
    };
    pages::MessagePage {
        title: said.title.to_owned(),
        explanation: said.text.to_owned(),
        steps,
        technical: None,
        reference: exchange.id.to_string(),
        frame,
    }
}

/// Redirects to the page, so that reloading it does not repeat the act. `done` names the notice.
fn to_page(face: &Face, exchange: &Exchange, done: &str) -> Response {
    let done = Some(("done", done)).filter(|(_, done)| !done.is_empty());
    let carried = exchange.carried_language().map(|words| ("lang", words.code));
    let query: Vec<String> = done
        .into_iter()
        .chain(carried)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let target = [pages::OWN_PAGE, &query.join("&")];
    let target = target.join(if query.is_empty() { "" } else { "?" });
    let mut response =
        reply::see_other(&target).unwrap_or_else(|| face.refuse_page(exchange, Problem::Broken));
    reply::never_indexed(&mut response);
    response
}

/// Sets the cookie of the visit for this many seconds; 0 removes it.
fn with_cookie(face: &Face, mut response: Response, value: &str, seconds: i64) -> Response {
    let name = cookie_name(face);
    let secure = if face.parts.public_url.is_https() {
        "; Secure"
    } else {
        ""
    };
    let set = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&set) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

fn too_many(face: &Face, exchange: &Exchange) -> Response {
    let mut response = face.refuse_page(exchange, Problem::TooMany);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

/// `__Host-` keeps other hosts of the same domain from setting it; it requires https.
fn cookie_name(face: &Face) -> &'static str {
    if face.parts.public_url.is_https() {
        "__Host-own-page"
    } else {
        "own-page"
    }
}
