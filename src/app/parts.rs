//! The parts that read the configuration.

use super::AppError;
use crate::config::{Config, EnvSecrets};
use crate::domain::ids::{Generation, PartnerCode};
use crate::domain::secret::Secret;
use crate::domain::time::Clock;
use crate::http::tokens::{Scope, Token};
use crate::inquiry::readers::{Open, Readers};
use crate::ledger::crash;
use crate::ledger::writer::{Writer, WriterOptions};
use crate::partner::SecretSource;
use crate::seen::Generations;
use crate::store::{self, Place, Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

impl SecretSource for EnvSecrets {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        Self::read(name)
    }
}

fn at(place: &Place) -> impl FnOnce(StoreError) -> AppError {
    let place = place.to_string();
    move |source| AppError::Store { place, source }
}

/// How the writer opens its database.
#[must_use]
pub fn store_options(config: &Config) -> store::Options {
    store::Options {
        lane: config.file.server.lane,
        internal_url: Some(format!("http://{}", config.internal)),
        unflushed: crash::fault("synchronous-normal"),
    }
}

/// Takes the file, or a lane of the database, as its one writer.
///
/// # Errors
/// [`AppError::Store`], such as when a gateway holds it.
pub fn open_store(config: &Config) -> Result<Box<dyn Store>, AppError> {
    store::open(&config.store, &store_options(config)).map_err(at(&config.store))
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
    let place = config.store.clone();
    Readers::start(count, waiting, &move || store::open_reports(&place)).map_err(at(&config.store))
}

/// Opens a reading connection for work that takes long.
pub(super) fn reports_of(config: &Config) -> Arc<Open> {
    let place = config.store.clone();
    Arc::new(move || store::open_reports(&place))
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
    /// On a thread of its own: a connection to a server drives itself, and cannot inside the caller's runtime.
    pub(super) fn open(config: &Config, clock: Arc<dyn Clock>, generation: Generation) -> Result<Self, AppError> {
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| Self::open_here(config, clock, generation)).join();
            opened.unwrap_or_else(|_panic| Err(AppError::Machine("opening the books panicked".to_owned())))
        })
    }

    fn open_here(config: &Config, clock: Arc<dyn Clock>, generation: Generation) -> Result<Self, AppError> {
        let mut store = open_store(config)?;
        let mut paused = Vec::new();
        store
            .transact(&mut |tx| {
                paused = tx.paused_partners()?;
                Ok(())
            })
            .map_err(at(&config.store))?;
        let known = store::open_reports(&config.store).and_then(|mut reports| reports.generations());
        let known = known.map_err(at(&config.store))?;
        let desks = Desks::open(config)?;
        let limits = &config.file.limits;
        let options = WriterOptions {
            batch_max: limits.batch,
            queue_max: limits.queue,
            alone: !matches!(config.store, Place::Postgres(_)),
            ..WriterOptions::new(store.lane(), generation)
        };
        let writer = Writer::start(store, clock, options)
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

/// Where an import waits until it is checked: beside the books' file, or in the machine's folder for such files.
pub(super) fn spool_of(place: &Place) -> PathBuf {
    match place {
        Place::Sqlite(path) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        },
        Place::Postgres(_) => std::env::temp_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reports::Reports;
    use std::path::Path;
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
