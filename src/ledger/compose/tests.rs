//! The laws of composing: whatever the amounts, every posting balances (I5), the core hears the whole payment and
//! nothing else (I6), and undoing leaves nothing.

use super::*;
use crate::domain::ids::{CustomerCode, EventKey, InvoiceId, Movement, PartnerCode, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use crate::domain::notice::{Content, References};
use crate::store::rows::EventState;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TODAY: Date = date(2026, 1, 15);

fn now() -> Moment {
    Moment { now: Timestamp::from_unix_ms(0), today: TODAY }
}

fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap()
}

fn payment(dong: i64, discount: i64, fee: i64) -> EventRecord {
    EventRecord {
        key: EventKey::from_bytes([1; 16]),
        partner: PartnerCode::parse("wallet").unwrap(),
        account: "a".to_owned(),
        event: "E1".to_owned(),
        movement: Movement::Payment,
        content: Content {
            amount: money(dong),
            discount: money(discount),
            references: References::default(),
            reverses: None,
        },
        fee: money(fee),
        funder: None,
        channel: None,
        paid_at: Timestamp::from_unix_ms(0),
        business_day: TODAY,
        state: EventState::Settled,
        names_invoice: None,
        postings: 0,
        made_from: None,
    }
}

fn account(n: usize) -> InvoiceAccount {
    let code = CustomerCode::parse("PA1").unwrap();
    let invoice = Invoice {
        id: InvoiceId::parse(format!("INV-{n}")).unwrap(),
        customer: code.clone(),
        payer: code,
        unit: UnitCode::parse(format!("U{}", n % 2)).unwrap(),
        area: Area::Urban,
        period: "2026-01-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: Money::ZERO,
        vat: Money::ZERO,
        total: Money::ZERO,
        issued_on: TODAY,
        due_on: TODAY,
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 0,
    };
    InvoiceAccount { invoice, settled: Money::ZERO, sequence: 0 }
}

fn net<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> BTreeMap<Account, i64> {
    let mut net = BTreeMap::new();
    for entry in postings.into_iter().flat_map(Posting::entries) {
        *net.entry(entry.account.clone()).or_default() += entry.amount.dong();
    }
    net.retain(|_, dong| *dong != 0);
    net
}

fn position(composed: &Composed) -> Position {
    let entries = net([&composed.posting]).into_iter().map(|(account, d)| Entry { account, amount: money(d) });
    Position { entries: entries.collect(), allocations: composed.posting.allocations().to_vec() }
}

fn told(composed: &Composed) -> Vec<(i64, i64, i64)> {
    let figures = |body: &str| {
        let message: serde_json::Value = serde_json::from_str(body).unwrap();
        let of = |name: &str| message["data"][name].as_i64().unwrap();
        (of("amount"), of("customer_paid"), of("discount"))
    };
    composed.dispatches.iter().map(|d| figures(&d.body)).collect()
}

fn later() -> ReversalFacts {
    ReversalFacts {
        event: "R1".to_owned(),
        paid_at: Timestamp::from_unix_ms(1),
        business_day: date(2026, 1, 16),
        author: None,
    }
}

proptest! {
    #[test]
    fn whatever_is_settled_balances_and_undoing_it_leaves_nothing(
        amounts in proptest::collection::vec(1_i64..1_000_000_000, 1..6),
        share in 0_i64..=100,
        fee in 0_i64..10_000,
    ) {
        let total: i64 = amounts.iter().sum();
        let discount = total / 100 * share;
        let mut paid = payment(total, discount, fee);
        let accounts: Vec<_> = (0..amounts.len()).map(account).collect();
        let lines: Vec<_> =
            accounts.iter().zip(&amounts).map(|(account, d)| Line { account, amount: money(*d) }).collect();
        let settled = settle(&paid, &lines, None, now()).unwrap();
        let figures = told(&settled);
        prop_assert!(figures.iter().zip(&amounts).all(|(f, d)| f.0 == *d && f.1 + f.2 == f.0 && f.1 >= 0 && f.2 >= 0));
        prop_assert_eq!(figures.iter().map(|f| f.2).sum::<i64>(), discount);

        paid.postings = 1;
        let at = position(&settled);
        let undone: Vec<_> = at.allocations.iter().zip(&accounts).collect();
        let reversed = reverse(&paid, &at, &undone, &later(), now()).unwrap();
        prop_assert_eq!(net([&settled.posting, &reversed.posting]), BTreeMap::new());
        prop_assert_eq!(told(&reversed), figures);
        let keys: std::collections::BTreeSet<_> =
            settled.dispatches.iter().chain(&reversed.dispatches).map(|d| d.key.clone()).collect();
        prop_assert_eq!(keys.len(), 2 * amounts.len());
    }

    #[test]
    fn parked_then_matched_is_settled_under_the_same_keys(
        amounts in proptest::collection::vec(1_i64..1_000_000_000, 1..6),
        fee in 0_i64..10_000,
    ) {
        let total: i64 = amounts.iter().sum();
        let mut paid = payment(total, 0, fee);
        let accounts: Vec<_> = (0..amounts.len()).map(account).collect();
        let lines: Vec<_> =
            accounts.iter().zip(&amounts).map(|(account, d)| Line { account, amount: money(*d) }).collect();
        let at_once = settle(&paid, &lines, None, now()).unwrap();
        let parked = park(&paid, None, now()).unwrap();
        prop_assert!(parked.dispatches.is_empty());
        paid.postings = 1;
        let author = Author::parse("system:rematch").unwrap();
        let matched = rematch(&paid, &lines, &author, now()).unwrap();
        prop_assert_eq!(net([&parked.posting, &matched.posting]), net([&at_once.posting]));
        prop_assert_eq!(matched.dispatches, at_once.dispatches);
    }
}

#[test]
fn lines_that_are_not_the_payment_are_no_posting() {
    let account = account(1);
    let lines = [Line { account: &account, amount: money(99) }];
    assert_eq!(settle(&payment(100, 0, 0), &lines, None, now()), Err(BadPosting::Unbalanced));
}
