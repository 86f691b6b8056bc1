//! The billing core's invoices on a simulated day: they come late, change under money, come again, and come older than
//! they were.

use crate::faults::Fault;
use crate::world::World;
use jiff::civil::{Date, date};
use thuho::domain::ids::{CustomerCode, InvoiceId, UnitCode};
use thuho::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::ledger;
use thuho::store::Store;

pub const TODAY: Date = date(2026, 1, 15);
pub const INVOICES: usize = 8;

pub fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap()
}

pub fn total_of(invoice: usize) -> i64 {
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

impl World {
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
