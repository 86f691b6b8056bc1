//! A body that is read while it streams, within its limits, and a file in which one waits until it is checked.

use super::problem::Problem;
use actix_web::web;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// How long the sender may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The body, or a file of a form in it, chunk by chunk, within its limits.
pub(crate) struct Incoming<S = web::Payload> {
    payload: S,
    left: u64,
}

impl<S, E> Incoming<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub(crate) fn new(payload: S, bytes_max: u64) -> Self {
        Self { payload, left: bytes_max }
    }

    /// The next chunk; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let chunk =
            tokio::time::timeout(SILENCE_MAX, self.payload.next()).await.map_err(|_elapsed| Problem::too_slow())?;
        let Some(chunk) = chunk else { return Ok(None) };
        let chunk = chunk.map_err(|_broken: E| Problem::bad_request())?;
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or_else(Problem::too_large)?;
        Ok(Some(chunk))
    }
}

/// A file that is removed when it is done with.
pub(crate) struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(error = %error.kind(), "An import's waiting file could not be removed");
        }
    }
}

impl Spool {
    /// A new name in a folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, Problem> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|_no_chance| Problem::internal())?;
        Ok(Self(folder.join(format!("import-{}.tmp", hex::encode(name)))))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Receives a whole body.
    pub(crate) async fn receive<S, E>(&self, mut bytes: Incoming<S>) -> Result<(), Problem>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let mut file = tokio::fs::File::create(&self.0).await.map_err(spool_failed)?;
        while let Some(chunk) = bytes.next().await? {
            file.write_all(&chunk).await.map_err(spool_failed)?;
        }
        file.flush().await.map_err(spool_failed)
    }
}

pub(super) fn spool_failed(error: std::io::Error) -> Problem {
    tracing::error!(error = %error.kind(), "An import cannot wait in its file");
    Problem::unavailable()
}
