//! Schema versions: each file in `migrations/` once, in order, all in one transaction under a lock, with its checksum
//! kept. A newer schema, a changed file or a stranger's database is refused before anything is touched.

use super::session::{Ask, STATEMENT_TIMEOUT, Session};
use crate::store::StoreError;
use crate::store::cells::Cells;
use crate::store::migrations::{self, Version, checksum};
use std::time::Duration;

/// Two instances that start at once: one brings the schema up, the other finds it. `schm`.
const LOCK: i64 = 0x7363_686d;

/// What one version may take: it may have to read whole tables.
const VERSION_TIME: Duration = Duration::from_secs(4 * 3_600);

/// How often a version tries again to have the tables that it changes. It waits two seconds for each: behind whoever waits
/// for a table stand all who come later.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Name and text of every version, from 1.
const MIGRATIONS: [Version; 16] = [
    ("0001_spine", include_str!("../migrations/0001_spine.postgres.sql")),
    ("0002_reconciliation", include_str!("../migrations/0002_reconciliation.postgres.sql")),
    ("0003_desk", include_str!("../migrations/0003_desk.postgres.sql")),
    ("0004_settlement", include_str!("../migrations/0004_settlement.postgres.sql")),
    ("0005_close", include_str!("../migrations/0005_close.postgres.sql")),
    ("0006_rules_day", include_str!("../migrations/0006_rules_day.postgres.sql")),
    ("0007_settled", include_str!("../migrations/0007_settled.postgres.sql")),
    ("0008_users", include_str!("../migrations/0008_users.postgres.sql")),
    ("0009_pages", include_str!("../migrations/0009_pages.postgres.sql")),
    ("0010_two_admins", include_str!("../migrations/0010_two_admins.postgres.sql")),
    ("0011_day_totals", include_str!("../migrations/0011_day_totals.postgres.sql")),
    ("0012_day_sums", include_str!("../migrations/0012_day_sums.postgres.sql")),
    ("0013_break_places", include_str!("../migrations/0013_break_places.postgres.sql")),
    ("0014_makers", include_str!("../migrations/0014_makers.postgres.sql")),
    ("0015_today", include_str!("../migrations/0015_today.postgres.sql")),
    ("0016_statement_makers", include_str!("../migrations/0016_statement_makers.postgres.sql")),
];

/// The last version that changes events.
const EVENTS_CHANGE: usize = 15;

/// Brings the schema up; says what it did.
pub(super) fn bring_up(session: &mut Session, place: &str) -> Result<Vec<String>, StoreError> {
    if check(session, place)? == MIGRATIONS.len() {
        return Ok(Vec::new());
    }
    session.allow(VERSION_TIME)?;
    let mut left = ATTEMPTS;
    let done = loop {
        // Two instances that start at once: the second waits for as long as the first takes.
        session.simple("-- migrate.begin\nBEGIN; SET LOCAL lock_timeout = 0")?;
        let applied = apply(session, place);
        match finish(session, applied) {
            Err(StoreError::Contended) if left > 0 && !session.is_lost() => {
                left = left.saturating_sub(1);
                std::thread::sleep(PAUSE);
            }
            Err(StoreError::Contended) if !session.is_lost() => {
                break Err(StoreError::Fault(format!("{place}: its schema waits for others who use its tables")));
            }
            done => break done,
        }
    };
    let allowed = session.allow(STATEMENT_TIMEOUT);
    done.and_then(|done| allowed.map(|()| done))
}

fn finish(session: &mut Session, applied: Result<Vec<String>, StoreError>) -> Result<Vec<String>, StoreError> {
    match applied {
        Ok(done) => session.commit(&[]).map(|()| done),
        Err(error) => {
            session.roll_back();
            Err(error)
        }
    }
}

fn apply(session: &mut Session, place: &str) -> Result<Vec<String>, StoreError> {
    const TAKE: &str = "-- migrate.lock\nSELECT pg_advisory_xact_lock($1)";
    const TABLE: &str = "-- migrate.table\nCREATE TABLE IF NOT EXISTS migrations (
        version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, checksum text NOT NULL)";
    const NOTE: &str = "-- migrate.note\nINSERT INTO migrations (name, checksum) VALUES ($1, $2)";
    session.ask_one(Ask::new(TAKE, vec![&LOCK]))?;
    session.simple("-- migrate.lock_wait\nSET LOCAL lock_timeout = '2s'")?;
    // Another instance may have been first.
    let applied = check(session, place)?;
    if (1..EVENTS_CHANGE).contains(&applied) {
        // Whoever books has the events first: asked for behind another table, each would wait for the other.
        session.simple("-- migrate.events\nLOCK TABLE events IN SHARE MODE")?;
    }
    let mut done = Vec::new();
    for (name, text) in MIGRATIONS.iter().skip(applied) {
        session.simple(TABLE)?;
        session.simple(&format!("-- migrate.{name}\n{text}"))?;
        session.ask_one(Ask::new(NOTE, vec![name, &checksum(text)]))?;
        done.push((*name).to_owned());
    }
    Ok(done)
}

/// Refuses a database that this program must not write; says how many versions it has.
fn check(session: &mut Session, place: &str) -> Result<usize, StoreError> {
    const TABLES: &str =
        "-- migrate.tables\nSELECT count(*), count(*) FILTER (WHERE table_name = 'migrations' AND EXISTS (
            SELECT 1 FROM information_schema.columns c WHERE c.table_schema = t.table_schema
                AND c.table_name = t.table_name AND c.column_name = 'checksum'))
        FROM information_schema.tables t WHERE t.table_schema = current_schema()";
    const APPLIED: &str = "-- migrate.applied\nSELECT name, checksum FROM migrations ORDER BY version";
    let found = session.ask_one(Ask::new(TABLES, Vec::new()))?;
    let (tables, ours) = found.one(|cells| Ok((cells.whole()?, cells.whole()?)))?.unwrap_or_default();
    if tables == 0 {
        return Ok(0);
    }
    if ours == 0 {
        return Err(StoreError::Schema(format!("{place}: not a thuho database")));
    }
    let applied = session.ask_one(Ask::new(APPLIED, Vec::new()))?;
    let applied = applied.all(|cells| Ok((cells.text()?, cells.text()?)))?;
    migrations::known(place, &applied, &MIGRATIONS)
}

/// For those who only read, and after a lost connection: everything applied, nothing newer.
pub(super) fn check_current(session: &mut Session, place: &str) -> Result<(), StoreError> {
    migrations::current(place, check(session, place)?, &MIGRATIONS)
}
