//! Both databases keep the contract of every store (I12).

#[path = "../contract/mod.rs"]
pub mod contract;
#[path = "../contract/users.rs"]
pub mod users;

use contract::{Harness, LANE};
use std::path::Path;
use thuho::store::Store;
use thuho::store::reports::Reports;
use thuho::store::sqlite::{self, SqliteOptions, SqliteStore};

pub fn sqlite() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    Harness { keep: Box::new(folder), ..at_path(&path) }
}

/// The database at `path`, made if there is none.
pub fn at_path(path: &Path) -> Harness {
    let path = path.to_path_buf();
    let open = move || -> (Box<dyn Store>, Box<dyn Reports>) {
        let options = SqliteOptions { lane: LANE, ..SqliteOptions::default() };
        let store = SqliteStore::open(&path, &options).unwrap();
        (Box::new(store), Box::new(sqlite::open_reports(&path).unwrap()))
    };
    let (store, reports) = open();
    Harness { store, reports, again: Box::new(open), keep: Box::new(()) }
}

contract::suite!(sqlite);
users::suite!(sqlite);

/// The same on a real PostgreSQL.
pub mod postgres {
    use super::contract::build::{at, invoice_id, payment_key};
    use super::contract::{self, Harness, LANE};
    use crate::harness::postgres::Database;
    use crate::harness::versions::{POSTGRES, before, between};
    use sha2::Digest as _;
    use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken};
    use thuho::store::LeaseRequest;
    use thuho::store::postgres::{LeaseClock, PostgresOptions};

    pub fn postgres() -> Option<Harness> {
        Database::fresh("the contract over PostgreSQL").map(|database| on(&database))
    }

    pub fn on(database: &Database) -> Harness {
        let database = database.clone();
        let options = PostgresOptions { lane: LANE, lease_clock: LeaseClock::Caller, ..PostgresOptions::default() };
        let open = move || -> contract::Doors { (Box::new(database.store(&options)), Box::new(database.reports())) };
        let (store, reports) = open();
        Harness { store, reports, again: Box::new(open), keep: Box::new(()) }
    }

    /// Its rows were counted before there were any, and until the next time the planner takes every table for empty. What
    /// it reads must go with the rows that are asked for, not with those that are there.
    #[test]
    fn a_young_database_finds_messages_by_their_numbers() {
        const MESSAGES: u64 = 300;
        let Some(database) = Database::fresh("plans without statistics") else { return };
        let url = database.url();
        let mut h = on(&database);
        let ids: Vec<String> = (0..MESSAGES).map(|n| format!("HD-{n}")).collect();
        h.invoices(&ids.iter().map(|id| (id.as_str(), 1)).collect::<Vec<_>>());
        crate::harness::postgres::sql(&url, "VACUUM ANALYZE");
        for (n, id) in ids.iter().enumerate() {
            h.pay(&n.to_string(), id, 1);
        }
        for token in 1..=MESSAGES / 10 {
            let token = LeaseToken(token);
            let request = LeaseRequest { token, now: at(50), until: at(1_050), limit: 10, urgent_only: false };
            let leased = h.tx(|tx| tx.lease(std::slice::from_ref(&request)));
            assert_eq!(leased.len(), 10);
            let delivered = |d: thuho::domain::dispatch::LeasedDispatch| DispatchResult {
                key: d.key,
                token,
                result: AttemptResult::Delivered,
                at: at(60),
            };
            let results: Vec<DispatchResult> = leased.into_iter().map(delivered).collect();
            assert!(h.tx(|tx| tx.settle(&results)).into_iter().all(|took| took));
        }
        // The queue's own index is read from its begin, past what was taken since the last vacuum.
        drop(h);
        let read = index_entries_read(&url, "dispatches", "dispatches_due");
        assert!(read < 20 * MESSAGES, "{read} index entries of messages were read for {MESSAGES} messages");
    }

    /// The same of payments, whose sender is one of few: a plan that begins there reads all of them.
    #[test]
    fn a_young_database_finds_events_by_their_keys() {
        const EVENTS: u64 = 300;
        let Some(database) = Database::fresh("plans of events without statistics") else { return };
        let url = database.url();
        let mut h = on(&database);
        let ids: Vec<String> = (0..EVENTS).map(|n| format!("HD-{n}")).collect();
        h.invoices(&ids.iter().map(|id| (id.as_str(), 1)).collect::<Vec<_>>());
        crate::harness::postgres::sql(&url, "VACUUM ANALYZE");
        for (n, id) in ids.iter().enumerate() {
            let event = n.to_string();
            h.pay(&event, id, 1);
            assert!(h.tx(|tx| tx.events(&[payment_key(&event)]))[0].is_some());
            assert_eq!(h.tx(|tx| tx.parked_naming((&[invoice_id(id)], None), 10)), []);
        }
        drop(h);
        for table in ["events", "postings"] {
            let read = index_entries_read(&url, table, "");
            assert!(read < 20 * EVENTS, "{read} index entries of {table} were read for {EVENTS} events");
        }
    }

    /// From the indexes of a table but one, by sessions that have ended: one says what it read when it ends.
    fn index_entries_read(url: &str, table: &str, but: &str) -> u64 {
        let open =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        while crate::harness::postgres::sql(url, open) != ["0"] {
            std::thread::yield_now();
        }
        let read = format!(
            "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes
                WHERE relname = '{table}' AND indexrelname <> '{but}'"
        );
        crate::harness::postgres::sql(url, &read)[0].parse().unwrap()
    }

    /// What older programs wrote is summed once, by the version that brings the sums, and from then on they write no more.
    #[test]
    fn what_was_there_before_the_sums_of_days_is_summed() {
        const SUMS: &str = "SELECT s.sender_no || ' ' || s.business_day || ' ' || s.account_no || ' ' || s.kind || ' '
            || sum(s.postings) || ' ' || sum(s.dong) FROM day_sums s
            GROUP BY s.sender_no, s.business_day, s.account_no, s.kind ORDER BY 1";
        let version = between(&POSTGRES, "0012_day_sums", "0013_break_places");
        let Some(database) = Database::fresh("sums of days before there were any") else { return };
        let mut h = on(&database);
        h.invoices(&[("HD-1", 10), ("HD-2", 20)]);
        h.pay("1", "HD-1", 10);
        h.pay("2", "HD-2", 20);
        h.park("3", "HD-3", 30);
        let written = database.sql(SUMS);
        assert!(written.len() > 3, "{written:?}");
        let older = "DROP TABLE day_sums; ALTER TABLE lanes RENAME COLUMN last_number TO block_end;";
        database.sql(older);
        let as_they_do = "CREATE FUNCTION goes_on() RETURNS text LANGUAGE plpgsql AS $$
            BEGIN UPDATE lanes SET block_end = block_end; RETURN 'written';
            EXCEPTION WHEN undefined_column THEN RETURN 'refused'; END $$;";
        assert_eq!(database.sql(&format!("{as_they_do} SELECT goes_on()")), ["written"]);
        database.sql(&format!("BEGIN; {version} COMMIT;"));
        assert_eq!(database.sql(SUMS), written);
        assert_eq!(database.sql("SELECT goes_on()"), ["refused"]);
        let attempt = "CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
            BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN integrity_constraint_violation THEN RETURN 'refused'; END $$;";
        database.sql(attempt);
        for change in ["DELETE FROM day_sums", "TRUNCATE day_sums", "UPDATE day_sums SET dong = dong + 1"] {
            assert_eq!(database.sql(&format!("SELECT attempt('{change}')")), ["refused"], "{change}");
        }
        h.sound();
    }

    /// A database as a program left it that knew the versions before this one.
    fn older(database: &Database, than: &str) {
        let checksum = |text: &str| hex::encode(sha2::Sha256::digest(text.as_bytes()));
        let older = POSTGRES.iter().take_while(|(name, _)| *name != than);
        let notes =
            older.map(|(name, text)| format!("('{name}', '{}')", checksum(text))).collect::<Vec<_>>().join(", ");
        database.sql(&format!(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; {} CREATE TABLE migrations (version integer GENERATED ALWAYS
                AS IDENTITY PRIMARY KEY, name text NOT NULL, checksum text NOT NULL);
            INSERT INTO migrations (name, checksum) VALUES {notes};",
            before(&POSTGRES, than)
        ));
    }

    /// Runs this in a transaction that ends when a row comes into `over`.
    fn meanwhile(database: &Database, statement: &str) -> std::thread::JoinHandle<Vec<String>> {
        database.sql("CREATE TABLE over (at bigint)");
        let (database, statement) = (database.clone(), statement.to_owned());
        std::thread::spawn(move || {
            database.sql(&format!(
                "DO $$ BEGIN {statement}; WHILE NOT EXISTS (SELECT FROM over) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
            ))
        })
    }

    fn until(database: &Database, question: &str) {
        let since = std::time::Instant::now();
        while database.sql(question) != ["1"] {
            assert!(since.elapsed().as_secs() < 60, "it never comes to: {question}");
            std::thread::yield_now();
        }
    }

    /// How many locks there are on a table, held or waited for.
    fn locks(table: &str, held: bool) -> String {
        format!(
            "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND granted = {held}
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    }

    /// Whoever books has events first: a version that waits for those holds nothing that the booking goes on to.
    #[test]
    fn a_version_stands_behind_those_who_book() {
        let Some(database) = Database::fresh("a version beside a booking") else { return };
        older(&database, "0012_day_sums");
        let books = meanwhile(&database, "LOCK TABLE events IN ROW EXCLUSIVE MODE");
        until(&database, &locks("events", true));
        let place = database.place();
        let migrates = std::thread::spawn(move || thuho::store::postgres::migrate(&place));
        until(&database, &locks("events", false));
        for table in ["postings", "proposals", "closes", "lanes", "dispatches", "breaks"] {
            assert_eq!(database.sql(&locks(table, true)), ["0"], "{table}");
        }
        database.sql("INSERT INTO over VALUES (1)");
        books.join().unwrap();
        migrates.join().unwrap().unwrap();
    }

    /// A version that finds a table in use lets those behind it go on, and tries again.
    #[test]
    fn a_version_waits_for_those_who_use_the_tables() {
        let Some(database) = Database::fresh("a version that waits") else { return };
        older(&database, "0012_day_sums");
        let reads = meanwhile(&database, "PERFORM count(*) FROM lanes");
        until(&database, &locks("lanes", true));
        let place = database.place();
        let migrates = std::thread::spawn(move || thuho::store::postgres::migrate(&place));
        until(
            &database,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        // Behind the version that waits, until it gives up for now.
        database.sql("INSERT INTO lanes (lane, n, hash, posting, event, block_end) VALUES (7, 0, decode(repeat('00', 32), 'hex'), 1, 1, 9)");
        assert!(!migrates.is_finished(), "somebody still reads");
        database.sql("INSERT INTO over VALUES (1)");
        reads.join().unwrap();
        let brought: Vec<&str> = POSTGRES.iter().skip(11).map(|(name, _)| *name).collect();
        assert_eq!(migrates.join().unwrap().unwrap(), brought);
    }

    /// The negative control of what `audit` asks of each payment: that it came in once, whole and on its day.
    #[test]
    fn a_payment_that_did_not_come_in_so_is_found() {
        let cases = [
            (
                "UPDATE postings SET business_day = '2030-01-01' WHERE no = 1",
                "takes in 10 dong on 2030-01-01 of a payment over 10 on 2026-11-22",
            ),
            (
                "UPDATE accounts SET name = 'clearing:another' WHERE name = 'clearing:collector'",
                "takes in 0 dong on 2026-11-22, none of them from the collector, of a payment over 10",
            ),
            (
                "UPDATE events SET discount = amount",
                "takes in 10 dong on 2026-11-22 of a payment over 10 on 2026-11-22, of which a sponsor gives 10",
            ),
        ];
        for (sabotage, sentence) in cases {
            let Some(database) = Database::fresh("books with a wrong payment") else { return };
            let mut h = on(&database);
            h.invoices(&[("HD-1", 10)]);
            h.pay("1", "HD-1", 10);
            h.sound();
            database.sql(&format!("SET session_replication_role = replica; {sabotage}"));
            let found = h.reports.inconsistencies().unwrap().found;
            assert!(found.iter().any(|f| f.contains(sentence)), "{sabotage}: {found:#?}");
        }
    }

    contract::suite!(postgres);
    super::users::suite!(postgres);
}
