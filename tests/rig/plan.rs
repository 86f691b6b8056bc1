//! What the collectors will say in one cycle: fresh payments by both, repeats, conflicts, races for one invoice, and
//! payments that no bill fits.

use crate::chance::Chance;
use crate::wire::Sender;

/// What should become of a payment, if nothing but itself is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Onto its invoice.
    Settles,
    /// One of two for one invoice: the first settles, the other parks.
    Races,
    /// Into suspense: no such invoice, or another amount.
    Parks,
}

/// One payment of a customer, as its sender knows it.
#[derive(Clone, Debug)]
pub struct Payment {
    pub sender: Sender,
    pub event: u64,
    pub invoice: String,
    /// What it says; a conflicting payment says a second thing too.
    pub amounts: Vec<i64>,
    pub fate: Fate,
}

/// One bill to be imported before the cycle.
pub struct Bill {
    pub id: String,
    pub total: i64,
}

impl Bill {
    /// As a line of the import, by the contract's columns.
    pub fn to_json(&self) -> String {
        let (net, vat) = (self.total - self.total / 11, self.total / 11);
        format!(
            "{{\"invoice_id\":\"{id}\",\"customer_code\":\"PA03{digits}\",\"payer_code\":\"PA03{digits}\",\"unit\":\"PA03HL\",\
             \"area\":\"urban\",\"period\":\"2026-11-1\",\"kind\":\"TD\",\"net\":{net},\"vat\":{vat},\"total\":{total},\
             \"issued_on\":\"2026-11-01\",\"due_on\":\"2026-11-30\",\"status\":\"open\",\"paid_elsewhere\":0,\"adjusts\":null,\"version\":1}}",
            id = self.id,
            digits = self.id.chars().filter(char::is_ascii_digit).collect::<String>(),
            total = self.total,
        )
    }
}

/// One call to be made.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Which payment, counted over the whole run.
    pub payment: usize,
    /// Which of the things it says.
    pub variant: usize,
}

/// A cycle's work.
pub struct Plan {
    pub bills: Vec<Bill>,
    pub payments: Vec<Payment>,
    pub jobs: Vec<Job>,
}

/// Repeats among a hundred payments, and conflicts.
const REPEATED_PERCENT: u64 = 20;
const CONFLICTING_PERCENT: u64 = 1;

/// The plan of cycle `cycle`: `size` bills, payments numbered from `first`.
pub fn plan(cycle: u64, size: usize, first: usize, chance: &mut Chance) -> Plan {
    let mut plan = Plan { bills: Vec::new(), payments: Vec::new(), jobs: Vec::new() };
    for n in 0..size {
        let id = format!("R{cycle:04}{n:06}");
        let total = i64::try_from(10_000 + chance.below(2_000_000)).unwrap_or(10_000);
        let sender = if chance.percent(50) { Sender::Wallet } else { Sender::Standard };
        let kind = chance.below(100);
        if kind < 6 {
            let other = if sender == Sender::Wallet { Sender::Standard } else { Sender::Wallet };
            plan.add(first, cycle, sender, &id, vec![total], Fate::Races, chance);
            plan.add(first, cycle, other, &id, vec![total], Fate::Races, chance);
        } else if kind < 9 {
            plan.add(first, cycle, sender, &format!("X{cycle:04}{n:06}"), vec![total], Fate::Parks, chance);
        } else if kind < 12 {
            plan.add(first, cycle, sender, &id, vec![total + 1_000], Fate::Parks, chance);
        } else {
            let mut amounts = vec![total];
            if chance.percent(CONFLICTING_PERCENT) {
                amounts.push(total + 5_000);
            }
            plan.add(first, cycle, sender, &id, amounts, Fate::Settles, chance);
        }
        plan.bills.push(Bill { id, total });
    }
    plan
}

impl Plan {
    #[expect(clippy::too_many_arguments, reason = "each is one fact of the payment")]
    fn add(
        &mut self,
        first: usize,
        cycle: u64,
        sender: Sender,
        invoice: &str,
        amounts: Vec<i64>,
        fate: Fate,
        chance: &mut Chance,
    ) {
        let payment = first + self.payments.len();
        let event =
            (cycle + 1) * 10_000_000_000 + chance.below(9_000) * 1_000_000 + u64::try_from(payment).unwrap_or(0);
        let variants = amounts.len();
        self.payments.push(Payment { sender, event, invoice: invoice.to_owned(), amounts, fate });
        for variant in 0..variants {
            self.jobs.push(Job { payment, variant });
        }
        if chance.percent(REPEATED_PERCENT) {
            // At once, or some calls later: both are seen in the wild.
            let later = self.jobs.len() - if chance.percent(50) { 0 } else { chance.index(self.jobs.len().min(60)) };
            self.jobs.insert(later, Job { payment, variant: 0 });
        }
    }
}
