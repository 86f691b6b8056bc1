//! The real program over a real PostgreSQL: what each command makes of it, and two instances on one database.

use crate::harness::postgres::{Database, Server};
use crate::harness::program::{Home, TOKEN, code, ended, signal};
use crate::harness::{http, keys, pays, shipped};
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Duration;
use thuho::domain::ids::EventKey;
use thuho::domain::time::{Clock as _, SystemClock};
use thuho::partner::Partners;
use thuho::store::Store as _;
use thuho::store::postgres::PostgresOptions;

/// Taken by a server that asks for none, and never to be seen.
const PASSWORD: &str = "canary-password-of-the-database-1";

fn with_password(database: &Database) -> String {
    database.url().replace("thuho@", &format!("thuho:{PASSWORD}@"))
}

const BILL: &str = "invoice_id,customer_code,payer_code,unit,area,period,kind,net,vat,total,issued_on,due_on,status,\
                    paid_elsewhere,adjusts,version\nHD-1,PA1,PA1,PA03HL,urban,2026-10-1,TD,100000,0,100000,2026-11-01,\
                    2026-11-15,open,,,\n";

#[test]
fn the_commands_know_a_server() {
    let Some(server) = Server::shared("the commands know a server") else { return };
    let database = server.empty();
    let home = Home::over(with_password(&database));
    let run = |args: &[&str]| {
        let (exit, text) = code(&home.run(&[args, &["--config", "gateway.toml"]].concat()));
        assert!(!text.contains(PASSWORD), "{text}");
        (exit.unwrap(), text)
    };
    let (exit, text) = run(&["migrate"]);
    assert!(exit == 1 && text.contains("no such database"), "{text}");
    server.create(&database);
    let (exit, text) = run(&["check"]);
    assert!(exit == 1 && text.contains("run thuho migrate"), "{text}");
    let (exit, text) = run(&["migrate"]);
    assert!(exit == 0 && text.contains("0001_spine"), "{text}");
    assert!(run(&["migrate"]).1.contains("nothing to do"));
    let (exit, text) = run(&["check"]);
    assert!(exit == 0 && text.contains("0 invoices"), "{text}");
    std::fs::write(home.path("bills.csv"), BILL).unwrap();
    let (exit, text) = run(&["invoice", "import", "bills.csv"]);
    assert_eq!(exit, 0, "{text}");
    assert!(run(&["check"]).1.contains("1 invoices"));
    assert_eq!(run(&["outbox", "list"]).0, 0);
    let (exit, text) = run(&["backup", "copy.db"]);
    assert!(exit == 2 && text.contains("pg_basebackup"), "{text}");
    assert!(run(&["audit"]).1.contains("audit: passed"));
}

#[test]
fn two_instances_on_one_database_answer_as_one() {
    let Some(database) = Database::fresh("two instances on one database") else { return };
    let [one, two] = [Home::over(with_password(&database)), Home::over(with_password(&database))];
    let running = [one.serve(), two.serve()];
    let put = one.internal("PUT", "/api/v1/invoices", "application/x-ndjson", ndjson().as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    let paid = one.call_saying(&pays("E1", "HD-1", 100_000));
    assert_eq!(http::call(one.public, &paid).json()["outcome"], "accepted");
    for home in [&two, &one, &two] {
        assert_eq!(http::call(home.public, &paid).json()["outcome"], "duplicate");
    }
    let again = two.call_saying(&pays("E2", "HD-1", 100_000));
    assert_eq!(http::call(two.public, &again).json()["outcome"], "already_paid");
    assert_eq!(http::call(one.public, &again).json()["outcome"], "already_paid");
    // What one is told to stop, the other stops too.
    assert_eq!(one.internal("POST", "/api/v1/partners/standard/pause", "text/plain", b"").status, 204);
    let unpaid = two.call_saying(&pays("E3", "HD-1", 100_000));
    let stopped = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        http::call(two.public, &unpaid).json()["outcome"] == "try_again"
    });
    assert!(stopped, "the other instance does not hear of the pause");
    assert_eq!(two.internal("POST", "/api/v1/partners/standard/resume", "text/plain", b"").status, 204);
    let seen = two.internal("GET", "/api/v1/invoices/HD-1", "text/plain", b"");
    assert_eq!(seen.json()["settled"], 100_000, "{}", seen.text());
    assert_eq!(database.sql("SELECT lane FROM lanes WHERE n > 0 ORDER BY lane"), ["0", "1"]);
    for (home, child) in [&one, &two].into_iter().zip(running) {
        let audit = home.run(&["audit", "--config", "gateway.toml"]);
        assert_eq!(code(&audit).0, Some(0), "{}", code(&audit).1);
        signal(&child, "-TERM");
        let (exit, log) = ended(child);
        assert_eq!(exit, Some(0), "{log}");
        assert!(!log.contains(PASSWORD) && !log.contains(TOKEN), "a secret is in the log");
    }
    let audit = one.run(&["audit", "--config", "gateway.toml"]);
    assert!(code(&audit).1.contains("3 receipts") || code(&audit).0 == Some(0), "{}", code(&audit).1);
}

fn ndjson() -> String {
    "{\"invoice_id\":\"HD-1\",\"customer_code\":\"PA1\",\"payer_code\":\"PA1\",\"unit\":\"PA03HL\",\"area\":\"urban\",\
     \"period\":\"2026-10-1\",\"kind\":\"TD\",\"net\":100000,\"vat\":0,\"total\":100000,\"issued_on\":\"2026-11-01\",\
     \"due_on\":\"2026-11-15\",\"status\":\"open\"}\n"
        .to_owned()
}

/// The server is stopped hard and started again under a gateway: not ready, the retry word, ready again, nothing lost.
#[test]
fn a_gateway_outlives_a_restart_of_its_server() {
    let Some(server) = Server::start("a gateway outlives a restart of its server") else { return };
    let database = server.database();
    let home = Home::over(database.url());
    let child = home.serve_logging();
    let pay = |event: &str| http::call(home.public, &home.call_saying(&pays(event, "HD-9", 5_000))).json();
    let ready = || http::call(home.internal, &http::request("GET", "/readyz", &[], b"")).status;
    assert_eq!(pay("E1")["outcome"], "unknown_invoice");
    assert_eq!(ready(), 200);
    server.down();
    assert_eq!(pay("E2")["outcome"], "try_again");
    let wait_for = |status: u16| {
        for _ in 0..1_000 {
            if ready() == status {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never {status}: {}", home.log());
    };
    wait_for(503);
    server.up();
    wait_for(200);
    assert_eq!(pay("E2")["outcome"], "unknown_invoice");
    assert_eq!(pay("E1")["outcome"], "unknown_invoice");
    signal(&child, "-TERM");
    assert_eq!(ended(child).0, Some(0), "{}", home.log());
    let audit = home.run(&["audit", "--config", "gateway.toml"]);
    assert_eq!(code(&audit).0, Some(0), "{}", code(&audit).1);
    assert_eq!(database.sql("SELECT count(*) FROM postings"), ["2"]);
}

/// A call of the bank that asks before it debits, and its event.
fn asks(event: &str, amount: i64) -> (Vec<u8>, EventKey) {
    let partners = Partners::load(&shipped(), keys().as_ref()).unwrap();
    let (profile, now) = (partners.get("agribank").unwrap(), SystemClock.now());
    let forged = profile.forge(keys().of("agribank"), &pays(event, "HD-1", amount), now).unwrap();
    let raw = forged.to_raw(now);
    let notice = profile.read(&profile.prove(&raw, now).unwrap(), now).unwrap();
    (http::webhook("agribank", &forged), notice.key().unwrap())
}

/// It hung up while its event was another instance's, and was told there that nothing is known: nothing may be booked.
#[test]
fn a_bank_that_hangs_up_before_its_payment_is_booked_has_paid_nothing() {
    let Some(database) = Database::fresh("a bank that hangs up") else { return };
    let home = Home::over(database.url());
    home.knows("agribank");
    let running = home.serve();
    assert_eq!(home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", ndjson().as_bytes()).status, 200);
    let mut other = database.store(&PostgresOptions { lane: 9, ..PostgresOptions::default() });
    for (hangs_up, events) in [(true, "0"), (false, "1")] {
        let (call, key) = asks("A1", 100_000);
        let (held, free) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                other.transact(&mut |tx| {
                    tx.events(&[key])?;
                    held.wait();
                    free.wait();
                    Ok(())
                })
            });
            held.wait();
            let mut bank = TcpStream::connect(home.public).unwrap();
            bank.write_all(&call).unwrap();
            while database.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != ["1"] {
                std::thread::sleep(Duration::from_millis(5));
            }
            let listening = (!hangs_up).then_some(bank);
            // Nothing shows that the gateway has heard of it.
            std::thread::sleep(Duration::from_millis(300));
            free.wait();
            holder.join().unwrap().unwrap();
            // Refused, once the one before is through.
            let (call, _) = asks("A2", 1);
            drop(http::call(home.public, &call));
            drop(listening);
        });
        let found = format!("SELECT count(*) FROM events WHERE key = '{}'", hex::encode(key.as_bytes()));
        assert_eq!(database.sql(&found), [events], "hangs up: {hangs_up}");
    }
    signal(&running, "-TERM");
    assert_eq!(ended(running).0, Some(0));
}
