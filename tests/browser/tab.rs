//! One session: its browser, and the small runtime in which its commands run one after another, so that a journey reads
//! from top to bottom. Every command and every wait has an end.

use crate::driver::Driver;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long a page may take to show what it will show.
const SHOWS: Duration = Duration::from_secs(20);

/// How long one command may take: longer than the browser's own limits, which tell more.
const ANSWERS: Duration = Duration::from_secs(90);

pub struct Tab {
    runtime: Runtime,
    client: Client,
    dir: TempDir,
    /// It ends after its last session.
    _driver: Arc<Driver>,
}

impl Tab {
    pub fn open(driver: Arc<Driver>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let dir = tempfile::tempdir_in(driver.folder()).unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(driver.wishes(&dir.path().join("profile"), &downloads_of(dir.path())));
        let opened = runtime.block_on(async { tokio::time::timeout(ANSWERS, builder.connect(&driver.url())).await });
        let client = opened.expect("the browser starts in time").unwrap_or_else(|e| panic!("no session: {e}"));
        Self { runtime, client, dir, _driver: driver }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where it saves files.
    pub fn downloads(&self) -> PathBuf {
        downloads_of(self.dir.path())
    }

    /// One command's answer, whatever it is.
    pub fn attempt<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> Result<T, CmdError> {
        let ended = self.runtime.block_on(async { tokio::time::timeout(ANSWERS, command).await });
        ended.unwrap_or(Err(CmdError::WaitTimeout))
    }

    /// One command's answer, which must be good.
    #[track_caller]
    pub fn run<T>(&self, what: &str, command: impl Future<Output = Result<T, CmdError>>) -> T {
        self.attempt(command).unwrap_or_else(|e| panic!("{what}: {e}"))
    }

    /// Runs a function's body in the page. A page's policy against scripts does not bind it.
    #[track_caller]
    pub fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.run("script", self.client.execute(body, arguments))
    }

    /// Asks again until there is an answer; what was there instead is told when the time is over.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
        let since = Instant::now();
        loop {
            match ask() {
                Ok(found) => return found,
                Err(instead) if since.elapsed() > SHOWS => panic!("{what}: {instead}"),
                Err(_not_yet) => std::thread::sleep(Duration::from_millis(25)),
            }
        }
    }

    pub fn close(&self) {
        self.attempt(self.client.clone().close()).ok();
    }
}

fn downloads_of(dir: &Path) -> PathBuf {
    dir.join("downloads")
}
