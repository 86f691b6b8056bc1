//! What a writer makes of a server that ends its session, stops, warns or would lose what it acknowledged. Hold I4: what
//! is not known to be on disk is never called so, and never inserted a second time by us.

use super::tell::*;
use crate::harness::postgres::{Database, Server};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thuho::domain::ids::Generation;
use thuho::domain::outcome::Outcome;
use thuho::domain::time::ManualClock;
use thuho::ledger::writer::{PostJob, Writer, WriterOptions};
use thuho::store::postgres::{PostgresOptions, PostgresPlace, PostgresStore};
use thuho::store::{Store, StoreError, Tx};

/// Ends the sessions of every writer on a database, as an administrator may.
fn end_sessions(database: &Database) {
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'thuho' AND datname = current_database()",
    );
    for _ in 0..500 {
        let left =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'thuho' AND datname = current_database()";
        if database.sql(left) == ["0"] {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("a session does not end");
}

fn heads(store: &mut PostgresStore) -> Result<(), StoreError> {
    store.transact(&mut |tx: &mut dyn Tx| tx.paused_partners().map(drop))
}

#[test]
fn a_session_that_ends_before_commit_leaves_nothing_and_the_same_work_runs_again() {
    let Some(database) = Database::fresh("a session that ends before commit") else { return };
    let mut store = database.store(&PostgresOptions::default());
    let mut tries = 0;
    let mut work = |tx: &mut dyn Tx| {
        tries += 1;
        tx.upsert_invoices(&[bill("HD-1", 100)])?;
        if tries == 1 {
            end_sessions(&database);
        }
        tx.paused_partners().map(drop)
    };
    let first = store.transact(&mut work);
    assert!(matches!(first, Err(StoreError::Contended)), "{first:?}");
    assert_eq!(database.sql("SELECT count(*) FROM invoices"), ["0"]);
    store.transact(&mut work).unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM invoices"), ["1"]);
}

/// A batch whose session is ended is answered as if nothing had been.
#[test]
fn a_batch_goes_on_over_a_new_connection() {
    let Some(database) = Database::fresh("a batch goes on over a new connection") else { return };
    let mut books = Books::on_server(&database, 1);
    books.import(&[bill("HD-1", 100)]);
    end_sessions(&database);
    let paid = pay("E1", 100).invoice("HD-1");
    assert_eq!(books.post(&[paid.arrival()])[0].answer.outcome, Outcome::Accepted);
    assert_eq!(books.post(&[paid.arrival()])[0].answer.outcome, Outcome::Duplicate);
    books.state();
}

/// Waits until somebody waits for a standby that there is not.
fn wait_for_commit(database: &Database) -> String {
    for _ in 0..500 {
        let waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()";
        if let [pid] = database.sql(waits).as_slice() {
            return pid.clone();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nobody commits");
}

/// I4. On this disk and not where it was promised to be: whether by an end or by a warning, the answer is the retry word,
/// and the partner's repeat finds the payment.
#[test]
fn a_commit_without_an_answer_is_unknown_and_its_repeat_a_duplicate() {
    let Some(server) = Server::start("a commit without an answer") else { return };
    let database = server.database();
    let mut books = Books::on_server(&database, 1);
    books.import(&[bill("HD-1", 100), bill("HD-2", 100)]);
    for (event, invoice, ends) in [("E1", "HD-1", "pg_terminate_backend"), ("E2", "HD-2", "pg_cancel_backend")] {
        let paid = pay(event, 100).invoice(invoice);
        database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        database.sql("SELECT pg_reload_conf()");
        while database.sql("SHOW synchronous_standby_names") != ["nobody"] {
            std::thread::sleep(Duration::from_millis(10));
        }
        let outcome = std::thread::scope(|scope| {
            let posting = scope.spawn(|| books.post(&[paid.arrival()])[0].answer.outcome);
            let pid = wait_for_commit(&database);
            database.sql(&format!("SELECT {ends}({pid})"));
            posting.join().unwrap()
        });
        assert_eq!(outcome, Outcome::TryAgain, "{ends}");
        database.sql("ALTER SYSTEM RESET synchronous_standby_names");
        database.sql("SELECT pg_reload_conf()");
        while database.sql("SHOW synchronous_standby_names") != [""] {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(books.post(&[paid.arrival()])[0].answer.outcome, Outcome::Duplicate, "{ends}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM postings"), ["2"]);
    books.state();
}

fn ask(writer: &Writer, said: &Said) -> Outcome {
    let job = PostJob { arrival: said.arrival(), deadline: Instant::now() + Duration::from_secs(60), pickup: None };
    writer.submit(job).unwrap().blocking_recv().unwrap().answer.outcome
}

/// A server that stops, power cut and all, is waited for: not ready, the retry word, and ready again by itself.
#[test]
fn a_server_that_restarts_does_not_end_the_writer() {
    let Some(server) = Server::start("a server that restarts") else { return };
    let database = server.database();
    let store = database.store(&PostgresOptions::default());
    let clock = Arc::new(ManualClock::at(noon()));
    let writer = Writer::start(Box::new(store), clock, WriterOptions::new(9, Generation(7))).unwrap();
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
    server.down();
    for _ in 0..3 {
        assert_eq!(ask(&writer, &pay("E2", 5)), Outcome::TryAgain);
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = writer.status();
    assert!(status.away && !status.broken && !status.is_ready());
    server.up();
    // Nothing is sent to an instance that is not ready: it must find out by itself.
    for _ in 0..1_000 {
        if writer.status().is_ready() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(writer.status().is_ready());
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice, "a repeat");
    assert_eq!(ask(&writer, &pay("E2", 5)), Outcome::UnknownInvoice);
    writer.drain();
    assert_eq!(database.sql("SELECT count(*) FROM postings"), ["2"]);
    Books::on_server(&database, 1).state();
}

/// Whoever lost the session lost the lane: while it is somebody else's, nothing is written, and it is taken again when it
/// is free.
#[test]
fn a_lane_that_another_session_took_meanwhile_is_not_written() {
    let Some(database) = Database::fresh("a lane that another session took") else { return };
    let mut books = Books::on_server(&database, 1);
    books.post(&[pay("E1", 5).arrival()]);
    end_sessions(&database);
    let other = Books::on_server(&database, 1);
    assert_eq!(other.store.lane(), 1);
    assert_eq!(books.post(&[pay("E2", 5).arrival()])[0].answer.outcome, Outcome::TryAgain);
    let refused = books.store.transact(&mut |tx| tx.paused_partners().map(drop));
    assert!(matches!(refused, Err(StoreError::Away(_))), "{refused:?}");
    drop(other);
    for _ in 0..100 {
        if books.post(&[pay("E2", 5).arrival()])[0].answer.outcome == Outcome::UnknownInvoice {
            assert_eq!(database.sql("SELECT count(*) FROM postings"), ["2"]);
            books.state();
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the lane is never taken again");
}

/// The database comes back without what it had acknowledged, as after a failover to a standby that lagged.
#[test]
fn a_database_that_lost_what_it_acknowledged_is_not_written_any_more() {
    let Some(database) = Database::fresh("a database that lost what it acknowledged") else { return };
    let mut books = Books::on_server(&database, 1);
    books.post(&[pay("E1", 5).arrival()]);
    books.post(&[pay("E2", 5).arrival()]);
    database.sql(
        "SET session_replication_role = replica;
         DELETE FROM raw_notices WHERE receipt_no = (SELECT max(no) FROM receipts);
         DELETE FROM receipts WHERE no = (SELECT max(no) FROM receipts)",
    );
    end_sessions(&database);
    let lost = books.store.transact(&mut |tx| tx.paused_partners().map(drop));
    // The first one to meet the end of the session may be told to run again.
    let lost = if matches!(lost, Err(StoreError::Contended)) {
        books.store.transact(&mut |tx| tx.paused_partners().map(drop))
    } else {
        lost
    };
    assert!(matches!(lost, Err(StoreError::Broken(_))), "{lost:?}");
}

#[test]
fn a_server_that_flushes_nothing_is_refused() {
    let Some(server) = Server::start("a server that flushes nothing") else { return };
    let database = server.database();
    for setting in ["fsync", "full_page_writes"] {
        database.sql(&format!("ALTER SYSTEM SET {setting} = off"));
        database.sql("SELECT pg_reload_conf()");
        while database.sql(&format!("SHOW {setting}")) != ["off"] {
            std::thread::sleep(Duration::from_millis(10));
        }
        let refused = PostgresStore::open(&database.place(), &PostgresOptions::default()).map(drop).unwrap_err();
        assert!(refused.to_string().contains("would lose acknowledged payments"), "{refused}");
        let unsafe_server = PostgresOptions { unsafe_server: true, ..PostgresOptions::default() };
        heads(&mut database.store(&unsafe_server)).unwrap();
        database.sql(&format!("ALTER SYSTEM RESET {setting}"));
        database.sql("SELECT pg_reload_conf()");
    }
}

#[test]
fn a_strangers_database_or_a_newer_one_is_refused() {
    let Some(server) = Server::shared("a stranger's database is refused") else { return };
    for (sabotage, said) in [
        ("UPDATE migrations SET checksum = 'x'", "is not this program's"),
        ("INSERT INTO migrations (name, checksum) VALUES ('0003_later', 'x')", "this program knows up to"),
        ("DROP TABLE migrations", "not a thuho database"),
    ] {
        let database = server.database();
        database.sql(sabotage);
        let open = PostgresStore::open(&database.place(), &PostgresOptions::default()).map(drop);
        for refused in [open, thuho::store::postgres::open_reports(&database.place()).map(drop)] {
            let refused = refused.unwrap_err();
            assert!(matches!(&refused, StoreError::Schema(text) if text.contains(said)), "{sabotage}: {refused:?}");
        }
    }
    let nowhere = PostgresStore::open(&server.empty().place(), &PostgresOptions::default()).map(drop).unwrap_err();
    assert!(matches!(nowhere, StoreError::Away(_)) && nowhere.to_string().contains("no such database"), "{nowhere:?}");
}

/// I5.
#[test]
fn money_and_proof_are_only_added() {
    let Some(database) = Database::fresh("money and proof are only added") else { return };
    let mut books = Books::on_server(&database, 1);
    books.import(&[bill("HD-1", 100)]);
    books.post(&[pay("E1", 100).invoice("HD-1").arrival()]);
    for change in [
        "UPDATE entries SET amount = 1",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "UPDATE postings SET author = 'x'",
        "DELETE FROM allocations",
        "UPDATE receipts SET amount = 1",
        "DELETE FROM receipts",
        "UPDATE raw_notices SET body = ''",
        "DELETE FROM events",
        "UPDATE events SET amount = 1",
        "UPDATE events SET key = gen_random_uuid()",
        "DELETE FROM dispatches",
        "UPDATE dispatches SET body = ''",
        "UPDATE lanes SET n = n - 1",
    ] {
        let refused = std::panic::catch_unwind(|| database.sql(change)).is_err();
        assert!(refused, "{change}");
    }
    books.state();
}

/// The way to a server that is not on this machine, or plays that: in clear, encrypted, proved.
#[test]
fn the_way_to_a_server_is_as_private_as_the_url_says() {
    let Some(server) = Server::encrypted("the way to a server") else { return };
    let database = server.database();
    let authority = include_str!("../outbox/tls/ca.pem");
    let open = |host: &str, mode: &str, trust: Option<&str>| {
        let url = server.tcp_url(host, &database, mode);
        let place = PostgresPlace::parse(&url, None, trust.map(str::as_bytes)).unwrap();
        let store = PostgresStore::open(&place, &PostgresOptions::default());
        store.map(|mut store| {
            store.transact(&mut |tx| tx.paused_partners().map(drop)).unwrap();
            let ours = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'thuho'";
            database.sql(ours).concat()
        })
    };
    assert_eq!(open("127.0.0.1", "disable", None).unwrap(), "f");
    assert_eq!(open("127.0.0.1", "require", None).unwrap(), "t");
    assert_eq!(open("127.0.0.1", "verify-full", Some(authority)).unwrap(), "t");
    for (host, trust) in [("127.0.0.1", None), ("localhost", Some(authority))] {
        let refused = open(host, "verify-full", trust).unwrap_err();
        assert!(matches!(refused, StoreError::Away(_)), "{host}: {refused:?}");
    }
}

fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full(_) => "full",
        StoreError::Broken(_) => "broken",
        StoreError::Unknown(_) => "unknown",
        StoreError::Fault(_) => "fault",
        StoreError::Contended => "contended",
        StoreError::Away(_) => "away",
        StoreError::Schema(_) => "schema",
    }
}

/// What the server says, during a statement and at COMMIT, and what the gateway makes of it. A value never shows (I11).
#[test]
fn each_failure_of_the_server_means_one_thing_to_do() {
    let Some(database) = Database::fresh("each failure of the server") else { return };
    let mut store = database.store(&PostgresOptions::default());
    for (code, in_statement, at_commit) in [
        ("53100", "full", "full"),
        ("40001", "contended", "contended"),
        ("40P01", "contended", "contended"),
        ("55P03", "contended", "contended"),
        ("53200", "contended", "contended"),
        ("23505", "contended", "contended"),
        ("23514", "fault", "fault"),
        ("22003", "fault", "unknown"),
        ("58030", "broken", "unknown"),
        ("XX001", "broken", "unknown"),
        ("XX002", "broken", "unknown"),
        ("57014", "away", "unknown"),
        ("25006", "away", "unknown"),
    ] {
        for (when, expected) in [("", in_statement), ("CONSTRAINT", at_commit)] {
            let deferred = if when.is_empty() { "" } else { "DEFERRABLE INITIALLY DEFERRED" };
            database.sql(&format!(
                "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'row of canary' USING ERRCODE = '{code}'; END $$;
                 CREATE {when} TRIGGER fails AFTER INSERT ON invoices {deferred} FOR EACH ROW EXECUTE FUNCTION fails()"
            ));
            let failed = store.transact(&mut |tx| tx.upsert_invoices(&[bill("HD-1", 100)]).map(drop)).unwrap_err();
            let cause = std::error::Error::source(&failed).map(ToString::to_string).unwrap_or_default();
            assert_eq!((code, when, kind(&failed)), (code, when, expected), "{failed} {cause}");
            assert!(!format!("{failed} {cause}").contains("canary"));
            database.sql("DROP TRIGGER fails ON invoices; DROP FUNCTION fails");
            // Whatever it was, the next transaction finds its way.
            let done = store.transact(&mut |tx| tx.paused_partners().map(drop));
            assert!(done.is_ok(), "after {code} {when}: {done:?}");
            assert_eq!(database.sql("SELECT count(*) FROM invoices"), ["0"], "{code} {when}");
        }
    }
}
