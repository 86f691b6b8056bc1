//! What the page of a break says, made ready for its template.

use super::gather::Whole;
use super::lead::{self, Offered};
use super::listed::{Asked, next};
use super::sides::{self, Column, Row};
use super::would::{self, Would};
use crate::domain::ids::Movement;
use crate::domain::resolution::BreakState;
use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::domain::user::Right;
use crate::finance::form::Form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell};
use crate::finance::told::{author, named, told, told_by};
use crate::finance::words::Words;
use crate::finance::{show, terms, why, wish};
use crate::reconcile::desk::evidence::Call;
use crate::reconcile::desk::views::age_days;
use crate::store::desk::{BreakView, NoteKind, NoteView};
use crate::store::rows::EventState;
use actix_web::http::StatusCode;
use askama::Template;
use jiff::civil::Date;

/// What could not be done, with what was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    pub status: Option<StatusCode>,
    pub says: Option<String>,
    pub typed: Form,
}

/// A row of the compact list.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub no: i64,
    pub place: String,
    pub label: &'static str,
    pub partner: String,
    pub amount: String,
    pub age: String,
    pub state: &'static str,
    pub here: bool,
}

/// A named link with a figure.
#[derive(Clone, Debug)]
pub(super) struct Near {
    pub name: String,
    pub place: String,
    pub amount: String,
    pub about: String,
    /// Is it over the same sum?
    pub same: bool,
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub at: String,
    pub verdict: &'static str,
    pub sha256: String,
    pub key_id: String,
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub signed: Option<String>,
    /// Are the bytes there, and may they be seen?
    pub there: bool,
}

/// A posting with its lines.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub no: i64,
    pub kind: &'static str,
    pub at: String,
    pub author: String,
    pub entries: Vec<(String, String)>,
}

/// A message to the core.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub key: String,
    pub invoice: String,
    pub state: String,
    pub attempts: u32,
    pub created: String,
    pub delivered: String,
    pub reason: String,
}

/// A line of the history.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub at: String,
    pub author: String,
    pub what: &'static str,
    pub text: String,
    /// Name, address and SHA-256 of a file.
    pub file: Option<(String, String, String)>,
}

/// What may be done with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct May {
    pub create: bool,
    /// Does the line name no event, so that a person must?
    pub name_event: bool,
    pub allocate: bool,
    pub adjust: bool,
    pub reverse: bool,
    pub accept: bool,
    /// Is it free for a proposal?
    pub propose: bool,
    /// May this person say anything of it?
    pub mark: bool,
}

#[derive(Template)]
#[template(path = "one_break.html", config = "src/finance/askama.toml")]
pub(super) struct OneBreakPage {
    shell: Shell,
    w: Words,
    no: i64,
    query: String,
    class: &'static str,
    label: &'static str,
    state: &'static str,
    off: Option<String>,
    amount: String,
    age: String,
    accounting_day: String,
    opened: String,
    partner: Option<String>,
    assignee: Option<String>,
    proposal: Option<i64>,
    closed: Option<(String, String, String)>,
    payment: Option<String>,
    invoice: Option<String>,
    message: Option<String>,
    leg: Option<[String; 3]>,
    detail: String,
    cause: &'static str,
    route: &'static str,
    found_by: Vec<(&'static str, String)>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    agreeing: String,
    differing: String,
    would: Would,
    near: Vec<Near>,
    list: Vec<Listed>,
    calls: Vec<Came>,
    see: bool,
    postings: Vec<Posted>,
    messages: Vec<Message>,
    notes: Vec<Noted>,
    people: Vec<String>,
    me: String,
    may: May,
    offered: Vec<Offered>,
    because: Vec<(&'static str, &'static str)>,
    wrong: Option<String>,
    typed: Form,
}

impl OneBreakPage {
    pub(super) fn new(who: &Who, of: &Whole, (asked, today): (&Asked, Date), trouble: Trouble) -> Self {
        let (w, about, see) = (who.words(), &of.about, who.may(Right::SeePayers));
        let (columns, rows) = sides::table(of, see, w);
        let names =
            |keep: fn(&Row) -> bool| rows.iter().filter(|row| keep(row)).map(|row| row.name).collect::<Vec<_>>();
        let query = asked.query();
        let closed = about.closed_at.map(|at| {
            let by = about.closed_by.as_ref().map(|by| author(by, w)).unwrap_or_default();
            (show::moment(at), by, told(about.close_reason.as_deref().unwrap_or_default(), w))
        });
        Self {
            shell: Shell::new(who, Part::Breaks).saying(said(asked, w)),
            w,
            no: about.no,
            class: about.class.code(),
            label: why::label(about.class, w),
            state: terms::break_state(about.state, w),
            off: about.leg.map(|leg| show::signed(leg.difference(), w.0)),
            amount: show::money(about.amount.dong(), w.0),
            age: show::days(age_days(about, today).into(), w),
            accounting_day: show::day(about.aged_from),
            opened: show::moment(about.opened_at),
            partner: about.partner.as_ref().map(ToString::to_string),
            assignee: about.assignee.as_ref().map(|of| author(of, w)),
            proposal: about.proposal.map(|no| no.0),
            closed,
            payment: about.event.map(|key| key.to_string()),
            invoice: about.invoice.as_ref().map(ToString::to_string),
            message: about.dispatch.as_ref().map(ToString::to_string),
            leg: leg(about, w),
            detail: why::detail(about, see, w),
            cause: why::cause(about.class, w),
            route: why::route(about.class, w),
            found_by: found_by(of, w),
            agreeing: names(|row| row.agrees).join(", "),
            differing: names(|row| row.differs).join(", "),
            would: would::of(of, &rows, w),
            columns,
            rows,
            near: near(of, w),
            list: of.list.iter().map(|one| listed(one, about.no, (&query, today), w)).collect(),
            calls: of.evidence.calls.iter().map(|call| came(call, (see, w))).collect(),
            see,
            postings: postings(of, w),
            messages: messages(of, w),
            notes: notes(of, w),
            people: of.people.clone(),
            me: who.author().to_string(),
            offered: lead::offered((about.class, about.leg.is_some()), may(who, of)),
            may: may(who, of),
            because: wish::BECAUSE.map(|one| (wish::because_code(one), wish::because_word(one, w))).to_vec(),
            wrong: trouble.says,
            typed: trouble.typed,
            query,
        }
    }

    /// What was typed into a field of this action's form, where it was not taken.
    fn was(&self, action: &str, field: &str) -> &str {
        let same = self.typed.get("action") == Some(action) || self.typed.get("what") == Some(action);
        if same { self.typed.get(field).unwrap_or_default() } else { "" }
    }

    /// Was this action's form the one that was not taken?
    fn is_open(&self, action: &str) -> bool {
        self.typed.get("action") == Some(action) || self.typed.get("what") == Some(action)
    }
}

/// What was just done, and with which break.
fn said(asked: &Asked, w: Words) -> Option<String> {
    let (done, of) = asked.done.as_ref()?;
    let sentence = match done.as_str() {
        "comment" => w.ob_done_comment(),
        "assign" => w.ob_done_assign(),
        "accept" => w.ob_done_accept(),
        "file" => w.ob_done_file(),
        "proposed" => w.ob_done_proposed(),
        _ => return None,
    };
    let of: String = of.chars().filter(char::is_ascii_digit).take(18).collect();
    Some(if of.is_empty() { sentence.to_owned() } else { format!("#{of}: {sentence}") })
}

fn listed(one: &BreakView, here: i64, (query, today): (&str, Date), w: Words) -> Listed {
    Listed {
        no: one.no,
        place: format!("/breaks/{}{query}", one.no),
        label: why::label(one.class, w),
        partner: one.partner.as_ref().map(ToString::to_string).unwrap_or_default(),
        amount: show::money(one.amount.dong(), w.0),
        age: show::days(age_days(one, today).into(), w),
        state: terms::break_state(one.state, w),
        here: one.no == here,
    }
}

/// Both sides of the comparison and what they differ by.
fn leg(about: &BreakView, w: Words) -> Option<[String; 3]> {
    let leg = about.leg?;
    let side = |dong: Option<i64>| dong.map_or_else(|| show::NONE.to_owned(), |dong| show::money(dong, w.0));
    Some([side(leg.ours), side(leg.theirs), show::signed(leg.difference(), w.0)])
}

fn found_by(of: &Whole, w: Words) -> Vec<(&'static str, String)> {
    let Some(leg) = of.about.leg else { return vec![(w.ob_found_by(), w.ob_by_matching().to_owned())] };
    let mut facts =
        vec![(w.ob_found_by(), terms::statement_kind(leg.kind, w).to_owned()), (w.ob_day(), show::day(leg.day))];
    if leg.kind != StatementKind::Bank {
        facts.push((w.ob_rule(), w.ob_rule_order().to_owned()));
        facts.extend(of.rules.map(|version| (w.ob_rules_version(), version.to_string())));
    }
    if leg.carried {
        facts.push((w.ob_state(), w.ob_waits_a_cycle().to_owned()));
    }
    facts
}

fn near(of: &Whole, w: Words) -> Vec<Near> {
    let amount = of.about.amount;
    let payments = of.near_payments.iter().map(|record| Near {
        name: record.event.clone(),
        place: format!("/payments/{}", record.key),
        amount: show::money(record.content.amount.dong(), w.0),
        about: terms::event_state(record.state, w),
        same: record.content.amount == amount,
    });
    let breaks = of.near_breaks.iter().map(|one| Near {
        name: format!("#{}", one.no),
        place: format!("/breaks/{}", one.no),
        amount: show::money(one.amount.dong(), w.0),
        about: why::label(one.class, w).to_owned(),
        same: one.amount == amount,
    });
    payments.chain(breaks).collect()
}

fn came(call: &Call, (see, w): (bool, Words)) -> Came {
    let receipt = &call.receipt;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map_or_else(|_not_text| hex::encode(bytes), str::to_owned);
    let evidence = receipt.evidence.as_ref().filter(|_| see);
    Came {
        at: show::moment(receipt.received_at),
        verdict: terms::verdict(receipt.verdict, w),
        sha256: hex::encode(receipt.raw_hash),
        key_id: evidence.map(|evidence| evidence.key_id.clone()).unwrap_or_default(),
        line: evidence
            .map(|evidence| first_line(evidence.method.word(), &evidence.path, &evidence.query))
            .unwrap_or_default(),
        headers: evidence.map(|evidence| evidence.headers.clone()).unwrap_or_default(),
        body: evidence.map(|evidence| text(&evidence.body)).unwrap_or_default(),
        signed: call.signed.as_deref().filter(|_| see).map(text),
        there: evidence.is_some(),
    }
}

fn first_line(method: &str, path: &str, query: &str) -> String {
    if query.is_empty() { format!("{method} {path}") } else { format!("{method} {path}?{query}") }
}

fn postings(of: &Whole, w: Words) -> Vec<Posted> {
    let posted = of.postings.iter().map(|posting| Posted {
        no: posting.no.0,
        kind: terms::posting_kind(posting.kind, w),
        at: show::moment(posting.posted_at),
        author: posting.author.as_ref().map_or_else(|| w.ob_by_notice().to_owned(), |name| named(name, w)),
        entries: posting
            .entries
            .iter()
            .map(|(of, sum)| (terms::account(of, w), show::signed(sum.dong(), w.0)))
            .collect(),
    });
    posted.collect()
}

fn messages(of: &Whole, w: Words) -> Vec<Message> {
    let message = of.messages.iter().map(|one| Message {
        key: one.key.to_string(),
        invoice: one.invoice.to_string(),
        state: terms::message_state(&one.state, w),
        attempts: one.attempts,
        created: show::moment(one.created_at),
        delivered: one.delivered_at.map_or_else(|| show::NONE.to_owned(), show::moment),
        reason: one.reason.clone().unwrap_or_default(),
    });
    message.collect()
}

fn notes(of: &Whole, w: Words) -> Vec<Noted> {
    let no = of.about.no;
    let noted = of.notes.iter().map(|note| Noted {
        at: show::moment(note.at),
        author: author(&note.author, w),
        what: terms::note_kind(note.what, w),
        // A file without a word to it is kept under its name, and that is its link's.
        text: note.attachment.as_ref().map_or_else(
            || words_of(note, w),
            |(name, _)| if note.text == *name { String::new() } else { note.text.clone() },
        ),
        file: note
            .attachment
            .as_ref()
            .map(|(name, hash)| (name.clone(), format!("/breaks/{no}/files/{}", note.no), hex::encode(hash))),
    });
    noted.collect()
}

/// What became of something is said by the books, whoever did it; the rest is what somebody wrote.
fn words_of(note: &NoteView, w: Words) -> String {
    match note.what {
        NoteKind::Assigned | NoteKind::Done | NoteKind::Refused => told(&note.text, w),
        NoteKind::Comment
        | NoteKind::Attached
        | NoteKind::Accepted
        | NoteKind::Proposed
        | NoteKind::Approved
        | NoteKind::Rejected
        | NoteKind::Withdrawn => told_by(&note.author, &note.text, w),
    }
}

/// What its class, its payment and this person allow.
fn may(who: &Who, of: &Whole) -> May {
    let about = &of.about;
    let mark = who.may(Right::Propose) && about.closed_at.is_none();
    let free = mark && !matches!(about.state, BreakState::Proposed | BreakState::Approved);
    let held = of.record.as_ref().is_some_and(|record| {
        record.movement == Movement::Payment && matches!(record.state, EventState::Settled | EventState::Parked(_))
    });
    let line = of.statement.as_ref().filter(|line| {
        let of_break = about.leg.is_some_and(|leg| leg.kind == StatementKind::Partner && leg.line == Some(line.no));
        of_break && line.movement == Some(Movement::Payment)
    });
    let missing = matches!(about.class, BreakClass::MissingWebhook | BreakClass::CutoffTiming) && of.record.is_none();
    May {
        create: free && missing && line.is_some(),
        name_event: line.is_some_and(|line| line.key.is_none()),
        allocate: free && held,
        adjust: free && held,
        reverse: free && held,
        accept: mark && !about.goes_on(),
        propose: free,
        mark,
    }
}

/// Where to go once this break is dealt with: the next one of the list, or the list.
pub(super) fn onward(list: &[BreakView], (no, asked): (i64, &Asked), done: &str) -> String {
    let query = asked.with(&[("done", done), ("of", &no.to_string())]);
    next(list, no).map_or_else(|| format!("/breaks{query}"), |next| format!("/breaks/{next}{query}"))
}

/// The same action stays here.
pub(super) fn stay((no, asked): (i64, &Asked), done: &str) -> String {
    format!("/breaks/{no}{}", asked.with(&[("done", done), ("of", &no.to_string())]))
}
