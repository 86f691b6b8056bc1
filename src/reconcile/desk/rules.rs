//! What a rule may propose by itself. Each rule has a name and a version, which is the author of its proposals, and each
//! is shown what it would do before it does it. A rule never approves: either a person does, or, up to the sum that
//! somebody has given it authority for, [`APPROVER`].

use super::{NotProposed, draft, line_of};
use crate::domain::decision::{Decision, ParkReason};
use crate::domain::ids::{Author, Movement, PartnerCode};
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::domain::resolution::{BreakState, ITEMS_MAX, Item, Resolution};
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo};
use crate::domain::time::Timestamp;
use crate::domain::user::Tongue;
use crate::matching::{self, Reading, Rules};
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView, NewProposal};
use crate::store::reports::Reports;
use crate::store::rows::EventState;
use std::collections::{BTreeSet, HashMap};

/// Who approves what rules propose, as far as somebody gave it authority.
pub const APPROVER: &str = "system:rules";

/// Breaks that are looked at in one page, and in one run, newest first: an older one's turn comes when those are resolved.
const PAGE: u32 = 500;
const LOOKED_MAX: usize = 20_000;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A payment that the statement has and nobody notified is booked, if its line names the event and the money is exactly
    /// that of an open bill.
    CreateMissing,
    /// A bill that was paid twice: the payment that settled it is kept, and the later one is to be given back.
    RefundLater,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CreateMissing, Self::RefundLater];

    /// Name and version: the author of what it proposes. The version is raised whenever the rule changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateMissing => "rule:create-missing@1",
            Self::RefundLater => "rule:refund-later@1",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn label(self, tongue: Tongue) -> &'static str {
        match (self, tongue) {
            (Self::CreateMissing, Tongue::Vi) => "Ghi giao dịch thiếu thông báo",
            (Self::CreateMissing, Tongue::En) => "Book what was not notified",
            (Self::RefundLater, Tongue::Vi) => "Hoàn giao dịch trả sau",
            (Self::RefundLater, Tongue::En) => "Give the later payment back",
        }
    }

    /// From its name, with or without `rule:` and version.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |full: &'static str| full.trim_start_matches("rule:").split('@').next().unwrap_or_default();
        Self::ALL.into_iter().find(|rule| rule.name() == name || plain(rule.name()) == name)
    }

    /// Why, in its proposals.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::CreateMissing => {
                "in the statement, not notified; the line names its event and is exactly an open bill"
            }
            Self::RefundLater => "the bill was paid before; the later payment goes back to the customer",
        }
    }

    fn class(self) -> BreakClass {
        match self {
            Self::CreateMissing => BreakClass::MissingWebhook,
            Self::RefundLater => BreakClass::DuplicatePayment,
        }
    }

    /// What it would propose for some of these breaks, by their numbers.
    fn judge(self, reports: &mut dyn Reports, page: &[&BreakView]) -> Result<Vec<(i64, Resolution)>, StoreError> {
        match self {
            Self::CreateMissing => create_missing(reports, page),
            Self::RefundLater => refund_later(reports, page),
        }
    }
}

/// What a rule would propose now, of this partner or of all; nothing where it finds nothing.
///
/// # Errors
/// [`NotProposed`].
pub fn dry_run(
    reports: &mut dyn Reports,
    rule: Rule,
    partner: Option<&PartnerCode>,
    at: Timestamp,
) -> Result<Option<NewProposal>, NotProposed> {
    let author = Author::parse(rule.name()).map_err(|bad| StoreError::Fault(bad.to_string()))?;
    let mut wishes = Vec::new();
    let (mut before, mut looked) = (None, 0);
    loop {
        let filter =
            BreakFilter { class: Some(rule.class()), partner: partner.cloned(), before, ..BreakFilter::open(PAGE) };
        let page = reports.breaks(&filter)?;
        let Some(last) = page.last() else { break };
        before = Some(last.no);
        // What a person looks at, or has proposed, is the person's.
        let free = page.iter().filter(|about| matches!(about.state, BreakState::Open | BreakState::Carried));
        wishes.extend(rule.judge(reports, &free.collect::<Vec<_>>())?);
        looked += page.len();
        if wishes.len() >= ITEMS_MAX || looked >= LOOKED_MAX {
            wishes.truncate(ITEMS_MAX);
            break;
        }
    }
    if wishes.is_empty() {
        return Ok(None);
    }
    // Oldest first, whatever came in between: the same breaks give the same list.
    wishes.sort_unstable_by_key(|(no, _)| *no);
    draft(reports, wishes, (&author, rule.reason(), at)).map(Some)
}

/// May a rule's list be approved by the rules' own authority when this person runs it? Not where the person brought the
/// statement that it stands on, or could have brought it under the name that did: that would be one person alone.
///
/// # Errors
/// The machine's.
pub fn may_approve(reports: &mut dyn Reports, new: &NewProposal, run_by: &Author) -> Result<bool, StoreError> {
    let line = |item: &Item| match &item.what {
        Resolution::Create { line, .. } => line.map(LineNo),
        Resolution::Allocate { .. } | Resolution::Adjust { .. } | Resolution::Reverse {} | Resolution::Close {} => None,
    };
    let lines: BTreeSet<LineNo> = new.items.iter().filter_map(line).collect();
    let shown = reports.shown_lines(&lines.iter().copied().collect::<Vec<_>>())?;
    if shown.len() != lines.len() || shown.iter().any(|line| line.brought_by == *run_by) {
        return Ok(false);
    }
    let files: BTreeSet<FileNo> = lines.iter().map(|line| line.file()).collect();
    Ok(!reports.could_have_brought(run_by, &files.into_iter().collect::<Vec<_>>())?)
}

fn create_missing(reports: &mut dyn Reports, page: &[&BreakView]) -> Result<Vec<(i64, Resolution)>, StoreError> {
    let lines: Vec<LineNo> = page.iter().copied().filter_map(line_of).collect();
    let lines = reports.shown_lines(&lines)?.into_iter();
    let read: HashMap<LineNo, (Money, Reading)> = lines
        .filter(|line| line.movement == Some(Movement::Payment) && line.key.is_some() && line.amount.is_positive())
        .map(|line| (line.no, (line.amount, matching::read(&line.references))))
        .collect();
    // Each line is judged against the bills of all of them: it looks only at those that it names.
    let mut wanted = Wanted::default();
    for (_, reading) in read.values() {
        let Wanted { invoices, customers } = reading.wanted();
        wanted.invoices.extend(invoices);
        wanted.customers.extend(customers);
    }
    let bills = reports.candidates(&wanted)?;
    let settles = |about: &BreakView| {
        let (amount, reading) = line_of(about).and_then(|line| read.get(&line))?;
        let decided = matching::decide(*amount, reading, &bills, Rules::default());
        let create = || (about.no, Resolution::Create { event: Vec::new(), line: None });
        matches!(decided, Decision::Settle { .. }).then(create)
    };
    Ok(page.iter().copied().filter_map(settles).collect())
}

fn refund_later(reports: &mut dyn Reports, page: &[&BreakView]) -> Result<Vec<(i64, Resolution)>, StoreError> {
    let mut wishes = Vec::new();
    for about in page {
        let Some(event) = &about.event else { continue };
        let Some(record) = reports.event(event)? else { continue };
        // Still whole in suspense: nobody has moved any of it.
        if record.state == EventState::Parked(ParkReason::AlreadyPaid) && record.postings == 1 {
            let refund = record.content.amount.dong();
            wishes.push((about.no, Resolution::Allocate { invoices: Vec::new(), refund, write_off: 0 }));
        }
    }
    Ok(wishes)
}
