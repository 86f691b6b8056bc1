//! What was written becomes what it means: the file is read twice, first as text into [`ConfigFile`] (unknown keys are
//! errors with file, line and key), then into the plain options that each module defines. The only reader of the
//! environment. Knows no rule of the business. Keeps I11: a secret is a name here, and no error shows a value.

use crate::domain::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The prefix of overriding environment variables. Only names with `__` after it are overrides; others, such as
/// the ones that hold secrets, are left alone.
const ENV_PREFIX: &str = "THUHO_";

/// The shortest secret of ours, in bytes: 128 bits.
const SECRET_MIN_BYTES: usize = 16;

/// The longest secret file, in bytes: a PEM key of 8192 bits is under 7 KiB.
const SECRET_FILE_MAX_BYTES: u64 = 65_536;

/// What is wrong with the configuration: the file or variable, the line, the key, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file, or the environment variable.
    pub place: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The key with its section, where it is known.
    pub key: Option<String>,
    /// What was expected.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

sections! {
    /// The file as written.
    ConfigFile {
        /// Addresses.
        listen: ListenFile = ListenFile::default(),
        /// This installation and instance.
        server: ServerFile = ServerFile::default(),
        /// Bounds.
        limits: LimitsFile = LimitsFile::default(),
        /// The books.
        store: StoreFile = StoreFile::default(),
        /// Signing of chains and markers.
        seal: SealFile = SealFile::default(),
        /// The hint.
        seen: SeenFile = SeenFile::default(),
        /// The billing core.
        core: CoreFile = CoreFile::default(),
        /// The profiles.
        partners: PartnersFile = PartnersFile::default(),
        /// Logs.
        log: LogFile = LogFile::default(),
        /// Stopping.
        drain: DrainFile = DrainFile::default(),
        /// Callers of the internal API.
        token: Vec<TokenFile> = Vec::new(),
    }
    /// `[listen]`
    ListenFile {
        /// Collectors' address.
        public: String = "127.0.0.1:8080".to_owned(),
        /// Our own side's address.
        internal: String = "127.0.0.1:8081".to_owned(),
        /// Threads of the public listener.
        workers: usize = 0,
        /// Open connections per worker.
        connections_max: usize = 25_000,
        /// CIDRs of believed proxies.
        trusted_proxies: Vec<String> = Vec::new(),
    }
    /// `[server]`
    ServerFile {
        /// Name of the installation.
        environment: String = "production".to_owned(),
        /// Number of this writer's chain.
        lane: u32 = 0,
    }
    /// `[limits]`
    LimitsFile {
        /// Bytes of a collector's body.
        body_bytes: usize = 65_536,
        /// Milliseconds for it.
        body_deadline_ms: u64 = 5_000,
        /// Calls a second of one address.
        peer_per_second: u32 = 2_000,
        /// At once.
        peer_burst: u32 = 4_000,
        /// Calls a second of all.
        total_per_second: u32 = 20_000,
        /// At once.
        total_burst: u32 = 40_000,
        /// Addresses told apart.
        peers_max: usize = 100_000,
        /// Notices waiting for the writer.
        queue: usize = 8_192,
        /// Notices in one commit.
        batch: usize = 256,
        /// Unproved calls kept per partner and reason.
        quarantine: usize = 64,
        /// Of one address a minute.
        quarantine_per_peer: u32 = 10,
        /// Stale calls of one partner a minute that raise the alarm.
        stale_alarm: u32 = 20,
        /// Bytes of an import.
        import_bytes: u64 = 2_147_483_648,
        /// Questions waiting.
        questions: usize = 1_024,
        /// Reading connections.
        readers: usize = 2,
    }
    /// `[store]`
    StoreFile {
        /// Where the books are.
        url: String = "sqlite://thuho.db".to_owned(),
    }
    /// `[seal]`
    SealFile {
        /// Name of the signing secret.
        secret: String = "env:THUHO_SEAL_SECRET".to_owned(),
        /// Seconds between seals.
        every_s: u64 = 60,
    }
    /// `[seen]`
    SeenFile {
        /// `memory` or Redis.
        url: String = "memory".to_owned(),
        /// Redis user.
        username: String = String::new(),
        /// Name of the password's secret.
        password: String = String::new(),
        /// Events kept in memory.
        entries: usize = 200_000,
        /// Seconds a marker lives.
        ttl_s: u64 = 345_600,
        /// Milliseconds for an answer.
        timeout_ms: u64 = 50,
        /// Milliseconds for a connection.
        connect_ms: u64 = 1_000,
        /// Failures that open the breaker.
        breaker_failures: u32 = 3,
        /// Milliseconds it stays open.
        breaker_ms: u64 = 1_000,
        /// Markers waiting.
        pending: usize = 10_000,
    }
    /// `[core]`
    CoreFile {
        /// Where messages go; empty for nowhere.
        url: String = String::new(),
        /// Name of the signing secret.
        secret: String = "env:THUHO_CORE_SECRET".to_owned(),
    }
    /// `[partners]`
    PartnersFile {
        /// Folder of profiles.
        dir: String = "config/partners".to_owned(),
    }
    /// `[log]`
    LogFile {
        /// `json` or `text`.
        format: String = "json".to_owned(),
        /// Filter.
        level: String = "info".to_owned(),
    }
    /// `[drain]`
    DrainFile {
        /// Milliseconds of "not ready" before accepting ends.
        ready_ms: u64 = 3_000,
        /// Seconds for calls in progress.
        finish_s: u64 = 20,
    }
}

/// `[[token]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// Who, for the log.
    pub name: String,
    /// What it may do.
    pub scope: Vec<String>,
    /// Name of the secret.
    pub secret: String,
}

/// A secret's name: where to read it, never what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretName {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl SecretName {
    /// From `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// What was expected; never the text, which may be a secret written in the wrong place.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            _ => Err("expected a secret's name, env:NAME or file:PATH, never the secret itself".to_owned()),
        }
    }

    /// Reads the secret; a file loses its last line break.
    ///
    /// # Errors
    /// Names the variable or the file and what is wrong, never a value.
    pub fn read(&self) -> Result<Secret, String> {
        let bytes = match self {
            Self::Env(name) => env_var(name).ok_or_else(|| format!("environment variable {name} is not set"))?.into(),
            Self::File(path) => read_secret_file(path)?,
        };
        if bytes.is_empty() { Err(format!("{self} is empty")) } else { Ok(Secret::new(bytes)) }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn read_secret_file(path: &Path) -> Result<Vec<u8>, String> {
    let fails = |e: std::io::Error| format!("cannot read secret file {}: {}", path.display(), e.kind());
    if std::fs::metadata(path).map_err(fails)?.len() > SECRET_FILE_MAX_BYTES {
        return Err(format!("secret file {} is longer than {SECRET_FILE_MAX_BYTES} bytes", path.display()));
    }
    let mut bytes = std::fs::read(path).map_err(fails)?;
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(bytes)
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A logged word of `RUST_LOG`-less programs that a command reads from the environment, such as a token for
/// another gateway's internal API.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    env_var(name)
}

/// Resolves secrets by name from the environment and files.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvSecrets;

impl EnvSecrets {
    /// The secret of that name.
    ///
    /// # Errors
    /// As [`SecretName::read`].
    pub fn read(name: &str) -> Result<Secret, String> {
        SecretName::parse(name)?.read()
    }
}

/// A caller of the internal API.
#[derive(Clone, Debug)]
pub struct Token {
    /// Who.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// What it presents.
    pub secret: Secret,
}

/// What a token may be allowed.
pub const SCOPES: [&str; 3] = ["invoices", "read", "ops"];

/// The configuration as it is meant: checked, and with its secrets read.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it came from, for messages and for reloading.
    pub path: PathBuf,
    /// The checked figures that need no translation.
    pub file: ConfigFile,
    /// Collectors' address.
    pub public: SocketAddr,
    /// Our side's address.
    pub internal: SocketAddr,
    /// Believed proxies.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Signs seals and markers.
    pub seal_secret: Secret,
    /// Password of Redis.
    pub seen_password: Option<Secret>,
    /// Where messages go, with what signs them.
    pub core: Option<Core>,
    /// Folder of profiles.
    pub partners_dir: PathBuf,
    /// How logs are written.
    pub log_format: crate::telemetry::Format,
    /// Callers of the internal API.
    pub tokens: Vec<Token>,
}

/// The billing core.
#[derive(Clone, Debug)]
pub struct Core {
    /// Where messages go.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
}

impl Config {
    /// Reads a file, applies the overrides of the environment, checks everything and reads the secrets.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
            place: path.display().to_string(),
            line: None,
            key: None,
            problem: format!("cannot read the file: {}", e.kind()),
        })?;
        let overrides = std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX));
        Self::of(path, &text, overrides)
    }

    /// As [`Config::load`], from a text and given overrides.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn of(
        path: &Path,
        text: &str,
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let source = Source { path, text };
        let mut file: ConfigFile = toml::from_str(text).map_err(|e| source.toml_error(&e))?;
        for (name, value) in overrides {
            file = overridden(&file, &name, &value)?;
        }
        source.meaning(file)
    }
}

/// The file with one override applied.
fn overridden(file: &ConfigFile, name: &str, value: &str) -> Result<ConfigFile, ConfigError> {
    let Some((section, key)) = name.strip_prefix(ENV_PREFIX).and_then(|rest| rest.split_once("__")) else {
        return Ok(file.clone());
    };
    let (section, key) = (section.to_lowercase(), key.to_lowercase());
    let fails = |problem: String| ConfigError {
        place: format!("environment variable {name}"),
        line: None,
        key: Some(format!("{section}.{key}")),
        problem,
    };
    let mut table = toml::Table::try_from(file).map_err(|e| fails(e.to_string()))?;
    let slot = table
        .get_mut(&section)
        .and_then(toml::Value::as_table_mut)
        .and_then(|t| t.get_mut(&key))
        .ok_or_else(|| fails("no such key".to_owned()))?;
    *slot = match slot {
        toml::Value::Integer(_) => {
            toml::Value::Integer(value.parse().map_err(|_not_a_number| fails("expected a whole number".to_owned()))?)
        }
        toml::Value::Boolean(_) => {
            toml::Value::Boolean(value.parse().map_err(|_not_a_bool| fails("expected true or false".to_owned()))?)
        }
        toml::Value::Array(_) => toml::Value::Array(
            value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| toml::Value::String(item.to_owned()))
                .collect(),
        ),
        toml::Value::String(_) | toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => {
            toml::Value::String(value.to_owned())
        }
    };
    table.try_into().map_err(|e: toml::de::Error| fails(e.message().to_owned()))
}

/// A text with its place, to say where something is wrong.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn toml_error(&self, error: &toml::de::Error) -> ConfigError {
        let at = error.span().map(|span| span.start.min(self.text.len()));
        let line = at.map(|at| self.text.bytes().take(at).filter(|b| *b == b'\n').count() + 1);
        ConfigError {
            place: self.path.display().to_string(),
            line,
            key: line.and_then(|line| self.key_at(line)),
            problem: error.message().to_owned(),
        }
    }

    /// The key on a line with the section above it.
    fn key_at(&self, line: usize) -> Option<String> {
        let section = self
            .text
            .lines()
            .take(line)
            .filter(|l| l.trim_start().starts_with('['))
            .last()
            .map(|l| l.trim().trim_matches(['[', ']']).to_owned());
        let own = self.text.lines().nth(line.checked_sub(1)?)?;
        let key = own.split_once('=').map(|(key, _)| key.trim().to_owned());
        match (section, key) {
            (Some(section), Some(key)) => Some(format!("{section}.{key}")),
            (section, key) => key.or(section),
        }
    }

    /// The line of a key, for errors found after parsing.
    fn line_of(&self, section: &str, key: &str) -> Option<usize> {
        let mut inside = false;
        self.text
            .lines()
            .position(|line| {
                let line = line.trim();
                if line.starts_with('[') {
                    inside = line.trim_matches(['[', ']']) == section;
                }
                inside && line.split_once('=').is_some_and(|(k, _)| k.trim() == key)
            })
            .map(|n| n + 1)
    }

    fn error(&self, section: &str, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            place: self.path.display().to_string(),
            line: self.line_of(section, key),
            key: Some(format!("{section}.{key}")),
            problem: problem.into(),
        }
    }

    fn meaning(&self, file: ConfigFile) -> Result<Config, ConfigError> {
        let address = |key: &str, text: &str| {
            text.parse::<SocketAddr>()
                .map_err(|_not_an_address| self.error("listen", key, "expected ADDRESS:PORT, such as 127.0.0.1:8080"))
        };
        let trusted_proxies = file
            .listen
            .trusted_proxies
            .iter()
            .map(|text| {
                text.parse().map_err(|_not_a_cidr| {
                    self.error("listen", "trusted_proxies", "expected CIDRs, such as 10.0.0.0/8")
                })
            })
            .collect::<Result<_, _>>()?;
        self.check_figures(&file)?;
        self.check_words(&file)?;
        let log_format = match file.log.format.as_str() {
            "json" => crate::telemetry::Format::Json,
            "text" => crate::telemetry::Format::Text,
            _ => return Err(self.error("log", "format", "expected json or text")),
        };
        let core = if file.core.url.is_empty() {
            None
        } else {
            Some(Core { url: file.core.url.clone(), secret: self.secret("core", "secret", &file.core.secret)? })
        };
        let seen_password = if file.seen.password.is_empty() {
            None
        } else {
            Some(self.secret("seen", "password", &file.seen.password)?)
        };
        Ok(Config {
            path: self.path.to_owned(),
            public: address("public", &file.listen.public)?,
            internal: address("internal", &file.listen.internal)?,
            trusted_proxies,
            seal_secret: self.strong_secret("seal", "secret", &file.seal.secret)?,
            seen_password,
            core,
            partners_dir: PathBuf::from(&file.partners.dir),
            log_format,
            tokens: self.tokens(&file)?,
            file,
        })
    }

    fn secret(&self, section: &str, key: &str, name: &str) -> Result<Secret, ConfigError> {
        EnvSecrets::read(name).map_err(|problem| self.error(section, key, problem))
    }

    fn strong_secret(&self, section: &str, key: &str, name: &str) -> Result<Secret, ConfigError> {
        let secret = self.secret(section, key, name)?;
        if secret.expose().len() < SECRET_MIN_BYTES {
            return Err(self.error(section, key, format!("expected a secret of at least {SECRET_MIN_BYTES} bytes")));
        }
        Ok(secret)
    }

    fn tokens(&self, file: &ConfigFile) -> Result<Vec<Token>, ConfigError> {
        let mut tokens: Vec<Token> = Vec::new();
        for token in &file.token {
            if tokens.iter().any(|t| t.name == token.name) {
                return Err(self.error("token", "name", format!("{} is there twice", token.name)));
            }
            if token.scope.is_empty() || token.scope.iter().any(|s| !SCOPES.contains(&s.as_str())) {
                return Err(self.error("token", "scope", format!("expected one or more of {}", SCOPES.join(", "))));
            }
            let secret = self.strong_secret("token", "secret", &token.secret)?;
            if tokens.iter().any(|t| t.secret.expose() == secret.expose()) {
                return Err(self.error("token", "secret", format!("{} has another token's secret", token.name)));
            }
            tokens.push(Token { name: token.name.clone(), scopes: token.scope.clone(), secret });
        }
        Ok(tokens)
    }

    /// A limit of zero would stop the gateway or lift the limit; neither is meant.
    fn check_figures(&self, file: &ConfigFile) -> Result<(), ConfigError> {
        let limits = &file.limits;
        let positive = [
            ("limits", "body_bytes", limits.body_bytes > 0),
            ("limits", "body_deadline_ms", limits.body_deadline_ms > 0),
            ("limits", "peer_per_second", limits.peer_per_second > 0),
            ("limits", "peer_burst", limits.peer_burst > 0),
            ("limits", "total_per_second", limits.total_per_second > 0),
            ("limits", "total_burst", limits.total_burst > 0),
            ("limits", "peers_max", limits.peers_max > 0),
            ("limits", "queue", limits.queue > 0),
            ("limits", "batch", limits.batch > 0),
            ("limits", "import_bytes", limits.import_bytes > 0),
            ("limits", "questions", limits.questions > 0),
            ("limits", "readers", limits.readers > 0),
            ("seal", "every_s", file.seal.every_s > 0),
            ("seen", "entries", file.seen.entries > 0),
            ("seen", "ttl_s", file.seen.ttl_s > 0),
            ("seen", "timeout_ms", file.seen.timeout_ms > 0),
            ("seen", "connect_ms", file.seen.connect_ms > 0),
            ("seen", "breaker_failures", file.seen.breaker_failures > 0),
            ("listen", "connections_max", file.listen.connections_max > 0),
        ];
        match positive.into_iter().find(|(_, _, right)| !right) {
            Some((section, key, _)) => Err(self.error(section, key, "expected at least 1")),
            None => Ok(()),
        }
    }

    fn check_words(&self, file: &ConfigFile) -> Result<(), ConfigError> {
        let environment = &file.server.environment;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if environment.is_empty() || environment.len() > 40 || !environment.bytes().all(plain) {
            return Err(self.error("server", "environment", "expected 1 to 40 of A-Z a-z 0-9 - _"));
        }
        let known = ["sqlite://"];
        if !known.iter().any(|scheme| file.store.url.strip_prefix(scheme).is_some_and(|path| !path.is_empty())) {
            return Err(self.error("store", "url", "expected sqlite://PATH"));
        }
        let seen = file.seen.url.as_str();
        let schemes = ["redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://"];
        if seen != "memory" && !schemes.iter().any(|scheme| seen.starts_with(scheme)) {
            return Err(self.error("seen", "url", "expected memory, redis://, rediss:// or redis+sentinel://"));
        }
        if seen.contains('@') {
            let words = "expected no user or password in the address: seen.username and seen.password name them";
            return Err(self.error("seen", "url", words));
        }
        let core = file.core.url.as_str();
        if !core.is_empty() && !core.starts_with("http://") && !core.starts_with("https://") {
            return Err(self.error("core", "url", "expected http:// or https://, or empty"));
        }
        Ok(())
    }
}

impl Config {
    /// Where the SQLite file is.
    #[must_use]
    pub fn sqlite_path(&self) -> PathBuf {
        PathBuf::from(self.file.store.url.strip_prefix("sqlite://").unwrap_or(&self.file.store.url))
    }

    /// The options of the hint.
    ///
    /// # Errors
    /// An address that is none.
    pub fn seen(&self) -> Result<crate::seen::Options, ConfigError> {
        let file = &self.file.seen;
        let place = crate::seen::Place::parse(&file.url).map_err(|problem| ConfigError {
            place: self.path.display().to_string(),
            line: None,
            key: Some("seen.url".to_owned()),
            problem,
        })?;
        Ok(crate::seen::Options {
            place,
            username: Some(file.username.clone()).filter(|name| !name.is_empty()),
            password: self.seen_password.clone(),
            environment: self.file.server.environment.clone(),
            secret: self.seal_secret.clone(),
            entries: file.entries,
            ttl: Duration::from_secs(file.ttl_s),
            timeout: Duration::from_millis(file.timeout_ms),
            connect: Duration::from_millis(file.connect_ms),
            breaker_failures: file.breaker_failures,
            breaker_open: Duration::from_millis(file.breaker_ms),
            pending: file.pending,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../config/gateway.toml");

    fn check(text: &str, overrides: &[(&str, &str)]) -> Result<Config, String> {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
        let seal = format!("file:{}", secret.path().display());
        let mut all = vec![("THUHO_SEAL__SECRET".to_owned(), seal)];
        all.extend(overrides.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        Config::of(Path::new("gateway.toml"), text, all).map_err(|e| e.to_string())
    }

    #[test]
    fn the_shipped_file_lists_every_key_with_its_default() {
        let read: ConfigFile = toml::from_str(SHIPPED).unwrap();
        assert_eq!(read, ConfigFile::default());
        let written: toml::Table = SHIPPED.parse().unwrap();
        let defaults = toml::Table::try_from(ConfigFile::default()).unwrap();
        for (section, keys) in defaults.iter().filter(|(section, _)| *section != "token") {
            for key in keys.as_table().unwrap().keys() {
                assert!(written.get(section).and_then(|s| s.get(key)).is_some(), "{section}.{key} is not listed");
            }
        }
        check(SHIPPED, &[]).unwrap();
    }

    #[test]
    fn a_misspelt_key_is_named_with_file_line_and_key() {
        let error = check("[listen]\n\n[store]\nurll = \"sqlite://x\"\n", &[]).unwrap_err();
        assert!(error.starts_with("gateway.toml:4: store.urll: unknown field `urll`, expected `url`"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_named_with_file_line_and_key() {
        let error = check("[limits]\nqueue = \"many\"\n", &[]).unwrap_err();
        assert!(error.starts_with("gateway.toml:2: limits.queue: invalid type"), "{error}");
    }

    #[test]
    fn the_environment_overrides_by_section_and_key() {
        let config = check("", &[("THUHO_STORE__URL", "sqlite://other.db"), ("THUHO_LIMITS__QUEUE", "7")]).unwrap();
        assert_eq!(config.sqlite_path(), PathBuf::from("other.db"));
        assert_eq!(config.file.limits.queue, 7);
        let config = check("", &[("THUHO_LISTEN__TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")]).unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
    }

    #[test]
    fn a_misspelt_override_is_an_error_that_names_it() {
        let error = check("", &[("THUHO_STORE__URLL", "x")]).unwrap_err();
        assert_eq!(error, "environment variable THUHO_STORE__URLL: store.urll: no such key");
        let error = check("", &[("THUHO_LIMITS__QUEUE", "x")]).unwrap_err();
        assert_eq!(error, "environment variable THUHO_LIMITS__QUEUE: limits.queue: expected a whole number");
    }

    #[test]
    fn a_variable_without_two_underscores_is_no_override() {
        check("", &[("THUHO_SEAL_SECRET", "x"), ("THUHO_CRASH_POINT", "x")]).unwrap();
    }

    #[test]
    fn a_secret_written_as_a_value_is_refused_and_never_shown() {
        for text in ["[seal]\nsecret = \"hunter2hunter2hunter2\"\n", "[core]\nurl=\"http://x\"\nsecret = \"hunter2\"\n"]
        {
            let error = Config::of(Path::new("gateway.toml"), text, []).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("env:NAME or file:PATH") || error.contains("seal"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = check("[seen]\nurl = \"redis://u:hunter2@h/0\"\n", &[]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_short_secret_and_a_zero_limit_are_refused() {
        let short = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(short.path(), "short").unwrap();
        let name = format!("file:{}", short.path().display());
        assert!(check("", &[("THUHO_SEAL__SECRET", &name)]).unwrap_err().contains("at least 16 bytes"));
        assert!(check("[limits]\nqueue = 0\n", &[]).unwrap_err().contains("gateway.toml:2: limits.queue"));
    }

    #[test]
    fn a_token_needs_a_known_scope_and_a_secret_of_its_own() {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "a-token-of-thirty-two-characters").unwrap();
        let token = |name: &str, scope: &str| {
            format!(
                "[[token]]\nname = \"{name}\"\nscope = [\"{scope}\"]\nsecret = \"file:{}\"\n",
                secret.path().display()
            )
        };
        assert_eq!(check(&token("a", "read"), &[]).unwrap().tokens.len(), 1);
        assert!(check(&token("a", "reed"), &[]).unwrap_err().contains("token.scope"));
        let twice = format!("{}{}", token("a", "read"), token("b", "ops"));
        assert!(check(&twice, &[]).unwrap_err().contains("another token's secret"));
    }
}
