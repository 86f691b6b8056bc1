//! What people did in the desk's books: the bank's credits of each batch are brought, days are drawn up and signed, and
//! lists of breaks are proposed, of which some wait and many were decided.

use crate::bench::Bench;
use crate::books::{Books, Store};
use crate::desk_books::{COMPARED, PARTNERS, day_back, partner, payments, place, profiles, setup};
use crate::processes::Setup;
use crate::servers::BenchSecrets;
use jiff::civil::Date;
use std::fs;
use std::path::Path;
use thuho::domain::close::Period;
use thuho::domain::ids::{Author, PartnerCode};
use thuho::domain::resolution::{Action, BreakState, ProposalNo, Resolution};
use thuho::domain::statement::StatementKind;
use thuho::domain::time::{SystemClock, Timestamp};
use thuho::ledger::writer::moment;
use thuho::ledger::{Slices, transact};
use thuho::partner::Partners;
use thuho::reconcile::{close, desk};
use thuho::store::closes::Signed;
use thuho::store::desk::{Authority, BreakFilter, Decided, Verb};
use thuho::store::reports::Reports;
use thuho::store::{self, Options, Tx};

/// Lists that wait. Each has a break for so many payments of the books: a thousand of them.
const WAITING: u64 = 30;
const PAYMENTS_EACH: u64 = 5_000;
/// Lists that were decided, and how many breaks each has.
const DECIDED: u64 = 300;
const DECIDED_ITEMS: u32 = 10;

/// Does all of it. Lists come before closes: a break that goes on open by a close is in no new one.
pub fn done(bench: &Bench, books: &Books, store: Store) {
    let setup = setup(bench, books);
    // What was paid on the last of them is on the way to the bank.
    for back in (1..COMPARED).rev() {
        for n in 0..PARTNERS {
            credit(&setup, books, (&bench.home, &partner(n)), back);
        }
    }
    let mut people = People::at(bench, store);
    for n in 0..DECIDED {
        people.decided(&partner(n % PARTNERS), n);
    }
    for n in 0..WAITING {
        people.proposed(&partner(n % PARTNERS), n, u32::try_from(payments() / PAYMENTS_EACH).expect("a list"));
    }
    let partners = Partners::load(&profiles(&bench.home), &BenchSecrets).expect("the bench's profiles load");
    for n in 0..PARTNERS {
        for back in (1..COMPARED).rev() {
            let (period, hash) = people.drafted(&partners, &partner(n), day_back(back));
            // The last day waits for its signature.
            if back > 1 {
                people.signed(&partner(n), period, hash);
            }
        }
    }
    assert_eq!(books.number("SELECT count(*) FROM settlements WHERE credits > 0"), PARTNERS * (COMPARED - 1));
    assert_eq!(books.number("SELECT count(*) FROM closes WHERE state = 'sealed'"), PARTNERS * (COMPARED - 2));
    assert_eq!(books.number("SELECT count(*) FROM proposals WHERE state = 'proposed'"), WAITING);
}

/// The bank's credit of the batch of a day, without the fee, on the day after it.
fn credit(setup: &Setup, books: &Books, (home, partner): (&Path, &str), back: u64) {
    let (day, came) = (day_back(back), day_back(back - 1));
    let paid = books.number(&format!(
        "SELECT payments_dong FROM statement_files
         WHERE partner = '{partner}' AND day = '{day}' AND kind = 'partner' AND state = 'taken'"
    ));
    let file = home.join("bank.csv");
    let batch = day.strftime("ZLP%Y%m%d");
    let text = format!("value_date,batch,amount\n{came},{batch},{paid}\nTOTAL,,{paid}\ncount,1,\n");
    fs::write(&file, text).expect("the disk has room");
    let came = came.to_string();
    let of = ["--kind", "bank", "--partner", partner, "--date", &came];
    setup.run(&[&["statement", "import"], &of[..], &[file.to_str().expect("a plain path")]].concat());
    setup.run(&[&["reconcile"], &of[..]].concat());
}

/// Two who work in the books.
struct People {
    store: Box<dyn thuho::store::Store>,
    reports: Box<dyn Reports>,
    maker: Author,
    checker: Author,
}

impl People {
    fn at(bench: &Bench, store: Store) -> Self {
        let place = place(bench, store);
        let name = |name: &str| Author::parse(name).expect("a name");
        let mut people = Self {
            store: store::open(&place, &Options::default()).expect("the books open"),
            reports: store::open_reports(&place).expect("the books are read"),
            maker: name("finance.an"),
            checker: name("finance.chi"),
        };
        let (person, granted_by, at) = (people.checker.clone(), name("head.hq"), now());
        let may = Authority { person, action: Action::Seal, dong: i64::MAX, granted_by, at };
        assert!(people.write(|tx| tx.grant(&may)), "the books take an authority");
        people
    }

    fn write<T>(&mut self, work: impl FnMut(&mut dyn Tx) -> Result<T, store::StoreError>) -> T {
        transact(self.store.as_mut(), work).expect("the books are written").0
    }

    fn drafted(&mut self, partners: &Partners, partner: &str, day: Date) -> (Period, [u8; 32]) {
        let profile = partners.get(partner).expect("the bench wrote it");
        let layout = profile.statement(StatementKind::Partner).expect("it has a statement");
        let terms = (&self.maker, Some("goes on with its age"), now());
        let draft = close::day(self.reports.as_mut(), (profile, layout), day, terms).expect("the day is drawn up");
        let period = draft.new.period;
        (period, close::keep(&mut Slices::alone(self.store.as_mut()), draft).expect("the draft is kept"))
    }

    fn signed(&mut self, partner: &str, period: Period, hash: [u8; 32]) {
        let (partner, by) = (PartnerCode::parse(partner).expect("a code"), self.checker.clone());
        let signed = close::sign(&mut Slices::alone(self.store.as_mut()), (partner, period), hash, (by, now()));
        assert_eq!(signed.expect("the books are written"), Signed::Done);
    }

    /// Proposes to close some of a partner's breaks.
    fn proposed(&mut self, partner: &str, n: u64, items: u32) -> (ProposalNo, [u8; 32]) {
        let partner = Some(PartnerCode::parse(partner).expect("a code"));
        let filter = BreakFilter { partner, state: Some(BreakState::Open), ..BreakFilter::open(items) };
        let found = self.reports.breaks(&filter).expect("the books are read");
        let wishes = found.iter().map(|found| (found.no, Resolution::Close {})).collect();
        let reason = format!("list {n}");
        let draft = desk::draft(self.reports.as_mut(), wishes, (&self.maker, &reason, now())).expect("a list");
        let hash = draft.hash;
        (desk::propose(&mut Slices::alone(self.store.as_mut()), draft).expect("it is proposed"), hash)
    }

    /// Proposes it, and somebody else says no.
    fn decided(&mut self, partner: &str, n: u64) {
        let (proposal, hash) = self.proposed(partner, n, DECIDED_ITEMS);
        let (by, words, at) = (self.checker.clone(), "not so".to_owned(), now());
        let made = desk::Decision { proposal, verb: Verb::Reject, by, hash, words, at };
        let decided = desk::decide(&mut Slices::alone(self.store.as_mut()), made);
        assert_eq!(decided.expect("the books are written"), Decided::Done);
    }
}

fn now() -> Timestamp {
    moment(&SystemClock).now
}
