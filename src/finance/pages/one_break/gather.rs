//! Reads all that the page of a break shows, on one reading connection.

use super::listed::{self, List};
use crate::domain::ids::{EventKey, EventNo};
use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::matching::meanings;
use crate::partner::Profile;
use crate::reconcile::desk::evidence::{self, Evidence};
use crate::store::desk::{BreakFilter, BreakView, NoteView, StoredLine};
use crate::store::reports::{DispatchView, PostingView, Reports};
use crate::store::rows::EventRecord;
use crate::store::settlements::{Batch, Batches};
use crate::store::{Position, StoreError};
use jiff::ToSpan as _;
use std::sync::Arc;

/// Messages, candidates and batches that are shown at most.
const MESSAGES_MAX: u32 = 100;
const NEAR_MAX: usize = 8;
const NEAR_LOOKED: u32 = 200;

/// All of it.
#[derive(Debug)]
pub(super) struct Whole {
    pub about: BreakView,
    /// The list that it was opened from, around it.
    pub list: Vec<BreakView>,
    /// The payment or reversal in our books.
    pub record: Option<EventRecord>,
    pub evidence: Evidence,
    /// Where its money is.
    pub position: Position,
    pub postings: Vec<PostingView>,
    pub messages: Vec<DispatchView>,
    pub statement: Option<StoredLine>,
    pub core: Option<StoredLine>,
    /// What each side states at all.
    pub states: States,
    /// What the bank should bring and brought for its day.
    pub batch: Option<Batch>,
    pub notes: Vec<NoteView>,
    /// The version of the rules of the comparison that found it.
    pub rules: Option<i64>,
    /// Payments with the same reference.
    pub near_payments: Vec<EventRecord>,
    /// Breaks of the other side alone, over the same sum.
    pub near_breaks: Vec<BreakView>,
    /// Who may be given it.
    pub people: Vec<String>,
}

/// Does a side state discounts, and fees? What it does not state is not compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    pub discounts: bool,
    pub fees: bool,
}

/// The same of the notices, the statement and the core's list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct States {
    pub notice: Stated,
    pub statement: Stated,
    pub core: Stated,
}

impl States {
    fn of(profile: &Profile) -> Self {
        let layout = |kind| {
            let layout = profile.statement(kind);
            layout.map_or_else(Stated::default, |layout| Stated {
                discounts: !layout.discount.is_empty(),
                fees: !layout.fee.is_empty(),
            })
        };
        let notice = Stated { discounts: profile.states_discounts(), fees: profile.states_fees() };
        Self { notice, statement: layout(StatementKind::Partner), core: layout(StatementKind::Core) }
    }
}

/// Looks a partner's profile up by its code.
pub(super) type Profiles<'p> = &'p dyn Fn(&str) -> Option<Arc<Profile>>;

pub(super) fn whole(
    reports: &mut dyn Reports,
    no: i64,
    list: &List,
    profiles: Profiles<'_>,
) -> Result<Option<Whole>, StoreError> {
    let Some(about) = reports.one_break(no)? else { return Ok(None) };
    let profile = about.partner.as_ref().and_then(|partner| profiles(partner.as_str()));
    let evidence = evidence::of(reports, profile.as_deref(), &about)?;
    let of_leg = |kind| evidence.line.clone().filter(|_| about.leg.is_some_and(|leg| leg.kind == kind));
    let (mut statement, mut core) = (of_leg(StatementKind::Partner), of_leg(StatementKind::Core));
    let (mut record, mut position, mut postings, mut messages) = (None, Position::default(), Vec::new(), Vec::new());
    if let Some(event) = about.event {
        record = reports.event(&event)?;
        position = reports.standing(&event)?;
        postings = reports.postings(&event)?;
        messages = reports.dispatches_of(&[event], MESSAGES_MAX)?;
        statement = or_matched(reports, statement, (StatementKind::Partner, event))?;
        core = or_matched(reports, core, (StatementKind::Core, event))?;
    }
    let rules = match (&about.leg, &about.partner) {
        (Some(leg), Some(partner)) => reports.reconciliation(leg.kind, partner, leg.day)?,
        _ => None,
    };
    let near_payments = near_payments(reports, &about, statement.as_ref())?;
    let near_breaks = near_breaks(reports, &about)?;
    Ok(Some(Whole {
        list: listed::around(reports, list, no)?,
        batch: batch(reports, &about, (record.as_ref(), statement.as_ref()))?,
        notes: reports.notes(no)?,
        people: reports.users()?.into_iter().filter(|u| !u.disabled).map(|u| u.name.to_string()).collect(),
        states: profile.as_deref().map(States::of).unwrap_or_default(),
        rules: rules.map(|view| view.reconciliation.rules),
        about,
        record,
        evidence,
        position,
        postings,
        messages,
        statement,
        core,
        near_payments,
        near_breaks,
    }))
}

/// A line that is known, or the one that the event was matched to.
fn or_matched(
    reports: &mut dyn Reports,
    known: Option<StoredLine>,
    (kind, event): (StatementKind, EventKey),
) -> Result<Option<StoredLine>, StoreError> {
    if known.is_some() {
        return Ok(known);
    }
    let events: Vec<EventNo> = reports.day_events_with(&[event])?.iter().map(|of| of.no).collect();
    let found = reports.lines_of_events(kind, &events)?.pop();
    found.map_or(Ok(None), |(_, line)| reports.shown_line(line))
}

/// What its day came to at the bank: of its statement's file, or of its day.
fn batch(
    reports: &mut dyn Reports,
    about: &BreakView,
    (record, statement): (Option<&EventRecord>, Option<&StoredLine>),
) -> Result<Option<Batch>, StoreError> {
    let day = about.leg.map(|leg| leg.day).or_else(|| record.map(|record| record.business_day));
    let (Some(partner), Some(day)) = (&about.partner, day) else { return Ok(None) };
    let found = reports.batches(&Batches { partner, from: day, to: day, open_only: false, limit: MESSAGES_MAX })?;
    let of_file = statement.and_then(|line| found.iter().find(|batch| batch.file == Some(line.no.file())));
    Ok(of_file.or_else(|| found.iter().find(|batch| batch.file.is_some())).or_else(|| found.first()).cloned())
}

/// Payments of ours that state what a line without one states.
fn near_payments(
    reports: &mut dyn Reports,
    about: &BreakView,
    line: Option<&StoredLine>,
) -> Result<Vec<EventRecord>, StoreError> {
    let Some(line) = line.filter(|_| about.leg.is_some_and(|leg| leg.ours.is_none())) else { return Ok(Vec::new()) };
    let texts = [&line.references.invoice, &line.references.order, &line.references.customer];
    let mut found: Vec<EventRecord> = Vec::new();
    for text in texts.into_iter().flatten() {
        let limit = u32::try_from(NEAR_MAX).unwrap_or(u32::MAX);
        for record in reports.payments_by_reference(text.as_str(), &meanings(text.as_str()), limit)? {
            let known = found.iter().any(|of| of.key == record.key);
            if !known && found.len() < NEAR_MAX && Some(record.key) != about.event {
                found.push(record);
            }
        }
    }
    Ok(found)
}

/// Breaks of the same partner and sum that have the other side alone, of the days around.
fn near_breaks(reports: &mut dyn Reports, about: &BreakView) -> Result<Vec<BreakView>, StoreError> {
    let other = match about.class {
        BreakClass::MissingInStatement => BreakClass::MissingWebhook,
        BreakClass::MissingWebhook => BreakClass::MissingInStatement,
        BreakClass::CutoffTiming => BreakClass::CutoffTiming,
        _ => return Ok(Vec::new()),
    };
    let (from, to) = (about.aged_from.checked_sub(1.day()).ok(), about.aged_from.checked_add(1.day()).ok());
    let filter = BreakFilter {
        class: Some(other),
        partner: about.partner.clone(),
        aged_from: from,
        aged_to: to,
        ..BreakFilter::open(NEAR_LOOKED)
    };
    let alike = |of: &BreakView| of.no != about.no && of.amount == about.amount;
    Ok(reports.breaks(&filter)?.into_iter().filter(alike).take(NEAR_MAX).collect())
}
