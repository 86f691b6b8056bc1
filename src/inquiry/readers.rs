//! A few reading connections, each on a thread of its own, behind one bounded queue. No question waits for the writer
//! or holds it, and none is waited for without a limit (I10).

use crate::store::StoreError;
use crate::store::reports::Reports;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an answer is waited for. A question is an index lookup or a count; what takes longer is a busy disk.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

type Question = Box<dyn FnOnce(&mut dyn Reports) + Send>;

/// Opens a reading connection.
pub type Open = dyn Fn() -> Result<Box<dyn Reports>, StoreError> + Send + Sync;

/// The pool.
#[derive(Clone, Debug)]
pub struct Readers {
    queue: mpsc::SyncSender<Question>,
}

/// No answer: too many wait, it took too long, or the storage failed. The caller hears "try again".
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Too many wait.
    #[error("too many questions wait")]
    Busy,
    /// It took too long, or its thread ended.
    #[error("no answer in time")]
    Late,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Readers {
    /// Starts `count` threads, each with a connection of its own; at most `waiting` questions wait.
    ///
    /// # Errors
    /// A connection or a thread that cannot be made.
    pub fn start(count: usize, waiting: usize, open: &Open) -> Result<Self, StoreError> {
        let (queue, questions) = mpsc::sync_channel::<Question>(waiting);
        let questions = Arc::new(Mutex::new(questions));
        for n in 0..count.max(1) {
            let mut reports = open()?;
            let questions = Arc::clone(&questions);
            std::thread::Builder::new()
                .name(format!("reader-{n}"))
                .spawn(move || {
                    loop {
                        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(question) = next else { return };
                        // A question that panics costs its own answer, not the thread.
                        let asked = std::panic::AssertUnwindSafe(|| question(reports.as_mut()));
                        if std::panic::catch_unwind(asked).is_err() {
                            tracing::error!("a question panicked");
                        }
                    }
                })
                .map_err(|e| StoreError::Fault(format!("cannot start a reading thread: {}", e.kind())))?;
        }
        Ok(Self { queue })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Reports) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (answer, waiting) = oneshot::channel();
        let asked = Box::new(move |reports: &mut dyn Reports| {
            // Nobody waits any more: not worth asking.
            if !answer.is_closed() {
                drop(answer.send(question(reports)));
            }
        });
        self.queue.try_send(asked).map_err(|_full_or_gone| NoAnswer::Busy)?;
        match tokio::time::timeout(ANSWER_WAIT, waiting).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) | Err(_) => Err(NoAnswer::Late),
        }
    }
}
