//! Which breaks are asked for, in which order, from where on.

use crate::domain::fold::fold;
use crate::domain::ids::{Author, CustomerCode, EventKey, InvoiceId, PartnerCode, UnitCode};
use crate::domain::invoice::Area;
use crate::domain::resolution::BreakState;
use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use jiff::civil::Date;

/// What breaks are put in order by. Two of the same key go by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakOrder {
    /// The last opened first.
    #[default]
    Newest,
    /// The earliest accounting day first, of those the first opened.
    Oldest,
    /// The largest absolute amount first, of those the last opened.
    Largest,
}

/// What a search text can mean: a break is found by any of these. Nothing said finds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The break's number.
    pub no: Option<i64>,
    /// Its amount, or what either side says, whatever the sign; in dong.
    pub dong: Option<i64>,
    /// Its payment.
    pub events: Vec<EventKey>,
    /// The invoice it is about.
    pub invoices: Vec<InvoiceId>,
    /// The customer of that invoice.
    pub customer: Option<CustomerCode>,
    /// Every one of them is part of its sentence or of that invoice's id, as [`fold`] reads both.
    pub words: Vec<String>,
}

/// Which breaks to list. The invoice that a break is about is its own, or else the one that its payment names, or else the
/// one that its statement line names; unit, area and channel are as they were when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakFilter {
    /// Only those that are not closed.
    pub open_only: bool,
    /// Only in this state.
    pub state: Option<BreakState>,
    /// Only of this class.
    pub class: Option<BreakClass>,
    /// Only of this partner.
    pub partner: Option<PartnerCode>,
    /// Only this person's.
    pub assignee: Option<Author>,
    /// Only of this payment.
    pub event: Option<EventKey>,
    /// Only with an accounting day from here,
    pub aged_from: Option<Date>,
    /// to here.
    pub aged_to: Option<Date>,
    /// Only with exactly this accounting day.
    pub day: Option<Date>,
    /// Only about an invoice of this unit.
    pub unit: Option<UnitCode>,
    /// Only about an invoice of this kind of area.
    pub area: Option<Area>,
    /// Only about a payment through this channel.
    pub channel: Option<String>,
    /// Only those that a comparison with this word opened.
    pub leg: Option<StatementKind>,
    /// Only those that no comparison opened.
    pub no_leg: bool,
    /// Only with an absolute amount from here to here, in dong.
    pub dong: (Option<i64>, Option<i64>),
    /// Only what a search text can mean.
    pub found: Option<Found>,
    /// In this order.
    pub order: BreakOrder,
    /// Only those behind the break of this number: the next page.
    pub before: Option<i64>,
    /// Only those in front of the break of this number. Without `before`, the nearest ones: the page before.
    pub after: Option<i64>,
    /// At most.
    pub limit: u32,
}

impl BreakFilter {
    /// The newest ones that are not closed.
    #[must_use]
    pub fn open(limit: u32) -> Self {
        Self { open_only: true, limit, ..Self::default() }
    }

    /// The newest ones, closed or not.
    #[must_use]
    pub fn all(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Are those nearest to the end of the list wanted, read from there?
    pub(in crate::store) fn is_backwards(&self) -> bool {
        self.after.is_some() && self.before.is_none()
    }

    /// What both databases are told of it.
    pub(in crate::store) fn asked(&self) -> Asked<'_> {
        let found = self.found.as_ref();
        let mut words: Vec<String> = found.iter().flat_map(|found| &found.words).map(|word| fold(word)).collect();
        // The longest first: it is the rarest.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        let first = (!words.is_empty()).then(|| words.remove(0));
        Asked {
            class: self.class.map(BreakClass::code),
            state: self.state.map(BreakState::word),
            partner: self.partner.as_ref().map(PartnerCode::as_str),
            assignee: self.assignee.as_ref().map(Author::as_str),
            event: self.event,
            from: self.aged_from.max(self.day),
            to: [self.aged_to, self.day].into_iter().flatten().min(),
            unit: self.unit.as_ref().map(UnitCode::as_str),
            area: self.area.map(Area::word),
            channel: self.channel.as_deref(),
            leg: self.leg.filter(|_| !self.no_leg).map(StatementKind::word),
            no_leg: self.no_leg,
            dong: self.dong,
            any: found.is_none(),
            no: found.and_then(|found| found.no),
            about: found.and_then(|found| found.dong).map(i64::saturating_abs),
            events: found.map_or(&[], |found| &found.events),
            invoices: found.into_iter().flat_map(|found| &found.invoices).map(InvoiceId::as_str).collect(),
            customer: found.and_then(|found| found.customer.as_ref()).map(CustomerCode::as_str),
            word: first,
            words,
        }
    }
}

/// A filter in the words of the databases.
pub(in crate::store) struct Asked<'f> {
    pub(in crate::store) class: Option<&'static str>,
    pub(in crate::store) state: Option<&'static str>,
    pub(in crate::store) partner: Option<&'f str>,
    pub(in crate::store) assignee: Option<&'f str>,
    pub(in crate::store) event: Option<EventKey>,
    pub(in crate::store) from: Option<Date>,
    pub(in crate::store) to: Option<Date>,
    pub(in crate::store) unit: Option<&'f str>,
    pub(in crate::store) area: Option<&'static str>,
    pub(in crate::store) channel: Option<&'f str>,
    pub(in crate::store) leg: Option<&'static str>,
    pub(in crate::store) no_leg: bool,
    pub(in crate::store) dong: (Option<i64>, Option<i64>),
    /// Nothing is searched for.
    pub(in crate::store) any: bool,
    pub(in crate::store) no: Option<i64>,
    pub(in crate::store) about: Option<i64>,
    pub(in crate::store) events: &'f [EventKey],
    pub(in crate::store) invoices: Vec<&'f str>,
    pub(in crate::store) customer: Option<&'f str>,
    pub(in crate::store) word: Option<String>,
    /// The other words.
    pub(in crate::store) words: Vec<String>,
}
