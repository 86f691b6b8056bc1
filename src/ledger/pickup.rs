//! Where the writer leaves a batch's answers for the calls of one worker. Waking another thread costs more than an
//! answer does, and a writer that wakes a worker for each is put aside by it each time: so it leaves them all and rings
//! once, and whichever call is woken hands out what is there to the others, on their own thread. Keeps I4: what is left
//! here is committed.

use super::post::Posted;
use std::future::poll_fn;
use std::pin::{Pin, pin};
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
    /// Leaves answers and wakes one of the worker's calls.
    pub(super) fn leave(&self, answers: Vec<Due>) {
        self.left().extend(answers);
        self.any.store(true, Ordering::Release);
        // Kept for the next call that waits if none does; passed on if the one that was woken is given up.
        self.bell.notify_one();
    }

    /// Waits for an answer, and hands out the others' meanwhile. `None`: it will not come.
    pub async fn wait(&self, mut answer: oneshot::Receiver<Posted>) -> Option<Posted> {
        let mut bell = pin!(self.bell.notified());
        poll_fn(move |context| {
            loop {
                self.hand_out();
                if let Poll::Ready(posted) = Pin::new(&mut answer).poll(context) {
                    return Poll::Ready(posted.ok());
                }
                if bell.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                bell.set(self.bell.notified());
            }
        })
        .await
    }

    fn hand_out(&self) {
        if self.any.swap(false, Ordering::AcqRel) {
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
