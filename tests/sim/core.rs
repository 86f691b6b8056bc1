//! The billing core of the simulated day: takes a message once per key, and answers badly in every way that real
//! ones do. Holds the gateway to I6: one key for each effect of a payment on an invoice, in the invoice's order.

use crate::chance::Chance;
use crate::faults::{Fault, Faults};
use serde::Deserialize;
use std::collections::BTreeMap;
use thuho::domain::dispatch::LeasedDispatch;
use thuho::outbox::classify::Heard;

/// What the core wrote down for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub invoice: String,
    /// Positive settles, negative undoes.
    pub amount: i64,
    pub body: String,
}

#[derive(Clone, Debug, Default)]
pub struct Core {
    pub taken: BTreeMap<String, Taken>,
    key_of: BTreeMap<(String, String, String), String>,
    last: BTreeMap<String, u32>,
    /// After an older database was restored, sequences start again from its past.
    pub restored: bool,
    pub healed: bool,
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    payment: String,
    invoice_id: String,
    amount: i64,
    customer_paid: i64,
    discount: i64,
    sequence: u32,
}

fn status(code: u16, names_us: bool) -> Heard {
    Heard::Status { code, names_us, retry_after_ms: None }
}

impl Core {
    /// One attempt: what the gateway hears, and a fault of the gateway's if there is one.
    pub fn hear(
        &mut self,
        key: &str,
        message: &LeasedDispatch,
        chance: &mut Chance,
        faults: &mut Faults,
    ) -> Result<Heard, String> {
        if self.healed {
            self.take(key, &message.body)?;
            return Ok(status(200, false));
        }
        Ok(match chance.below(24) {
            0 => faults.meet(Fault::CoreRefusesConnection, Heard::Broken),
            1 => faults.meet(Fault::CoreDown, status(503, false)),
            2 => faults.meet(Fault::CoreBusy, status(429, false)),
            3 => faults.meet(Fault::CoreSaysUnauthorised, status(401, false)),
            4 => faults.meet(Fault::CoreRejects, status(422, false)),
            5 => faults.meet(Fault::CoreClearedForAnother, status(409, false)),
            6 | 7 => {
                self.take(key, &message.body)?;
                faults.meet(Fault::CoreTakesAndTimesOut, Heard::Timeout)
            }
            _ if self.taken.contains_key(key) => {
                self.take(key, &message.body)?;
                faults.meet(Fault::CoreHasItAlready, status(409, true))
            }
            _ => {
                self.take(key, &message.body)?;
                status(200, false)
            }
        })
    }

    fn take(&mut self, key: &str, body: &str) -> Result<(), String> {
        let Message { r#type, data } = serde_json::from_str(body).map_err(|e| format!("unreadable message: {e}"))?;
        if data.customer_paid + data.discount != data.amount {
            return Err(format!("{key}: the parts are not the whole"));
        }
        let amount = if r#type == "payment.settled" { data.amount } else { -data.amount };
        let effect = (data.payment, data.invoice_id.clone(), r#type);
        let first = self.key_of.entry(effect.clone()).or_insert_with(|| key.to_owned());
        if first != key {
            return Err(format!("{effect:?} is told under {first} and {key}"));
        }
        if let Some(before) = self.taken.get(key) {
            // The facts of an effect do not change; its place in the order may, after a restore.
            if before.body != body && !self.restored {
                return Err(format!("{key} is told with two bodies"));
            }
            return Ok(());
        }
        let last = self.last.entry(data.invoice_id.clone()).or_default();
        if data.sequence <= *last && !self.restored {
            return Err(format!("invoice {}: {} is told after {last}", data.invoice_id, data.sequence));
        }
        *last = data.sequence;
        self.taken.insert(key.to_owned(), Taken { invoice: data.invoice_id, amount, body: body.to_owned() });
        Ok(())
    }

    /// What the core has on each invoice.
    pub fn on_invoice(&self) -> BTreeMap<&str, i64> {
        let mut sums = BTreeMap::new();
        for taken in self.taken.values() {
            *sums.entry(taken.invoice.as_str()).or_default() += taken.amount;
        }
        sums
    }
}
