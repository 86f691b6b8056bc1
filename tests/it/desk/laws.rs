//! Whatever two people agree on, in whatever order, money is neither made nor lost (I5), no bill is paid beyond what it
//! is over, and the books prove themselves.

use super::{Desk, key, onto, wallet};
use crate::ledger::tell::{Books, bill, money, pay, undo};
use crate::pages::days::event_by_event;
use jiff::civil::date;
use proptest::prelude::*;
use thuho::domain::ids::{EventId, EventKey, Movement};
use thuho::domain::posting::Account;
use thuho::domain::resolution::{Action, Because, Resolution, Share};
use thuho::domain::review::BreakClass;
use thuho::store::rows::EventState;

const BILLS: [(&str, i64); 3] = [("HD-1", 100), ("HD-2", 250), ("HD-3", 40)];

#[derive(Clone, Debug)]
enum Act {
    /// A notice of this payment, on this bill or on none, of which a sponsor gives so many percent, for this fee.
    Hear(u8, Option<usize>, i64, (i64, i64)),
    /// The partner takes a payment back.
    Undo(u8, i64),
    /// Two people agree.
    Agree(u8, Resolution),
}

fn act() -> impl Strategy<Value = Act> {
    let payment = 0_u8..3;
    let share = (0_usize..3, 1_i64..120).prop_map(|(at, dong)| (BILLS[at].0, dong));
    let allocate =
        (proptest::collection::vec(share, 0..3), -20_i64..60, 0_i64..10).prop_map(|(shares, refund, off)| {
            let mut shares = shares;
            shares.sort_unstable();
            shares.dedup_by_key(|(id, _)| *id);
            let Resolution::Allocate { invoices, .. } = onto(&shares) else { unreachable!() };
            let invoices: Vec<Share> = invoices;
            Resolution::Allocate { invoices, refund, write_off: off }
        });
    let because =
        prop_oneof![Just(Because::WriteOff), Just(Because::Fee), Just(Because::Promotion), Just(Because::Refund)];
    let adjust = (because, 1_i64..50).prop_map(|(because, dong)| Resolution::Adjust { because, dong });
    let what =
        prop_oneof![4 => allocate, 2 => adjust, 1 => Just(Resolution::Reverse {}), 1 => Just(Resolution::Close {})];
    prop_oneof![
        3 => (payment.clone(), proptest::option::of(0_usize..3), prop_oneof![Just(100_i64), Just(250), Just(40), 1_i64..300])
            .prop_flat_map(|heard| (Just(heard), (prop::sample::select(vec![0, 0, 50, 100]), 0_i64..2)))
            .prop_map(|((event, bill, dong), terms)| Act::Hear(event, bill, dong, terms)),
        1 => (payment.clone(), prop_oneof![Just(100_i64), Just(250), Just(40)]).prop_map(|(event, dong)| Act::Undo(event, dong)),
        6 => (payment, what).prop_map(|(event, what)| Act::Agree(event, what)),
    ]
}

fn play(desk: &mut Desk, acts: &[Act]) {
    for (n, act) in acts.iter().enumerate() {
        match act {
            Act::Hear(event, at, dong, (given, fee)) => {
                let said = pay(&event.to_string(), *dong).discount(dong * given / 100, Some("campaign"));
                let said = said.with(|notice| notice.fee = money(*fee));
                let said = at.map_or_else(|| said.clone(), |at| said.clone().invoice(BILLS[at].0));
                desk.hear(&said);
            }
            Act::Undo(event, dong) => drop(desk.hear(&undo(&format!("R{event}"), &event.to_string(), *dong))),
            Act::Agree(event, what) => {
                let leg = (None, Some(event.to_string()));
                desk.differs(
                    BreakClass::Suspect,
                    (leg.0, leg.1.as_deref()),
                    (None, Some(i64::try_from(n).unwrap() + 1)),
                );
                let found = desk.open().into_iter().find(|b| b.class == BreakClass::Suspect);
                if let Some(found) = found
                    && what.check().is_ok()
                {
                    drop(desk.resolve(found.no, what.clone()));
                }
            }
        }
        hold(desk);
    }
}

/// What must be true after every act.
fn hold(desk: &mut Desk) {
    desk.books.state();
    for (id, total) in BILLS {
        let id = thuho::domain::ids::InvoiceId::parse(id).unwrap();
        let settled = desk.books.reports.invoice(&id).unwrap().unwrap().settled.dong();
        assert!((0..=total).contains(&settled), "{id} over {total} is settled by {settled}");
    }
    let mut held = false;
    for event in 0_u8..3 {
        let Some(record) = desk.books.reports.event(&key(&event.to_string())).unwrap() else { continue };
        let back = desk.books.reports.event(&taking_back(&format!("R{event}"))).unwrap();
        held |= matches!(record.state, EventState::Settled | EventState::Parked(_))
            || back.is_some_and(|back| back.state == EventState::Applied);
        let mut suspense = 0;
        for posting in desk.books.reports.postings(&record.key).unwrap() {
            for (account, amount) in posting.entries {
                if matches!(account, Account::Suspense(_) | Account::RefundDue(_)) {
                    suspense -= amount.dong();
                }
            }
        }
        assert!((0..=record.content.amount.dong()).contains(&suspense), "{suspense} dong of {record:?} wait");
    }
    let days = event_by_event(desk.books.reports.as_mut(), &[wallet()], (date(2026, 1, 1), date(2026, 1, 31)));
    assert_eq!(days, usize::from(held), "the payments are of one day");
}

fn taking_back(event: &str) -> EventKey {
    let id = EventId::parse(vec![event.to_owned()]).unwrap();
    EventKey::of(&wallet(), "a1", &id, Movement::Reversal)
}

/// What its partner took back is two movements of the day, over nothing; what people took back is none.
#[test]
fn what_was_taken_back_is_counted_by_who_took_it() {
    let hear = |event, dong| Act::Hear(event, None, dong, (0, 0));
    play(&mut desk(), &[hear(0, 100), Act::Undo(0, 100)]);
    play(&mut desk(), &[Act::Undo(0, 100), hear(0, 100)]);
    play(&mut desk(), &[hear(0, 100), Act::Agree(0, Resolution::Reverse {}), Act::Undo(0, 100)]);
}

fn desk() -> Desk {
    let bills: Vec<_> = BILLS.iter().map(|(id, dong)| bill(id, *dong)).collect();
    let mut books = Books::on_disk();
    books.import(&bills);
    let mut desk = Desk { books };
    for action in Action::ALL {
        desk.grant("chi", action, 1_000_000);
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn money_is_neither_made_nor_lost(acts in proptest::collection::vec(act(), 1..14)) {
        let mut desk = desk();
        play(&mut desk, &acts);
        desk.books.certified();
    }
}
