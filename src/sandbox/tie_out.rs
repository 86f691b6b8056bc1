//! The comparison: what the collectors and the core wrote down by themselves, beside the gateway's books. Every dong
//! that a collector holds must be in exactly one place, and whatever is not is named. Reads, never writes.

use super::collector::Line;
use super::core_book::Totals;
use super::evening::Evening;
use crate::domain::ids::{EventKey, InvoiceId, PartnerCode};
use crate::domain::invoice::Invoice;
use crate::domain::posting::Account;
use crate::domain::receipt::Verdict;
use crate::domain::review::BreakClass;
use crate::domain::secret::Secret;
use crate::domain::statement::StatementKind;
use crate::ledger::audit;
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView};
use crate::store::reports::{DispatchFilter, OutboxDepth, ReceiptCount, Reports};
use crate::store::rows::EventState;
use crate::store::statements::StatementFile;
use std::collections::{BTreeMap, BTreeSet};

/// More undelivered messages, or breaks, than any sandbox run has.
const ROWS_MAX: u32 = 1_000_000;

/// One collector's side.
#[derive(Clone, Debug)]
pub struct CollectorSide {
    /// Who.
    pub partner: PartnerCode,
    /// What it wrote down.
    pub lines: Vec<Line>,
}

/// The core's side.
#[derive(Clone, Debug, Default)]
pub struct CoreSide {
    /// Settled less reversed by invoice, in dong.
    pub invoices: BTreeMap<String, i64>,
    /// Its totals.
    pub totals: Totals,
}

/// One collector's money, in dong, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Payments it took.
    pub payments: u64,
    /// What its till holds: taken less given back.
    pub till: i64,
    /// Of it, on invoices in our books.
    pub on_invoices: i64,
    /// Of it, in suspense in our books.
    pub in_suspense: i64,
    /// Of it, kept by us as receipts that could not be read, each with a break.
    pub as_receipts: i64,
    /// Of it, never told to us, and no statement has brought it yet.
    pub not_told: i64,
    /// Payments that two people booked from the statement, wherever they are: how many,
    pub made: i64,
    /// and over how much.
    pub made_dong: i64,
}

impl Held {
    /// What our books must say that the collector owes us.
    #[must_use]
    pub fn owed(&self) -> i64 {
        self.till - self.not_told - self.as_receipts
    }
}

/// The whole comparison.
#[derive(Clone, Debug, Default)]
pub struct TieOut {
    /// What does not agree, a sentence each; empty when it ties out.
    pub differences: Vec<String>,
    /// The collectors' money by collector.
    pub held: BTreeMap<String, Held>,
    /// Receipts by partner and verdict.
    pub receipts: Vec<ReceiptCount>,
    /// Balances by account.
    pub balances: Vec<(Account, i64)>,
    /// Open breaks by class: how many, and over how many dong.
    pub breaks: BTreeMap<BreakClass, (u64, i64)>,
    /// The outbox.
    pub outbox: OutboxDepth,
    /// Settled in our books, less what the core confirmed: on its way or waiting for a person.
    pub undelivered: i64,
    /// The core's totals.
    pub core: Totals,
}

impl TieOut {
    /// Is every dong in exactly one place?
    #[must_use]
    pub fn ties_out(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares. `faults` are what went wrong while the collectors spoke.
///
/// # Errors
/// When the books cannot be read.
pub fn compare(
    reports: &mut dyn Reports,
    collectors: &[CollectorSide],
    core: &CoreSide,
    bills: &[Invoice],
    seal_key: &Secret,
) -> Result<TieOut, StoreError> {
    let mut tie = TieOut { core: core.totals.clone(), ..TieOut::default() };
    tie.receipts = reports.receipt_counts()?;
    tie.balances = reports.balances()?.into_iter().collect();
    tie.outbox = reports.outbox_depth()?;
    let open = reports.breaks(&BreakFilter::open(ROWS_MAX))?;
    for one in &open {
        let class = tie.breaks.entry(one.class).or_default();
        *class = (class.0 + 1, class.1 + one.amount.dong());
    }
    let statements = reports.statements(ROWS_MAX)?;
    for side in collectors {
        let (held, missing) = tills(reports, side, &mut tie.differences)?;
        let came = |file: &StatementFile| {
            file.statement.kind == StatementKind::Partner && file.statement.partner == side.partner
        };
        if statements.iter().any(came) {
            shown(side, &missing, &open, &mut tie.differences);
        }
        tie.held.insert(side.partner.to_string(), held);
    }
    balances(&mut tie);
    made(&mut tie);
    unread(collectors, &mut tie);
    told_core(reports, core, bills, &mut tie)?;
    let proof = audit::audit(reports, seal_key)?;
    tie.differences.extend(proof.findings.into_iter().map(|finding| format!("audit: {finding}")));
    Ok(tie)
}

/// What a statement has and the books do not must be open breaks, one by one, and nothing besides.
fn shown(side: &CollectorSide, missing: &BTreeSet<EventKey>, open: &[BreakView], differences: &mut Vec<String>) {
    let breaks = open.iter().filter(|about| about.partner.as_ref() == Some(&side.partner));
    let open: BTreeSet<EventKey> =
        breaks.filter(|about| about.class == BreakClass::MissingWebhook).filter_map(|about| about.event).collect();
    for key in missing.symmetric_difference(&open) {
        let what = if open.contains(key) { "an open break and no payment" } else { "a payment and no open break" };
        differences.push(format!("{} {key}: the statement brought {what}", side.partner));
    }
}

/// The evening belongs to it: every collector's day must be closed over what the collector holds, and certified over all
/// that the chain has of it.
pub fn with_evening(tie: &mut TieOut, evening: &Evening) {
    tie.differences.extend(evening.differences.iter().cloned());
    for (partner, held) in &tie.held {
        let end = evening.days.get(partner);
        match end.filter(|end| end.sealed.is_some()) {
            None => tie.differences.push(format!("{partner}: the day is not closed")),
            Some(end) if end.accounted.dong != held.owed() => tie.differences.push(format!(
                "{partner}: the day is closed over {}, by the journal {}",
                end.accounted.dong,
                held.owed()
            )),
            Some(_) => {}
        }
        let calls = tie.receipts.iter().filter(|r| r.partner.as_str() == partner && r.verdict != Verdict::Created);
        let calls = calls.fold((0, 0), |sum, receipts| (sum.0 + receipts.count, sum.1 + receipts.dong));
        let certified = end.and_then(|end| end.certified.as_ref()).map(|certificate| certificate.statement.total);
        let certified = certified.map(|total| (i64::try_from(total.count).unwrap_or(i64::MAX), total.dong));
        if certified != Some(calls) {
            let certified = certified.map_or("nothing".to_owned(), |(count, dong)| format!("{count} calls of {dong}"));
            tie.differences.push(format!(
                "{partner}: {} calls of {} are in the chain, and {certified} are certified",
                calls.0, calls.1
            ));
        }
    }
}

/// Looks each of a collector's events up in the books. Also says what they do not have.
fn tills(
    reports: &mut dyn Reports,
    side: &CollectorSide,
    differences: &mut Vec<String>,
) -> Result<(Held, BTreeSet<EventKey>), StoreError> {
    let taken_back: BTreeSet<&String> =
        side.lines.iter().filter(|line| line.yes).filter_map(|line| line.reverses.as_ref()).collect();
    let (mut held, mut missing) = (Held::default(), BTreeSet::new());
    for line in &side.lines {
        held.till += line.till;
        held.payments += u64::from(line.movement == "payment" && line.till > 0);
        let Some(key) = line.key.as_deref().and_then(|text| EventKey::parse_hex(text).ok()) else { continue };
        let found = reports.event(&key)?;
        let state = found.as_ref().map(|event| event.state);
        let amount = found.as_ref().map_or(0, |event| event.content.amount.dong());
        match (line.unheard(), state) {
            (false, _) => {}
            (true, Some(_)) => (held.made, held.made_dong) = (held.made + 1, held.made_dong + amount),
            (true, None) => {
                *if line.told { &mut held.as_receipts } else { &mut held.not_told } += line.till;
                missing.insert(key);
            }
        }
        let right = match line.movement {
            "reversal" => matches!(state, Some(EventState::Applied)) == line.yes,
            _ if line.unheard() && state.is_none() => true,
            _ if taken_back.contains(&line.event) => matches!(state, Some(EventState::Reversed)) && amount == line.till,
            _ if line.till == 0 => !matches!(state, Some(EventState::Settled | EventState::Parked(_))),
            _ => matches!(state, Some(EventState::Settled | EventState::Parked(_))) && amount == line.till,
        };
        match state {
            Some(EventState::Settled) => held.on_invoices += amount,
            Some(EventState::Parked(_)) => held.in_suspense += amount,
            _ => {}
        }
        if !right {
            let (partner, event, till) = (&side.partner, &line.event, line.till);
            let books = state.map_or("nothing", EventState::word);
            differences.push(format!(
                "{partner} {event} ({}): the collector's till moved by {till}, the books say {books} over {amount}",
                line.story
            ));
        }
    }
    Ok((held, missing))
}

/// The accounts must say what the events say, and nothing besides.
fn balances(tie: &mut TieOut) {
    let mut of = BTreeMap::<String, i64>::new();
    let mut total = 0;
    for (account, dong) in &tie.balances {
        total += dong;
        let name = match account {
            Account::Receivable(_) => "receivable".to_owned(),
            Account::Clearing(_)
            | Account::Suspense(_)
            | Account::Promotion(_)
            | Account::Fee(_)
            | Account::RefundDue(_)
            | Account::WriteOff(_)
            | Account::Bank => account.to_string(),
        };
        *of.entry(name).or_default() += dong;
    }
    let mut expected = BTreeMap::<String, i64>::new();
    for (partner, held) in &tie.held {
        *expected.entry("receivable".to_owned()).or_default() -= held.on_invoices;
        expected.insert(format!("suspense:{partner}"), -held.in_suspense);
        expected.insert(format!("clearing:{partner}"), held.owed());
    }
    for name in of.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        let (books, journals) = (of.get(name).copied().unwrap_or(0), expected.get(name).copied().unwrap_or(0));
        if books != journals {
            tie.differences.push(format!("{name}: {books} in the books, {journals} by the collectors' journals"));
        }
    }
    if total != 0 {
        tie.differences.push(format!("the books do not balance: {total}"));
    }
    for (partner, held) in &tie.held {
        let placed = held.on_invoices + held.in_suspense + held.as_receipts + held.not_told;
        if placed != held.till {
            tie.differences.push(format!("{partner} holds {}, of which {placed} has a place", held.till));
        }
    }
}

/// What the chain says was booked from a statement must be what the collector held and nobody had heard of.
fn made(tie: &mut TieOut) {
    for (partner, held) in &tie.held {
        let mut chain = (0, 0);
        for receipts in tie.receipts.iter().filter(|r| r.partner.as_str() == partner && r.verdict == Verdict::Created) {
            chain = (chain.0 + receipts.count, chain.1 + receipts.dong);
        }
        if chain != (held.made, held.made_dong) {
            let ((count, dong), ours) = (chain, (held.made, held.made_dong));
            tie.differences.push(format!(
                "{partner}: {count} payments of {dong} were booked from the statement, by the journal {} of {}",
                ours.0, ours.1
            ));
        }
    }
}

/// What could not be read must be kept, each as a receipt.
fn unread(collectors: &[CollectorSide], tie: &mut TieOut) {
    for side in collectors {
        let said = side.lines.iter().filter(|line| line.told && !line.readable).count();
        let kept = tie.receipts.iter().filter(|r| r.partner == side.partner && r.verdict == Verdict::Unreadable);
        let kept: i64 = kept.map(|receipts| receipts.count).sum();
        if i64::try_from(said) != Ok(kept) {
            let partner = &side.partner;
            tie.differences.push(format!("{partner} said {said} things that cannot be read, {kept} are kept"));
        }
    }
}

/// Each invoice must be settled at the core as it is with us, unless a message about it is still undelivered.
fn told_core(
    reports: &mut dyn Reports,
    core: &CoreSide,
    bills: &[Invoice],
    tie: &mut TieOut,
) -> Result<(), StoreError> {
    let mut open = BTreeSet::<InvoiceId>::new();
    for state in ["waiting", "leased", "parked"] {
        let filter = DispatchFilter { state: Some(state.to_owned()), limit: ROWS_MAX, ..DispatchFilter::default() };
        open.extend(reports.dispatches(&filter)?.into_iter().map(|dispatch| dispatch.invoice));
    }
    let mut known = 0;
    for bill in bills {
        let ours = reports.invoice(&bill.id)?.map_or(0, |account| account.settled.dong());
        let theirs = core.invoices.get(bill.id.as_str()).copied();
        known += usize::from(theirs.is_some());
        let theirs = theirs.unwrap_or(0);
        if ours == theirs {
            continue;
        }
        tie.undelivered += ours - theirs;
        if !open.contains(&bill.id) {
            tie.differences.push(format!("{}: settled by {ours} here and by {theirs} at the core", bill.id));
        }
    }
    if known != core.invoices.len() {
        let strange = core.invoices.len() - known;
        tie.differences.push(format!("the core has money on {strange} bills that do not exist"));
    }
    for (count, what) in [(core.totals.keys_reused, "with two contents"), (core.totals.older, "after a later one")] {
        if count > 0 {
            tie.differences.push(format!("the core was told {count} messages {what}"));
        }
    }
    Ok(())
}
