//! Each sentence of "Which invoice" in the design, through one door.

use super::*;
use crate::domain::ids::UnitCode;
use crate::domain::invoice::{Area, Invoice, InvoiceKind};
use crate::domain::notice::ReferenceText;
use jiff::civil::date;
use proptest::prelude::*;

struct Known(Vec<InvoiceAccount>);

impl Bills for Known {
    fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceAccount> {
        self.0.iter().find(|a| a.invoice.id == *id)
    }
    fn of_customer(&self, code: &CustomerCode) -> Vec<&InvoiceAccount> {
        self.0.iter().filter(|a| a.invoice.customer == *code).collect()
    }
    fn knows(&self, code: &CustomerCode) -> bool {
        self.0.iter().any(|a| a.invoice.customer == *code)
    }
}

fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap()
}

fn bill(id: &str, day: i8, dong: i64) -> InvoiceAccount {
    let invoice = Invoice {
        id: InvoiceId::parse(id).unwrap(),
        customer: CustomerCode::parse("PA1").unwrap(),
        payer: CustomerCode::parse("PAYER").unwrap(),
        unit: UnitCode::parse("PA03HL").unwrap(),
        area: Area::Urban,
        period: "2026-01-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: money(dong),
        vat: Money::ZERO,
        total: money(dong),
        issued_on: date(2026, 1, day),
        due_on: date(2026, 2, day),
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    };
    InvoiceAccount { invoice, settled: Money::ZERO, sequence: 0 }
}

fn with(mut account: InvoiceAccount, change: impl Fn(&mut InvoiceAccount)) -> InvoiceAccount {
    change(&mut account);
    account
}

fn reading(invoice: &str, order: &str, customer: &str) -> Reading {
    read(&References {
        invoice: ReferenceText::new(invoice),
        order: ReferenceText::new(order),
        customer: ReferenceText::new(customer),
    })
}

fn said(decision: &Decision) -> String {
    match decision {
        Decision::Settle { parts, out_of_order } => {
            let parts: Vec<_> = parts.iter().map(|p| format!("{} {}", p.invoice, p.amount)).collect();
            format!("settle {}{}", parts.join(" + "), if *out_of_order { " out of order" } else { "" })
        }
        Decision::Park(reason) => format!("park {}", reason.word()),
    }
}

fn check(references: (&str, &str, &str), dong: i64, bills: &[InvoiceAccount], expected: &str) {
    let reading = reading(references.0, references.1, references.2);
    let decision = decide(money(dong), &reading, &Known(bills.to_vec()), Rules::default());
    assert_eq!(said(&decision), expected, "{references:?} {dong}");
}

#[test]
fn the_exact_amount_of_the_named_invoice_settles_it() {
    let bills = [bill("INV-1", 1, 100_000), bill("INV-2", 2, 70_000)];
    check(("INV-1", "", ""), 100_000, &bills, "settle INV-1 100000");
    check(("", "260115_INV-2.3", ""), 70_000, &bills, "settle INV-2 70000");
    check(("INV-1", "260115_INV-1", "PA1"), 100_000, &bills, "settle INV-1 100000");
}

#[test]
fn any_other_amount_of_the_named_invoice_parks() {
    let bills = [bill("INV-1", 1, 100_000)];
    for wrong in [99_999, 100_001, 1, 200_000] {
        check(("INV-1", "", ""), wrong, &bills, "park wrong_amount");
    }
}

#[test]
fn open_is_the_total_less_what_is_settled_here_and_paid_elsewhere() {
    let half = with(bill("INV-1", 1, 100_000), |a| {
        a.settled = money(30_000);
        a.invoice.paid_elsewhere = money(20_000);
    });
    check(("INV-1", "", ""), 50_000, &[half], "settle INV-1 50000");
}

#[test]
fn a_closed_invoice_parks_by_why_it_is_closed() {
    let settled = with(bill("INV-1", 1, 100), |a| a.settled = money(100));
    let paid = with(bill("INV-1", 1, 100), |a| a.invoice.status = InvoiceStatus::Paid);
    let cancelled = with(bill("INV-1", 1, 100), |a| a.invoice.status = InvoiceStatus::Cancelled);
    check(("INV-1", "", ""), 100, &[settled], "park already_paid");
    check(("INV-1", "", ""), 100, &[paid], "park already_paid");
    check(("INV-1", "", ""), 100, &[cancelled], "park cancelled");
    check(("INV-9", "", ""), 100, &[bill("INV-1", 1, 100)], "park unknown_invoice");
    check(("", "", ""), 100, &[bill("INV-1", 1, 100)], "park unknown_invoice");
}

#[test]
fn references_that_disagree_park_whatever_the_amount() {
    let bills = [bill("INV-1", 1, 100), bill("INV-2", 2, 100)];
    check(("INV-1", "260115_INV-2", ""), 100, &bills, "park contradictory_reference");
    check(("INV-1", "", "PA2"), 100, &bills, "park contradictory_reference");
    check(("INV-1", "", "not a code"), 100, &bills, "park contradictory_reference");
    check(("", "260115_INV-1", "PA2"), 100, &bills, "park contradictory_reference");
    check(("INV-1", "", "PAYER"), 100, &bills, "settle INV-1 100");
}

#[test]
fn by_customer_code_a_prefix_of_the_oldest_open_bills_is_settled() {
    // Out of file order on purpose; INV-2 and INV-3 are of one day, so the id decides.
    let bills = [bill("INV-3", 2, 30), bill("INV-1", 1, 10), bill("INV-2", 2, 20)];
    check(("", "", "PA1"), 10, &bills, "settle INV-1 10");
    check(("", "", "PA1"), 30, &bills, "settle INV-1 10 + INV-2 20");
    check(("", "", "PA1"), 60, &bills, "settle INV-1 10 + INV-2 20 + INV-3 30");
}

#[test]
fn by_customer_code_the_period_orders_bills_of_one_day() {
    let later = with(bill("INV-1", 1, 10), |a| a.invoice.period = "2026-01-2".to_owned());
    check(("", "", "PA1"), 20, &[later, bill("INV-2", 1, 20)], "settle INV-2 20");
}

#[test]
fn by_customer_code_the_only_bill_of_that_amount_is_settled_with_a_warning() {
    let bills = [bill("INV-1", 1, 10), bill("INV-2", 2, 25), bill("INV-3", 3, 40)];
    check(("", "", "PA1"), 25, &bills, "settle INV-2 25 out of order");
    check(("", "", "PA1"), 40, &bills, "settle INV-3 40 out of order");
    let twins = [bill("INV-1", 1, 10), bill("INV-2", 2, 25), bill("INV-3", 3, 25)];
    check(("", "", "PA1"), 25, &twins, "park wrong_amount");
    check(("", "", "PA1"), 26, &bills, "park wrong_amount");
}

#[test]
fn a_customer_who_owes_nothing_is_not_a_customer_nobody_knows() {
    let settled = with(bill("INV-1", 1, 100), |a| a.settled = money(100));
    check(("", "", "PA1"), 100, &[settled], "park already_paid");
    check(("", "", "PA2"), 100, &[bill("INV-1", 1, 100)], "park unknown_invoice");
}

#[test]
fn zero_and_negative_bills_are_no_candidates() {
    let bills = [bill("INV-0", 1, 0), bill("INV-N", 1, -50), bill("INV-1", 2, 100)];
    check(("", "", "PA1"), 100, &bills, "settle INV-1 100");
    check(("", "", "PA1"), 50, &bills, "park wrong_amount");
    check(("INV-N", "", ""), 50, &bills, "park already_paid");
}

#[test]
fn inquiry_answers_the_open_bills_oldest_first() {
    let known =
        Known(vec![bill("INV-2", 2, 20), bill("INV-1", 1, 10), with(bill("INV-0", 1, 5), |a| a.settled = money(5))]);
    let ids = |r: &Reading| payable(r, &known).iter().map(|a| a.invoice.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&reading("", "", "PA1")), ["INV-1", "INV-2"]);
    assert_eq!(ids(&reading("INV-2", "", "")), ["INV-2"]);
    assert_eq!(ids(&reading("INV-2", "", "PA9")), [""; 0]);
    assert_eq!(ids(&reading("INV-0", "", "")), [""; 0]);
    assert_eq!(ids(&reading("INV-1", "260115_INV-2", "")), [""; 0]);
}

proptest! {
    #[test]
    fn what_is_settled_is_the_amount_and_never_more_than_open(
        totals in proptest::collection::vec(-50_i64..300, 1..6),
        amount in 1_i64..600,
    ) {
        let bills: Vec<_> =
            totals.iter().enumerate().map(|(n, t)| bill(&format!("INV-{n}"), 1, *t)).collect();
        let known = Known(bills);
        if let Decision::Settle { parts, .. } =
            decide(money(amount), &reading("", "", "PA1"), &known, Rules::default())
        {
            prop_assert_eq!(Money::sum(parts.iter().map(|p| p.amount)).unwrap(), money(amount));
            for part in &parts {
                prop_assert_eq!(known.invoice(&part.invoice).unwrap().open(), part.amount);
            }
        }
    }

    #[test]
    fn paying_what_inquiry_says_is_settled(
        totals in proptest::collection::vec(1_i64..300, 1..6),
        take in 1_usize..6,
    ) {
        let bills: Vec<_> =
            totals.iter().enumerate().map(|(n, t)| bill(&format!("INV-{n}"), 1, *t)).collect();
        let known = Known(bills);
        let reading = reading("", "", "PA1");
        let sum = Money::sum(payable(&reading, &known).iter().take(take).map(|a| a.open())).unwrap();
        let is_settled = matches!(
            decide(sum, &reading, &known, Rules::default()),
            Decision::Settle { out_of_order: false, .. }
        );
        prop_assert!(is_settled);
    }
}
