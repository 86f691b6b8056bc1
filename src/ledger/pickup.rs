//! Where the writer leaves a batch's answers for the calls of one worker. Waking another thread costs more than an
//! answer does, and a writer that wakes a worker for each is put aside by it each time: so it leaves them all and rings
//! once, and a task of the worker's hands them out on its own thread. Keeps I4: what is left here was decided by a
//! transaction that has ended.

use super::post::Posted;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::{Notify, oneshot};

/// An answer and who waits for it.
pub(super) type Due = (oneshot::Sender<Posted>, Posted);

/// One worker's.
#[derive(Debug, Default)]
pub struct Pickup {
    left: Mutex<Vec<Due>>,
    /// Is anything left? Read by every call at each look, without the lock.
    any: AtomicBool,
    bell: Notify,
}

impl Pickup {
    /// Leaves answers and rings.
    pub(super) fn leave(&self, answers: Vec<Due>) {
        self.left().extend(answers);
        self.any.store(true, Ordering::Release);
        self.bell.notify_one();
    }

    /// Hands out whatever is left here, for ever. Each worker runs it once, as a task of its own, so that no answer
    /// depends on another call's connection.
    pub async fn hand_out(&self) {
        loop {
            self.bell.notified().await;
            self.empty();
        }
    }

    /// Waits for an answer. `None`: it will not come.
    pub async fn wait(&self, mut answer: oneshot::Receiver<Posted>) -> Option<Posted> {
        poll_fn(move |context| {
            // Whoever looks first saves the others the wait for the task.
            self.empty();
            match Pin::new(&mut answer).poll(context) {
                Poll::Ready(posted) => Poll::Ready(posted.ok()),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn empty(&self) {
        if self.any.load(Ordering::Acquire) && self.any.swap(false, Ordering::AcqRel) {
            let left = std::mem::take(&mut *self.left());
            for (waiter, posted) in left {
                // A collector that hung up needs no answer; its payment is in the books all the same.
                drop(waiter.send(posted));
            }
        }
    }

    fn left(&self) -> MutexGuard<'_, Vec<Due>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Outcome;
    use crate::domain::receipt::Answer;
    use std::sync::Arc;
    use std::time::Duration;

    fn posted(outcome: Outcome) -> Posted {
        Posted { answer: Answer { outcome, payment: None }, marker: None }
    }

    /// A writer on a thread of its own, and calls that wait, one of which is given up.
    #[tokio::test]
    async fn every_call_that_still_waits_is_answered_by_one_ring() {
        let pickup = Arc::new(Pickup::default());
        let task = Arc::clone(&pickup);
        let handing = tokio::spawn(async move { task.hand_out().await });
        let (tells, answers): (Vec<_>, Vec<_>) = (0..8).map(|_| oneshot::channel()).unzip();
        let mut waits: Vec<_> = answers
            .into_iter()
            .map(|answer| {
                let pickup = Arc::clone(&pickup);
                tokio::spawn(async move { pickup.wait(answer).await })
            })
            .collect();
        tokio::task::yield_now().await;
        waits.remove(0).abort();
        let writer = Arc::clone(&pickup);
        let due = tells.into_iter().map(|tell| (tell, posted(Outcome::Accepted))).collect();
        std::thread::spawn(move || writer.leave(due)).join().unwrap();
        for wait in waits {
            let heard = tokio::time::timeout(Duration::from_secs(5), wait).await.unwrap().unwrap();
            assert_eq!(heard.map(|posted| posted.answer.outcome), Some(Outcome::Accepted));
        }
        handing.abort();
    }

    /// Answers that are left before anybody looks are there for who comes, and a writer that ended says so.
    #[tokio::test]
    async fn what_is_left_before_anybody_waits_is_found_and_what_will_not_come_is_none() {
        let pickup = Pickup::default();
        let (tell, answer) = oneshot::channel();
        pickup.leave(vec![(tell, posted(Outcome::Duplicate))]);
        assert_eq!(pickup.wait(answer).await, Some(posted(Outcome::Duplicate)));
        let (tell, answer) = oneshot::channel::<Posted>();
        drop(tell);
        assert_eq!(pickup.wait(answer).await, None);
    }
}
