//! Breaks from before the pages, closed ones too, say what they are about once the schema is brought up.

use crate::harness::postgres::Database;
use crate::harness::versions::{POSTGRES, SQLITE, before, between};
use rusqlite::Connection;

/// Two bills, an event that names one, a line that names the other; breaks with a bill of their own, of the event, of the
/// line, of nothing, and of a bill that nobody knows.
fn rows(key: &str, (no, yes): (&str, &str)) -> String {
    format!(
        "INSERT INTO invoices (id, customer, payer, unit, area, period, kind, net, vat, total, issued_on, due_on, status,
                paid_elsewhere, version)
            VALUES ('HD-1', 'KH1', 'KH1', 'PA03HL', 'urban', '2026-10-1', 'TD', 1, 0, 1, '2026-11-01', '2026-11-15', 'open', 0, 1),
                ('HD-2', 'KH2', 'KH2', 'PA03KB', 'island', '2026-10-1', 'TD', 1, 0, 1, '2026-11-01', '2026-11-15', 'open', 0, 1);
        INSERT INTO senders (partner, account) VALUES ('collector', 'm');
        INSERT INTO events (no, key, sender_no, event, movement, amount, discount, fee, channel, paid_at, business_day, state,
                names_invoice, listed, postings)
            VALUES (1, {key}, 1, 'E1', 'payment', 1, 0, 0, 'wallet', 1, '2026-11-22', 'settled', 'HD-2', {no}, 0);
        INSERT INTO statement_lines (no, row, movement, amount, discount, fee, ref_invoice, paid_at, day)
            VALUES (4294967297, 1, 'payment', 1, 0, 0, 'HD-1', 1, '2026-11-22');
        INSERT INTO breaks (class, event_key, invoice, line_no, amount, detail, opened_at, closed_at, carried)
            VALUES ('CONFLICT', {key}, 'HD-1', NULL, 1, 'Its OWN', 1, NULL, {yes}), ('CONFLICT', {key}, NULL, 4294967297, 1, 'b', 1, 5, {no}),
                ('CONFLICT', NULL, NULL, 4294967297, 1, 'C', 1, NULL, {no}), ('CONFLICT', NULL, NULL, NULL, 1, 'd', 1, 5, {no}),
                ('CONFLICT', NULL, 'HD-9', NULL, 1, 'e', 1, NULL, {no});"
    )
}

const SAID: &str = "SELECT coalesce(about, '-') || ' ' || coalesce(unit, '-') || ' ' || coalesce(area, '-') || ' '
    || coalesce(channel, '-') || ': ' || folded FROM breaks ORDER BY no";

const EXPECTED: [&str; 5] = [
    "HD-1 PA03HL urban wallet: its own hd-1",
    "HD-2 PA03KB island wallet: b hd-2",
    "HD-1 PA03HL urban -: c hd-1",
    "- - - -: d",
    "HD-9 - - -: e hd-9",
];

#[test]
fn older_breaks_say_what_they_are_about_on_sqlite() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(&before(&SQLITE, "0008_users")).unwrap();
    db.execute_batch(&rows("x'00112233445566778899aabbccddeeff'", ("0", "1"))).unwrap();
    db.execute_batch(&between(&SQLITE, "0009_pages", "0010_two_admins")).unwrap();
    let mut said = db.prepare(SAID).unwrap();
    let said: Vec<String> = said.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(said, EXPECTED);
    assert!(
        db.execute("UPDATE breaks SET amount = 2 WHERE closed_at IS NOT NULL", ()).is_err(),
        "a closed break stays"
    );
}

#[test]
fn older_breaks_say_what_they_are_about_on_postgres() {
    let Some(database) = Database::fresh("breaks from before the pages") else { return };
    let rows = rows("'00112233-4455-6677-8899-aabbccddeeff'", ("false", "true"));
    let text = [
        "CREATE SCHEMA older; SET search_path TO older;",
        &before(&POSTGRES, "0008_users"),
        &rows,
        "BEGIN;",
        &between(&POSTGRES, "0009_pages", "0010_two_admins"),
        "COMMIT;",
        SAID,
    ];
    assert_eq!(database.sql(&text.join("\n")), EXPECTED);
    let kept =
        "SELECT tgname FROM pg_trigger WHERE tgname = 'breaks_closed_stay' AND tgrelid = 'older.breaks'::regclass";
    assert_eq!(database.sql(kept).len(), 1, "a closed break stays");
}
