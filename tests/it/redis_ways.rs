//! The ways to a Redis: a user with a password and few rights, sentinels with a failover, TLS. Whichever works or
//! fails, the answers stay the same (I7) and no password is seen (I11).

use crate::harness::redis::{Redis, RedisSetup, free_port};
use crate::harness::tls::certificates;
use crate::harness::{Gateway, bill, pays};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PASSWORD: &str = "canary-password-of-the-redis-user-04";
const ADMIN: (&str, &str) = ("admin", "the-password-of-the-test-itself");

/// All that the gateway's user needs to be allowed.
const RIGHTS: &str = "~thuho:test:* resetchannels -@all +mget +set +ping +select";

fn gateway(url: &str, more: &str) -> Gateway {
    let gateway = Gateway::configured(&format!(
        "seen.url = \"{url}\"\nserver.environment = \"test\"\nseen.breaker_ms = 100\n{more}"
    ));
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    gateway
}

fn check(gateway: &Gateway, event: &str, invoice: &str, amount: i64, expected: &str) {
    let answer = gateway.notify("standard", &pays(event, invoice, amount));
    assert_eq!(answer.json()["outcome"], expected, "{}", answer.text());
}

/// Repeats until the server has answered one more of them itself.
fn until_it_answers(gateway: &Gateway, redis: &Redis) {
    let before = redis.hits();
    for _ in 0..1_000 {
        check(gateway, "p1", "HD-1", 150_000, "duplicate");
        if redis.hits() > before {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("this Redis is not used");
}

fn state(gateway: &Gateway) -> String {
    let answer = gateway.get("/readyz");
    assert_eq!(answer.status, 200, "with or without Redis it is ready");
    answer.json()["state"].as_str().unwrap().to_owned()
}

fn answers_without_it(gateway: &Gateway) {
    check(gateway, "p1", "HD-1", 150_000, "accepted");
    for _ in 0..8 {
        check(gateway, "p1", "HD-1", 150_000, "duplicate");
    }
    check(gateway, "p1", "HD-1", 140_000, "conflict");
    assert_eq!(state(gateway), "degraded");
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

fn with_user(test: &str) -> Option<Redis> {
    let lines = format!(
        "user default off\nuser gateway on >{PASSWORD} {RIGHTS}\nuser {} on >{} ~* &* +@all\n",
        ADMIN.0, ADMIN.1
    );
    Redis::with(test, &RedisSetup { lines, login: Some(ADMIN), sentinel: false })
}

fn user(folder: &Path, password: &str) -> String {
    let file = folder.join("password");
    std::fs::write(&file, format!("{password}\n")).unwrap();
    format!("seen.username = \"gateway\"\nseen.password = \"file:{}\"", file.display())
}

#[test]
fn a_user_with_a_password_and_few_rights_is_enough() {
    let Some(redis) = with_user("a_user_with_a_password_and_few_rights_is_enough") else { return };
    let gateway = gateway(&redis.url(), &user(redis.folder(), PASSWORD));
    check(&gateway, "p1", "HD-1", 150_000, "accepted");
    redis.wait_for_markers(1);
    until_it_answers(&gateway, &redis);
    assert_eq!(state(&gateway), "ready");
    // Locked out in the middle of it.
    redis.command("ACL SETUSER gateway off");
    redis.command("CLIENT KILL USER gateway");
    for _ in 0..8 {
        check(&gateway, "p1", "HD-1", 150_000, "duplicate");
    }
    check(&gateway, "p2", "HD-2", 90_000, "accepted");
    assert_eq!(state(&gateway), "degraded");
    redis.command("ACL SETUSER gateway on");
    until_it_answers(&gateway, &redis);
    assert_eq!(state(&gateway), "ready");
}

#[test]
fn a_wrong_password_and_none_change_no_answer_and_are_never_shown() {
    let test = "a_wrong_password_and_none_change_no_answer_and_are_never_shown";
    let Some(redis) = with_user(test) else { return };
    let wrong = PASSWORD.replace("04", "05");
    for more in [user(redis.folder(), &wrong), String::new()] {
        let gateway = gateway(&redis.url(), &more);
        answers_without_it(&gateway);
        for path in ["/metrics", "/readyz", "/"] {
            assert!(!gateway.get(path).text().contains("canary-password"), "{path}");
        }
    }
    assert_eq!(redis.markers(), 0);
}

#[test]
fn a_failover_costs_speed_and_no_answer() {
    let test = "a_failover_costs_speed_and_no_answer";
    let Some(mut first) = Redis::start(test) else { return };
    let follow = RedisSetup { lines: format!("replicaof 127.0.0.1 {}\n", first.port), ..RedisSetup::default() };
    let second = Redis::with(test, &follow).unwrap();
    let watch = format!(
        "sentinel monitor books 127.0.0.1 {} 1\nsentinel down-after-milliseconds books 300\n\
         sentinel failover-timeout books 2000\n",
        first.port
    );
    let sentinel = Redis::with(test, &RedisSetup { lines: watch, login: None, sentinel: true }).unwrap();
    // A sentinel finds the replicas by asking the master now and then.
    let known = (0..1_500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        sentinel.command("SENTINEL REPLICAS books").contains(&second.port.to_string())
    });
    assert!(known, "the sentinel does not see the replica");

    // One sentinel of the three in the address is there.
    let url = format!("redis+sentinel://127.0.0.1:{},127.0.0.1:1,127.0.0.1:{}/books/0", free_port(), sentinel.port);
    let gateway = gateway(&url, "");
    check(&gateway, "p1", "HD-1", 150_000, "accepted");
    first.wait_for_markers(1);
    second.wait_for_markers(1);
    until_it_answers(&gateway, &first);
    assert_eq!(second.hits(), 0, "the master is asked");

    first.kill();
    check(&gateway, "p1", "HD-1", 150_000, "duplicate");
    check(&gateway, "p1", "HD-1", 140_000, "conflict");
    until_it_answers(&gateway, &second);
    assert!(second.command("ROLE").contains("master"));
    assert_eq!(state(&gateway), "ready");
    let before = second.markers();
    check(&gateway, "p2", "HD-2", 90_000, "accepted");
    // Each worker finds the new master by itself, with the first call it gets.
    let told = (0..500).any(|_| {
        check(&gateway, "p2", "HD-2", 90_000, "duplicate");
        std::thread::sleep(Duration::from_millis(10));
        second.markers() == before + 1
    });
    assert!(told, "the new master takes markers");
    assert_eq!((gateway.settled("HD-1"), gateway.settled("HD-2")), (150_000, 90_000));
}

/// Does it speak TLS to somebody who trusts the CA?
fn is_trusted_under(folder: &Path, port: u16) -> bool {
    let client = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile", "ca.pem"])
        .args(["-verify_return_error", "-verify_hostname", "localhost"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    client.status.success()
}

#[test]
fn a_redis_whose_certificate_nobody_vouches_for_is_not_used() {
    let test = "a_redis_whose_certificate_nobody_vouches_for_is_not_used";
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = certificates(test, folder.path()) else { return };
    let tls_port = free_port();
    let at = folder.path().display();
    let lines = format!(
        "tls-port {tls_port}\ntls-cert-file {at}/server.pem\ntls-key-file {at}/server.key\ntls-ca-cert-file {at}/ca.pem\n\
         tls-auth-clients no\n"
    );
    let Some(redis) = Redis::with(test, &RedisSetup { lines, ..RedisSetup::default() }) else { return };
    assert!(is_trusted_under(folder.path(), tls_port), "the certificate is good, to whoever knows its CA");
    // The client trusts the public CAs and no other; and it never speaks in the clear where TLS was asked for.
    for url in [
        format!("rediss://localhost:{tls_port}/0"),
        format!("rediss://localhost:{}/0", redis.port),
        format!("redis://localhost:{tls_port}/0"),
    ] {
        let gateway = gateway(&url, &user(folder.path(), PASSWORD));
        answers_without_it(&gateway);
    }
    assert_eq!(redis.markers(), 0);
    let asked = redis.command("INFO commandstats");
    assert!(!asked.contains("cmdstat_mget") && !asked.contains("cmdstat_auth"), "{asked}");
}
