//! Crashes, fences and drains: one key, one effect, whatever dies in between. Holds I6.

use super::rig::*;
use jiff::civil::date;
use std::time::Duration;
use thuho::domain::dispatch::{LeaseToken, LeasedDispatch};
use thuho::domain::ids::Movement;
use thuho::domain::invoice::Invoice;
use thuho::domain::outcome::Outcome;
use thuho::domain::secret::Secret;
use thuho::domain::time::Clock;
use thuho::ledger::register;
use thuho::ledger::writer::PostJob;
use thuho::outbox::classify::Heard;
use thuho::outbox::core_client::Core;
use thuho::outbox::desk::{Attempted, Desk, Take};
use thuho::outbox::{CoreClient, CoreOptions, ForwarderOptions};
use thuho::sandbox::core_book::{Act, Behaviour, Effect as CoreEffect, Order};
use thuho::store::reports::Reports;

/// Takes what is due, as an instance does that then dies or sleeps.
async fn take(rig: &Rig, lease_ms: i64) -> Vec<LeasedDispatch> {
    let tokens = [LeaseToken(901), LeaseToken(902)];
    let take = Take { now: rig.clock.now(), lease_ms, fast: 0, normal: 10, tokens };
    rig.writer.exchange(Vec::new(), Some(take), WAITS).await.unwrap().1.messages
}

#[tokio::test]
async fn a_crash_between_the_send_and_its_note_tells_the_core_again_under_the_same_key() {
    let rig = Rig::new();
    let core = sandbox(Behaviour::default(), rig.clock.clone());
    rig.pay(&["HD-1"], false).await;
    let [message] = take(&rig, 20_000).await.try_into().unwrap();
    let heard = client(&core.url(), 1_000).send(&message, rig.clock.now()).await;
    assert_eq!(heard, Heard::Status { code: 200, names_us: false, retry_after_ms: None });
    // Nothing was written down: the instance died here.
    let forwarder = rig.forwarder(&core.url());
    rig.clock.advance_ms(19_999);
    assert_eq!(forwarder.forward_once().await.unwrap().taken, 0, "still the other's");
    rig.clock.advance_ms(1);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    core.with_book(|book| {
        let effects: Vec<_> = book.journal().lines().iter().map(|line| (line.effect, line.id.clone())).collect();
        let id = message.key.to_string();
        assert_eq!(effects, [(CoreEffect::Taken, id.clone()), (CoreEffect::Repeat, id)]);
        assert_eq!(book.totals().net_dong, 1_000);
    });
}

#[tokio::test]
async fn a_result_under_a_lost_lease_changes_nothing() {
    let rig = Rig::new();
    let core = Scripted::start(|_| says(200, "")).await;
    rig.pay(&["HD-1"], false).await;
    let [message] = take(&rig, 20_000).await.try_into().unwrap();
    rig.clock.advance_ms(20_000);
    assert_eq!(delivered(&rig.forwarder(&core.url).forward_once().await.unwrap()), (1, 1));
    let before = rig.message("HD-1");
    for code in [422, 503, 401, 200] {
        let heard = Some(Heard::Status { code, names_us: false, retry_after_ms: None });
        let late = Attempted { message: message.clone(), heard, probe: false, at: rig.clock.now(), random: 1 };
        let (written, _) = rig.writer.exchange(vec![late], None, WAITS).await.unwrap();
        assert_eq!((written.lost, written.delivered, written.parked.len()), (1, 0, 0), "{code}");
        assert_eq!(rig.message("HD-1"), before, "{code}");
    }
    assert_eq!(rig.open_breaks(), []);
}

#[tokio::test]
async fn what_flies_when_the_gateway_stops_is_given_back_unblamed() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| Answer::Silence).await;
    rig.pay(&["HD-1", "HD-2"], false).await;
    let options = ForwarderOptions { drain_ms: 0, timeout_ms: 60_000, waits: WAITS, ..ForwarderOptions::default() };
    let forwarder = rig.forwarder_with(&core.url, options);
    let both_flying = async {
        for _ in 0..2 {
            core.calls.recv().await.unwrap();
        }
    };
    forwarder.run(both_flying).await;
    for id in ["HD-1", "HD-2"] {
        assert_eq!(rig.stands(id), ("waiting".to_owned(), None, 0), "{id}");
    }
    core.now(|_| says(200, ""));
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (2, 2));
}

#[tokio::test]
async fn a_commit_wakes_a_resting_forwarder() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| says(200, "")).await;
    let options = ForwarderOptions { poll_ms: 3_600_000, waits: WAITS, ..ForwarderOptions::default() };
    let forwarder = rig.forwarder_with(&core.url, options);
    let waker = forwarder.waker();
    rig.writer.on_posted(move || waker.wake());
    let told = async {
        // It looks once when it starts; what comes later only the commit can tell it of.
        tokio::time::sleep(Duration::from_millis(300)).await;
        rig.pay(&["HD-1"], false).await;
        tokio::time::timeout(Duration::from_secs(10), core.calls.recv()).await.expect("woken").unwrap();
    };
    forwarder.run(told).await;
    assert_eq!(rig.stands("HD-1"), ("delivered".to_owned(), None, 1));
}

#[tokio::test]
async fn thousands_drain_through_a_failing_core_and_every_dong_arrives_once() {
    const COUNT: usize = 3_000;
    let rig = Rig::new();
    let core = sandbox(Behaviour { fail_percent: 20, orders: Vec::new() }, rig.clock.clone());
    let ids: Vec<String> = (0..COUNT).map(|n| format!("HD-{n}")).collect();
    let rows: Vec<Invoice> = ids.iter().map(|id| invoice(id, date(9000, 1, 1))).collect();
    let context = rig.writer.context(&*rig.clock);
    let registered = rig.writer.run(move |store| store.transact(&mut |tx| register(tx, &context, &rows).map(drop)));
    registered.unwrap().await.unwrap().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let jobs =
        ids.iter().map(|id| PostJob { arrival: arrival(id, Movement::Payment, &*rig.clock), deadline, pickup: None });
    let answers: Vec<_> = jobs.map(|job| rig.writer.submit(job).unwrap()).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap().answer.outcome, Outcome::Accepted);
    }
    let forwarder = rig.forwarder(&core.url());
    while rig.reports().outbox_depth().unwrap().waiting > 0 {
        forwarder.forward_once().await.unwrap();
        rig.clock.advance_ms(500);
    }
    core.with_book(|book| {
        let totals = book.totals();
        assert_eq!((totals.taken, totals.net_dong), (3_000, 3_000_000));
        assert_eq!((totals.keys_reused, totals.older), (0, 0));
        assert!(totals.calls > 3_300, "nothing failed: {totals:?}");
        assert!(book.invoices().values().all(|dong| *dong == 1_000));
    });
}

#[tokio::test]
async fn a_core_ordered_to_misbehave_in_every_way_ends_with_the_right_books() {
    let rig = Rig::new();
    let order = |invoice: &str, act| Order { invoice: Some(invoice.to_owned()), times: Some(1), act };
    let orders = vec![
        order("HD-1", Act::TakeThenStatus { code: 500 }),
        order("HD-2", Act::Silence { take: true }),
        order("HD-3", Act::Silence { take: false }),
        order("HD-4", Act::Status { code: 429, retry_after_s: Some(1) }),
        order("HD-5", Act::Babble { bytes: 1_000_000 }),
        order("HD-6", Act::Slow { ms: 1 }),
        order("HD-7", Act::ClearedByOther),
    ];
    let core = sandbox(Behaviour { fail_percent: 0, orders }, rig.clock.clone());
    let ids: Vec<String> = (1..=7).map(|n| format!("HD-{n}")).collect();
    rig.pay(&ids.iter().map(String::as_str).collect::<Vec<_>>(), false).await;
    let forwarder = rig.forwarder(&core.url());
    for _ in 0..4 {
        forwarder.forward_once().await.unwrap();
        rig.clock.advance_ms(3_000);
    }
    let stand: Vec<String> = ids.iter().map(|id| rig.message(id).state).collect();
    assert_eq!(stand, ["delivered", "delivered", "delivered", "delivered", "delivered", "delivered", "parked"]);
    core.with_book(|book| assert_eq!(book.totals().net_dong, 6_000));
}

#[tokio::test]
async fn the_sandbox_core_believes_nobody_without_the_key() {
    let rig = Rig::new();
    let core = sandbox(Behaviour::default(), rig.clock.clone());
    rig.pay(&["HD-1"], false).await;
    let [message] = take(&rig, 20_000).await.try_into().unwrap();
    let other = Secret::new(b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd".to_vec());
    let options = CoreOptions { url: core.url(), secret: other, timeout_ms: 1_000, trust_pem: None };
    let unknown = Heard::Status { code: 401, names_us: false, retry_after_ms: None };
    let stranger = CoreClient::new(&options).unwrap();
    assert_eq!(stranger.send(&message, rig.clock.now()).await, unknown);
    let ours = client(&core.url(), 1_000);
    assert_eq!(ours.send(&message, rig.clock.now().plus_ms(-301_000)).await, unknown, "signed too long ago");
    core.with_book(|book| assert_eq!(book.totals().calls, 0));
}
