//! What is SQLite's own: who may open the file, what a full disk does, what the schema forbids, what the audit's
//! questions find, and copies of the file. Sabotage goes through a connection of the test's, as a stranger's would.

use super::store_contract::at_path;
use super::store_contract::contract::Harness;
use super::store_contract::contract::build::{at, clearing, invoice, invoice_id, payment_key, suspense};
use crate::harness::versions::{SQLITE, before, between};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use thuho::domain::dispatch::LeaseToken;
use thuho::store::reports::Reports;
use thuho::store::rows::EventState;
use thuho::store::sqlite::{self as db, SqliteOptions, SqliteStore};
use thuho::store::{self, LeaseRequest, Place, Seal, Store, StoreError};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    (folder, path)
}

fn refusal<T>(result: Result<T, StoreError>) -> StoreError {
    result.err().expect("it is refused")
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let (_folder, path) = folder();
    let mut open =
        SqliteStore::open(&path, &SqliteOptions { pages_max: Some(90), ..SqliteOptions::default() }).unwrap();
    let bills = |from: usize| (from..from + 50).map(|n| invoice(&format!("HD-{n:06}"), 10)).collect::<Vec<_>>();
    let mut committed = 0;
    let full = loop {
        match open.transact(&mut |tx| tx.upsert_invoices(&bills(committed)).map(drop)) {
            Ok(()) => committed += 50,
            Err(error) => break error,
        }
        assert!(committed < 100_000, "the limit holds");
    };
    assert!(matches!(full, StoreError::Full(_)), "{full:?}");
    assert_eq!(full.to_string(), "the disk is full");
    let count = |path: &Path| db::open_reports(path).unwrap().invoice_count().unwrap();
    assert_eq!(count(&path), i64::try_from(committed).unwrap());
    // Still there, still answering, still full.
    open.transact(&mut |tx| tx.heads().map(drop)).unwrap();
    let again = open.transact(&mut |tx| tx.upsert_invoices(&bills(committed)).map(drop));
    assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");
    drop(open);
    let mut roomy = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    roomy.transact(&mut |tx| tx.upsert_invoices(&bills(committed)).map(drop)).unwrap();
    assert_eq!(count(&path), i64::try_from(committed + 50).unwrap());
}

#[test]
fn one_process_owns_the_file() {
    let (folder, path) = folder();
    let url = "http://127.0.0.1:8081".to_owned();
    let first =
        SqliteStore::open(&path, &SqliteOptions { internal_url: Some(url), ..SqliteOptions::default() }).unwrap();
    let sideways = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &sideways).unwrap();
    for way in [&path, &sideways] {
        let StoreError::Fault(said) = refusal(SqliteStore::open(way, &SqliteOptions::default())) else {
            panic!("refused for another reason");
        };
        assert!(said.contains(&format!("held by a gateway (pid {})", std::process::id())), "{said}");
        assert!(said.contains("use --url http://127.0.0.1:8081"), "{said}");
    }
    assert!(matches!(refusal(db::migrate(&path)), StoreError::Fault(_)));
    assert_eq!(db::open_reports(&path).unwrap().invoice_count().unwrap(), 0);
    drop(first);
    SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
}

#[test]
fn a_schema_is_brought_up_once() {
    let (_folder, path) = folder();
    assert!(matches!(refusal(db::open_reports(&path)), StoreError::Schema(_)), "a question makes no file");
    assert!(!path.exists());
    assert_eq!(db::migrate(&path).unwrap(), SQLITE.map(|(name, _)| name.to_owned()));
    assert_eq!(db::migrate(&path).unwrap(), Vec::<String>::new());
}

#[test]
fn a_newer_schema_a_changed_one_and_a_strangers_file_are_refused() {
    let sabotages: [(&str, &str); 4] = [
        ("INSERT INTO migrations (name, checksum) VALUES ('9999_later', 'x')", "this program knows up to"),
        ("UPDATE migrations SET checksum = 'x' WHERE version = 1", "0001_spine"),
        ("PRAGMA application_id = 7", "not a thuho database"),
        ("PRAGMA application_id = 0", "not a thuho database"),
    ];
    for (sabotage, said) in sabotages {
        let (_folder, path) = folder();
        db::migrate(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch(sabotage).unwrap();
        for error in [
            refusal(SqliteStore::open(&path, &SqliteOptions::default())),
            refusal(db::open_reports(&path)),
            refusal(db::migrate(&path)),
        ] {
            let StoreError::Schema(text) = error else { panic!("{sabotage}: {error:?}") };
            assert!(text.contains(said), "{text}");
        }
    }
    let (_folder, path) = folder();
    std::fs::write(&path, "Dear diary, ".repeat(1_000)).unwrap();
    assert!(matches!(refusal(SqliteStore::open(&path, &SqliteOptions::default())), StoreError::Schema(_)));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear diary"));
}

/// To SQLite a list of three words is a table that it fills for every row. Where an import or a notice writes, none is.
#[test]
fn rows_that_come_by_the_million_are_checked_without_tables_of_words() {
    let (_folder, path) = folder();
    db::migrate(&path).unwrap();
    let books = Connection::open(&path).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = books.prepare(sql).unwrap();
        statement.query_map((), |row| row.get(1)).unwrap().map(Result::unwrap).collect()
    };
    let opened = |table: &str| {
        let columns = names(&format!("PRAGMA table_info({table})"));
        let values = vec!["random()"; columns.len()].join(", ");
        let steps = names(&format!("EXPLAIN INSERT INTO {table} ({}) VALUES ({values})", columns.join(", ")));
        assert!(steps.iter().any(|step| step.ends_with("Insert")), "{table}: {steps:?}");
        steps.iter().filter(|step| *step == "OpenEphemeral").count()
    };
    let many =
        ["invoices", "receipts", "events", "postings", "entries", "allocations", "dispatches", "statement_lines"];
    assert_eq!(many.map(opened), [0; 8], "{many:?}");
    assert_ne!(opened("reconciliations"), 0, "one that comes by the day: this test can fail");

    let row = |area: &str, kind: &str, status: &str| {
        let row =
            "INSERT INTO invoices VALUES (NULL, 'HD-1', 'c', 'p', 'u', ?1, '2026-11', ?2, 10, 0, 10, '2026-11-01',
            '2026-11-30', ?3, 0, NULL, 1)";
        books.execute(row, [area, kind, status]).map_err(|error| error.to_string())
    };
    for (column, words) in
        [("area", ["Urban", "TD", "open"]), ("kind", ["urban", "XX", "open"]), ("status", ["urban", "TD", "gone"])]
    {
        let [area, kind, status] = words;
        let refused = row(area, kind, status).unwrap_err();
        assert!(refused.starts_with(&format!("CHECK constraint failed: {column} = ")), "{refused}");
    }
    assert_eq!(row("island", "DV", "cancelled"), Ok(1));
    assert_eq!(books.query_row("PRAGMA integrity_check", (), |row| row.get::<_, String>(0)).unwrap(), "ok");
}

/// Books that are older have rows under the lists of words: they stay, and the words are what they were.
#[test]
fn the_words_of_older_books_are_checked_one_by_one_from_then_on() {
    const WORDS: &str = "0017_invoice_words";
    let books = Connection::open_in_memory().unwrap();
    books.execute_batch(&before(&SQLITE, WORDS)).unwrap();
    let bill = |id: &str, status: &str| {
        let row = "INSERT INTO invoices VALUES (NULL, ?1, 'c', 'p', 'u', 'rural', '2026-11', 'TC', 10, 1, 11,
            '2026-11-01', '2026-11-30', ?2, 0, NULL, 1)";
        books.execute(row, [id, status]).is_ok()
    };
    assert!(bill("HD-1", "paid"));
    let one = |sql: &str| books.query_row(sql, (), |row| row.get::<_, String>(0)).unwrap();
    let of_table = "SELECT sql FROM sqlite_schema WHERE name = 'invoices'";
    let others = "SELECT group_concat(sql) FROM sqlite_schema WHERE name <> 'invoices'";
    let (lists, rest) = (one(of_table), one(others));
    assert_eq!(lists.matches(" IN (").count(), 3);
    books.execute_batch(&between(&SQLITE, WORDS, "")).unwrap();
    assert_eq!(one(of_table).matches(" IN (").count(), 0);
    assert_eq!(one(of_table).matches(" OR ").count(), 6);
    assert_eq!(one(others), rest);
    assert_eq!(one("SELECT id || status FROM invoices"), "HD-1paid");
    assert!(bill("HD-2", "open") && !bill("HD-3", "Open"));
    assert_eq!(one("PRAGMA integrity_check"), "ok");
}

/// I4, as far as a process can see: what was committed is in the files while the writer still has them open.
#[test]
fn a_writer_that_never_closed_lost_nothing() {
    let (folder, path) = folder();
    let mut h = at_path(&path);
    h.invoices(&[("HD-1", 10)]);
    h.pay("1", "HD-1", 10);
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(&path), name(&copy)).unwrap();
    }
    let mut found = at_path(&copy);
    assert_eq!(found.reports.event(&payment_key("1")).unwrap().unwrap().state, EventState::Settled);
    assert_eq!(found.tx(|tx| tx.heads()), h.tx(|tx| tx.heads()));
    found.sound();
}

/// A harness with one settled, one parked and one undone payment, and one message of each kind.
fn busy(path: &Path) -> Harness {
    let mut h = at_path(path);
    h.invoices(&[("HD-1", 10), ("HD-2", 20), ("HD-3", 30)]);
    h.pay("1", "HD-1", 10);
    h.pay("2", "HD-2", 20);
    h.repost(payment_key("2"), EventState::Reversed, clearing(), ("HD-2", -20));
    let parked = h.park("3", "HD-3", 30);
    h.repost(parked, EventState::Settled, suspense(), ("HD-3", 30));
    h.park("4", "HD-9", 40);
    h.sound();
    h
}

/// I5.
#[test]
fn money_and_proof_are_only_ever_added() {
    let (_folder, path) = folder();
    let mut h = busy(&path);
    h.tx(|tx| tx.add_seal(&Seal { at: at(0), heads: vec![(0, 1, [1; 32])], signature: [2; 32] }));
    let stranger = Connection::open(&path).unwrap();
    for (table, change) in [
        ("entries", "amount = amount + 1"),
        ("postings", "posted_at = 7"),
        ("allocations", "amount = amount + 1"),
        ("receipts", "amount = 7"),
        ("seals", "at = 7"),
        ("seal_heads", "n = 7"),
        ("raw_notices", "path = '/'"),
        ("events", "amount = amount + 1"),
        ("events", "key = zeroblob(16)"),
        ("events", "sender_no = 9"),
        ("senders", "account = 'mine'"),
        ("dispatches", "body = '{}'"),
        ("day_sums", "dong = dong + 1"),
    ] {
        let update = format!("UPDATE {table} SET {change}");
        let refused = stranger.execute(&update, ()).unwrap_err().to_string();
        let rule = ["only added", "stays", "does not change", "do not change", "same bytes", "only grow"];
        assert!(rule.iter().any(|words| refused.contains(words)), "{update}: {refused}");
        if table != "raw_notices" {
            let delete = format!("DELETE FROM {table}");
            assert!(stranger.execute(&delete, ()).is_err(), "{delete}");
        }
    }
    let zero = "INSERT INTO entries (no, account_no, amount) VALUES (65545, 1, 0)";
    assert!(stranger.execute(zero, ()).is_err(), "a line of nothing");
}

/// What an older program wrote is summed once, by the version that brings the sums.
#[test]
fn what_was_there_before_the_sums_of_days_is_summed() {
    let version = between(&SQLITE, "0012_day_sums", "0013_break_places");
    let (_folder, path) = folder();
    let mut h = busy(&path);
    let stranger = Connection::open(&path).unwrap();
    let sums = || -> Vec<String> {
        let row = "SELECT sender_no || business_day || account_no || kind || postings || '/' || dong FROM day_sums ORDER BY 1";
        let mut asked = stranger.prepare(row).unwrap();
        asked.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let written = sums();
    assert!(written.len() > 4, "{written:?}");
    stranger.execute_batch(&format!("DROP TABLE day_sums; {version}")).unwrap();
    assert_eq!(sums(), written);
    h.sound();
}

/// The negative control of the audit: each question finds what it is there for.
#[test]
fn every_question_of_the_audit_can_fail() {
    let cases = [
        ("UPDATE entries SET amount = amount + 1 WHERE posting_no = 1 AND line = 1", "is off by 1 dong"),
        ("INSERT INTO postings VALUES (99, 1, 'settle', NULL, 0, '2026-11-22')", "posting 99 has no entries"),
        ("DELETE FROM dispatches WHERE no >> 16 = 1", "settles invoice HD-1 and the core is not told"),
        ("DELETE FROM allocations WHERE no >> 16 = 1", "message 65537 tells of no settlement"),
        (
            "DROP INDEX dispatches_key; UPDATE dispatches SET key = (SELECT key FROM dispatches WHERE no >> 16 = 1)",
            "is there 4 times",
        ),
        ("UPDATE day_sums SET dong = dong + 1", "is said to have moved"),
        ("UPDATE day_sums SET postings = postings + 1", "is said to have moved"),
        ("DELETE FROM day_sums", "is said to have moved 0 dong by 0 postings"),
        ("UPDATE day_sums SET business_day = '2030-01-01'", "on 2030-01-01, and moved 0 by 0"),
        ("UPDATE allocations SET amount = 9 WHERE no >> 16 = 1", "moves receivables by -10 dong and invoices by 9"),
        ("UPDATE allocations SET sequence = 7 WHERE no >> 16 = 3", "invoice HD-2 has 2 effects numbered 1 to 7"),
        ("UPDATE allocations SET amount = -10 WHERE no >> 16 = 1", "invoice HD-1 is settled by -10 dong"),
        ("UPDATE events SET postings = 5 WHERE no = 1", "counts 5 postings and has 1"),
        ("UPDATE events SET amount = 11 WHERE no = 1", "is settled over 11 dong, and invoices are settled by 10"),
        ("UPDATE events SET amount = 41 WHERE no = 4", "is parked over 41 dong, and suspense holds 40"),
        ("UPDATE events SET state = 'reversed' WHERE no = 1", "is reversed and account clearing:collector keeps 10"),
        ("UPDATE dispatches SET head = 0 WHERE no >> 16 = 1", "nothing before it will free it"),
        ("UPDATE dispatches SET head = 1", "may overtake an earlier one"),
        ("UPDATE events SET first_posting = 2 WHERE no = 1", "names posting 2 as its first and has 1"),
        ("UPDATE postings SET kind = 'park' WHERE no = 3", "with 2 that took money in"),
        (
            "UPDATE postings SET business_day = '2030-01-01' WHERE no = 1",
            "takes in 10 dong on 2030-01-01 of a payment over 10 on 2026-11-22",
        ),
        (
            "UPDATE accounts SET name = 'clearing:another' WHERE name = 'clearing:collector'",
            "takes in 0 dong on 2026-11-22, none of them from the collector, of a payment over 10",
        ),
        (
            "UPDATE events SET discount = amount WHERE no = 1",
            "takes in 10 dong on 2026-11-22 of a payment over 10 on 2026-11-22, of which a sponsor gives 10",
        ),
        (
            "UPDATE allocations SET invoice_no = 1, sequence = 9 WHERE no >> 16 = 2; UPDATE allocations SET no = 65538 WHERE no >> 16 = 2",
            "settles an invoice 2 times",
        ),
        ("DELETE FROM events WHERE no = 1", "its event is not in the books"),
        ("UPDATE receipts SET amount = 9 WHERE n = 1", "its event is over 10"),
        ("DELETE FROM raw_notices; DELETE FROM receipts WHERE n = 2", "is reversed and no receipt says so"),
        ("DELETE FROM raw_notices WHERE receipt_no & 7 = 1", "receipt 1 of lane 3 has lost its bytes"),
        ("INSERT INTO retention VALUES ('raw', 0, 0, 3)", "0 receipts have no bytes, and retention erased those of 3"),
        ("UPDATE generations SET last_posting = 1000", "noted posting 1000, which is not there"),
        ("INSERT INTO raw_notices VALUES (5, 'k', 'GET', '/', '', '[]', x'')", "a row of raw_notices points at no row"),
    ];
    for (sabotage, sentence) in cases {
        let (_folder, path) = folder();
        let mut h = busy(&path);
        let stranger = Connection::open(&path).unwrap();
        stranger.pragma_update(None, "foreign_keys", false).unwrap();
        let mut triggers = stranger.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
        let names: Vec<String> = triggers.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for name in names {
            stranger.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        stranger.execute_batch(sabotage).unwrap();
        let found = h.reports.inconsistencies().unwrap().found;
        assert!(found.iter().any(|f| f.contains(sentence)), "{sabotage}: {found:#?}");
    }
}

#[test]
fn a_copy_is_whole_and_goes_back_only_when_asked() {
    let (folder, path) = folder();
    let mut h = busy(&path);
    let copy = folder.path().join("copy.db");
    let mut steps = Vec::new();
    db::backup(&path, &copy, &mut |progress| steps.push(progress)).unwrap();
    assert!(steps.last().is_some_and(|last| last.pages > 0 && last.done == last.pages), "{steps:?}");
    for suffix in ["-wal", "-shm", ".part", "-journal"] {
        assert!(!folder.path().join(format!("copy.db{suffix}")).exists(), "one file, no copy.db{suffix}");
    }
    assert!(refusal(db::backup(&path, &copy, &mut |_| {})).to_string().contains("is there already"));

    h.invoices(&[("HD-5", 50)]);
    h.pay("5", "HD-5", 50);
    let held = refusal(db::restore(&copy, &path, true, &mut |_| {})).to_string();
    assert!(held.contains("held by a gateway"), "{held}");
    drop(h);
    let unasked = refusal(db::restore(&copy, &path, false, &mut |_| {})).to_string();
    assert!(unasked.contains("is there already"), "{unasked}");
    assert!(at_path(&path).reports.event(&payment_key("5")).unwrap().is_some());

    db::restore(&copy, &path, true, &mut |_| {}).unwrap();
    let mut old = at_path(&path);
    assert!(old.reports.event(&payment_key("5")).unwrap().is_none());
    assert_eq!(old.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap().sequence, 1);
    old.invoices(&[("HD-5", 50)]);
    old.pay("5", "HD-5", 50);
    old.sound();
}

#[test]
fn a_damaged_or_strange_copy_is_not_put_back() {
    let (folder, path) = folder();
    drop(busy(&path));
    let bad = folder.path().join("bad.db");
    let refused = |said: &str| {
        let error = refusal(db::restore(&bad, &path, true, &mut |_| {})).to_string();
        assert!(error.contains(said), "{said}: {error}");
        let mut kept = at_path(&path);
        assert!(kept.reports.event(&payment_key("1")).unwrap().is_some(), "{said}");
        kept.sound();
    };
    refused("no such file");
    std::fs::write(&bad, "Dear diary, ".repeat(1_000)).unwrap();
    refused("not a database");
    std::fs::remove_file(&bad).unwrap();
    Connection::open(&bad).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    refused("not a thuho database");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 12 * 4096].fill(0x5a);
    std::fs::write(&bad, bytes).unwrap();
    refused("damaged");
}

#[test]
fn the_url_says_which_database() {
    let (_folder, path) = folder();
    let options = SqliteOptions::default();
    let place = Place::parse(&format!("sqlite://{}", path.display()), None, None).unwrap();
    let usual = store::Options::default();
    store::open(&place, &usual).unwrap().transact(&mut |tx| tx.heads().map(drop)).unwrap();
    assert_eq!(store::open_reports(&place).unwrap().invoice_count().unwrap(), 0);
    let server = Place::parse("postgres://user:hunter2@db/books", None, None).unwrap();
    assert!(matches!(server, Place::Postgres(_)));
    for (url, said) in [
        ("postgres://user:hunter2@db", "expected postgres://USER@HOST:PORT/DATABASE"),
        ("mysql://user:hunter2@db/thuho", "expected sqlite://PATH"),
        ("sqlite://", "expected sqlite://PATH"),
        ("books.db", "expected sqlite://PATH"),
    ] {
        let StoreError::Schema(text) = refusal(Place::parse(url, None, None).map(drop)) else { panic!("{url}") };
        assert!(text.contains(said) && !text.contains("hunter2"), "{text}");
    }
    assert!(matches!(
        refusal(SqliteStore::open(&path, &SqliteOptions { lane: 1 << 20, ..options })),
        StoreError::Fault(_)
    ));
}

/// Long lists of finished or blocked messages must not slow the next lease: it reads what it may take, no more.
#[test]
fn a_lease_reads_no_blocked_message() {
    let (_folder, path) = folder();
    let mut h = at_path(&path);
    h.invoices(&[("HD-1", 30), ("HD-2", 1)]);
    for event in ["1", "2", "3"] {
        h.pay(event, "HD-1", 10);
    }
    h.pay("4", "HD-2", 1);
    let request = LeaseRequest { token: LeaseToken(9), now: at(0), until: at(9), limit: 10, urgent_only: false };
    assert_eq!(h.tx(|tx| tx.lease(std::slice::from_ref(&request))).len(), 2);
    let stranger = Connection::open(&path).unwrap();
    let plan = "EXPLAIN QUERY PLAN SELECT no FROM dispatches WHERE state = 'waiting' AND head = 1 AND urgent = 0
        AND due_at <= 5 ORDER BY due_at, created_at, no LIMIT 9";
    let detail: String = stranger.query_row(plan, (), |row| row.get(3)).unwrap();
    assert!(detail.contains("dispatches_due (head=? AND urgent=? AND due_at<?)"), "{detail}");
    let blocked: i64 = stranger
        .query_row("SELECT count(*) FROM dispatches WHERE state = 'waiting' AND head = 0", (), |row| row.get(0))
        .unwrap();
    assert_eq!(blocked, 2);
}
