//! Everything about one payment or reversal: where it stands, its entries, its messages to the core, the calls that said
//! it, the breaks about it.

use super::row::{self, Whom};
use super::stand::{self, Stand};
use crate::domain::ids::EventKey;
use crate::domain::posting::Account;
use crate::domain::receipt::Evidence;
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::terms;
use crate::finance::told::{code, named};
use crate::finance::why;
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use crate::reconcile::desk::evidence;
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView};
use crate::store::reports::{DispatchView, PostingView, Reports, StoredReceipt};
use crate::store::rows::EventRecord;
use actix_web::{HttpResponse, web};
use askama::Template;

/// Breaks about one payment that are shown.
const BREAKS_MAX: u32 = 50;

/// One line of a posting.
#[derive(Debug)]
struct EntryRow {
    account: &'static str,
    of: String,
    debit: String,
    credit: String,
}

/// A posting.
#[derive(Debug)]
struct PostingPart {
    no: i64,
    kind: &'static str,
    author: String,
    at: String,
    entries: Vec<EntryRow>,
    sum: String,
}

/// A message to the core.
#[derive(Debug)]
pub(super) struct MessageRow {
    key: String,
    invoice: String,
    state: String,
    look: &'static str,
    why: String,
    attempts: String,
    at: String,
    delivered: String,
}

/// A call.
#[derive(Debug)]
struct CallPart {
    verdict: &'static str,
    at: String,
    amount: String,
    hash: String,
    came: Option<String>,
}

/// A break about it.
#[derive(Debug)]
struct BreakRow {
    no: i64,
    class: &'static str,
    state: &'static str,
    amount: String,
    opened: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "payment.html", config = "src/finance/askama.toml")]
struct PaymentPage {
    shell: Shell,
    w: Words,
    movement: &'static str,
    amount: String,
    stand: Stand,
    age: Option<String>,
    partner: String,
    event: String,
    /// Its business day, as an address has it and for people.
    date: String,
    day: String,
    customer: Whom,
    bills: Vec<String>,
    facts: Vec<(&'static str, String)>,
    postings: Vec<PostingPart>,
    messages: Vec<MessageRow>,
    calls: Vec<CallPart>,
    breaks: Vec<BreakRow>,
}

/// All that is asked about it.
struct Whole {
    record: EventRecord,
    customer: Whom,
    postings: Vec<PostingView>,
    messages: Vec<DispatchView>,
    calls: Vec<StoredReceipt>,
    breaks: Vec<BreakView>,
}

fn whole(reports: &mut dyn Reports, key: &EventKey, sees: bool) -> Result<Option<Whole>, StoreError> {
    let Some(record) = reports.event(key)? else { return Ok(None) };
    let filter = BreakFilter { event: Some(*key), ..BreakFilter::all(BREAKS_MAX) };
    let messages = reports.dispatches_of(&[*key], row::MESSAGES_MAX)?;
    let bill = row::bill(&record, &messages).map(|bill| reports.invoice(bill)).transpose()?.flatten();
    Ok(Some(Whole {
        customer: row::whom(&record, bill.as_ref(), sees),
        postings: reports.postings(key)?,
        messages,
        calls: evidence::receipts(reports, key, record.paid_at)?,
        breaks: reports.breaks(&filter)?,
        record,
    }))
}

/// `GET /payments/{key}`
pub(super) async fn show(
    path: web::Path<String>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let key = EventKey::parse_hex(&path.into_inner()).map_err(|_no_such_key| Stop::not_there(w))?;
    let sees = who.may(Right::SeePayers);
    let found = beside(&internal, move |reports| whole(reports, &key, sees)).await;
    let found = found.and_then(|found| found.map_err(|error| stopped(&error)));
    let found = found.map_err(|problem| Stop::of(problem, w))?.ok_or_else(|| Stop::not_there(w))?;
    if sees {
        who.note(&internal, "look-payment", &key.to_string()).await?;
    }
    let now = internal.intake.clock().now();
    page(&made(&found, Shell::new(&who, Part::Partners), (sees, now, w)), w)
}

fn made(of: &Whole, shell: Shell, (sees, now, w): (bool, Timestamp, Words)) -> PaymentPage {
    let stand = stand::of(&of.record, &of.messages, w);
    PaymentPage {
        shell,
        w,
        movement: terms::movement(Some(of.record.movement), w),
        amount: show::money(of.record.content.amount.dong(), w.0),
        age: stand.since.map(|since| stand::age(since, now, w)),
        stand,
        partner: of.record.partner.to_string(),
        event: of.record.event.clone(),
        date: of.record.business_day.to_string(),
        day: show::day(of.record.business_day),
        customer: of.customer.clone(),
        bills: bills(of, sees),
        facts: facts(&of.record, sees, w),
        postings: of.postings.iter().map(|posting| posting_part(posting, w)).collect(),
        messages: of.messages.iter().map(|message| message_row(message, w)).collect(),
        calls: of.calls.iter().map(|call| call_part(call, sees, w)).collect(),
        breaks: of.breaks.iter().map(|about| break_row(about, (sees, w))).collect(),
    }
}

/// The bills that it is on, or the one that it names and that we know.
fn bills(of: &Whole, sees: bool) -> Vec<String> {
    let mut bills: Vec<String> = of.messages.iter().map(|message| message.invoice.to_string()).collect();
    // What a payer wrote is for those who may see it.
    if bills.is_empty() && sees {
        bills.extend(of.record.names_invoice.as_ref().map(ToString::to_string));
    }
    bills.sort_unstable();
    bills.dedup();
    bills
}

fn facts(record: &EventRecord, sees: bool, w: Words) -> Vec<(&'static str, String)> {
    let money = |dong| show::money(dong, w.0);
    let none = || show::NONE.to_owned();
    let text = |of: &Option<crate::domain::notice::ReferenceText>| {
        of.as_ref().map_or_else(none, |text| row::shown(text.as_str(), sees))
    };
    let content = &record.content;
    let mut facts = vec![
        (w.cu_account(), record.account.clone()),
        (w.cu_paid_at(), show::moment(record.paid_at)),
        (w.cu_business_day(), show::day(record.business_day)),
        (w.cu_discount(), money(content.discount.dong())),
        (w.cu_fee(), money(record.fee.dong())),
        (w.cu_channel(), record.channel.clone().unwrap_or_else(none)),
        (w.cu_named_bill(), text(&content.references.invoice)),
        (w.cu_order(), text(&content.references.order)),
        (w.cu_named_customer(), text(&content.references.customer)),
    ];
    if record.made_from.is_some() {
        facts.push((w.cu_origin(), w.cu_from_statement().to_owned()));
    }
    facts
}

fn posting_part(posting: &PostingView, w: Words) -> PostingPart {
    let entry = |(account, amount): &(Account, crate::domain::money::Money)| {
        let (name, of) = terms::account_name(account, w);
        let money = show::money(amount.dong().saturating_abs(), w.0);
        let (debit, credit) = if amount.dong() > 0 { (money, String::new()) } else { (String::new(), money) };
        EntryRow { account: name, of, debit, credit }
    };
    let sum = posting.entries.iter().map(|(_, amount)| amount.dong().max(0)).fold(0, i64::saturating_add);
    PostingPart {
        no: posting.no.0,
        kind: terms::posting_kind(posting.kind, w),
        author: posting.author.as_ref().map_or_else(|| w.cu_by_notice().to_owned(), |name| named(name, w)),
        at: show::moment(posting.posted_at),
        entries: posting.entries.iter().map(entry).collect(),
        sum: show::money(sum, w.0),
    }
}

fn message_row(message: &DispatchView, w: Words) -> MessageRow {
    let look = match message.state.as_str() {
        "delivered" => "good",
        "parked" => "bad",
        "closed" => "",
        _ => "warn",
    };
    let cause = message.cause.map(|cause| code(cause.word(), w));
    MessageRow {
        key: message.key.to_string(),
        invoice: message.invoice.to_string(),
        state: terms::message_state(&message.state, w),
        look,
        why: cause.into_iter().chain(message.reason.clone()).collect::<Vec<_>>().join(": "),
        attempts: show::count(i64::from(message.attempts), w.0),
        at: show::moment(message.created_at),
        delivered: message.delivered_at.map_or_else(|| show::NONE.to_owned(), show::moment),
    }
}

fn call_part(call: &StoredReceipt, sees: bool, w: Words) -> CallPart {
    CallPart {
        verdict: terms::verdict(call.verdict, w),
        at: show::moment(call.received_at),
        amount: call.amount_dong.map_or_else(|| show::NONE.to_owned(), |dong| show::money(dong, w.0)),
        hash: hex::encode(call.raw_hash),
        came: call.evidence.as_ref().filter(|_| sees).map(raw),
    }
}

/// A call as it came; bytes that are no text in hex.
fn raw(came: &Evidence) -> String {
    let query = if came.query.is_empty() { String::new() } else { format!("?{}", came.query) };
    let mut text = format!("{} {}{query}\n", came.method.word(), came.path);
    for (name, value) in &came.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    match std::str::from_utf8(&came.body) {
        Ok(body) => text.push_str(body),
        Err(_not_text) => text.push_str(&hex::encode(&came.body)),
    }
    text
}

fn break_row(about: &BreakView, (sees, w): (bool, Words)) -> BreakRow {
    BreakRow {
        no: about.no,
        class: why::label(about.class, w),
        state: terms::break_state(about.state, w),
        amount: show::money(about.amount.dong(), w.0),
        opened: show::moment(about.opened_at),
        detail: why::detail(about, sees, w),
    }
}
