//! The parts that read the configuration.

use super::AppError;
use crate::config::{Config, EnvSecrets};
use crate::domain::ids::{Generation, PartnerCode};
use crate::domain::secret::Secret;
use crate::domain::time::Clock;
use crate::http::tokens::{Scope, Token};
use crate::inquiry::readers::Readers;
use crate::ledger::crash;
use crate::ledger::writer::{Writer, WriterOptions};
use crate::partner::SecretSource;
use crate::seen::Generations;
use crate::store::reports::Reports;
use crate::store::sqlite::{self, SqliteOptions, SqliteStore, Synchronous};
use crate::store::{Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl SecretSource for EnvSecrets {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        Self::read(name)
    }
}

fn at(path: &Path) -> impl FnOnce(StoreError) -> AppError {
    let place = path.display().to_string();
    move |source| AppError::Store { place, source }
}

/// How the writer opens its file.
#[must_use]
pub fn store_options(config: &Config) -> SqliteOptions {
    let synchronous = if crash::fault("synchronous-normal") { Synchronous::Normal } else { Synchronous::Full };
    SqliteOptions {
        synchronous,
        lane: config.file.server.lane,
        internal_url: Some(format!("http://{}", config.internal)),
        ..SqliteOptions::default()
    }
}

/// Takes the file as its one writer.
///
/// # Errors
/// [`AppError::Store`], such as when a gateway holds it.
pub fn open_store(config: &Config) -> Result<SqliteStore, AppError> {
    let path = config.sqlite_path();
    SqliteStore::open(&path, &store_options(config)).map_err(at(&path))
}

/// Reading connections for our own side, beside a writer.
///
/// # Errors
/// [`AppError::Store`].
pub fn open_readers(config: &Config) -> Result<Readers, AppError> {
    let limits = &config.file.limits;
    readers_of(config, limits.readers, limits.questions)
}

fn readers_of(config: &Config, count: usize, waiting: usize) -> Result<Readers, AppError> {
    let path = config.sqlite_path();
    let opened = path.clone();
    let open = move || -> Result<Box<dyn Reports>, StoreError> { Ok(Box::new(sqlite::open_reports(&opened)?)) };
    Readers::start(count, waiting, &open).map_err(at(&path))
}

/// The reading connections of a gateway: collectors have their own, so that no page and no report of ours, however long
/// it reads, keeps one of them waiting.
pub(super) struct Desks {
    /// For bill inquiry and status enquiry.
    pub(super) collectors: Readers,
    /// For our own side.
    pub(super) people: Readers,
}

impl Desks {
    pub(super) fn open(config: &Config) -> Result<Self, AppError> {
        let limits = &config.file.limits;
        let collectors = readers_of(config, limits.inquiry_readers, limits.inquiries)?;
        Ok(Self { collectors, people: open_readers(config)? })
    }
}

/// The store with what must be known of it before the first notice.
pub(super) struct Books {
    pub(super) writer: Arc<Writer>,
    pub(super) desks: Desks,
    pub(super) generations: Arc<Generations>,
    pub(super) paused: Vec<PartnerCode>,
}

impl Books {
    pub(super) fn open(config: &Config, clock: Arc<dyn Clock>, generation: Generation) -> Result<Self, AppError> {
        let path = config.sqlite_path();
        let mut store = open_store(config)?;
        let mut paused = Vec::new();
        store
            .transact(&mut |tx| {
                paused = tx.paused_partners()?;
                Ok(())
            })
            .map_err(at(&path))?;
        let known = sqlite::open_reports(&path).and_then(|mut reports| reports.generations()).map_err(at(&path))?;
        let desks = Desks::open(config)?;
        let limits = &config.file.limits;
        let options = WriterOptions {
            batch_max: limits.batch,
            queue_max: limits.queue,
            ..WriterOptions::new(config.file.server.lane, generation)
        };
        let writer = Writer::start(Box::new(store), clock, options)
            .map_err(|e| AppError::Machine(format!("cannot start the writer's thread: {}", e.kind())))?;
        let generations = Arc::new(Generations::new(generation, known));
        Ok(Self { writer: Arc::new(writer), desks, generations, paused })
    }
}

/// The callers of the internal API.
pub(super) fn tokens(config: &Config) -> Vec<Token> {
    let tokens = config.tokens.iter();
    tokens
        .map(|token| {
            let scopes = token.scopes.iter().filter_map(|word| Scope::parse(word)).collect();
            Token::new(token.name.clone(), scopes, &token.secret)
        })
        .collect()
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_question_of_ours_that_takes_long_keeps_no_collector_waiting() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("seal"), "0123456789abcdef").unwrap();
        let place = folder.path().display();
        let text = format!("store.url = \"sqlite://{place}/books.db\"\nseal.secret = \"file:{place}/seal\"\n");
        let config = Config::of(Path::new("test.toml"), &text, []).unwrap();
        let _store = open_store(&config).unwrap();
        let desks = Desks::open(&config).unwrap();
        let (end, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let long: Vec<_> = (0..config.file.limits.readers)
            .map(|_| {
                let (people, wait) = (desks.people.clone(), Arc::clone(&wait));
                tokio::spawn(async move {
                    let question = move |reports: &mut dyn Reports| {
                        // Until the sender is gone.
                        wait.lock().unwrap().recv().ok();
                        reports.invoice_count()
                    };
                    people.ask(question).await
                })
            })
            .collect();
        // Every one of our own readers is taken, whether its question has begun or not.
        for _ in 0..100 {
            let asked = tokio::time::timeout(std::time::Duration::from_secs(5), desks.collectors.ask(|r| r.lanes()));
            assert!(asked.await.unwrap().is_ok());
            tokio::task::yield_now().await;
        }
        assert!(long.iter().all(|question| !question.is_finished()));
        drop(end);
        for question in long {
            assert_eq!(question.await.unwrap().unwrap(), 0);
        }
    }
}
