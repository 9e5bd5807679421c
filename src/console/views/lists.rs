//! The views that show a list and the details of its selected row: workers, accounts, tokens, log.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, TableState, Wrap};

use super::panes::{WIDE, boxed, lines, state_word, two_panes};
use super::{columns, race_columns};
use crate::admin::views::{AccountView, ConsoleView, EventView, FamilyView, RevocationView, WorkerView};
use crate::console::rows::{LEVELS, ViewRow};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{self, ago, bytes, many, minute, plain, second, span};

/// The layout of a list.
pub(super) struct ListShape {
    pub(super) title: String,
    pub(super) header: Vec<&'static str>,
    pub(super) widths: Vec<Constraint>,
    /// The sentence shown instead of an empty list.
    pub(super) empty: &'static str,
    /// The height in rows of the pane below the list.
    pub(super) detail_rows: u16,
}

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let shape = shape(state);
    let [list, detail] = two_panes(area, shape.detail_rows);
    table(state, theme, frame, list, &shape);
    let (rows, selected) = state.rows();
    selected_row(state, theme, frame, detail, rows.get(selected));
}

/// Draws the rows of the view with the selected one highlighted, or a sentence if there are none.
pub(super) fn table(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    shape: &ListShape,
) {
    let (rows, selected) = state.rows();
    let order = state.order();
    let title = order.map_or_else(
        || shape.title.clone(),
        |(name, _)| format!("{}, by {name}", shape.title),
    );
    let block = boxed(state, theme, &title);
    if rows.is_empty() {
        let filter = state.position().filter;
        let text = if state.data.overview.is_none() {
            "Waiting for the gateway.".to_owned()
        } else if filter.is_empty() {
            shape.empty.to_owned()
        } else {
            format!("No row contains \"{}\". esc clears the filter.", plain(&filter))
        };
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
        return;
    }
    let cells = rows.iter().map(|row| cells(state, theme, row, area.width));
    let room = block.inner(area).width;
    let table = columns::table(theme, &shape.header, &shape.widths, cells.collect(), room)
        .block(block)
        .row_highlight_style(theme.style(Role::Selection));
    let mut at = TableState::default().with_selected(Some(selected));
    frame.render_stateful_widget(table, area, &mut at);
}

fn shape(state: &ConsoleState) -> ListShape {
    use Constraint::{Fill, Length};
    match state.view {
        ConsoleView::Accounts => ListShape {
            title: "Accounts, invitations, access requests".into(),
            header: vec!["ACCOUNT", "GARMIN", "LAST SEEN", "SIGN-INS", "CALLS 30D"],
            widths: vec![Fill(3), Fill(2), Length(12), Length(8), Length(9)],
            empty: "No account yet. i invites someone.",
            detail_rows: 9,
        },
        ConsoleView::Tokens => ListShape {
            title: format!(
                "Sign-ins of clients ({}), then what was revoked ({})",
                state.data.tokens.families.len(),
                state.data.tokens.revocations.len()
            ),
            header: vec!["ACCOUNT", "CLIENT", "ACCESS", "LAST USED", "ENDS"],
            widths: vec![Fill(2), Fill(2), Length(15), Length(12), Length(12)],
            empty: "Nobody has access, and nothing was revoked.",
            detail_rows: 8,
        },
        ConsoleView::Log => ListShape {
            title: format!(
                "Log: {} and worse, {}",
                LEVELS.get(state.level).unwrap_or(&"info"),
                if state.position().selected.is_some() {
                    "held (f follows)"
                } else {
                    "following"
                }
            ),
            header: vec!["TIME", "LEVEL", "EVENT"],
            widths: vec![Length(8), Length(5), Fill(1)],
            empty: "No events at this level yet. v shows more.",
            detail_rows: 6,
        },
        ConsoleView::Workers | ConsoleView::Overview | ConsoleView::Races => ListShape {
            title: "Workers".into(),
            header: vec![
                "ACCOUNT", "STATE", "PID", "PORT", "MEMORY", "CALLS", "BUSY", "IDLE",
            ],
            widths: vec![
                Fill(1),
                Length(10),
                Length(7),
                Length(5),
                Length(8),
                Length(6),
                Length(4),
                Length(7),
            ],
            empty: "No worker is running. A person's next call starts theirs.",
            detail_rows: 9,
        },
    }
}

fn cells(state: &ConsoleState, theme: Theme, row: &ViewRow<'_>, width: u16) -> Vec<Line<'static>> {
    let now = state.now;
    let cell = |text: &str| Line::raw(plain(text));
    let status = |text: &str| state_word(theme, text);
    let since = |at: Option<jiff::Timestamp>| Line::raw(at.map_or("-".into(), |at| ago(at, now)));
    match row {
        ViewRow::Worker(w) => vec![
            cell(&w.label),
            status(&w.state),
            number(w.pid),
            number(w.port),
            cell(&w.memory_bytes.map_or("-".into(), bytes)),
            number(Some(w.calls)),
            number(Some(w.in_flight + w.waiting)),
            cell(&w.idle_s.map_or("-".into(), span)),
        ],
        ViewRow::Account(a) => vec![
            cell(&a.email),
            status(&a.garmin),
            since(a.last_seen),
            number(Some(a.tokens)),
            number(Some(a.calls_30d)),
        ],
        ViewRow::Invitation(i) => vec![
            cell(&i.email),
            cell(&format!("invited {}", ago(i.invited_at, now))),
            since(None),
        ],
        ViewRow::AccessRequest(k) => vec![
            cell(&k.email),
            Line::from(Span::styled(
                format!("{} asked {}x", Theme::sign(Role::Warn), k.times),
                theme.style(Role::Warn),
            )),
            since(Some(k.last)),
        ],
        ViewRow::Race(r) => race_columns::cells(state, theme, r, width),
        ViewRow::Family(f) => vec![
            cell(&f.label),
            cell(&f.client),
            cell(&f.access),
            since(f.last_used),
            cell(&f.expires_at.map_or("never".into(), |at| ago(at, now))),
        ],
        ViewRow::Revocation(r) => vec![
            cell(if r.label.is_empty() { &r.account } else { &r.label }),
            cell(&r.client),
            Line::from(Span::styled("revoked", theme.style(Role::Dim))),
            since(Some(r.at)),
            cell(&r.reason),
        ],
        ViewRow::Event(_, e) => vec![
            Line::raw(second(e.at, &state.zone)),
            Line::from(Span::styled(
                e.level.clone(),
                theme.style(Theme::role_of(&e.level)),
            )),
            cell(&state.data.event_line(e)),
        ],
        ViewRow::Attention(a) => vec![cell(&a.subject), cell(&a.text)],
    }
}

fn number(n: Option<impl ToString>) -> Line<'static> {
    Line::raw(n.map_or_else(|| "-".into(), |n| n.to_string()))
}

/// The details of the selected row.
fn selected_row(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    row: Option<&ViewRow<'_>>,
) {
    let (title, text) = match row {
        Some(ViewRow::Worker(worker)) => {
            let room = usize::from(area.height.saturating_sub(4));
            ("Worker", of_worker(state, worker, room))
        }
        Some(ViewRow::Account(account)) => ("Account", of_account(state, account)),
        Some(ViewRow::Family(family)) => ("Sign-in", of_family(state, family)),
        Some(ViewRow::Revocation(revocation)) => ("Revocation", of_revocation(state, revocation)),
        Some(ViewRow::Event(_, event)) => ("Event", of_event(state, event, area.width >= WIDE)),
        Some(ViewRow::AccessRequest(request)) => (
            "Access request",
            vec![
                format!("{} tried to sign in without an invitation.", request.email),
                "a invites them. They saw a general refusal, and Garmin was not contacted.".into(),
            ],
        ),
        Some(ViewRow::Invitation(invitation)) => (
            "Invitation",
            vec![format!(
                "{} was invited {}. u withdraws the invitation.",
                invitation.email,
                minute(invitation.invited_at, &state.zone)
            )],
        ),
        _ => ("Details", Vec::new()),
    };
    let text = Paragraph::new(lines(&text))
        .wrap(Wrap { trim: false })
        .block(boxed(state, theme, title));
    frame.render_widget(text, area);
}

fn of_worker(state: &ConsoleState, w: &WorkerView, room: usize) -> Vec<String> {
    let cpu = w
        .cpu_s
        .map_or(String::new(), |s| format!(", {s:.1} s of processor time"));
    let retry = match w.retry_at {
        Some(at) if at > state.now => format!("; next start {} at the earliest", ago(at, state.now)),
        _ => String::new(),
    };
    let mut lines = vec![
        format!("{} ({}), {}{cpu}", w.label, w.account, w.kind),
        format!(
            "{}, {} in a row; fence: {}{retry}",
            many(w.starts, "start"),
            many(w.failures, "unexpected exit"),
            w.fence.as_deref().unwrap_or("-")
        ),
    ];
    if let Some((_, output)) = state.data.output.as_ref().filter(|(of, _)| *of == w.account) {
        let newest = output.iter().skip(output.len().saturating_sub(room));
        lines.extend(newest.map(|line| output_line(state, line)));
    }
    lines
}

/// A line of a worker's output. The built-in worker writes events; another program writes any text.
fn output_line(state: &ConsoleState, line: &str) -> String {
    match serde_json::from_str::<EventView>(line) {
        Ok(event) => {
            let at = second(event.at, &state.zone);
            format!("{at} {} {}", event.level, state.data.event_line(&event))
        }
        Err(_) => line.to_owned(),
    }
}

fn of_account(state: &ConsoleState, a: &AccountView) -> Vec<String> {
    let token = a.garmin_token_expires.map_or("-".into(), |at| ago(at, state.now));
    let mut lines = vec![
        format!(
            "{} ({}), linked {}",
            a.name,
            a.id,
            minute(a.linked_at, &state.zone)
        ),
        format!(
            "Garmin: {}; the token expires {token} and is renewed earlier",
            a.garmin
        ),
        format!(
            "{}, access: {}",
            many(a.clients, "client"),
            if a.access.is_empty() { "none" } else { &a.access }
        ),
    ];
    if let Some((_, usage)) = state.data.usage.as_ref().filter(|(of, _)| *of == a.id) {
        lines.extend(
            usage
                .iter()
                .map(|u| format!("{:6} {} ({})", u.calls, u.tool, many(u.errors, "error"))),
        );
    }
    lines
}

fn of_family(state: &ConsoleState, f: &FamilyView) -> Vec<String> {
    vec![
        f.id.clone(),
        format!("{} ({})", f.label, f.account),
        format!("through {}, {}", f.client, f.access),
        format!("issued {}", minute(f.issued_at, &state.zone)),
        f.expires_at.map_or("never ends".into(), |at| {
            format!("ends {} if unused", minute(at, &state.zone))
        }),
    ]
}

fn of_revocation(state: &ConsoleState, r: &RevocationView) -> Vec<String> {
    vec![
        r.family.clone(),
        format!("of {} ({})", r.label, r.account),
        format!("through {}", r.client),
        format!(
            "revoked {}; reason: {}",
            minute(r.at, &state.zone),
            words::cause(r)
        ),
        format!("it ended {}", many(r.tokens, "access token")),
    ]
}

fn of_event(state: &ConsoleState, event: &EventView, one_a_line: bool) -> Vec<String> {
    if !one_a_line {
        return vec![state.data.event_line(event)];
    }
    let mut lines = vec![format!("{} {}", event.level, event.event)];
    lines.extend(
        event
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    lines
}
