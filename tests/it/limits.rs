//! Bad bodies and floods: always a clear answer, nothing lost, nothing half done, and none that reads as success (I1, I3, I10).

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, bill, keys, pays};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use thuho::domain::time::Clock;
use thuho::partner::forge::Forged;

/// What an unchanged made-up notice says of its time.
const PAID_AT: &str = "2026-04-01T10:00:00+07:00";

/// A notice whose body is these bytes, rightly signed.
fn signed(gateway: &Gateway, body: Vec<u8>) -> Forged {
    let mut forged = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
    forged.body = body;
    gateway.profile("standard").sign_forged(forged, keys().of("standard"), gateway.clock.now()).unwrap()
}

/// Never a success, and by status.
fn check(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.status >= 400, "a partner would read it as success");
}

#[test]
fn a_body_at_the_cap_is_read_and_one_byte_more_is_not() {
    let gateway = Gateway::start();
    let of = |len: usize| {
        let mut body = gateway.forge("standard", &pays("p1", "HD-1", 150_000)).body;
        body.resize(len, b' ');
        gateway.send("standard", &signed(&gateway, body))
    };
    assert_eq!(of(65_536).json()["outcome"], "unknown_invoice");
    check(&of(65_537), 413);
    check(&of(0), 422);
    assert_eq!(gateway.receipts(), ["standard parked 1", "standard unreadable 1"]);
}

#[test]
fn a_proved_body_that_is_not_understood_is_kept_and_asked_for_again() {
    let gateway = Gateway::start();
    let good = String::from_utf8(gateway.forge("standard", &pays("p1", "HD-1", 150_000)).body).unwrap();
    let bodies = [
        b"\xff\xfe{}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"a\":\"\0\"}".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        good.replace("\"amount\":150000", "\"amount\":150000,\"amount\":1").into_bytes(),
        good.replace("150000", "-150000").into_bytes(),
        good.replace("150000", "1.5").into_bytes(),
        good.replace("150000", "1e3").into_bytes(),
        good.replace("150000", "\"150000\"").into_bytes(),
        good.replace("150000", "1000000000000000000000000000000").into_bytes(),
        good.replace("\"amount\":150000,", "").into_bytes(),
        good.replace("150000", "0").into_bytes(),
        good.replace("150000", "150.000").into_bytes(),
        good.replace(PAID_AT, "2026-02-30T09:00:00+07:00").into_bytes(),
        good.replace(PAID_AT, "9999-01-01T00:00:00Z").into_bytes(),
        format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
    ];
    let count = bodies.len();
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let answer = gateway.send("standard", &signed(&gateway, body));
        assert_eq!(answer.json()["outcome"], "malformed", "{shown}");
        check(&answer, 422);
    }
    assert_eq!(gateway.receipts(), [format!("standard unreadable {count}")]);
}

#[test]
fn a_compressed_body_and_a_foreign_content_type_are_415() {
    let gateway = Gateway::start();
    let with = |name: &str, value: &str| {
        let mut forged = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
        forged.headers.retain(|(n, _)| n != name);
        forged.headers.push((name.to_owned(), value.to_owned()));
        gateway.send("standard", &forged)
    };
    for encoding in ["gzip", "br", "zstd", "deflate", "gzip, identity"] {
        check(&with("content-encoding", encoding), 415);
    }
    check(&with("content-type", "text/xml"), 415);
    assert_eq!(with("content-encoding", "identity").status, 200);
}

#[test]
fn a_chunked_body_without_end_is_cut_at_the_cap() {
    let gateway = Gateway::start();
    let mut stream = http::connect(gateway.running().public());
    let head = "POST /webhooks/standard HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for _ in 0..64 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    check(&http::answer(&mut stream), 413);
}

#[test]
fn a_body_that_does_not_arrive_is_408() {
    let gateway = Gateway::configured("limits.body_deadline_ms = 200");
    let mut stream = http::connect(gateway.running().public());
    let head =
        "POST /webhooks/standard HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    check(&http::answer(&mut stream), 408);
}

#[test]
fn a_forged_flood_is_limited_by_its_address_and_proved_notices_of_others_are_taken() {
    let gateway = Gateway::configured(
        "listen.trusted_proxies = [\"127.0.0.0/8\"]\nlimits.peer_per_second = 1\nlimits.peer_burst = 5",
    );
    gateway.put(&[bill("HD-1", 150_000)]);
    let good = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
    let from = |forged: &Forged, forwarded: &str| {
        let mut forged = forged.clone();
        forged.headers.push(("x-forwarded-for".to_owned(), forwarded.to_owned()));
        gateway.send("standard", &forged)
    };
    let mut bad = good.clone();
    bad.body.push(b' ');
    // What the flood writes to the left of what the proxy saw changes nothing.
    let heard: Vec<u16> = (0..50).map(|n| from(&bad, &format!("10.0.0.{n}, 203.0.113.9")).status).collect();
    assert_eq!(heard.iter().filter(|s| **s == 401).count() + heard.iter().filter(|s| **s == 429).count(), 50);
    assert!(heard.iter().filter(|s| **s == 429).count() >= 40, "{heard:?}");
    assert_eq!(from(&good, "198.51.100.1").json()["outcome"], "accepted");
    assert_eq!(gateway.receipts(), ["standard settled 1"], "nothing of the flood is in the books");
}

#[test]
fn a_forged_flood_of_one_peer_costs_proved_notices_nothing_while_it_lasts() {
    let gateway = Gateway::configured(
        "listen.trusted_proxies = [\"127.0.0.0/8\"]\nlimits.peer_per_second = 5\nlimits.peer_burst = 5",
    );
    let good: Vec<_> = (0..40).map(|n| gateway.forge("standard", &pays(&format!("p{n}"), "HD-9", 1_500 + n))).collect();
    let from = |forged: &Forged, forwarded: &str| {
        let mut forged = forged.clone();
        forged.headers.push(("x-forwarded-for".to_owned(), forwarded.to_owned()));
        gateway.send("standard", &forged)
    };
    let mut bad = good[0].clone();
    bad.body.push(b' ');
    let done = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let flood = || {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                let status = from(&bad, "203.0.113.9").status;
                assert!(status == 401 || status == 429, "{status}");
                sent += 1;
            }
            sent
        };
        let floods = [scope.spawn(flood), scope.spawn(flood), scope.spawn(flood)];
        for (n, call) in good.iter().enumerate() {
            let answer = from(call, &format!("198.51.100.{n}"));
            assert_eq!(answer.json()["outcome"], "unknown_invoice", "{}", answer.text());
        }
        done.store(true, Ordering::Relaxed);
        floods.map(|flood| flood.join().unwrap()).iter().sum::<u32>()
    });
    assert!(sent > 40, "a flood of {sent}");
    assert_eq!(gateway.receipts(), ["standard parked 40"], "nothing of the flood is in the books");
}

#[test]
fn without_trusted_proxies_a_forwarded_address_is_not_believed() {
    let gateway = Gateway::configured("limits.peer_per_second = 1\nlimits.peer_burst = 3");
    let good = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
    let heard: Vec<u16> = (0..10)
        .map(|n| {
            let mut forged = good.clone();
            forged.headers.push(("x-forwarded-for".to_owned(), format!("198.51.100.{n}")));
            gateway.send("standard", &forged).status
        })
        .collect();
    assert!(heard.iter().filter(|s| **s == 429).count() >= 5, "{heard:?}");
}

#[test]
fn strange_references_are_kept_whole_and_harm_nothing() {
    let gateway = Gateway::start();
    let strange =
        ["'; DROP TABLE events;--", "<script>alert(1)</script>", "\u{202e}1-DH", &"x".repeat(10_000), "HD-1\\u0000"];
    for (n, reference) in strange.iter().enumerate() {
        let body = serde_json::json!({"type": "payment.succeeded", "data": {"account": "thuho", "payment_id": format!("s{n}"),
            "invoice_id": reference, "amount": 1000 + n, "paid_at": "2026-11-22T08:00:00+07:00"}});
        let answer = gateway.send("standard", &signed(&gateway, body.to_string().into_bytes()));
        assert_eq!(answer.json()["outcome"], "unknown_invoice", "{reference:.40}");
    }
    assert_eq!(gateway.receipts(), ["standard parked 5"]);
}
