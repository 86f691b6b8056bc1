//! Taking messages from the store in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

use super::tx::MemoryTx;
use super::{Message, is_unfinished};
use thuho::domain::dispatch::{DispatchState, LeasedDispatch};
use thuho::domain::ids::InvoiceId;
use thuho::domain::time::Timestamp;
use thuho::store::LeaseRequest;

impl MemoryTx<'_> {
    pub(super) fn lease_one(&mut self, request: &LeaseRequest) -> Vec<LeasedDispatch> {
        let mut due: Vec<(Timestamp, usize)> = Vec::new();
        for (at, message) in self.db.messages.iter().enumerate() {
            let may_go = match message.state {
                DispatchState::Waiting { not_before } => not_before <= request.now,
                DispatchState::Leased { until, .. } => until <= request.now,
                DispatchState::Delivered { .. } | DispatchState::Parked { .. } | DispatchState::Closed => false,
            };
            let d = &message.dispatch;
            if may_go && (d.urgent || !request.urgent_only) && self.db.is_first(&d.invoice, d.sequence) {
                due.push((message.due_at, at));
            }
        }
        due.sort();
        due.truncate(usize::try_from(request.limit).unwrap());
        let mut taken = Vec::with_capacity(due.len());
        for (_, at) in due {
            let mut message = self.db.messages[at].clone();
            message.state = DispatchState::Leased { token: request.token, until: request.until };
            taken.push(LeasedDispatch {
                key: message.dispatch.key.clone(),
                invoice: message.dispatch.invoice.clone(),
                body: message.dispatch.body.clone(),
                attempts: message.attempts,
                walls: message.walls,
                created_at: message.dispatch.created_at,
                token: request.token,
                urgent: message.dispatch.urgent,
            });
            self.set_message(at, message);
        }
        taken
    }

    /// Makes those due now whose wait or lease ends after `far`; of each kind so many.
    pub(super) fn near(&mut self, far: Timestamp, now: Timestamp, limit: u32) -> u64 {
        let (mut waiting, mut leased) = (limit, limit);
        for at in 0..self.db.messages.len() {
            let mut message = self.db.messages[at].clone();
            let left = match &mut message.state {
                DispatchState::Waiting { not_before } if *not_before > far => {
                    (*not_before, message.due_at) = (now, now);
                    &mut waiting
                }
                DispatchState::Leased { until, .. } if *until > far => {
                    *until = now;
                    &mut leased
                }
                _ => continue,
            };
            if *left > 0 {
                *left -= 1;
                self.set_message(at, message);
            }
        }
        u64::from(2 * limit - waiting - leased)
    }

    /// Into the fast lane.
    pub(super) fn raise(&mut self, invoices: &[InvoiceId], today: jiff::civil::Date) -> u64 {
        let overdue = |id: &InvoiceId| self.db.invoices.get(id).is_some_and(|a| a.invoice.due_on < today);
        let late: Vec<&InvoiceId> = invoices.iter().filter(|id| overdue(id)).collect();
        let raises = |m: &Message| {
            !m.dispatch.urgent && is_unfinished(&m.state) && late.iter().any(|id| **id == m.dispatch.invoice)
        };
        let raised: Vec<usize> = (0..self.db.messages.len()).filter(|at| raises(&self.db.messages[*at])).collect();
        for at in &raised {
            let mut message = self.db.messages[*at].clone();
            message.dispatch.urgent = true;
            self.set_message(*at, message);
        }
        u64::try_from(raised.len()).unwrap()
    }
}
