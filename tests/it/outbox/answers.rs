//! What the core hears, and what its answers do to a message. Holds I6.

use super::rig::*;
use thuho::domain::dispatch::ParkCause;
use thuho::domain::ids::{DispatchKey, EventKey, InvoiceId};
use thuho::domain::ids::{Movement, PartnerCode};

#[tokio::test]
async fn the_core_hears_each_payment_once_signed_as_the_specification_says() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| says(200, "")).await;
    rig.pay(&["HD-1"], false).await;
    let forwarder = rig.forwarder(&core.url);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert_eq!(forwarder.forward_once().await.unwrap().taken, 0);

    let [call] = core.heard().try_into().unwrap();
    let mut headers = reqwest::header::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, call.header(name).parse().unwrap());
    }
    let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
    theirs.verify(&call.body, &headers).unwrap();
    let mut tampered = call.body.clone();
    tampered[0] ^= 1;
    assert!(theirs.verify(&tampered, &headers).is_err());

    let one = PartnerCode::parse("one").unwrap();
    let payment = EventKey::of(&one, "acc", &event("HD-1"), Movement::Payment);
    assert_eq!(call.id(), DispatchKey::of(&payment, 0, &InvoiceId::parse("HD-1").unwrap()).to_string());
    assert_eq!(call.header("content-type"), "application/json");
    let message: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(message["type"], "payment.settled");
    assert_eq!(message["data"]["invoice_id"], "HD-1");
    assert_eq!(message["data"]["amount"], 1_000);
    assert_eq!(rig.stands("HD-1"), ("delivered".to_owned(), None, 1));
}

#[tokio::test]
async fn a_core_that_fails_hears_the_same_bytes_under_the_same_key_after_a_growing_wait() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| says(503, "down")).await;
    rig.pay(&["HD-1"], false).await;
    let forwarder = rig.forwarder(&core.url);
    assert_eq!(forwarder.forward_once().await.unwrap().written.retried, 1);
    let [first] = core.heard().try_into().unwrap();
    for wait_ms in [1_000, 2_000] {
        rig.clock.advance_ms(wait_ms / 2 - 1);
        assert_eq!(forwarder.forward_once().await.unwrap().taken, 0, "too early");
        rig.clock.advance_ms(wait_ms / 2 + 1);
        assert_eq!(forwarder.forward_once().await.unwrap().written.retried, 1);
        let [again] = core.heard().try_into().unwrap();
        assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    }
    core.now(|_| says(204, ""));
    rig.clock.advance_ms(4_000);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert_eq!(rig.stands("HD-1"), ("delivered".to_owned(), None, 4));
}

#[tokio::test]
async fn the_wait_that_the_core_asks_for_is_kept() {
    let rig = Rig::new();
    let core = Scripted::start(|_| says_with(429, "retry-after: 30\r\n", "")).await;
    rig.pay(&["HD-1"], false).await;
    let forwarder = rig.forwarder(&core.url);
    assert_eq!(forwarder.forward_once().await.unwrap().written.retried, 1);
    core.now(|_| says(200, ""));
    rig.clock.advance_ms(29_999);
    assert_eq!(forwarder.forward_once().await.unwrap().taken, 0);
    rig.clock.advance_ms(1_002);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn silence_a_reset_and_a_refused_connection_are_tried_again_and_hold_up_nobody() {
    let rig = Rig::new();
    rig.pay(&["HD-1", "HD-2", "HD-3"], false).await;
    let core = Scripted::start(|call| match call.body {
        ref body if body.windows(6).any(|w| w == b"\"HD-1\"") => Answer::Silence,
        ref body if body.windows(6).any(|w| w == b"\"HD-2\"") => Answer::Reset,
        _ => says(200, ""),
    })
    .await;
    let round = rig.forwarder(&core.url).forward_once().await.unwrap();
    assert_eq!((round.written.retried, round.written.delivered), (2, 1));
    assert_eq!(rig.message("HD-1").reason.as_deref(), Some("timeout"));
    assert_eq!(rig.message("HD-2").reason.as_deref(), Some("no connection"));

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rig.clock.advance_ms(1_000);
    let round = rig.forwarder(&format!("http://{closed}/")).forward_once().await.unwrap();
    assert_eq!(round.written.retried, 2);
    assert_eq!(rig.stands("HD-1"), ("waiting".to_owned(), None, 2));
}

#[tokio::test]
async fn a_core_that_babbles_costs_no_memory_and_no_time() {
    let rig = Rig::new();
    rig.pay(&["HD-1", "HD-2"], false).await;
    // 200 with a body that never ends; 409 with our id far beyond what is read.
    let core = Scripted::start(|call| {
        let long = format!("{}{}", "x".repeat(300_000), call.id());
        if call.body.windows(6).any(|w| w == b"\"HD-1\"") {
            Answer::Bytes(format!("HTTP/1.1 200 X\r\ncontent-length: 999999999\r\n\r\n{long}").into_bytes())
        } else {
            says(409, &long)
        }
    })
    .await;
    let round = rig.forwarder(&core.url).forward_once().await.unwrap();
    assert_eq!(round.written.delivered, 1);
    assert_eq!(rig.stands("HD-2"), ("parked".to_owned(), Some(ParkCause::BillAlreadyCleared), 1));
}
