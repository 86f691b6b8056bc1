//! What collectors say on a simulated day: payments by every kind of reference, repeats with a new signature and with
//! the old one, contradictions, reversals in any order, forgeries, and calls that nobody understands.

use crate::bills::{INVOICES, money, total_of};
use crate::faults::Fault;
use crate::speech::{ACCOUNT, BANK, Hand, Nonsense, Signed, WALLET, event, speech};
use crate::world::{START_MS, World};
use thuho::domain::ids::{Movement, PartnerCode};
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, NoEffect, Notice, OnMismatch, ReferenceText, References};
use thuho::domain::time::Timestamp;

/// Beyond it a signature is too old, or too young; of both profiles.
const TOLERANCE_MS: i64 = 300_000;
/// When everything was paid: so long ago that a reversal past any window is still sent within it.
const PAID_MS: i64 = START_MS - 61 * 3_600_000;
/// Calls that may be sent again as they are.
const VERBATIM: usize = 6;

/// What a call is, by its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// A notice, as it should be.
    Notice,
    /// Signed by somebody else.
    Forged,
    /// Signed too long ago, or by a clock ahead.
    Stale,
    /// Its partner signed what nobody understands.
    Nonsense,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub said: Said,
    /// What it says, or would.
    pub notice: Notice,
    pub signed: Signed,
}

impl Call {
    pub fn is_from_bank(&self) -> bool {
        self.notice.on_mismatch == OnMismatch::Refuse
    }

    pub fn is_payment(&self) -> bool {
        self.notice.effect == Effect::Moves(Movement::Payment)
    }

    pub fn name(&self) -> String {
        let Notice { partner, event, effect, amount, references, .. } = &self.notice;
        format!("{:?} of {partner}: {event} {effect:?} {amount} {references:?}", self.said)
    }
}

impl World {
    /// Says it once more, signed now.
    pub fn say(&mut self, notice: Notice) -> Call {
        let at = Timestamp::from_unix_ms(self.now);
        Call { said: Said::Notice, signed: speech().sign(&notice, Hand::Partner, at), notice }
    }

    pub fn call(&mut self) -> Call {
        let roll = self.chance.below(100);
        match roll {
            0..6 => return self.no_notice(),
            6..10 if !self.sent.is_empty() => {
                return self.verbatim();
            }
            _ => {}
        }
        let notice = match roll {
            10..34 if !self.said.is_empty() => {
                self.faults.hit(Fault::Repeat);
                self.chance.pick(&self.said).clone()
            }
            34..40 if !self.said.is_empty() => self.contradiction_of_itself(),
            40..50 if !self.said.is_empty() => self.reversal(),
            50..54 => {
                let payment = self.payment();
                let reversal = self.reversal_of(&payment);
                self.faults.hit(Fault::ReversalFirst);
                self.unsaid.push(payment);
                self.said.push(reversal.clone());
                reversal
            }
            54..59 if !self.unsaid.is_empty() => {
                let payment = self.unsaid.remove(0);
                self.said.push(payment.clone());
                payment
            }
            59..65 if !self.said.is_empty() => self.no_payment(),
            _ => {
                let payment = self.payment();
                self.said.push(payment.clone());
                payment
            }
        };
        self.say(notice)
    }

    /// The same bytes again, signature and all.
    fn verbatim(&mut self) -> Call {
        let from = self.sent.len().saturating_sub(VERBATIM);
        let mut call = self.chance.pick(&self.sent[from..]).clone();
        if call.said == Said::Nonsense {
            return self.say(call.notice);
        }
        self.faults.hit(Fault::RepeatVerbatim);
        // A clock that is a minute later may judge them otherwise. The wallet's protocol counts whole seconds.
        let second = call.signed.at.unix_s() * 1_000;
        let sent = if call.is_from_bank() { call.signed.at.unix_ms() } else { second };
        let stale = (self.now - sent).abs() > TOLERANCE_MS;
        call.said = if stale { Said::Stale } else { Said::Notice };
        call
    }

    /// Forged, stale or nonsense.
    fn no_notice(&mut self) -> Call {
        let now = Timestamp::from_unix_ms(self.now);
        let notice = if self.said.is_empty() || self.chance.once_in(2) {
            self.payment()
        } else {
            self.chance.pick(&self.said).clone()
        };
        let (said, signed) = match self.chance.below(3) {
            0 => {
                self.faults.hit(Fault::Forged);
                (Said::Forged, speech().sign(&notice, Hand::Stranger, now))
            }
            1 => {
                self.faults.hit(Fault::Stale);
                let off = TOLERANCE_MS + 1_000 + i64::try_from(self.chance.below(600_000)).unwrap();
                let at = now.plus_ms(if self.chance.once_in(2) { off } else { -off });
                (Said::Stale, speech().sign(&notice, Hand::Partner, at))
            }
            _ => {
                self.faults.hit(Fault::Unreadable);
                let kinds =
                    [Nonsense::NoJson, Nonsense::AmountInWords, Nonsense::UnknownStatus, Nonsense::AnothersAccount];
                (Said::Nonsense, speech().sign_nonsense(&notice, *self.chance.pick(&kinds), now))
            }
        };
        Call { said, notice, signed }
    }

    fn payment(&mut self) -> Notice {
        let n = self.next_event;
        self.next_event += 1;
        let which = self.chance.below(INVOICES);
        let asks_first = self.chance.once_in(4);
        let partner = if asks_first { BANK } else { WALLET };
        let (references, mut dong) = self.reference(which);
        if self.chance.once_in(10) {
            dong += 1;
        }
        Notice {
            partner: PartnerCode::parse(partner).unwrap(),
            account: ACCOUNT.to_owned(),
            event: event(partner, format!("E{n}")),
            effect: Effect::Moves(Movement::Payment),
            reverses: None,
            references,
            amount: money(dong),
            discount: money(if self.chance.once_in(5) { 30 } else { 0 }),
            funder: None,
            fee: money(i64::from(self.chance.once_in(3))),
            channel: None,
            paid_at: Timestamp::from_unix_ms(PAID_MS),
            on_mismatch: if asks_first { OnMismatch::Refuse } else { OnMismatch::Keep },
        }
    }

    /// How a bill is named, and what would pay it.
    fn reference(&mut self, which: usize) -> (References, i64) {
        let text = ReferenceText::new;
        let none = References::default;
        match self.chance.below(20) {
            0..9 => (References { invoice: text(&format!("I{which}")), ..none() }, total_of(which)),
            9..13 => (References { order: text(&format!("260115_I{which}.2")), ..none() }, total_of(which)),
            13..17 => {
                let customer = which % 3;
                let sum = if self.chance.once_in(2) { 0 } else { total_of(customer) };
                (References { customer: text(&format!("C{customer}")), ..none() }, total_of(which) + sum)
            }
            17 => {
                self.faults.hit(Fault::Contradiction);
                let other = text(&format!("260115_I{}", (which + 1) % INVOICES));
                (References { invoice: text(&format!("I{which}")), order: other, customer: None }, total_of(which))
            }
            18 => (References { invoice: text("no such' bill"), ..none() }, total_of(which)),
            _ => (none(), total_of(which)),
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
            event: event(payment.partner.as_str(), format!("R{n}")),
            reverses: Some(payment.event.clone()),
            discount: Money::ZERO,
            fee: Money::ZERO,
            ..payment.clone()
        };
        if self.chance.once_in(6) {
            self.faults.hit(Fault::ReversalOfAnotherAmount);
            reversal.amount = reversal.amount.plus(money(5)).unwrap();
        }
        if self.chance.once_in(8) {
            self.faults.hit(Fault::ReversalLate);
            let window = speech().profile(&payment.partner).reversal_window_ms().unwrap();
            reversal.paid_at = payment.paid_at.plus_ms(window + 1);
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
}
