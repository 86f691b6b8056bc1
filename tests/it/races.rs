//! A hundred callers at one moment, over two instances of the real program on one PostgreSQL and one Redis, again and
//! again: whatever is told twice, with two amounts, by two partners or beside an import is in the books once, and
//! everybody hears the same (I2, I7).

use crate::harness::http::Answer;
use crate::harness::postgres::Database;
use crate::harness::program::{Home, TOKEN, code, ended, signal};
use crate::harness::redis::Redis;
use crate::harness::{bearer, bill, http, keys, pays, shipped};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Child;
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::Partners;
use thuho::partner::forge::Wanted;

const ROUNDS: usize = 50;
const CALLERS: usize = 100;

const INVOICES: &str = "/api/v1/invoices";

/// What every bill is over, in dong.
const BILL: i64 = 100_000;

/// One storm at a time: the machine of the gate has two processors.
static STORM: Mutex<()> = Mutex::new(());

/// What is done while the callers call.
type Beside = Box<dyn FnOnce()>;

fn nothing(_round: usize) -> Beside {
    Box::new(|| {})
}

/// Two instances.
struct Pair {
    database: Database,
    homes: [Home; 2],
    running: Vec<Child>,
    partners: Partners,
    _redis: Redis,
    _one: MutexGuard<'static, ()>,
}

impl Pair {
    fn start(test: &str) -> Option<Self> {
        let one = STORM.lock().unwrap_or_else(PoisonError::into_inner);
        let (database, redis) = (Database::fresh(test)?, Redis::start(test)?);
        let homes = [Home::over(database.url()), Home::over(database.url())];
        let mut pair = Self {
            database,
            running: Vec::new(),
            partners: Partners::load(&shipped(), keys().as_ref()).unwrap(),
            homes,
            _redis: redis,
            _one: one,
        };
        for home in &pair.homes {
            home.configure(&format!("seen.url = \"{}\"\nserver.environment = \"races\"", pair._redis.url()));
            home.knows("zalopay");
            pair.running.push(home.serve_logging());
        }
        Some(pair)
    }

    fn forge(&self, partner: &str, wanted: &Wanted) -> Vec<u8> {
        let profile = self.partners.get(partner).unwrap();
        let forged = profile.forge(keys().of(partner), wanted, SystemClock.now()).unwrap();
        http::kept(&http::webhook(partner, &forged))
    }

    fn import(&self, instance: usize, rows: &[String]) {
        let body = rows.join("\n");
        imported(&self.homes[instance].internal("PUT", INVOICES, "application/x-ndjson", body.as_bytes()));
    }

    /// Sends the first rows of an import, and gives what sends the rest.
    fn begin_import(&self, instance: usize, rows: &[String], first: usize) -> Beside {
        let authorization = bearer(TOKEN);
        let headers = [("content-type", "application/x-ndjson"), ("authorization", authorization.as_str())];
        let request = http::request("PUT", INVOICES, &headers, rows.join("\n").as_bytes());
        let rest = request.len() - rows[first..].join("\n").len();
        let mut stream = http::connect(self.homes[instance].internal);
        stream.write_all(&request[..rest]).unwrap();
        Box::new(move || {
            stream.write_all(&request[rest..]).unwrap();
            imported(&http::answer(&mut stream));
        })
    }

    /// All callers say their call of a round at one moment, each on a connection that stays, every other one to the
    /// other instance. What each heard, round by round. `beside` prepares what runs at that moment too.
    fn storm(&self, calls: impl Fn(usize, usize) -> Vec<u8>, beside: impl Fn(usize) -> Beside) -> Vec<Vec<String>> {
        let calls: Vec<Vec<Vec<u8>>> =
            (0..ROUNDS).map(|round| (0..CALLERS).map(|caller| calls(round, caller)).collect()).collect();
        let start = Barrier::new(CALLERS + 1);
        let (start, calls) = (&start, &calls);
        // Nobody may miss the start of a round, or all others wait for ever: what fails is looked at afterwards.
        let (heard, ran): (Vec<Vec<_>>, Vec<_>) = std::thread::scope(|scope| {
            let call = |caller: usize| {
                let mut stream = http::connect(self.homes[caller % 2].public);
                scope.spawn(move || {
                    let say = |round: &Vec<Vec<u8>>| {
                        start.wait();
                        stream.write_all(&round[caller]).map_err(|e| e.to_string().into_bytes())?;
                        http::try_answer(&mut stream)
                    };
                    calls.iter().map(say).collect()
                })
            };
            let callers: Vec<_> = (0..CALLERS).map(call).collect();
            let run = |round| {
                let prepared = catch_unwind(AssertUnwindSafe(|| beside(round)));
                start.wait();
                prepared.and_then(|run| catch_unwind(AssertUnwindSafe(run)))
            };
            let ran = (0..ROUNDS).map(run).collect();
            (callers.into_iter().map(|caller| caller.join().unwrap()).collect(), ran)
        });
        ran.into_iter().for_each(|ran| ran.unwrap_or_else(|panic| resume_unwind(panic)));
        let heard_in = |round: usize| heard.iter().map(|caller| word(caller[round].as_ref().unwrap())).collect();
        (0..ROUNDS).map(heard_in).collect()
    }

    /// Ends both in order; the books are sound and the program says so too.
    fn end(mut self) -> Database {
        for child in self.running.drain(..) {
            signal(&child, "-TERM");
            assert_eq!(ended(child).0, Some(0), "{}\n{}", self.homes[0].log(), self.homes[1].log());
        }
        assert_eq!(unsound(&self.database), [""; 0]);
        let (exit, said) = self.audit();
        assert!(exit == Some(0) && said.contains("audit: passed"), "{said}");
        self.database.clone()
    }

    fn audit(&self) -> (Option<i32>, String) {
        code(&self.homes[0].run(&["audit", "--config", "gateway.toml"]))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in &mut self.running {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn imported(report: &Answer) {
    assert_eq!((report.status, &report.json()["rejected"]), (200, &0.into()), "{}", report.text());
}

/// The outcome that an answer means, whoever's words they are.
fn word(answer: &Answer) -> String {
    let said = answer.json();
    let text = said["outcome"].as_str().or_else(|| said["return_message"].as_str());
    match text.unwrap_or_else(|| panic!("{}", answer.text())) {
        "success" => "accepted",
        "already processed" => "duplicate",
        "received, bill already paid" => "already_paid",
        other => other,
    }
    .to_owned()
}

/// What is wrong in the books.
fn unsound(database: &Database) -> Vec<String> {
    const POSTED: &str = "SELECT 'event ' || e.key || ' has ' || count(p.no) || ' postings'
        FROM events e LEFT JOIN postings p ON p.event_no = e.no GROUP BY e.key HAVING count(p.no) <> 1";
    const BALANCE: &str = "SELECT 'posting ' || (no >> 16) || ' is off by ' || sum(amount)
        FROM entries GROUP BY no >> 16 HAVING sum(amount) <> 0";
    const OVER: &str = "SELECT 'invoice ' || i.id || ' over ' || i.total || ' is settled by ' || sum(a.amount)
        FROM invoices i JOIN allocations a ON a.invoice_no = i.no GROUP BY i.no HAVING sum(a.amount) > i.total";
    const PLACES: &str =
        "SELECT 'of ' || came || ' dong ' || settled || ' are on invoices and ' || held || ' in suspense'
        FROM (SELECT (SELECT coalesce(sum(amount), 0) FROM events) AS came,
            (SELECT coalesce(sum(amount), 0) FROM allocations) AS settled,
            (SELECT coalesce(-sum(e.amount), 0) FROM entries e JOIN accounts a ON a.no = e.account_no
                WHERE a.name LIKE 'suspense:%') AS held) s WHERE came <> settled + held";
    [POSTED, BALANCE, OVER, PLACES].iter().flat_map(|question| database.sql(question)).collect()
}

/// How one payment that was told many times was answered: once the first word and then its repeats, or in the words of
/// a parked one throughout.
fn told(heard: &[&str]) -> Result<&'static str, String> {
    let count = |word: &str| heard.iter().filter(|h| **h == word).count();
    if count("accepted") == 1 && count("duplicate") == heard.len() - 1 {
        return Ok("accepted");
    }
    let parked = ["already_paid", "wrong_amount", "unknown_invoice"].into_iter().find(|w| count(w) == heard.len());
    parked.ok_or_else(|| format!("{heard:?}"))
}

/// What was heard by those of `parts` parts of the callers who are of part `part`: neighbours in pairs, so that each
/// part calls both instances.
fn part(round: &[String], part: usize, parts: usize) -> Vec<&str> {
    (0..CALLERS).filter(|caller| caller / 2 % parts == part).map(|caller| round[caller].as_str()).collect()
}

fn order(invoice: usize, event: usize) -> Wanted {
    Wanted { order: Some(format!("261122_HD-{invoice}")), ..pays(&event.to_string(), "", BILL) }
}

fn by_customer(event: &str, customer: usize, amount: i64) -> Wanted {
    Wanted { customer: Some(format!("PA{customer}")), ..pays(event, "", amount) }
}

fn bills() -> Vec<String> {
    (0..ROUNDS).map(|n| bill(&format!("HD-{n}"), BILL).of(&format!("PA{n}")).json()).collect()
}

#[test]
fn one_event_from_a_hundred_callers_is_one_posting_and_one_word() {
    let Some(pair) = Pair::start("one event from a hundred callers") else { return };
    pair.import(0, &bills());
    let calls: Vec<_> =
        (0..ROUNDS).map(|n| pair.forge("standard", &pays(&format!("E{n}"), &format!("HD-{n}"), BILL))).collect();
    for round in pair.storm(|round, _| calls[round].clone(), nothing) {
        assert_eq!(told(&part(&round, 0, 1)), Ok("accepted"));
    }
    let database = pair.end();
    assert_eq!(database.sql("SELECT count(*) FROM postings"), [ROUNDS.to_string()]);
    assert_eq!(database.sql("SELECT count(*) FROM breaks"), ["0"]);
}

#[test]
fn of_two_amounts_one_is_posted_and_whoever_says_the_other_hears_conflict() {
    let Some(pair) = Pair::start("two amounts of one event") else { return };
    pair.import(0, &bills());
    let call = |n: usize, amount| pair.forge("standard", &pays(&format!("E{n}"), &format!("HD-{n}"), amount));
    let calls: Vec<_> = (0..ROUNDS).map(|n| [call(n, BILL), call(n, BILL - 1)]).collect();
    for round in pair.storm(|round, caller| calls[round][caller / 2 % 2].clone(), nothing) {
        let [right, other] = [0, 1].map(|amount| part(&round, amount, 2));
        let is_conflict = |heard: &[&str]| heard.iter().all(|word| *word == "conflict");
        assert!(
            told(&right) == Ok("accepted") && is_conflict(&other)
                || told(&other) == Ok("wrong_amount") && is_conflict(&right),
            "{round:?}"
        );
    }
    let database = pair.end();
    let conflicts = "SELECT count(*) FROM breaks WHERE class = 'CONFLICT' GROUP BY event_key";
    assert_eq!(database.sql(conflicts), vec!["1"; ROUNDS], "one break each");
}

#[test]
fn of_two_partners_who_pay_one_invoice_one_settles_it_and_the_other_is_kept() {
    let Some(pair) = Pair::start("two partners and one invoice") else { return };
    pair.import(0, &bills());
    let calls: Vec<_> = (0..ROUNDS)
        .map(|n| {
            let standard = pair.forge("standard", &pays(&format!("E{n}"), &format!("HD-{n}"), BILL));
            [standard, pair.forge("zalopay", &order(n, n))]
        })
        .collect();
    for round in pair.storm(|round, caller| calls[round][caller / 2 % 2].clone(), nothing) {
        let mut words = [0, 1].map(|partner| told(&part(&round, partner, 2)).unwrap());
        words.sort_unstable();
        assert_eq!(words, ["accepted", "already_paid"]);
    }
    let database = pair.end();
    let in_suspense = "SELECT -sum(e.amount) FROM entries e JOIN accounts a ON a.no = e.account_no
        WHERE a.name LIKE 'suspense:%'";
    assert_eq!(database.sql(in_suspense), [(50 * BILL).to_string()]);
    let breaks = "SELECT class || ' ' || count(*) FROM breaks GROUP BY class";
    assert_eq!(database.sql(breaks), [format!("DUPLICATE_PAYMENT {ROUNDS}")]);
}

/// The customer owes one bill, and another one is being imported. Two pay one bill, a third pays both: whatever comes
/// first, no bill is paid twice.
#[test]
fn payments_by_customer_code_during_an_import_settle_no_bill_twice() {
    // Two of an import's first slices: the row that fills the second is in the database at once.
    const SLICE: usize = 64;
    const OTHERS: usize = 2 * SLICE;
    let Some(pair) = Pair::start("payments by customer code during an import") else { return };
    pair.import(0, &bills());
    let calls: Vec<_> = (0..ROUNDS)
        .map(|n| {
            let says = |event: &str, amount| by_customer(&format!("{event}{n}"), n, amount);
            [("A", BILL), ("B", BILL), ("C", 2 * BILL)]
                .map(|(event, amount)| pair.forge("standard", &says(event, amount)))
        })
        .collect();
    let import = |round: usize| {
        let other = |n: usize| bill(&format!("X-{round}-{n}"), BILL).of(&format!("PX{round}N{n}")).json();
        let mut rows: Vec<_> = (0..OTHERS).map(other).collect();
        // In their midst the customer's second bill, and the first one again.
        let second = bill(&format!("HE-{round}"), BILL).of(&format!("PA{round}")).json();
        let again = crate::harness::Bill { version: 2, ..bill(&format!("HD-{round}"), BILL) };
        rows.splice(SLICE - 1..SLICE - 1, [second, again.of(&format!("PA{round}")).json()]);
        // That bill has a start of up to four milliseconds, or comes with the payments.
        let start = round / 2 % 6;
        let begun = pair.begin_import(round % 2, &rows, SLICE - 1 + start.min(1));
        std::thread::sleep(Duration::from_millis(u64::try_from(start.saturating_sub(1)).unwrap()));
        begun
    };
    let mut ways = std::collections::BTreeMap::new();
    for (n, round) in pair.storm(|round, caller| calls[round][caller / 2 % 3].clone(), import).iter().enumerate() {
        let words = [0, 1, 2].map(|event| told(&part(round, event, 3)).unwrap());
        let paid: i64 =
            words.iter().zip([BILL, BILL, 2 * BILL]).filter(|(w, _)| **w == "accepted").map(|(_, a)| a).sum();
        assert!(paid <= 2 * BILL, "{words:?}");
        let settled = format!(
            "SELECT coalesce(sum(a.amount), 0) FROM allocations a JOIN invoices i ON i.no = a.invoice_no
             WHERE i.customer = 'PA{n}'"
        );
        assert_eq!(pair.database.sql(&settled), [paid.to_string()], "{words:?}");
        *ways.entry(words).or_insert(0) += 1;
    }
    println!("{ways:?}");
    let invoices = pair.end().sql("SELECT count(*) FROM invoices");
    assert_eq!(invoices, [(ROUNDS * (OTHERS + 2)).to_string()]);
}

/// The negative control of the checks above.
#[test]
fn a_second_posting_and_a_word_too_many_would_be_seen() {
    assert!(told(&["accepted", "duplicate", "duplicate"]).is_ok() && told(&["already_paid"; 3]).is_ok());
    for bad in [
        ["accepted", "accepted", "duplicate"],
        ["duplicate", "duplicate", "duplicate"],
        ["accepted", "duplicate", "try_again"],
        ["accepted", "duplicate", "already_paid"],
        ["already_paid", "wrong_amount", "already_paid"],
        ["conflict", "conflict", "conflict"],
    ] {
        assert!(told(&bad).is_err(), "{bad:?}");
    }
    let Some(pair) = Pair::start("a second posting would be seen") else { return };
    pair.import(0, &bills());
    let paid = pair.forge("standard", &pays("E0", "HD-0", BILL));
    assert_eq!(word(&http::call(pair.homes[0].public, &paid)), "accepted");
    let (audit, said) = pair.audit();
    assert_eq!((unsound(&pair.database).len(), audit), (0, Some(0)), "{said}");
    pair.database.sql(
        "INSERT INTO postings SELECT no + 1, event_no, 2, kind, author, posted_at, business_day FROM postings;
         INSERT INTO entries SELECT no + 65536, account_no, amount FROM entries;
         INSERT INTO allocations SELECT invoice_no, sequence + 1, no + 65536, amount FROM allocations",
    );
    let found = unsound(&pair.database).join("\n");
    assert!(found.contains("has 2 postings") && found.contains("over 100000 is settled by 200000"), "{found}");
    assert!(found.contains("of 100000 dong 200000 are on invoices"), "{found}");
    pair.database.sql("INSERT INTO entries SELECT max(no) + 1, 1, 7 FROM entries");
    assert!(unsound(&pair.database).join("\n").contains("is off by 7"));
    let (audit, said) = pair.audit();
    assert_eq!(audit, Some(1), "the program's own audit sees it too");
    assert!(said.contains("is off by 7") && said.contains("is said to have moved"), "{said}");
}
