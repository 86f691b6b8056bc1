//! A month of a large company's books, for the pages of the finance desk: five million payments through thirty partners
//! into the real ledger, then a week's statements of which every twelfth row differs, and what people did about them.

use crate::bench::Bench;
use crate::books::{Books, Store, copy_file};
use crate::desk_acts;
use crate::import::write_lines;
use crate::processes::{SEAL_SECRET, Setup, write_profiles};
use crate::requests::{self, Chance};
use crate::servers::BenchSecrets;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;
use thuho::domain::ids::{Author, Generation};
use thuho::domain::outcome::Outcome;
use thuho::domain::secret::Secret;
use thuho::domain::time::{BUSINESS_ZONE, Clock as _, SystemClock, Timestamp};
use thuho::domain::user::{Role, Roles};
use thuho::finance::password;
use thuho::ledger::audit::seal;
use thuho::ledger::writer::{Lane, Patient, moment, run_batch};
use thuho::ledger::{Arrival, Moment, transact};
use thuho::partner::Partners;
use thuho::store::users::User;
use thuho::store::{self, Options, Place};

/// Whoever looks at the pages.
pub const NAME: &str = "bench";
pub const PASSWORD: &str = "bench-password-of-the-desk";

/// Goes on when what is in the books does, so that no file of an older one is measured.
const RECIPE: u32 = 2;
/// Customers of the first company; each has a bill a month.
pub const CUSTOMERS: u64 = 443_000;
/// Its district units.
const UNITS: u64 = 13;
/// Whose payments they are.
pub const PARTNERS: u64 = 30;
/// The business days that have payments, today's among them.
pub const DAYS: u64 = 30;
/// The last of them have statements that were compared.
pub const COMPARED: u64 = 7;
/// One payment of so many names no bill that there is.
const UNKNOWN_EACH: u64 = 250;
/// One row of a statement of so many says another amount; as many are missing, and as many are there that we never heard of.
const DIFFERENT_EACH: u64 = 36;
/// Payments of a transaction.
const BATCH: usize = 2_000;
const SERIES: &str = "D";
const DAY_MS: u64 = 86_400_000;

/// The code of a partner, from 0.
pub fn partner(n: u64) -> String {
    format!("wallet{n:02}")
}

/// Today, where the business is.
pub fn today() -> Date {
    let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).expect("the zone is bundled");
    SystemClock.now().day_in(&zone).expect("today is in the calendar")
}

/// The day so many days ago.
pub fn day_back(back: u64) -> Date {
    today().checked_sub(i64::try_from(back).expect("few days").days()).expect("a day of the calendar")
}

/// How many payments a run has.
pub fn payments() -> u64 {
    if std::env::var_os("BENCH_QUICK").is_some() { 100_000 } else { 5_000_000 }
}

/// The profiles: the wallet's, under thirty names.
pub fn profiles(home: &Path) -> PathBuf {
    let folder = home.join("wallets");
    if !folder.exists() {
        let wallet = fs::read_to_string(home.join("partners/zalopay.toml")).expect("the bench wrote it");
        write_profiles(folder.clone(), &[]);
        for n in 0..PARTNERS {
            let code = partner(n);
            let profile = wallet.replace("partner = \"zalopay\"", &format!("partner = \"{code}\""));
            let profile = profile.replace(requests::NAME_OF_KEY, &secret_name(n));
            fs::write(folder.join(format!("{code}.toml")), profile).expect("the bench's folder can be written");
        }
    }
    folder
}

/// The name of a partner's secret.
fn secret_name(n: u64) -> String {
    format!("BENCH_KEY_{n:02}")
}

/// The setup of these books.
pub fn setup(bench: &Bench, books: &Books) -> Setup {
    let setup = books.setup(&bench.home).profiles(&profiles(&bench.home));
    (0..PARTNERS).map(secret_name).fold(setup, |setup, name| setup.with(&name, &requests::secret_of(&name)))
}

/// Makes them; none where the store is not installed. `BENCH_BOOKS` names a folder that keeps the file for the next run of
/// the same day.
pub fn make(bench: &Bench, store: Store) -> Option<Books> {
    let books = match store {
        Store::Sqlite => Books::File(bench.home.join("desk.db")),
        Store::Postgres => {
            let postgres = bench.postgres.clone()?;
            postgres.create("desk");
            Books::Database(postgres, "desk".to_owned())
        }
    };
    let kept = std::env::var_os("BENCH_BOOKS")
        .map(|folder| PathBuf::from(folder).join(format!("desk-{RECIPE}-{}-{}.db", payments(), today())));
    match (&books, kept) {
        (Books::File(file), Some(kept)) if kept.exists() => {
            copy_file(&kept, file);
            setup(bench, &books).run(&["migrate"]);
        }
        (Books::File(file), Some(kept)) => {
            fill(bench, &books, store);
            copy_file(file, &kept);
        }
        _ => fill(bench, &books, store),
    }
    Some(books)
}

fn fill(bench: &Bench, books: &Books, store: Store) {
    let (setup, since) = (setup(bench, books), Instant::now());
    setup.run(&["migrate"]);
    bills(&setup);
    println!("  {}: {} bills after {:.0} s", store.word(), payments(), since.elapsed().as_secs_f64());
    let statements = book(bench, books, store);
    told(books);
    println!("  {}: as many payments after {:.0} s", store.word(), since.elapsed().as_secs_f64());
    if let Books::Database(postgres, name) = books {
        postgres.sql(name, "VACUUM ANALYZE");
    }
    for Statement { partner, day, file } in &statements {
        let whose = ["--partner", partner, "--date", day];
        setup.run(&[&["statement", "import"], &whose[..], &[file.to_str().expect("a plain path")]].concat());
        setup.run(&[&["reconcile"], &whose[..]].concat());
    }
    closed(books);
    desk_acts::done(bench, books, store);
    people(&place(bench, store));
    if let Books::Database(postgres, name) = books {
        postgres.sql(name, "VACUUM ANALYZE");
    }
    let open = books.number("SELECT count(*) FROM breaks WHERE closed_at IS NULL");
    println!("  {}: {open} open breaks after {:.0} s", store.word(), since.elapsed().as_secs_f64());
}

pub fn place(bench: &Bench, store: Store) -> Place {
    let url = match store {
        Store::Sqlite => format!("sqlite://{}", bench.home.join("desk.db").display()),
        Store::Postgres => bench.postgres.as_ref().expect("it runs").url("desk"),
    };
    Place::parse(&url, None, None).expect("the bench's own URL")
}

/// A bill for each payment, through the import.
fn bills(setup: &Setup) {
    let import =
        setup.command(&["invoice", "import", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut import = import.expect("the gateway's binary runs");
    let rows = import.stdin.take().expect("it has an input");
    let line = |n| {
        let (customer, unit) = (requests::customer(n % CUSTOMERS), format!("PA03{:02}", n % UNITS));
        requests::invoice_line_of(SERIES, n, &customer, &unit)
    };
    let lines = (0..payments()).map(line);
    write_lines(rows, lines).expect("the import reads");
    assert!(import.wait().is_ok_and(|status| status.success()), "the import takes all rows");
}

/// A partner's word of a day.
struct Statement {
    partner: String,
    day: String,
    file: PathBuf,
}

/// Payments of a transaction, in the order in which they came.
struct Part {
    moment: Moment,
    arrivals: Vec<Arrival>,
}

/// Books them all, and writes the last days' statements.
fn book(bench: &Bench, books: &Books, store: Store) -> Vec<Statement> {
    let partners = Partners::load(&profiles(&bench.home), &BenchSecrets).expect("the bench's profiles load");
    let folder = bench.home.join(format!("statements-{}", store.word()));
    fs::create_dir_all(&folder).expect("the bench's folder can be written");
    let mut writer = store::open(&place(bench, store), &Options::default()).expect("the books open");
    let (mut lane, seals) = (Lane::new(0, Generation(1)), Secret::new(SEAL_SECRET.as_bytes().to_vec()));
    let (send, parts) = sync_channel::<Part>(4);
    let statements = std::thread::scope(|scope| {
        let producer = scope.spawn(|| pay(&partners, &folder, send));
        for part in parts {
            let end = run_batch(writer.as_mut(), &mut lane, part.moment, &part.arrivals, &mut Patient);
            let taken = |outcome: Outcome| !matches!(outcome, Outcome::TryAgain | Outcome::Malformed);
            assert!(end.answers.iter().all(|a| taken(a.answer.outcome)), "the ledger takes every notice");
            let sealed = transact(writer.as_mut(), |tx| seal(tx, &seals, part.moment.now));
            sealed.expect("the books take a seal");
        }
        producer.join().expect("payments are made")
    });
    assert_eq!(books.number("SELECT count(*) FROM events"), payments(), "each notice is an event");
    statements
}

fn pay(partners: &Partners, folder: &Path, send: SyncSender<Part>) -> Vec<Statement> {
    let now = SystemClock.now();
    let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).expect("the zone is bundled");
    let codes: Vec<String> = (0..PARTNERS).map(partner).collect();
    let keys: Vec<String> = (0..PARTNERS).map(|n| requests::secret_of(&secret_name(n))).collect();
    let (mut chance, mut statements, mut n) = (Chance(91), Vec::new(), 0);
    for back in (0..DAYS).rev() {
        let day = day_back(back);
        let midnight = day.to_zoned(zone.clone()).expect("a day begins").timestamp().as_millisecond();
        // Of today only what has been.
        let ms = u64::try_from(now.unix_ms() - midnight).expect("it has begun").min(DAY_MS);
        let mut theirs = vec![crate::reconcile::HEADER.to_owned(); codes.len()];
        let mut arrivals = Vec::with_capacity(BATCH);
        let count = if back == 0 { payments() - n } else { payments() / DAYS };
        for place in 0..count {
            let at = Timestamp::from_unix_ms(midnight + i64::try_from(ms * place / count).expect("of a day"));
            let event = 1_000_000_000_000 + chance.next() % 9_000_000_000_000_000;
            let invoice = if n % UNKNOWN_EACH == 7 { 900_000_000 + n } else { n };
            let (id, amount) = (requests::invoice_id(SERIES, invoice), requests::total(n));
            let whose = usize::try_from(chance.next() % PARTNERS).expect("few partners");
            let (Some(code), Some(key), Some(theirs)) = (codes.get(whose), keys.get(whose), theirs.get_mut(whose))
            else {
                unreachable!("each partner has a code, a key and a statement")
            };
            let body = requests::wallet_body(key, (&id, amount), event, at.unix_ms());
            let profile = partners.get(code).expect("the bench wrote it");
            arrivals.push(crate::alone::arrival(profile, body.into(), at));
            if back < COMPARED {
                row(theirs, (n, &id, amount, event), at);
            }
            n += 1;
            if arrivals.len() == BATCH || place + 1 == count {
                let part = Part { moment: Moment { now: at, today: day }, arrivals: std::mem::take(&mut arrivals) };
                send.send(part).expect("the writer goes on");
            }
        }
        for (code, theirs) in codes.iter().zip(theirs).filter(|_| back < COMPARED) {
            let file = folder.join(format!("{code}-{day}.csv"));
            fs::write(&file, theirs).expect("the disk has room");
            statements.push(Statement { partner: code.clone(), day: day.to_string(), file });
        }
    }
    statements
}

fn row(theirs: &mut String, (n, invoice, amount, event): (u64, &str, i64, u64), at: Timestamp) {
    let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).expect("the zone is bundled");
    let moment = jiff::Timestamp::from_millisecond(at.unix_ms()).expect("a moment").to_zoned(zone);
    let moment = moment.strftime("%Y-%m-%d %H:%M:%S");
    let mut line = |event: &str, amount: i64| {
        writeln!(theirs, "{moment},261122_{invoice},{event},Thành công,{amount},0,,").expect("a text takes it");
    };
    match n % DIFFERENT_EACH {
        0 => line(&event.to_string(), amount + 1_000),
        12 => {}
        24 => {
            line(&event.to_string(), amount);
            line(&format!("9{event}"), amount);
        }
        _ => line(&event.to_string(), amount),
    }
}

/// The core has said yes to all but the last ones; some it refused.
fn told(books: &Books) {
    books.change(
        "UPDATE dispatches SET state = 'delivered', head = (1 = 0), attempts = 1, delivered_at = created_at + 2000
         WHERE no < (SELECT max(no) FROM dispatches) - (2500 * 65536)",
    );
    books.change(
        "UPDATE dispatches SET state = 'parked', attempts = 3, cause = 'rejected', reason = 'HTTP 422'
         WHERE state = 'waiting' AND (no / 65536) % 5 = 0",
    );
}

/// Twice as many breaks that people have closed as are open.
fn closed(books: &Books) {
    books.change(
        "INSERT INTO breaks (class, partner, event_key, invoice, amount, detail, opened_at, closed_at, closed_by, close_reason,
             leg, day, ours, theirs, about, unit, area, channel, folded)
         SELECT class, partner, event_key, invoice, amount, detail, opened_at, opened_at + 86400000, 'bench', 'seen',
             leg, day, ours, theirs, about, unit, area, channel, folded FROM breaks, (SELECT 1 AS n UNION SELECT 2) twice",
    );
}

/// One person who may see everything.
fn people(place: &Place) {
    let name = Author::parse(NAME).expect("a name");
    let by = Author::parse("system:bench").expect("a name");
    let phc = password::hash(PASSWORD).expect("a password");
    let user = User::new(name, Roles::of(&Role::ALL), phc, (by, moment(&SystemClock).now));
    let user = User { given: false, ..user };
    let mut writer = store::open(place, &Options::default()).expect("the books open");
    let (added, _) = transact(writer.as_mut(), |tx| tx.add_user(&user)).expect("the books take a user");
    assert!(added.is_some(), "the name is free");
}
