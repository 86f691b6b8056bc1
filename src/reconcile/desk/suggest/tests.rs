//! Suggestions: each with its reason, in one order, and laws over random debts.

use super::{Suggestion, Why, codes_in, is_near, near_codes, share_out, suggest, wanted};
use crate::domain::ids::{CustomerCode, InvoiceId, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceAccount, InvoiceKind, InvoiceStatus};
use crate::domain::money::Money;
use crate::domain::notice::{ReferenceText, References};
use jiff::civil::date;
use proptest::prelude::*;

fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap_or_default()
}

fn bill(id: &str, customer: &str, (day, dong): (i8, i64)) -> InvoiceAccount {
    let code = CustomerCode::parse(customer).expect("a code");
    let invoice = Invoice {
        id: InvoiceId::parse(id).expect("an id"),
        customer: code.clone(),
        payer: code,
        unit: UnitCode::parse("PA03HL").expect("a unit"),
        area: Area::Urban,
        period: "2026-01-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: money(dong),
        vat: Money::ZERO,
        total: money(dong),
        issued_on: date(2026, 1, day),
        due_on: date(2026, 2, 1),
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    };
    InvoiceAccount { invoice, settled: Money::ZERO, sequence: 0 }
}

fn texts(invoice: &str, order: &str, customer: &str) -> References {
    let text = ReferenceText::new;
    References { invoice: text(invoice), order: text(order), customer: text(customer) }
}

fn told(found: &[Suggestion]) -> Vec<String> {
    let share = |(id, dong): &(InvoiceId, Money)| format!("{id}={dong}");
    let told = |one: &Suggestion| {
        let why = match &one.why {
            Why::NamedInvoice => "named".to_owned(),
            Why::OrderReference => "order".to_owned(),
            Why::CustomerSameAmount(_) => "same".to_owned(),
            Why::CustomerOldest(_) => "oldest".to_owned(),
            Why::NearCode { written, .. } => format!("near {written}"),
        };
        format!("{why}: {}", one.shares.iter().map(share).collect::<Vec<_>>().join(" "))
    };
    found.iter().map(told).collect()
}

#[test]
fn each_way_to_an_invoice_is_suggested_with_why() {
    let bills = [
        bill("HD-1", "PA03HL0000001", (1, 100)),
        bill("HD-2", "PA03HL0000001", (2, 250)),
        bill("HD-3", "PA03HL0000002", (1, 250)),
    ];
    let found = |references: &References, dong| told(&suggest(money(dong), references, &bills));
    assert_eq!(found(&texts("HD-1", "", ""), 100), ["named: HD-1=100"]);
    assert_eq!(found(&texts("HD-1", "", ""), 300), ["named: HD-1=100"]);
    assert_eq!(found(&texts("", "260115_HD-3.2", ""), 250), ["order: HD-3=250"]);
    let named = ["same: HD-2=250", "oldest: HD-1=100 HD-2=150", "near PA03HL0000001: HD-3=250"];
    assert_eq!(found(&texts("", "", "PA03HL0000001"), 250), named);
    assert_eq!(found(&texts("", "", "tien dien pa03hl0000020 t1"), 250), ["near PA03HL0000020: HD-3=250"]);
    assert_eq!(found(&texts("", "", "cam on"), 250), Vec::<String>::new());
}

#[test]
fn what_is_looked_up_holds_every_slip() {
    let wanted = wanted(&texts("", "", "PA03HL000001"));
    let code = |text: &str| wanted.customers.iter().any(|code| code.as_str() == text);
    assert!(code("PA03HL000001") && code("PA03HL0000001") && code("PA03HL00001") && code("PA30HL000001"));
    assert!(wanted.customers.len() < 1_500, "{}", wanted.customers.len());
    assert!(codes_in("T1 2026 ABC").is_empty(), "too short, or no digit");
}

proptest! {
    #[test]
    fn a_code_is_near_exactly_when_it_is_among_the_slips(code in "[A-C0-2]{8,10}", other in "[A-C0-2]{7,11}") {
        let near = near_codes(&code);
        for one in &near {
            prop_assert!(is_near(&code, one.as_str()) && is_near(one.as_str(), &code), "{} {}", code, one);
        }
        let among = near.iter().any(|one| one.as_str() == other);
        prop_assert_eq!(among, is_near(&code, &other));
    }

    #[test]
    fn no_suggestion_takes_more_than_there_is_or_is_owed_and_order_does_not_matter(
        amount in 1_i64..500,
        owed in prop::collection::vec((1_i8..28, 1_i64..300, 0_u8..3), 0..8),
        turn in 0_usize..8,
    ) {
        let bills: Vec<InvoiceAccount> = owed
            .iter()
            .enumerate()
            .map(|(at, (day, dong, whose))| bill(&format!("HD-{at}"), &format!("PA03HL000000{whose}"), (*day, *dong)))
            .collect();
        let references = texts("HD-1", "260115_HD-2", "PA03HL0000001");
        let found = suggest(money(amount), &references, &bills);
        let mut turned = bills.clone();
        turned.rotate_left(turn.min(bills.len()));
        prop_assert_eq!(&found, &suggest(money(amount), &references, &turned));
        for one in &found {
            let sum: i64 = one.shares.iter().map(|(_, part)| part.dong()).sum();
            prop_assert!(sum <= amount && (sum == amount) == one.whole);
            for (id, part) in &one.shares {
                let open = bills.iter().find(|bill| bill.invoice.id == *id).map(InvoiceAccount::open);
                prop_assert!(part.is_positive() && open.is_some_and(|open| *part <= open));
            }
        }
    }

    #[test]
    fn what_is_shared_out_and_what_is_left_are_the_sum(amount in 0_i64..1_000, owed in prop::collection::vec(0_i64..300, 0..9)) {
        let mut debts: Vec<(InvoiceId, Money)> = owed
            .iter()
            .enumerate()
            .map(|(at, dong)| (InvoiceId::parse(format!("HD-{at}")).expect("an id"), money(*dong)))
            .collect();
        let (shares, left) = share_out(money(amount), &mut debts);
        let shared: i64 = shares.iter().map(|(_, part)| part.dong()).sum();
        let still: i64 = debts.iter().map(|(_, open)| open.dong()).sum();
        prop_assert_eq!(shared + left.dong(), amount);
        prop_assert_eq!(shared + still, owed.iter().sum::<i64>());
        prop_assert!(left.is_zero() || still == 0);
    }
}
