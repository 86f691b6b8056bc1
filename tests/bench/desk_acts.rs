//! What people did in the desk's books: the bank's credits of each batch are brought, days are drawn up and signed, and
//! lists of breaks are proposed, of which some wait and many were decided.

use crate::books::{Books, Store};
use crate::desk_books::{COMPARED, PARTNERS, partner, payments, place, profiles, setup, today};
use crate::servers::BenchSecrets;
use crate::{bench::Bench, processes::Setup};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::fs;
use std::path::Path;
use thuho::domain::ids::Author;
use thuho::domain::resolution::{Action, Resolution};
use thuho::domain::statement::StatementKind;
use thuho::domain::time::{SystemClock, Timestamp};
use thuho::ledger::Slices;
use thuho::ledger::transact;
use thuho::ledger::writer::moment;
use thuho::partner::Partners;
use thuho::reconcile::{close, desk};
use thuho::store::desk::{Authority, BreakFilter, Decided, Verb};
use thuho::store::reports::Reports;
use thuho::store::{self, Options, Tx};

/// Lists that wait, each of a thousand breaks, and lists of ten that were decided.
const WAITING: u64 = 30;
const DECIDED: u64 = 300;
const FEW: u32 = 10;

pub fn all(bench: &Bench, books: &Books, store: Store) {
    let setup = setup(bench, books);
    // What was paid on the last of them is on the way to the bank.
    for back in (1..COMPARED).rev() {
        for n in 0..PARTNERS {
            credit(&setup, books, (&bench.home, &partner(n)), back);
        }
    }
    let mut people = People::at(bench, store);
    let partners = Partners::load(&profiles(&bench.home), &BenchSecrets).expect("the bench's profiles load");
    for n in 0..DECIDED {
        people.propose(&partner(n % PARTNERS), (FEW, n), true);
    }
    let many = u32::try_from(payments() / 5_000).expect("a list");
    for n in 0..WAITING {
        people.propose(&partner(n % PARTNERS), (many, n), false);
    }
    for n in 0..PARTNERS {
        for back in (1..COMPARED).rev() {
            people.close(&partners, (&partner(n), day_back(back)), back > 1);
        }
    }
    let count = |sql: &str| books.number(sql);
    assert_eq!(count("SELECT count(*) FROM settlements WHERE credits > 0"), PARTNERS * (COMPARED - 1));
    assert_eq!(count("SELECT count(*) FROM closes WHERE state = 'sealed'"), PARTNERS * (COMPARED - 2));
    assert_eq!(count("SELECT count(*) FROM proposals WHERE state = 'proposed'"), WAITING);
}

fn day_back(back: u64) -> Date {
    today().checked_sub(i64::try_from(back).expect("few days").days()).expect("a day of the calendar")
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

    fn close(&mut self, partners: &Partners, (partner, day): (&str, Date), sign: bool) {
        let profile = partners.get(partner).expect("the bench wrote it");
        let layout = profile.statement(StatementKind::Partner).expect("it has a statement");
        let terms = (&self.maker, Some("goes on with its age"), now());
        let draft = close::day(self.reports.as_mut(), (profile, layout), day, terms).expect("the day is drawn up");
        let period = draft.new.period;
        let mut slices = Slices::alone(self.store.as_mut());
        let hash = close::keep(&mut slices, draft).expect("the draft is kept");
        if sign {
            let of = (profile.code().clone(), period);
            close::sign(&mut slices, of, hash, (self.checker.clone(), now())).expect("the day is signed");
        }
    }

    /// Proposes to close some of a partner's breaks; somebody else says no, where it is decided.
    fn propose(&mut self, partner: &str, (items, n): (u32, u64), decided: bool) {
        let partner = thuho::domain::ids::PartnerCode::parse(partner).expect("a code");
        let filter = BreakFilter {
            partner: Some(partner),
            state: Some(thuho::domain::resolution::BreakState::Open),
            ..BreakFilter::open(items)
        };
        let found = self.reports.breaks(&filter).expect("the books are read");
        let wishes = found.iter().map(|found| (found.no, Resolution::Close {})).collect();
        let reason = format!("list {n}");
        let draft = desk::draft(self.reports.as_mut(), wishes, (&self.maker, &reason, now())).expect("a list");
        let hash = draft.hash;
        let mut slices = Slices::alone(self.store.as_mut());
        let proposal = desk::propose(&mut slices, draft).expect("it is proposed");
        if decided {
            let (by, words, at) = (self.checker.clone(), "not so".to_owned(), now());
            let made = desk::Decision { proposal, verb: Verb::Reject, by, hash, words, at };
            assert_eq!(desk::decide(&mut slices, made).expect("it is decided"), Decided::Done);
        }
    }
}

fn now() -> Timestamp {
    moment(&SystemClock).now
}
