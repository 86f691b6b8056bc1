//! What of the store in memory may be forgotten. Its numbers are places in its lists, from 1.

use super::{Db, Link, Message, is_unfinished};
use thuho::domain::dispatch::DispatchState;
use thuho::domain::ids::EventKey;
use thuho::domain::receipt::Verdict;
use thuho::domain::time::Timestamp;
use thuho::store::EraseRequest;
use thuho::store::retention::Age;
use thuho::store::rows::EventState;

impl Db {
    pub(super) fn raw_ages(&self, request: &EraseRequest) -> impl Iterator<Item = (i64, Age)> {
        let rows = (1_i64..).zip(&self.links).filter(|(no, link)| *no > request.after && !link.erased);
        rows.take(usize::try_from(request.limit).unwrap())
            .map(|(no, link)| (no, self.age_of_call(link, request.before)))
    }

    pub(super) fn attempt_ages(&self, request: &EraseRequest) -> impl Iterator<Item = (i64, Age)> {
        let rows = (1_i64..).zip(&self.messages).filter(|(no, _)| *no > request.after);
        rows.take(usize::try_from(request.limit).unwrap())
            .map(|(no, message)| (no, self.age_of(message, request.before)))
    }

    fn age_of_call(&self, link: &Link, before: Timestamp) -> Age {
        if link.receipt.link.received_at >= before {
            return Age::Young;
        }
        let unread = matches!(link.receipt.link.verdict, Verdict::Stale | Verdict::Unreadable | Verdict::Paused);
        let event = link.receipt.link.event;
        let reversed = event.and_then(|key| self.events.get(&key)).and_then(|e| e.content.reverses);
        let is_open = |key: EventKey| {
            let state = self.events.get(&key).map(|e| e.state);
            let in_between = |s| matches!(s, EventState::Parked(_) | EventState::Expected { .. } | EventState::Waiting);
            let messages = self.messages.iter().filter(|m| self.payment_of(m) == Some(key));
            let needed = |m: &Message| {
                is_unfinished(&m.state)
                    || self.has_break(|b| {
                        b.invoice.as_ref() == Some(&m.dispatch.invoice) || b.dispatch.as_ref() == Some(&m.dispatch.key)
                    })
            };
            state.is_some_and(in_between)
                || self.has_break(|b| b.event == Some(key))
                || messages.into_iter().any(needed)
        };
        let open = event.into_iter().chain(reversed).any(is_open) || event.is_some_and(|key| self.is_disputed(key));
        if (unread && link.redone_at.is_none()) || open { Age::Kept } else { Age::Goes }
    }

    fn age_of(&self, message: &Message, before: Timestamp) -> Age {
        let d = &message.dispatch;
        if d.body.is_empty() {
            return Age::Gone;
        }
        let ended = match message.state {
            DispatchState::Delivered { at } => Some(at),
            _ => message.closed_at,
        };
        if d.created_at >= before || ended.is_some_and(|at| at >= before) {
            return Age::Young;
        }
        let payment = self.payment_of(message);
        let open = self.has_break(|b| {
            b.dispatch.as_ref() == Some(&d.key)
                || b.invoice.as_ref() == Some(&d.invoice)
                || (b.event.is_some() && b.event == payment)
        });
        let open = open || payment.is_some_and(|key| self.is_disputed(key));
        if is_unfinished(&message.state) || open { Age::Kept } else { Age::Goes }
    }

    /// Is there a break about a reversal of this payment?
    fn is_disputed(&self, payment: EventKey) -> bool {
        let reverses = |key: EventKey| self.events.get(&key).is_some_and(|e| e.content.reverses == Some(payment));
        self.has_break(|b| b.event.is_some_and(reverses))
    }

    fn has_break(&self, is_about: impl Fn(&thuho::domain::review::NewBreak) -> bool) -> bool {
        self.breaks.iter().enumerate().any(|(at, one)| !self.over.contains(&at) && is_about(one))
    }

    fn payment_of(&self, message: &Message) -> Option<EventKey> {
        let of = |allocations: &[thuho::domain::posting::Allocation]| {
            allocations.iter().any(|a| a.key == message.dispatch.key)
        };
        self.postings.iter().find(|p| of(p.posting.allocations())).map(|p| *p.posting.event())
    }
}
