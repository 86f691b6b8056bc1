//! What the core hears of a discount while people move a payment: what stands there is the payment's, and whatever is
//! taken back is taken back as it was told.

use super::{Desk, key, onto};
use crate::ledger::tell::{Books, bill, noon, pay, undo};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken};
use thuho::domain::outcome::Outcome;
use thuho::domain::resolution::{Action, Resolution};
use thuho::domain::review::BreakClass;
use thuho::store::LeaseRequest;
use thuho::store::desk::Verb;

/// What a core knows that believes what it is told: the settlements that stand, by their key.
#[derive(Default)]
struct Core(BTreeMap<String, Value>);

impl Core {
    /// Takes all that waits for it, and holds it to the laws.
    fn hear(&mut self, desk: &mut Desk) {
        let (token, now) = (LeaseToken(1), noon());
        let request = LeaseRequest { token, now, until: now.plus_ms(60_000), limit: 100, urgent_only: false };
        loop {
            let mut taken = Vec::new();
            desk.books
                .store
                .transact(&mut |tx| {
                    taken = tx.lease(std::slice::from_ref(&request))?;
                    let results: Vec<_> = taken
                        .iter()
                        .map(|m| DispatchResult {
                            key: m.key.clone(),
                            token,
                            result: AttemptResult::Delivered,
                            at: now,
                        })
                        .collect();
                    tx.settle(&results).map(|settled| assert!(settled.iter().all(|is| *is)))
                })
                .unwrap();
            if taken.is_empty() {
                break;
            }
            for message in taken {
                self.take(message.key.as_str(), &message.body);
            }
        }
        self.hold(desk);
    }

    fn take(&mut self, key: &str, body: &str) {
        let message: Value = serde_json::from_str(body).unwrap();
        let data = message["data"].clone();
        let Some(undone) = data["reverses"].as_str() else {
            assert_eq!(data["funder"].is_string(), dong(&data, "discount") > 0, "{data}");
            assert!(self.0.insert(key.to_owned(), data).is_none(), "{key} is told once");
            return;
        };
        let told = self.0.remove(undone).expect("what is taken back stands");
        for part in ["payment", "invoice_id", "amount", "customer_paid", "discount", "funder"] {
            assert_eq!(data[part], told[part], "{part} of {told} is taken back");
        }
    }

    /// Of the one payment: all of it, or as much as is on invoices.
    fn hold(&self, desk: &mut Desk) {
        let record = desk.books.reports.event(&key("1")).unwrap().unwrap();
        let (amount, discount) = (record.content.amount.dong(), record.content.discount.dong());
        let sum = |of| self.0.values().map(|told| dong(told, of)).sum::<i64>();
        let [told, paid, given] = ["amount", "customer_paid", "discount"].map(sum);
        assert_eq!(told, paid + given);
        assert!(given <= discount && paid <= amount - discount, "{discount} of {amount} are given: {:?}", self.0);
        let standing = desk.books.reports.standing(&record.key).unwrap().allocations;
        let known: BTreeMap<_, _> =
            standing.iter().map(|a| (a.key.as_str(), (a.amount.dong(), a.discount.dong()))).collect();
        let heard: BTreeMap<_, _> =
            self.0.iter().map(|(key, told)| (key.as_str(), (dong(told, "amount"), dong(told, "discount")))).collect();
        assert_eq!(known, heard, "the books know what they told");
    }
}

fn dong(data: &Value, of: &str) -> i64 {
    data[of].as_i64().unwrap()
}

/// A list of moves, of one payment, in one proposal. A new turn is another disagreement than those that were settled.
fn agree(desk: &mut Desk, turn: usize, moves: &[Resolution]) {
    let theirs = 100 + i64::try_from(turn).unwrap();
    let classes = [BreakClass::WrongCustomer, BreakClass::AmountMismatch];
    let wishes: Vec<_> = moves
        .iter()
        .zip(classes)
        .map(|(what, class)| {
            desk.differs(class, (None, Some("1")), (Some(100), Some(theirs)));
            (desk.one(class), what.clone())
        })
        .collect();
    let proposal = desk.propose("an", &wishes).unwrap();
    desk.decide(proposal, Verb::Approve, "chi");
    desk.carry_out(Some(proposal));
}

fn bills(books: &mut Books) {
    books.import(&[bill("HD-1", 60), bill("HD-2", 40), bill("HD-3", 100), bill("HD-4", 100)]);
}

#[test]
fn a_settlement_that_stays_keeps_its_part_of_the_discount_and_another_one_gets_what_was_freed() {
    for mut desk in Desk::everywhere(bills) {
        let mut core = Core::default();
        assert_eq!(desk.hear(&pay("1", 100).customer("PA1").discount(30, Some("campaign"))), Outcome::Accepted);
        core.hear(&mut desk);
        agree(&mut desk, 0, &[onto(&[("HD-2", 40), ("HD-3", 60)])]);
        core.hear(&mut desk);
        let told: BTreeMap<_, _> = core
            .0
            .values()
            .map(|told| (told["invoice_id"].as_str().unwrap(), (dong(told, "customer_paid"), dong(told, "discount"))))
            .collect();
        assert_eq!(told, BTreeMap::from([("HD-2", (40, 0)), ("HD-3", (30, 30))]));
        // What waits in suspense is the customer's own, as far as bills can bear the discount.
        agree(&mut desk, 1, &[onto(&[("HD-2", 40), ("HD-4", 35)])]);
        core.hear(&mut desk);
        let told: i64 = core.0.values().map(|told| dong(told, "customer_paid")).sum();
        assert_eq!(told, 45);
        assert_eq!(desk.hear(&undo("R1", "1", 100)), Outcome::Accepted);
        core.hear(&mut desk);
        assert_eq!(core.0.len(), 0);
    }
}

fn moves() -> impl Strategy<Value = Vec<Resolution>> {
    let dong = prop::sample::select(vec![0_i64, 0, 20, 40, 60]);
    let one = (proptest::collection::vec(dong, 4), prop::sample::select(vec![0_i64, 0, 0, 20, -20])).prop_map(
        |(dong, refund)| {
            let shares: Vec<_> = ["HD-1", "HD-2", "HD-3", "HD-4"].into_iter().zip(dong).filter(|of| of.1 > 0).collect();
            match onto(&shares) {
                Resolution::Allocate { invoices, .. } => Resolution::Allocate { invoices, refund, write_off: 0 },
                other => other,
            }
        },
    );
    proptest::collection::vec(one, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_at_the_core_is_the_payment(
        discount in 0_i64..=100,
        at_once in any::<bool>(),
        moves in moves(),
        by_hand in any::<bool>(),
    ) {
        let mut books = Books::on_disk();
        bills(&mut books);
        let (mut desk, mut core) = (Desk { books }, Core::default());
        for action in Action::ALL {
            desk.grant("chi", action, 1_000_000);
        }
        let said = pay("1", 100).discount(discount, Some("campaign"));
        desk.hear(&if at_once { said.customer("PA1") } else { said });
        core.hear(&mut desk);
        // Two at a time: of a list each item sees what the one before it told.
        for (turn, some) in moves.chunks(2).enumerate() {
            agree(&mut desk, turn, some);
            core.hear(&mut desk);
        }
        if by_hand {
            agree(&mut desk, moves.len(), &[Resolution::Reverse {}]);
        } else {
            prop_assert_eq!(desk.hear(&undo("R1", "1", 100)), Outcome::Accepted);
        }
        core.hear(&mut desk);
        prop_assert_eq!(core.0.len(), 0, "all of it was taken back");
    }
}
