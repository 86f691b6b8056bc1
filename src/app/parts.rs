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

/// Reading connections beside a writer.
///
/// # Errors
/// [`AppError::Store`].
pub fn open_readers(config: &Config) -> Result<Readers, AppError> {
    let path = config.sqlite_path();
    let opened = path.clone();
    let open = move || -> Result<Box<dyn Reports>, StoreError> { Ok(Box::new(sqlite::open_reports(&opened)?)) };
    let limits = &config.file.limits;
    Readers::start(limits.readers, limits.questions, &open).map_err(at(&path))
}

/// The store with what must be known of it before the first notice.
pub(super) struct Books {
    pub(super) writer: Arc<Writer>,
    pub(super) readers: Readers,
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
        let readers = open_readers(config)?;
        let limits = &config.file.limits;
        let options = WriterOptions {
            batch_max: limits.batch,
            queue_max: limits.queue,
            ..WriterOptions::new(config.file.server.lane, generation)
        };
        let writer = Writer::start(Box::new(store), clock, options)
            .map_err(|e| AppError::Machine(format!("cannot start the writer's thread: {}", e.kind())))?;
        let generations = Arc::new(Generations::new(generation, known));
        Ok(Self { writer: Arc::new(writer), readers, generations, paused })
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
