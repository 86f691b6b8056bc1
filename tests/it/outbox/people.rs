//! What waits for a person, and what a person may do. Holds I6 and I13.

use super::rig::*;
use thuho::domain::dispatch::ParkCause;
use thuho::domain::ids::Movement;
use thuho::domain::ids::{Author, DispatchKey};
use thuho::domain::review::BreakClass;
use thuho::domain::time::Clock;
use thuho::outbox::command;
use thuho::outbox::watch::{self, AgeLimits, Alarm};
use thuho::store::{CommandAnswer, DispatchCommand};

#[tokio::test]
async fn a_conflict_that_names_our_id_is_a_delivery_and_any_other_opens_a_break() {
    let rig = Rig::new();
    rig.pay(&["HD-1", "HD-2"], false).await;
    let core = Scripted::start(|call| {
        let ours = call.body.windows(6).any(|w| w == b"\"HD-1\"");
        says(409, &if ours { format!("{{\"known\":\"{}\"}}", call.id()) } else { "{\"by\":\"the counter\"}".into() })
    })
    .await;
    let round = rig.forwarder(&core.url).forward_once().await.unwrap();
    assert_eq!((round.written.delivered, round.written.parked.len()), (1, 1));
    assert_eq!(rig.stands("HD-1"), ("delivered".to_owned(), None, 1));
    assert_eq!(rig.stands("HD-2"), ("parked".to_owned(), Some(ParkCause::BillAlreadyCleared), 1));
    assert_eq!(rig.open_breaks(), [(BreakClass::BillAlreadyCleared, "HD-2".to_owned(), 1_000)]);
}

#[tokio::test]
async fn a_refused_message_waits_for_a_person_and_no_other_does() {
    let rig = Rig::new();
    let codes = [400, 405, 410, 413, 422];
    let ids = codes.map(|code| format!("HD-{code}"));
    rig.pay(&ids.each_ref().map(String::as_str), false).await;
    rig.pay(&["HD-200"], false).await;
    let core = Scripted::start(|call| {
        let message: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        says(message["data"]["invoice_id"].as_str().unwrap()[3..].parse().unwrap(), "")
    })
    .await;
    let round = rig.forwarder(&core.url).forward_once().await.unwrap();
    assert_eq!((round.written.delivered, round.written.parked.len()), (1, 5));
    for id in &ids {
        assert_eq!(rig.stands(id), ("parked".to_owned(), Some(ParkCause::Rejected), 1), "{id}");
    }
    let mut breaks = rig.open_breaks();
    breaks.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(breaks, ids.map(|id| (BreakClass::PaidNotCleared, id, 1_000)));
    let limits = AgeLimits::default();
    assert_eq!(watch::look(&mut rig.reports(), rig.clock.now(), &limits).unwrap(), [Alarm::Parked(5)]);
}

#[tokio::test]
async fn retries_end_with_a_break_and_a_retry_by_hand_keeps_the_key_and_starts_anew() {
    let rig = Rig::new();
    let mut core = Scripted::start(|_| says(500, "")).await;
    rig.pay(&["HD-1"], false).await;
    let forwarder = rig.forwarder(&core.url);
    let mut rounds = 0;
    while rig.message("HD-1").state == "waiting" {
        forwarder.forward_once().await.unwrap();
        rig.clock.advance_ms(8_000);
        rounds += 1;
        assert!(rounds < 50, "never gives up");
    }
    // 1 + 2 + 4 s, then 8 s each: a minute is used up after seven more.
    assert_eq!(rig.stands("HD-1"), ("parked".to_owned(), Some(ParkCause::Exhausted), 11));
    assert_eq!(rig.open_breaks(), [(BreakClass::PaidNotCleared, "HD-1".to_owned(), 1_000)]);
    let keys: std::collections::HashSet<String> = core.heard().iter().map(Call::id).collect();
    assert_eq!(keys.len(), 1);

    let key = rig.message("HD-1").key;
    assert_eq!(rig.command(&key, DispatchCommand::Retry).await, CommandAnswer::Done);
    assert_eq!(forwarder.forward_once().await.unwrap().written.retried, 1, "not given up at once");
    core.now(|_| says(200, ""));
    rig.clock.advance_ms(1_000);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert!(core.heard().iter().all(|call| call.id() == key.to_string()));
}

#[tokio::test]
async fn a_parked_head_holds_back_its_invoice_alone_until_two_people_end_it() {
    let rig = Rig::new();
    let mut core = Scripted::start(|call| {
        let message: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        let first = message["data"]["invoice_id"] == "HD-1" && message["data"]["sequence"] == 1;
        says(if first { 422 } else { 200 }, "")
    })
    .await;
    rig.pay(&["HD-1", "HD-2"], false).await;
    for id in ["HD-1", "HD-2"] {
        rig.arrive(id, Movement::Reversal).await;
    }
    let forwarder = rig.forwarder(&core.url);
    for _ in 0..3 {
        forwarder.forward_once().await.unwrap();
    }
    let told: Vec<(String, u64)> = core
        .heard()
        .iter()
        .map(|call| serde_json::from_slice::<serde_json::Value>(&call.body).unwrap())
        .map(|m| (m["data"]["invoice_id"].as_str().unwrap().to_owned(), m["data"]["sequence"].as_u64().unwrap()))
        .collect();
    assert!(!told.contains(&("HD-1".to_owned(), 2)), "{told:?}");
    let other: Vec<u64> = told.iter().filter(|(id, _)| id == "HD-2").map(|(_, sequence)| *sequence).collect();
    assert_eq!(other, [1, 2]);

    let head = rig.messages("HD-1").remove(0).key;
    let author = |name: &str| Author::parse(name).unwrap();
    let approve = |name: &str| DispatchCommand::ApproveClose { author: author(name) };
    assert_eq!(rig.command(&head, approve("minh.tv")).await, CommandAnswer::NeedsAnother, "nobody proposed");
    let proposal = command::propose_close(author("lan.nt"), "cleared at the counter").unwrap();
    assert_eq!(rig.command(&head, proposal).await, CommandAnswer::Done);
    assert_eq!(rig.command(&head, approve("lan.nt")).await, CommandAnswer::NeedsAnother, "her own proposal");
    assert_eq!(rig.message_states("HD-1"), ["parked", "waiting"]);
    assert_eq!(rig.command(&head, approve("minh.tv")).await, CommandAnswer::Done);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert_eq!(rig.message_states("HD-1"), ["closed", "delivered"]);
}

#[tokio::test]
async fn a_message_on_hold_is_not_sent_until_somebody_says_so() {
    let rig = Rig::new();
    let core = Scripted::start(|_| says(200, "")).await;
    rig.pay(&["HD-1"], false).await;
    let key = rig.message("HD-1").key;
    let forwarder = rig.forwarder(&core.url);
    assert_eq!(rig.command(&key, DispatchCommand::Hold).await, CommandAnswer::Done);
    assert_eq!(forwarder.forward_once().await.unwrap().taken, 0);
    assert_eq!(rig.command(&key, DispatchCommand::Retry).await, CommandAnswer::Done);
    assert_eq!(delivered(&forwarder.forward_once().await.unwrap()), (1, 1));
    assert_eq!(rig.command(&key, DispatchCommand::Retry).await, CommandAnswer::WrongState, "it is delivered");
    let stranger = DispatchKey::parse(format!("dsp_{}", "0".repeat(32))).unwrap();
    assert_eq!(rig.command(&stranger, DispatchCommand::Retry).await, CommandAnswer::NotFound);
}
