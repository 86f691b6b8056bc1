//! The JSON of the internal API, as in openapi.yaml. Money is whole dong, an integer.

use crate::store::StoreError;
use crate::store::reports::{DispatchView, PostingView, Reports};
use crate::store::rows::{EventRecord, EventState};
use serde::Serialize;

/// Messages shown for one payment.
const DISPATCHES_MAX: u32 = 100;

/// A message to the core.
#[derive(Debug, Serialize)]
pub struct Dispatch {
    key: String,
    invoice_id: String,
    sequence: u32,
    state: String,
    cause: Option<&'static str>,
    reason: Option<String>,
    attempts: u32,
    created_at: String,
    delivered_at: Option<String>,
    urgent: bool,
    close_proposed_by: Option<String>,
}

impl From<DispatchView> for Dispatch {
    fn from(view: DispatchView) -> Self {
        Self {
            key: view.key.to_string(),
            invoice_id: view.invoice.to_string(),
            sequence: view.sequence,
            state: view.state,
            cause: view.cause.map(|cause| cause.word()),
            reason: view.reason,
            attempts: view.attempts,
            created_at: view.created_at.to_string(),
            delivered_at: view.delivered_at.map(|at| at.to_string()),
            urgent: view.urgent,
            close_proposed_by: view.close_proposed_by,
        }
    }
}

/// One line of a posting.
#[derive(Debug, Serialize)]
struct Entry {
    account: String,
    amount: i64,
}

/// A posting.
#[derive(Debug, Serialize)]
pub struct Posting {
    no: i64,
    kind: &'static str,
    author: Option<String>,
    posted_at: String,
    entries: Vec<Entry>,
}

impl From<PostingView> for Posting {
    fn from(view: PostingView) -> Self {
        let entries = view.entries.iter();
        Self {
            no: view.no.0,
            kind: view.kind.word(),
            author: view.author,
            posted_at: view.posted_at.to_string(),
            entries: entries
                .map(|(account, amount)| Entry { account: account.to_string(), amount: amount.dong() })
                .collect(),
        }
    }
}

/// A payment or a reversal.
#[derive(Debug, Serialize)]
pub struct Payment {
    payment: String,
    partner: String,
    account: String,
    event: String,
    movement: &'static str,
    state: &'static str,
    reason: Option<&'static str>,
    amount: i64,
    discount: i64,
    paid_at: String,
    business_day: String,
    postings: Vec<Posting>,
    dispatches: Vec<Dispatch>,
}

impl Payment {
    /// With its postings and its messages.
    ///
    /// # Errors
    /// The storage's.
    pub fn whole(reports: &mut dyn Reports, record: EventRecord) -> Result<Self, StoreError> {
        let postings = reports.postings(&record.key)?.into_iter().map(Posting::from).collect();
        let dispatches = reports.dispatches_of(&[record.key], DISPATCHES_MAX)?;
        let dispatches = dispatches.into_iter().map(Dispatch::from).collect();
        let reason = match record.state {
            EventState::Parked(reason) => Some(reason.word()),
            EventState::Settled
            | EventState::Reversed
            | EventState::Expected { .. }
            | EventState::Applied
            | EventState::Waiting
            | EventState::Refused => None,
        };
        Ok(Self {
            payment: record.key.to_string(),
            partner: record.partner.to_string(),
            account: record.account,
            event: record.event,
            movement: record.movement.word(),
            state: record.state.word(),
            reason,
            amount: record.content.amount.dong(),
            discount: record.content.discount.dong(),
            paid_at: record.paid_at.to_string(),
            business_day: record.business_day.to_string(),
            postings,
            dispatches,
        })
    }
}

/// An invoice with what is paid, parked and on its way.
#[derive(Debug, Serialize)]
pub struct Invoice {
    /// The core's id.
    pub invoice_id: String,
    /// Whose.
    pub customer_code: String,
    /// Of which unit.
    pub unit: String,
    /// The core's word.
    pub status: &'static str,
    /// To be paid.
    pub total: i64,
    /// By our entries.
    pub settled: i64,
    /// As the core says.
    pub paid_elsewhere: i64,
    /// Still owed.
    pub open: i64,
    /// In suspense, naming it.
    pub parked: i64,
    /// Messages that the core has not taken yet.
    pub on_its_way: usize,
    /// The payments that touched or name it.
    pub payments: Vec<Payment>,
}

/// A row of an import that was not taken.
#[derive(Debug, Serialize)]
pub struct Reject {
    /// From 1.
    pub line: u64,
    /// Which.
    pub field: String,
    /// The rule.
    pub expected: String,
}

/// What an import came to.
#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// New.
    pub added: u64,
    /// Replaced.
    pub changed: u64,
    /// The same.
    pub same: u64,
    /// Older than what is known.
    pub older: u64,
    /// Parked payments that found their invoice.
    pub rematched: u64,
    /// Rows that break a rule.
    pub rejected: u64,
    /// The first of them.
    pub rejects: Vec<Reject>,
}
