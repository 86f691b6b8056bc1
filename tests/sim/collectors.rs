//! What collectors and the billing core say on a simulated day: payments by every kind of reference, repeats,
//! contradictions, reversals in any order, and invoices that come late and change.

use crate::faults::Fault;
use crate::world::{START_MS, World};
use bytes::Bytes;
use jiff::civil::{Date, date};
use thuho::domain::ids::{CustomerCode, EventId, InvoiceId, Movement, PartnerCode, UnitCode};
use thuho::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, Method, NoEffect, Notice, OnMismatch, ReferenceText, References};
use thuho::domain::receipt::Evidence;
use thuho::domain::time::Timestamp;
use thuho::ledger::{self, Arrival, UnreadKind};
use thuho::store::Store;

pub const TODAY: Date = date(2026, 1, 15);
const WINDOW_MS: i64 = 3_600_000;
const INVOICES: usize = 8;

pub fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap()
}

fn total_of(invoice: usize) -> i64 {
    100 * (1 + i64::try_from(invoice).unwrap())
}

fn invoice(n: usize, version: i64) -> Invoice {
    let total = money(total_of(n));
    let customer = CustomerCode::parse(format!("C{}", n % 3)).unwrap();
    Invoice {
        id: InvoiceId::parse(format!("I{n}")).unwrap(),
        payer: customer.clone(),
        customer,
        unit: UnitCode::parse(if n.is_multiple_of(2) { "HL" } else { "TY" }).unwrap(),
        area: Area::Urban,
        period: "2026-01-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: total,
        vat: Money::ZERO,
        total,
        issued_on: date(2026, 1, 1 + i8::try_from(n).unwrap()),
        due_on: if n.is_multiple_of(3) { date(2026, 1, 14) } else { date(2026, 1, 30) },
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version,
    }
}

pub fn evidence(partner: &PartnerCode, body: String) -> Evidence {
    Evidence {
        partner: partner.clone(),
        key_id: "k".to_owned(),
        method: Method::Post,
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::from(body),
        received_at: Timestamp::from_unix_ms(START_MS),
    }
}

pub fn arrival(notice: &Notice) -> Arrival {
    Arrival::Notice {
        notice: notice.clone(),
        evidence: evidence(&notice.partner, format!("{} {:?} {}", notice.event, notice.effect, notice.amount)),
        business_day: TODAY,
        reversal_window_ms: Some(WINDOW_MS),
    }
}

pub fn name(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Unread { verdict, .. } => format!("{verdict:?}"),
        Arrival::Notice { notice, .. } => {
            format!("{} {} {:?} {} {:?}", notice.partner, notice.event, notice.effect, notice.amount, notice.references)
        }
    }
}

impl World {
    pub fn deliver_some(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        let count = 1 + self.chance.below(5);
        let mut calls = Vec::with_capacity(count);
        for _ in 0..count {
            calls.push(self.call());
        }
        self.deliver(i, calls)
    }

    fn call(&mut self) -> (Option<Notice>, Arrival) {
        let notice = match self.chance.below(100) {
            0..4 => return (None, self.unread()),
            4..30 if !self.said.is_empty() => {
                self.faults.hit(Fault::Repeat);
                self.chance.pick(&self.said).clone()
            }
            30..36 if !self.said.is_empty() => self.contradiction_of_itself(),
            36..46 if !self.said.is_empty() => self.reversal(),
            46..50 => {
                let payment = self.payment();
                let reversal = self.reversal_of(&payment);
                self.faults.hit(Fault::ReversalFirst);
                self.unsaid.push(payment);
                self.said.push(reversal.clone());
                reversal
            }
            50..55 if !self.unsaid.is_empty() => {
                let payment = self.unsaid.remove(0);
                self.said.push(payment.clone());
                payment
            }
            55..61 if !self.said.is_empty() => self.no_payment(),
            _ => {
                let payment = self.payment();
                self.said.push(payment.clone());
                payment
            }
        };
        let arrival = arrival(&notice);
        (Some(notice), arrival)
    }

    fn unread(&mut self) -> Arrival {
        let partner = PartnerCode::parse("wallet").unwrap();
        let stale = self.chance.once_in(2);
        self.faults.hit(if stale { Fault::Stale } else { Fault::Unreadable });
        let verdict = if stale { UnreadKind::Stale } else { UnreadKind::Unreadable };
        let evidence = evidence(&partner, format!("?{}", self.chance.below(20)));
        Arrival::Unread { evidence, verdict, detail: "amount: expected whole dong".to_owned() }
    }

    fn payment(&mut self) -> Notice {
        let n = self.next_event;
        self.next_event += 1;
        let which = self.chance.below(INVOICES);
        let asks_first = self.chance.once_in(4);
        let text = ReferenceText::new;
        let (references, mut dong) = match self.chance.below(20) {
            0..9 => (References { invoice: text(&format!("I{which}")), ..References::default() }, total_of(which)),
            9..13 => {
                (References { order: text(&format!("260115_I{which}.2")), ..References::default() }, total_of(which))
            }
            13..17 => {
                let customer = which % 3;
                let sum = if self.chance.once_in(2) { 0 } else { total_of(customer) };
                (References { customer: text(&format!("C{customer}")), ..References::default() }, total_of(which) + sum)
            }
            17 => {
                self.faults.hit(Fault::Contradiction);
                let other = text(&format!("260115_I{}", (which + 1) % INVOICES));
                (References { invoice: text(&format!("I{which}")), order: other, customer: None }, total_of(which))
            }
            18 => (References { invoice: text("no such' bill"), ..References::default() }, total_of(which)),
            _ => (References::default(), total_of(which)),
        };
        if self.chance.once_in(10) {
            dong += 1;
        }
        Notice {
            partner: PartnerCode::parse(if asks_first { "bank" } else { "wallet" }).unwrap(),
            account: "a".to_owned(),
            event: EventId::parse(vec![format!("E{n}")]).unwrap(),
            effect: Effect::Moves(Movement::Payment),
            reverses: None,
            references,
            amount: money(dong),
            discount: money(if self.chance.once_in(5) { 30 } else { 0 }),
            funder: None,
            fee: money(i64::from(self.chance.once_in(3))),
            channel: None,
            paid_at: Timestamp::from_unix_ms(START_MS),
            on_mismatch: if asks_first { OnMismatch::Refuse } else { OnMismatch::Keep },
        }
    }

    /// The same event with another amount or another bill.
    fn contradiction_of_itself(&mut self) -> Notice {
        self.faults.hit(Fault::Conflict);
        let mut notice = self.chance.pick(&self.said).clone();
        if self.chance.once_in(2) {
            notice.amount = notice.amount.plus(money(1)).unwrap();
        } else {
            notice.references.invoice = ReferenceText::new("I7");
        }
        notice
    }

    fn reversal(&mut self) -> Notice {
        let of = self.chance.pick(&self.said).clone();
        if of.effect != Effect::Moves(Movement::Payment) {
            return of;
        }
        let reversal = self.reversal_of(&of);
        self.said.push(reversal.clone());
        reversal
    }

    fn reversal_of(&mut self, payment: &Notice) -> Notice {
        let n = self.next_event;
        self.next_event += 1;
        let mut reversal = Notice {
            effect: Effect::Moves(Movement::Reversal),
            event: EventId::parse(vec![format!("R{n}")]).unwrap(),
            reverses: Some(payment.event.clone()),
            discount: Money::ZERO,
            fee: Money::ZERO,
            on_mismatch: OnMismatch::Keep,
            ..payment.clone()
        };
        if self.chance.once_in(6) {
            self.faults.hit(Fault::ReversalOfAnotherAmount);
            reversal.amount = reversal.amount.plus(money(5)).unwrap();
        }
        if self.chance.once_in(8) {
            self.faults.hit(Fault::ReversalLate);
            reversal.paid_at = payment.paid_at.plus_ms(WINDOW_MS + 1);
        }
        if self.said.iter().any(|n| n.reverses.as_ref() == Some(&payment.event)) {
            self.faults.hit(Fault::ReversalTwice);
        }
        reversal
    }

    fn no_payment(&mut self) -> Notice {
        let mut notice = self.chance.pick(&self.said).clone();
        let failed = self.chance.once_in(2);
        self.faults.hit(if failed { Fault::Failed } else { Fault::Pending });
        notice.effect = Effect::None(if failed { NoEffect::Failed } else { NoEffect::Pending });
        notice.reverses = None;
        notice
    }

    /// The core says invoices: new, changed under money, again, and older than it said before.
    pub fn import(&mut self) -> Result<(), String> {
        let n = self.chance.below(INVOICES);
        let is_known = self.highest.contains_key(&format!("I{n}"));
        let version = if self.chance.once_in(5) { 1 } else { self.next_version };
        self.next_version += 1;
        let mut said = invoice(n, version);
        self.faults.hit(match (is_known, version) {
            (false, _) => Fault::InvoiceLate,
            (true, 1) => Fault::InvoiceOlder,
            (true, _) => Fault::InvoiceChanged,
        });
        if is_known {
            match self.chance.below(6) {
                0 => said.status = InvoiceStatus::Cancelled,
                1 => said.status = InvoiceStatus::Paid,
                2 => (said.net, said.total) = (money(50), money(50)),
                3 => said.paid_elsewhere = money(10),
                _ => {}
            }
        }
        let highest = self.highest.entry(said.id.to_string()).or_default();
        *highest = said.total.dong().max(*highest);
        let i = self.chance.below(self.instances.len());
        self.note(|| format!("core says {} {:?} {} v{version}", said.id, said.status, said.total));
        let context = self.instances[i].lane.context(self.moment());
        self.instances[i]
            .store
            .transact(&mut |tx| ledger::register(tx, &context, std::slice::from_ref(&said)).map(drop))
            .map_err(|e| format!("the import fails: {e}"))
    }
}
