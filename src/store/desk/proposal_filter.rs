//! Which proposals are asked for, in which order, from where on.

use super::ProposalState;
use crate::domain::resolution::ProposalNo;

/// Which way a list of proposals goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProposalOrder {
    /// The last made first.
    #[default]
    Newest,
    /// The first made first.
    Oldest,
}

/// Which proposals to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Only in this state.
    pub state: Option<ProposalState>,
    /// Only those that do not wait any more.
    pub decided_only: bool,
    /// In this order.
    pub order: ProposalOrder,
    /// Only those behind this one: the next page.
    pub before: Option<ProposalNo>,
    /// Only those in front of this one. Without `before`, the nearest ones: the page before.
    pub after: Option<ProposalNo>,
    /// At most.
    pub limit: u32,
}

impl ProposalFilter {
    /// Those that wait for another person.
    #[must_use]
    pub fn waiting(order: ProposalOrder, limit: u32) -> Self {
        Self { state: Some(ProposalState::Proposed), order, limit, ..Self::default() }
    }

    /// Are those nearest to the end of the list wanted, read from there?
    pub(in crate::store) fn is_backwards(self) -> bool {
        self.after.is_some() && self.before.is_none()
    }

    /// Are the largest numbers read first?
    pub(in crate::store) fn falls(self) -> bool {
        (self.order == ProposalOrder::Newest) != self.is_backwards()
    }

    /// The numbers between which they lie.
    pub(in crate::store) fn between(self) -> (i64, i64) {
        let (low, high) = match self.order {
            ProposalOrder::Newest => (self.after, self.before),
            ProposalOrder::Oldest => (self.before, self.after),
        };
        (low.map_or(i64::MIN, |no| no.0), high.map_or(i64::MAX, |no| no.0))
    }

    /// Only those that wait, for which there is an index?
    pub(in crate::store) fn waits(self) -> bool {
        self.state == Some(ProposalState::Proposed) && !self.decided_only
    }
}
