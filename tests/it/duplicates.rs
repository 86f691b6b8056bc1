//! The same event again: at once, after a restart, after a year, from a hundred callers, with Redis in every mood. The
//! books change once (I2), and the words stay the same (I7).

use crate::harness::redis::Redis;
use crate::harness::{Gateway, Setup, bill, http, pays};
use std::sync::Barrier;
use thuho::partner::forge::Wanted;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn outcome(gateway: &Gateway, event: &str, amount: i64) -> String {
    let answer = gateway.notify("standard", &pays(event, "HD-1", amount));
    answer.json()["outcome"].as_str().unwrap().to_owned()
}

fn check(gateway: &Gateway, event: &str, expected: &str) {
    assert_eq!(outcome(gateway, event, 150_000), expected);
    assert_eq!(gateway.settled("HD-1"), 150_000, "the books changed once");
}

#[test]
fn a_repeat_is_a_duplicate_at_once_after_a_restart_and_after_thirteen_months() {
    let mut gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    check(&gateway, "p1", "accepted");
    check(&gateway, "p1", "duplicate");
    gateway.restart();
    check(&gateway, "p1", "duplicate");
    check(&gateway, "p1", "duplicate");
    gateway.clock.advance_ms(396 * DAY_MS);
    check(&gateway, "p1", "duplicate");
    gateway.restart();
    check(&gateway, "p1", "duplicate");
    assert_eq!(gateway.receipts(), ["standard settled 1"]);
}

/// The very bytes, again: a partner without a signed send time hears that it was done; with one, it hears that the call
/// is old, which is no success either.
#[test]
fn a_replay_byte_for_byte_changes_nothing_at_once_after_a_day_and_after_thirteen_months() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    let order = Wanted { order: Some("261122_HD-2".to_owned()), ..pays("77", "", 90_000) };
    let (wallet, standard) =
        (gateway.forge("zalopay", &order), gateway.forge("standard", &pays("p1", "HD-1", 150_000)));
    assert_eq!(gateway.send("zalopay", &wallet).json()["return_code"], 1);
    assert_eq!(gateway.send("standard", &standard).json()["outcome"], "accepted");
    assert_eq!(gateway.send("standard", &standard).json()["outcome"], "duplicate");
    for days in [0, 1, 395] {
        gateway.clock.advance_ms(days * DAY_MS);
        assert_eq!(gateway.send("zalopay", &wallet).json()["return_code"], 2, "after {days} days");
        if days > 0 {
            let answer = gateway.send("standard", &standard);
            assert_eq!((answer.status, &answer.json()["outcome"]), (503, &"stale".into()), "after {days} days");
        }
    }
    assert_eq!((gateway.settled("HD-1"), gateway.settled("HD-2")), (150_000, 90_000));
}

/// Sends the same bytes from many callers at one moment and counts what they hear.
fn storm(gateway: &Gateway, calls: &[Vec<u8>]) -> Vec<String> {
    let barrier = Barrier::new(calls.len());
    let to = gateway.running().public();
    let mut heard: Vec<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = calls
            .iter()
            .map(|bytes| {
                scope.spawn(|| {
                    barrier.wait();
                    http::call(to, bytes).json()["outcome"].as_str().unwrap().to_owned()
                })
            })
            .collect();
        callers.into_iter().map(|c| c.join().unwrap()).collect()
    });
    heard.sort();
    heard
}

#[test]
fn a_hundred_identical_calls_at_once_are_one_payment() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let call = http::webhook("standard", &gateway.forge("standard", &pays("p1", "HD-1", 150_000)));
    let heard = storm(&gateway, &vec![call; 100]);
    assert_eq!(heard.iter().filter(|h| *h == "accepted").count(), 1);
    assert_eq!(heard.iter().filter(|h| *h == "duplicate").count(), 99);
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(gateway.receipts(), ["standard settled 1"]);
}

#[test]
fn one_event_with_two_amounts_at_once_is_one_payment_and_conflicts() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let call = |amount| http::webhook("standard", &gateway.forge("standard", &pays("p1", "HD-1", amount)));
    let (right, wrong) = (call(150_000), call(140_000));
    let calls: Vec<_> = (0..40).map(|n| if n % 2 == 0 { right.clone() } else { wrong.clone() }).collect();
    let heard = storm(&gateway, &calls);
    assert_eq!(heard.iter().filter(|h| *h == "conflict").count(), 20, "{heard:?}");
    let settled = gateway.settled("HD-1");
    assert!(settled == 150_000 || settled == 0, "one of them won: {settled}");
    let payments = gateway.get("/api/v1/payments?invoice=HD-1").json();
    assert_eq!(payments.as_array().unwrap().len(), 1);
}

#[test]
fn two_partners_racing_for_one_invoice_settle_it_once() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let standard = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
    let bank = gateway.forge("agribank", &pays("A1", "HD-1", 150_000));
    let calls = [http::webhook("standard", &standard), http::webhook("agribank", &bank)];
    let to = gateway.running().public();
    std::thread::scope(|scope| {
        for call in &calls {
            scope.spawn(move || http::call(to, call));
        }
    });
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

fn with_redis(redis: &Redis) -> Gateway {
    Gateway::configured(&format!("seen.url = \"{}\"\nserver.environment = \"test\"", redis.url()))
}

fn recalled(gateway: &Gateway) -> u64 {
    let text = gateway.get("/metrics").text();
    let line = text.lines().find(|l| l.starts_with("thuho_seen_recalls_total{answer=\"settled\"}"));
    line.map_or(0, |l| l.rsplit(' ').next().unwrap().parse().unwrap())
}

#[test]
fn redis_in_every_mood_changes_no_answer() {
    let Some(mut redis) = Redis::start("redis_in_every_mood_changes_no_answer") else { return };
    let mut gateway = with_redis(&redis);
    gateway.put(&[bill("HD-1", 150_000)]);
    check(&gateway, "p1", "accepted");
    redis.wait_for_markers(1);
    let before = recalled(&gateway);
    check(&gateway, "p1", "duplicate");
    assert!(recalled(&gateway) > before, "Redis answered this one");
    assert_eq!(outcome(&gateway, "p1", 2_000), "conflict");
    redis.command("FLUSHALL");
    check(&gateway, "p1", "duplicate");
    redis.wait_for_markers(1);
    gateway.restart();
    check(&gateway, "p1", "duplicate");
    redis.command("CONFIG SET maxmemory-policy noeviction");
    redis.command("CONFIG SET maxmemory 1");
    redis.command("FLUSHALL");
    for _ in 0..5 {
        check(&gateway, "p1", "duplicate");
    }
    assert_eq!(redis.markers(), 0, "it takes no writes");
    redis.signal("-STOP");
    for _ in 0..10 {
        check(&gateway, "p1", "duplicate");
    }
    let readiness = gateway.get("/readyz");
    assert_eq!((readiness.status, readiness.json()["state"].as_str()), (200, Some("degraded")));
    redis.signal("-CONT");
    redis.command("CONFIG SET maxmemory 0");
    // It is asked and told again by itself: both breakers close.
    let before = recalled(&gateway);
    let healed = (0..1_000).any(|_| {
        check(&gateway, "p1", "duplicate");
        std::thread::sleep(std::time::Duration::from_millis(10));
        recalled(&gateway) > before && redis.markers() == 1
    });
    assert!(healed, "Redis came back and is not used");
    redis.kill();
    for _ in 0..10 {
        check(&gateway, "p1", "duplicate");
    }
    assert_eq!(gateway.receipts(), ["standard conflict 1", "standard settled 1"]);
}

/// The database is put back to before the payment, and Redis remembers the payment: it must not call the partner's
/// repeat a duplicate, or the payment is lost.
#[test]
fn an_older_database_under_a_redis_that_remembers_takes_the_payment_again() {
    let Some(redis) = Redis::start("an_older_database_under_a_redis_that_remembers_takes_the_payment_again") else {
        return;
    };
    let mut gateway = with_redis(&redis);
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000)]);
    let first = gateway.notify("standard", &pays("p0", "HD-2", 90_000));
    assert_eq!(first.json()["outcome"], "accepted");
    redis.wait_for_markers(1);
    gateway.down();
    let copy = gateway.dir().join("copy.db");
    thuho::store::sqlite::backup(&gateway.db(), &copy, &mut |_| {}).unwrap();
    gateway.up();
    check(&gateway, "p1", "accepted");
    redis.wait_for_markers(2);
    gateway.down();
    thuho::store::sqlite::restore(&copy, &gateway.db(), true, &mut |_| {}).unwrap();
    gateway.up();
    assert_eq!(gateway.settled("HD-1"), 0, "the payment is not in the restored books");
    check(&gateway, "p1", "accepted");
    check(&gateway, "p1", "duplicate");
}

#[test]
fn a_gateway_without_its_redis_starts_and_answers() {
    let setup = Setup { toml: "seen.url = \"redis://127.0.0.1:1/0\"".to_owned(), ..Setup::default() };
    let gateway = Gateway::with(setup);
    gateway.put(&[bill("HD-1", 150_000)]);
    check(&gateway, "p1", "accepted");
    check(&gateway, "p1", "duplicate");
    let readiness = gateway.get("/readyz");
    assert_eq!((readiness.status, readiness.json()["state"].as_str()), (200, Some("degraded")));
}
