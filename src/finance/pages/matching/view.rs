//! What the matching desk says, made ready for its templates.

use super::Query;
use super::gather::Found;
use super::sheet::{Sheet, bears};
use crate::domain::review::BreakClass;
use crate::domain::user::Right;
use crate::finance::highlight::{self, Stating};
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell};
use crate::finance::stop::form_urlencoded;
use crate::finance::told::author;
use crate::finance::words::Words;
use crate::finance::{show, terms, why};
use crate::reconcile::desk::suggest::Why;
use crate::reconcile::desk::views::age_days;
use crate::store::desk::BreakView;
use askama::Template;
use jiff::civil::Date;

/// A parked payment of the list.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub no: i64,
    pub label: &'static str,
    pub partner: String,
    pub amount: String,
    pub age: String,
    pub state: &'static str,
    pub detail: String,
    pub assignee: String,
    pub here: bool,
}

impl Row {
    pub(super) fn new(about: &BreakView, (here, today): (i64, Date), (see, w): (bool, Words)) -> Self {
        Self {
            no: about.no,
            label: why::label(about.class, w),
            partner: about.partner.as_ref().map(ToString::to_string).unwrap_or_default(),
            amount: show::money(about.amount.dong(), w.0),
            age: show::days(age_days(about, today).into(), w),
            state: terms::break_state(about.state, w),
            detail: why::detail(about, see, w),
            assignee: about.assignee.as_ref().map(|of| author(of, w)).unwrap_or_default(),
            here: about.no == here,
        }
    }
}

#[derive(Template)]
#[template(path = "desk_list.html", config = "src/finance/askama.toml")]
pub(super) struct ListPage {
    shell: Shell,
    w: Words,
    query: String,
    classes: Vec<(&'static str, &'static str, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
}

fn said(query: &Query, w: Words) -> Option<String> {
    let of: String = query.of.chars().filter(char::is_ascii_digit).take(18).collect();
    (query.done == "proposed").then(|| format!("#{of}: {}", w.ob_done_proposed()))
}

/// The class that the list is narrowed to, for an address.
fn narrowed(query: &Query) -> String {
    if query.class.is_empty() { String::new() } else { format!("?{}", form_urlencoded(&[("class", &query.class)])) }
}

impl ListPage {
    pub(super) fn new(who: &Who, query: &Query, rows: Vec<Row>) -> Self {
        let w = who.words();
        let next = rows.last().filter(|_| rows.len() >= 100).map(|last| {
            format!("/desk?{}", form_urlencoded(&[("class", &query.class), ("before", &last.no.to_string())]))
        });
        Self {
            shell: Shell::new(who, Part::Desk).saying(said(query, w)),
            w,
            query: narrowed(query),
            classes: BreakClass::WAITING
                .map(|class| (class.code(), why::label(class, w), class.code() == query.class))
                .to_vec(),
            rows,
            next,
        }
    }
}

/// A suggestion.
#[derive(Clone, Debug)]
pub(super) struct Suggested {
    pub place: String,
    pub why: String,
    pub shares: Vec<(String, String)>,
    pub whole: bool,
}

/// A debt that money may be put on.
#[derive(Clone, Debug)]
pub(super) struct Debt {
    pub invoice: String,
    pub customer: String,
    pub period: String,
    pub due: String,
    pub open: String,
    /// What it bears of this payment, in dong.
    pub bears: i64,
    pub share: String,
    pub exact: bool,
}

/// Another payment of the customer.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub no: i64,
    pub event: String,
    pub paid_at: String,
    pub dong: i64,
    pub amount: String,
    pub ticked: bool,
}

#[derive(Template)]
#[template(path = "desk_one.html", config = "src/finance/askama.toml")]
pub(super) struct DeskPage {
    shell: Shell,
    w: Words,
    no: i64,
    query: String,
    list: Vec<Row>,
    label: &'static str,
    detail: String,
    state: &'static str,
    payment: String,
    partner: String,
    event: String,
    amount: String,
    movable: String,
    movable_dong: i64,
    refund_due: Option<String>,
    paid_at: String,
    day: String,
    channel: String,
    stating: Stating,
    see: bool,
    suggestions: Vec<Suggested>,
    debts: Vec<Debt>,
    others: Vec<Beside>,
    search: String,
    class: String,
    sheet: Sheet,
    rest: String,
    may: bool,
    proposal: Option<i64>,
    wrong: Option<String>,
}

impl DeskPage {
    pub(super) fn new(
        who: &Who,
        (found, query, today): (&Found, &Query, Date),
        (sheet, wrong): (Sheet, Option<String>),
    ) -> Self {
        let (w, see, about, record) = (who.words(), who.may(Right::SeePayers), &found.about, &found.record);
        let free = about.closed_at.is_none() && about.proposal.is_none();
        Self {
            shell: Shell::new(who, Part::Desk).saying(said(query, w)),
            w,
            no: about.no,
            query: narrowed(query),
            list: found.list.iter().map(|one| Row::new(one, (about.no, today), (see, w))).collect(),
            label: why::label(about.class, w),
            detail: why::detail(about, see, w),
            state: terms::break_state(about.state, w),
            payment: record.key.to_string(),
            partner: record.partner.to_string(),
            event: record.event.clone(),
            amount: show::money(record.content.amount.dong(), w.0),
            movable: show::money(found.movable.dong(), w.0),
            movable_dong: found.movable.dong(),
            refund_due: found.refund_due.is_positive().then(|| show::money(found.refund_due.dong(), w.0)),
            paid_at: show::moment(record.paid_at),
            day: show::day(record.business_day),
            channel: record.channel.clone().unwrap_or_else(|| show::NONE.to_owned()),
            stating: highlight::stating(&record.content.references, see),
            see,
            suggestions: suggested(found, query, (see, w)),
            debts: debts(found, &sheet, (see, w)),
            others: others(found, &sheet, w),
            search: query.q.clone(),
            class: query.class.clone(),
            rest: show::money(sheet.rest(found.movable), w.0),
            sheet,
            may: free && who.may(Right::Propose),
            proposal: about.proposal.map(|no| no.0),
            wrong,
        }
    }
}

fn shown(code: &str, see: bool) -> String {
    if see { code.to_owned() } else { show::masked(code) }
}

fn suggested(found: &Found, query: &Query, (see, w): (bool, Words)) -> Vec<Suggested> {
    let one = |(n, one): (usize, &crate::reconcile::desk::suggest::Suggestion)| {
        let why = match &one.why {
            Why::NamedInvoice => w.mat_why_named().to_owned(),
            Why::OrderReference => w.mat_why_order().to_owned(),
            Why::CustomerSameAmount(code) => format!("{} {}", w.mat_why_same(), shown(code.as_str(), see)),
            Why::CustomerOldest(code) => format!("{} {}", w.mat_why_oldest(), shown(code.as_str(), see)),
            Why::NearCode { written, code } => {
                let codes = [written.as_str(), code.as_str()].map(|code| shown(code, see));
                format!("{} {}", w.mat_why_near(), codes.join(" → "))
            }
        };
        let n = n.saturating_add(1).to_string();
        let pairs = [("class", query.class.as_str()), ("q", &query.q), ("fill", &n)];
        Suggested {
            place: format!("/desk/{}?{}", found.about.no, form_urlencoded(&pairs)),
            why,
            shares: one.shares.iter().map(|(id, part)| (id.to_string(), show::money(part.dong(), w.0))).collect(),
            whole: one.whole,
        }
    };
    found.suggestions.iter().enumerate().map(one).collect()
}

fn debts(found: &Found, sheet: &Sheet, (see, w): (bool, Words)) -> Vec<Debt> {
    let debt = found.debts.iter().map(|bill| {
        let (invoice, bears) = (&bill.invoice, bears(found, bill));
        Debt {
            invoice: invoice.id.to_string(),
            customer: shown(invoice.customer.as_str(), see),
            period: show::period(&invoice.period, w),
            due: show::day(invoice.due_on),
            open: show::money(bears.dong(), w.0),
            bears: bears.dong(),
            share: sheet.shares.get(invoice.id.as_str()).cloned().unwrap_or_default(),
            exact: bears == found.movable,
        }
    });
    debt.collect()
}

fn others(found: &Found, sheet: &Sheet, w: Words) -> Vec<Beside> {
    let other = found.others.iter().map(|of| Beside {
        no: of.about.no,
        event: of.record.event.clone(),
        paid_at: show::moment(of.record.paid_at),
        dong: of.waits.dong(),
        amount: show::money(of.waits.dong(), w.0),
        ticked: sheet.with.contains(&of.about.no.to_string()),
    });
    other.collect()
}
