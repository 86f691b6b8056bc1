//! Authority needs two admins, as the databases themselves hold it: what is written past the program is refused, what older
//! books have against it is taken, and who gives a password and who gives authority at once take turns.

use crate::harness::postgres::Database;
use crate::harness::versions::{POSTGRES, SQLITE, before, between};
use crate::store_contract::postgres::on;
use rusqlite::Connection;
use std::sync::mpsc;
use std::time::Duration;
use thuho::domain::ids::Author;
use thuho::domain::resolution::Action;
use thuho::domain::time::Timestamp;
use thuho::domain::user::{Role, Roles};
use thuho::ledger::transact;
use thuho::store::desk::Authority;
use thuho::store::users::{User, UserChange};

/// Users of one admin, authority that this admin and another one gave, and what one of them proposed and brought; `no`, `yes` and 32
/// bytes as the database says them.
fn older((no, yes, hash, key): (&str, &str, &str, &str)) -> String {
    let user = |name: &str, disabled: &str| format!("('{name}', 'checker', 'phc', {no}, {disabled}, 'admin', 1)");
    // A message to the core that is parked, and that `an` proposed to close.
    let message = format!(
        "INSERT INTO dispatches (no, invoice_no, sequence, key, state, cause, head, urgent, due_at, created_at, body,
                close_proposed_by, close_reason)
            VALUES (65537, 1, 1, {key}, 'parked', 'held', {yes}, {no}, 1, 1, 'x', 'an', 'it has it');"
    );
    format!(
        "{message} INSERT INTO users (name, roles, password, given, disabled, made_by, made_at) VALUES {}, {}, {}, {}, {};
        INSERT INTO desk_log (at, name, what, subject) VALUES (1, 'head', 'user-password', 'linh'),
            (2, 'boss', 'user-password', 'linh'), (3, 'linh', 'user-password', 'linh'), (4, 'boss', 'look-break', 'an');
        INSERT INTO proposals (action, maker, reason, made_at, items, dong, hash, state)
            VALUES ('close', 'an', 'as said', 1, 1, 1, {hash}, 'proposed');
        INSERT INTO statement_files (kind, partner, day, name, hash, bytes, author, at, state, lines, payments,
                payments_dong, reversals, reversals_dong, ignored, ignored_dong)
            VALUES ('partner', 'wallet', '2026-04-01', 'day.csv', {hash}, 1, 'an', 1, 'taken', 0, 0, 0, 0, 0, 0, 0);
        INSERT INTO authorities (person, action, dong, granted_by, at) VALUES ('lan', 'close', 9, 'admin', 1),
            ('lan', 'seal', 9, 'admin', 1), ('lan', 'seal', 8, 'boss', 2), ('an', 'close', 9, 'boss', 1),
            ('an', 'seal', 9, 'deputy', 1), ('gone', 'close', 9, 'boss', 1), ('program', 'close', 9, 'admin', 1),
            ('linh', 'close', 9, 'boss', 1), ('admin', 'close', 9, 'boss', 1);",
        user("lan", no),
        user("an", no),
        user("gone", yes),
        user("deputy", no),
        user("linh", no)
    )
}

const HELD: &str = "SELECT person || ' ' || action || ' ' || dong || ' ' || granted_by FROM authorities a
    WHERE no = (SELECT max(no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
    ORDER BY person, action";

const HELD_AFTER: [&str; 8] = [
    "admin close 9 boss",
    "an close 9 boss",
    "an seal -1 system:migration",
    "gone close -1 system:migration",
    "lan close -1 system:migration",
    "lan seal 8 boss",
    "linh close -1 system:migration",
    "program close 9 admin",
];

const GIVEN_BY: &str = "SELECT name || ' ' || password_by FROM users ORDER BY name";

/// Who last gave a password is what the log says, and otherwise who made the user.
const GIVEN_BY_AFTER: [&str; 5] = ["an admin", "deputy admin", "gone admin", "lan admin", "linh boss"];

fn closed_by(name: &str) -> String {
    format!("UPDATE dispatches SET state = 'closed', cause = NULL, closed_by = '{name}', closed_at = 2")
}

fn approved_by(name: &str) -> String {
    format!("UPDATE proposals SET state = 'approved', decided_by = '{name}', decided_at = 2")
}

/// What lets the name of the proposal's maker be given a password, and gives it.
fn given_anew(yes: &str) -> [String; 2] {
    [
        "INSERT INTO authorities (person, action, dong, granted_by, at) VALUES ('an', 'close', -1, 'boss', 4)"
            .to_owned(),
        format!("UPDATE users SET password = 'other', given = {yes}, password_by = 'boss' WHERE name = 'an'"),
    ]
}

/// Who could act as the maker of what was proposed, and as whoever brought a statement, before there were makers.
const MAKERS: &str = "SELECT what || ' ' || no || ' ' || person FROM makers
    UNION ALL SELECT 'statements ' || file_no || ' ' || person FROM statement_makers ORDER BY 1";
const MAKERS_AFTER: [&str; 4] = ["proposals 1 admin", "proposals 1 an", "statements 1 admin", "statements 1 an"];

/// Statements that nobody may make, whatever program they use.
fn refused((no, yes): (&str, &str)) -> [String; 14] {
    let grant = |by: &str, to: &str| {
        format!("INSERT INTO authorities (person, action, dong, granted_by, at) VALUES ('{to}', 'close', 0, '{by}', 3)")
    };
    let user = "INSERT INTO users (name, roles, password, given, made_by, made_at, password_by) VALUES";
    [
        grant("admin", "an"),
        grant("deputy", "an"),
        approved_by("admin"),
        format!("{user} ('program', 'checker', 'phc', {no}, 'boss', 1, 'boss')"),
        format!("{user} ('new', 'checker', 'phc', {no}, 'boss', 1, 'new')"),
        format!("UPDATE users SET password = 'x', given = {yes}, password_by = 'boss' WHERE name = 'an'"),
        format!("UPDATE users SET disabled = {yes} WHERE name = 'an'"),
        "UPDATE users SET made_by = 'somebody' WHERE name = 'an'".to_owned(),
        "UPDATE users SET password_by = name WHERE name = 'an'".to_owned(),
        "DELETE FROM users WHERE name = 'an'".to_owned(),
        "UPDATE makers SET person = 'nobody'".to_owned(),
        "DELETE FROM makers".to_owned(),
        "UPDATE statement_makers SET person = 'nobody'".to_owned(),
        "DELETE FROM statement_makers".to_owned(),
    ]
}

#[test]
fn sqlite_holds_it_by_itself() {
    let db = Connection::open_in_memory().unwrap();
    // As the gateway has it: the message is of no settlement.
    db.pragma_update(None, "foreign_keys", false).unwrap();
    db.execute_batch(&before(&SQLITE, "0010_two_admins")).unwrap();
    db.execute_batch(&older(("0", "1", "zeroblob(32)", "zeroblob(16)"))).unwrap();
    db.execute_batch(&between(&SQLITE, "0010_two_admins", "")).unwrap();
    let all = |text: &str| -> Vec<String> {
        let mut asked = db.prepare(text).unwrap();
        asked.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(all(HELD), HELD_AFTER);
    assert_eq!(all(GIVEN_BY), GIVEN_BY_AFTER);
    for statement in refused(("0", "1")) {
        assert!(db.execute(&statement, ()).is_err(), "{statement}");
    }
    assert_eq!(all(MAKERS), MAKERS_AFTER);
    given_anew("1").iter().for_each(|statement| db.execute_batch(statement).unwrap());
    for by in ["admin", "boss"] {
        assert!(db.execute(&approved_by(by), ()).is_err(), "{by} could act as the maker, then or now");
        assert!(db.execute(&closed_by(by), ()).is_err(), "{by} could act as the proposer, then or now");
    }
    assert!(db.execute(&closed_by("lan"), ()).is_err(), "admin could act as both");
    db.execute_batch(&closed_by("program")).unwrap();
    db.execute_batch(&approved_by("program")).unwrap();
    db.execute_batch("UPDATE users SET password = 'own', given = 0 WHERE name = 'an'").unwrap();
    db.execute_batch("UPDATE users SET password = 'x', given = 1, password_by = 'boss' WHERE name = 'gone'").unwrap();
}

#[test]
fn postgres_holds_it_by_itself() {
    let Some(database) = Database::fresh("authority of two on a server") else { return };
    let attempt = "CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN EXECUTE statement; RETURN 'taken'; EXCEPTION WHEN raise_exception OR integrity_constraint_violation OR check_violation THEN RETURN 'refused'; END $$;";
    let text = [
        "CREATE SCHEMA older; SET search_path TO older;",
        &before(&POSTGRES, "0010_two_admins"),
        &older(("false", "true", "decode(repeat('00', 32), 'hex')", "'00112233-4455-6677-8899-aabbccddeeff'")),
        "BEGIN;",
        &between(&POSTGRES, "0010_two_admins", ""),
        "COMMIT;",
        attempt,
        HELD,
    ];
    assert_eq!(database.sql(&text.join("\n")), HELD_AFTER);
    let asked = |text: &str| database.sql(&format!("SET search_path TO older; {text}"));
    assert_eq!(asked(GIVEN_BY), GIVEN_BY_AFTER);
    for statement in refused(("false", "true")) {
        assert_eq!(asked(&format!("SELECT attempt($s${statement}$s$)")), ["refused"], "{statement}");
    }
    assert_eq!(asked(MAKERS), MAKERS_AFTER);
    for statement in given_anew("true") {
        assert_eq!(asked(&format!("SELECT attempt($s${statement}$s$)")), ["taken"], "{statement}");
    }
    for by in ["admin", "boss"] {
        for statement in [approved_by(by), closed_by(by)] {
            assert_eq!(asked(&format!("SELECT attempt($s${statement}$s$)")), ["refused"], "{by}, then or now");
        }
    }
    for (by, answer) in [("lan", "refused"), ("program", "taken")] {
        let statement = closed_by(by);
        assert_eq!(asked(&format!("SELECT attempt($s${statement}$s$)")), [answer], "{by}: admin could act as both");
    }
    let own = "UPDATE users SET password = 'own', given = false WHERE name = 'an'";
    assert_eq!(asked(&format!("SELECT attempt($s${own}$s$)")), ["taken"]);
    let program = approved_by("program");
    assert_eq!(asked(&format!("SELECT attempt($s${program}$s$)")), ["taken"]);
}

/// Whoever gives a password on one instance gives no authority on another one meanwhile.
#[test]
fn a_password_and_authority_that_are_given_at_once_take_turns() {
    let Some(database) = Database::fresh("a password and authority at once") else { return };
    let name = |text: &str| Author::parse(text).unwrap();
    let at = Timestamp::from_unix_ms(5);
    let mut first = on(&database);
    let lan = User::new(name("lan"), Roles::of(&[Role::Checker]), "phc".to_owned(), (name("admin"), at));
    assert!(first.tx(|tx| tx.add_user(&lan)).is_some());
    let (begun, has_begun) = mpsc::channel();
    let database = database.clone();
    let other = std::thread::spawn(move || {
        let mut second = on(&database);
        let may = Authority { person: name("lan"), action: Action::Close, dong: 9, granted_by: name("boss"), at };
        has_begun.recv().unwrap();
        transact(second.store.as_mut(), |tx| tx.grant(&may)).unwrap().0
    });
    let given = UserChange::Given { phc: "other".to_owned(), by: name("boss"), at };
    first.tx(|tx| {
        let gone = tx.change_user(&name("lan"), &given)?;
        begun.send(()).unwrap();
        // Long enough for the other one to have read what was there before, if nothing held it up.
        std::thread::sleep(Duration::from_millis(300));
        Ok(gone)
    });
    assert!(!other.join().unwrap(), "boss knows the password by then");
    assert_eq!(first.reports.authorities().unwrap(), vec![]);
}
