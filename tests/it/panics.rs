//! A panic where a call is answered: the collector reads no success, nothing is half done, and the gateway goes on. The
//! clock is what panics, because it is asked at every step of the way and is ours to give.

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, Setup, bill, pays};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use thuho::domain::time::{Clock, ManualClock, Timestamp};

/// Panics once, at the n-th question from a thread that serves collectors.
struct Bomb {
    clock: Arc<ManualClock>,
    left: &'static AtomicI64,
}

impl Clock for Bomb {
    fn now(&self) -> Timestamp {
        // "worker" would be the threads that the runtime lends to background work, the desk's first look among it.
        let serves = std::thread::current().name().is_some_and(|name| name.contains("arbiter"));
        if serves {
            let left = self.left.fetch_sub(1, Ordering::SeqCst);
            assert!(left != 1, "a panic that the test wants");
        }
        self.clock.now()
    }
}

/// What one call comes to: an answer, or a connection that was closed without one.
fn call(gateway: &Gateway, event: &str) -> Option<Answer> {
    let forged = gateway.forge("standard", &pays(event, "HD-1", 150_000));
    let mut stream = http::connect(gateway.running().public());
    std::io::Write::write_all(&mut stream, &http::webhook("standard", &forged)).unwrap();
    http::try_answer(&mut stream).ok()
}

fn reads_as_success(answer: Option<&Answer>) -> bool {
    answer.is_some_and(|answer| answer.status < 300)
}

#[test]
fn a_panic_at_any_step_is_never_success_and_the_gateway_goes_on() {
    static LEFT: AtomicI64 = AtomicI64::new(0);
    let clock: fn(Arc<ManualClock>) -> Arc<dyn Clock> = |clock| Arc::new(Bomb { clock, left: &LEFT });
    let gateway = Gateway::with(Setup { clock, ..Setup::default() });
    gateway.put(&[bill("HD-1", 150_000)]);
    // How many questions one call asks: the count goes down from where it stood.
    LEFT.store(0, Ordering::SeqCst);
    call(&gateway, "warm-up").unwrap();
    let steps = -LEFT.load(Ordering::SeqCst);
    assert!(steps >= 3, "before the proof, at the proof and at the reply: {steps}");
    let before = gateway.get("/api/v1/payments?invoice=HD-1").json().as_array().unwrap().len();
    for step in 1..=steps {
        let event = format!("p{step}");
        LEFT.store(step, Ordering::SeqCst);
        let first = call(&gateway, &event);
        assert!(LEFT.swap(0, Ordering::SeqCst) <= 0, "step {step}: it went off");
        assert!(!reads_as_success(first.as_ref()), "step {step}: {first:?}");
        let answer = first.unwrap_or_else(|| panic!("step {step}: no answer at all"));
        assert_eq!(answer.status, 503, "step {step}: {}", answer.text());
        // It is asked again, and booked once.
        assert!(reads_as_success(call(&gateway, &event).as_ref()), "step {step}");
        assert!(reads_as_success(call(&gateway, &event).as_ref()), "step {step}");
    }
    let after = gateway.get("/api/v1/payments?invoice=HD-1").json().as_array().unwrap().len();
    assert_eq!(after - before, usize::try_from(steps).unwrap());
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(gateway.get("/readyz").status, 200);
}
