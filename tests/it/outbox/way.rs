//! The way to the core as a whole: walls, lanes, alarms. Holds I10.

use super::rig::*;
use crate::harness::{Gateway, bill, pays};
use std::time::{Duration, Instant};
use thuho::domain::dispatch::ParkCause;
use thuho::domain::review::BreakClass;
use thuho::domain::time::Clock;
use thuho::outbox::ForwarderOptions;
use thuho::outbox::watch::{self, AgeLimits, Alarm};
use thuho::store::reports::{DispatchFilter, Reports};
use thuho::store::{CommandAnswer, DispatchCommand};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_wall_pauses_the_way_blames_no_message_and_is_probed_by_one_at_a_time() {
    for wall in [301, 307, 401, 403, 404] {
        let rig = Rig::new();
        let mut core = Scripted::start(move |_| says_with(wall, "location: http://127.0.0.1:1/\r\n", "")).await;
        let ids: Vec<String> = (0..20).map(|n| format!("HD-{n}")).collect();
        rig.pay(&ids.iter().map(String::as_str).collect::<Vec<_>>(), false).await;
        let options = ForwarderOptions { normal: 4, waits: WAITS, ..ForwarderOptions::default() };
        let forwarder = rig.forwarder_with(&core.url, options);
        let round = forwarder.forward_once().await.unwrap();
        assert_eq!((round.taken, round.written.released), (4, 4), "{wall}");
        assert_eq!(core.heard().len(), 4, "followed no redirect");
        assert_eq!(forwarder.forward_once().await.unwrap().taken, 0, "paused");
        let alarms = watch::look(&mut rig.reports(), rig.clock.now(), &AgeLimits::default()).unwrap();
        assert_eq!(alarms, [Alarm::RoutePaused(format!("http {wall}"))]);

        for probe in 0..3 {
            rig.clock.advance_ms(13_000);
            let round = forwarder.forward_once().await.unwrap();
            assert_eq!((round.taken, round.written.released), (1, 1), "probe {probe}");
            assert_eq!(forwarder.forward_once().await.unwrap().taken, 0, "probe {probe} was the only one");
        }
        assert!(ids.iter().all(|id| rig.stands(id) == ("waiting".to_owned(), None, 0)), "{wall}");

        // A probe that meets a failing core proves nothing and is not blamed either.
        core.now(|_| says(503, ""));
        rig.clock.advance_ms(13_000);
        assert_eq!(forwarder.forward_once().await.unwrap().written.released, 1);
        assert_eq!(forwarder.forward_once().await.unwrap().taken, 0, "still paused");

        core.now(|_| says(200, ""));
        rig.clock.advance_ms(60_000);
        assert!(forwarder.forward_once().await.unwrap().written.opened, "{wall}");
        while forwarder.forward_once().await.unwrap().taken > 0 {}
        assert!(ids.iter().all(|id| rig.stands(id) == ("delivered".to_owned(), None, 1)), "{wall}");
        assert_eq!(rig.open_breaks(), []);
    }
}

#[tokio::test]
async fn a_way_that_was_paused_by_a_clock_hours_ahead_is_probed_and_opened_once_the_clock_is_right() {
    const HOURS_MS: i64 = 7 * 3_600_000;
    let rig = Rig::new();
    let core = Scripted::start(|_| says(401, "")).await;
    rig.pay(&["HD-1", "HD-2"], false).await;
    let options = ForwarderOptions { normal: 4, waits: WAITS, ..ForwarderOptions::default() };
    let forwarder = rig.forwarder_with(&core.url, options);
    rig.clock.advance_ms(HOURS_MS);
    assert!(forwarder.forward_once().await.unwrap().written.paused.is_some());
    core.now(|_| says(200, ""));
    rig.clock.advance_ms(60_000 - HOURS_MS);
    assert_eq!(rig.bring_near().await, 2);
    assert!(forwarder.forward_once().await.unwrap().written.opened, "probed at once");
    while forwarder.forward_once().await.unwrap().taken > 0 {}
    assert!(["HD-1", "HD-2"].iter().all(|id| rig.stands(id) == ("delivered".to_owned(), None, 1)));
}

#[tokio::test]
async fn a_message_that_meets_the_wall_alone_parks_at_last_and_costs_the_others_one_pause() {
    let rig = Rig::new();
    let mut core = Scripted::start(|call| match call.body {
        ref body if body.windows(6).any(|w| w == b"\"HD-1\"") => says(404, ""),
        _ => says(200, ""),
    })
    .await;
    rig.pay(&["HD-1"], false).await;
    let forwarder = rig.forwarder(&core.url);
    let (mut others, mut pauses) = (Vec::new(), 0);
    while rig.message("HD-1").state != "parked" {
        let other = format!("N-{}", others.len());
        rig.pay(&[other.as_str()], false).await;
        others.push(other);
        pauses += u32::from(forwarder.forward_once().await.unwrap().written.paused.is_some());
        rig.clock.advance_ms(13_000);
        assert!(others.len() < 40, "it goes on for ever, {pauses} pauses so far");
    }
    assert_eq!(pauses, 1, "only the first wall may be everybody's");
    assert_eq!(rig.stands("HD-1"), ("parked".to_owned(), Some(ParkCause::Walled), 1));
    assert_eq!(rig.message("HD-1").reason.as_deref(), Some("http 404"));
    assert_eq!(rig.open_breaks(), [(BreakClass::PaidNotCleared, "HD-1".to_owned(), 1_000)]);
    let limits = AgeLimits { any_ms: i64::MAX, urgent_ms: i64::MAX };
    assert_eq!(watch::look(&mut rig.reports(), rig.clock.now(), &limits).unwrap(), [Alarm::Parked(1)]);
    assert!(others.iter().all(|id| rig.message(id).state == "delivered"));

    core.heard();
    core.now(|_| says(200, ""));
    let key = rig.message("HD-1").key;
    assert_eq!(rig.command(&key, DispatchCommand::Retry).await, CommandAnswer::Done);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert_eq!(core.heard().iter().map(Call::id).collect::<Vec<_>>(), [key.to_string()]);
}

#[tokio::test]
async fn a_wall_that_stands_before_everybody_blames_nobody_however_long() {
    let rig = Rig::new();
    let core = Scripted::start(|_| says(401, "")).await;
    rig.pay(&["HD-1", "HD-2"], false).await;
    let forwarder = rig.forwarder(&core.url);
    for _ in 0..30 {
        assert_eq!(forwarder.forward_once().await.unwrap().written.parked, []);
        rig.clock.advance_ms(13_000);
    }
    core.now(|_| says(200, ""));
    for _ in 0..2 {
        forwarder.forward_once().await.unwrap();
        rig.clock.advance_ms(13_000);
    }
    assert!(["HD-1", "HD-2"].iter().all(|id| rig.stands(id) == ("delivered".to_owned(), None, 1)));
}

#[tokio::test]
async fn a_core_that_speaks_no_tls_pauses_the_way() {
    let rig = Rig::new();
    let core = Scripted::start(|_| says(200, "")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.read(&mut [0; 4_096]).await);
            drop(stream.write_all(b"HTTP/1.1 400 this is not TLS\r\n\r\n").await);
            drop(stream.read(&mut [0; 4_096]).await);
        }
    });
    rig.pay(&["HD-1"], false).await;
    let round = rig.forwarder(&format!("https://{address}/")).forward_once().await.unwrap();
    assert_eq!(round.written.paused.as_deref(), Some("tls"));
    assert_eq!(rig.stands("HD-1"), ("waiting".to_owned(), None, 0));
    rig.clock.advance_ms(13_000);
    assert!(rig.forwarder(&core.url).forward_once().await.unwrap().written.opened);
}

#[tokio::test]
async fn overdue_invoices_have_a_lane_of_their_own_and_neither_lane_starves_the_other() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| says(200, "")).await;
    let names = |prefix: &str| (0..12).map(|n| format!("{prefix}-{n}")).collect::<Vec<_>>();
    let (calm, urgent) = (names("N"), names("U"));
    rig.pay(&calm.iter().map(String::as_str).collect::<Vec<_>>(), false).await;
    rig.clock.advance_ms(1_000);
    rig.pay(&urgent.iter().map(String::as_str).collect::<Vec<_>>(), true).await;
    let options = ForwarderOptions { normal: 3, fast: 2, waits: WAITS, ..ForwarderOptions::default() };
    let forwarder = rig.forwarder_with(&core.url, options);
    forwarder.forward_once().await.unwrap();
    let told: Vec<String> = core.heard().iter().map(|call| String::from_utf8(call.body.clone()).unwrap()).collect();
    let of = |prefix: &str| told.iter().filter(|body| body.contains(&format!("\"invoice_id\":\"{prefix}"))).count();
    assert_eq!((of("U"), of("N")), (2, 3), "two overdue ones at once, though all others are older");
    while forwarder.forward_once().await.unwrap().taken > 0 {}
    assert_eq!(rig.reports().outbox_depth().unwrap().waiting, 0);
}

#[test]
fn a_message_whose_invoice_becomes_overdue_while_it_waits_goes_to_the_fast_lane() {
    let mut gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("1", "HD-1", 150_000));
    let urgent = |gateway: &Gateway| {
        let all = gateway.reports().dispatches(&DispatchFilter { limit: 9, ..DispatchFilter::default() }).unwrap();
        all.iter().map(|view| view.urgent).collect::<Vec<_>>()
    };
    assert_eq!(urgent(&gateway), [false]);
    gateway.down();
    gateway.clock.advance_ms(9 * 24 * 60 * 60 * 1000);
    gateway.up();
    let give_up = Instant::now() + Duration::from_secs(10);
    while urgent(&gateway) == [false] {
        assert!(Instant::now() < give_up, "still in the slow lane a day after its invoice was due");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_message_that_is_paid_but_not_cleared_for_too_long_is_an_alarm_sooner_when_it_is_urgent() {
    let rig = Rig::new();
    rig.pay(&["HD-1"], false).await;
    rig.pay(&["HD-2"], true).await;
    let limits = AgeLimits { any_ms: 60_000, urgent_ms: 10_000 };
    let look = || watch::look(&mut rig.reports(), rig.clock.now(), &limits).unwrap();
    assert_eq!(look(), []);
    rig.clock.advance_ms(10_001);
    assert_eq!(look(), [Alarm::TooOld { urgent: true, age_ms: 10_001 }]);
    rig.clock.advance_ms(50_000);
    let both = [Alarm::TooOld { urgent: true, age_ms: 60_001 }, Alarm::TooOld { urgent: false, age_ms: 60_001 }];
    assert_eq!(look(), both);
}
