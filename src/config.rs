//! What was written becomes what it means: the file is read twice, first as text into [`ConfigFile`] (unknown keys are
//! errors with file, line and key), then into the plain options that each module defines. The only reader of the
//! environment. Knows no rule of the business. Keeps I11: a secret is a name here, and no error shows a value.

mod file;
mod secrets;

pub use file::{ConfigFile, TokenFile};
pub use secrets::{EnvSecrets, SecretName};

use crate::domain::secret::Secret;
use crate::store::Place;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The prefix of overriding environment variables. Only names with `__` after it are overrides; others, such as
/// the ones that hold secrets, are left alone.
const ENV_PREFIX: &str = "THUHO_";

/// The shortest secret of ours, in bytes: 128 bits.
const SECRET_MIN_BYTES: usize = 16;

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
pub const SCOPES: [&str; 4] = ["invoices", "read", "ops", "finance"];

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
    /// Where the books are.
    pub store: Place,
    /// Password of Redis.
    pub seen_password: Option<Secret>,
    /// PEM certificates that alone may vouch for Redis; the public ones if `None`.
    pub seen_trust_pem: Option<Vec<u8>>,
    /// Where messages go, with what signs them.
    pub core: Option<Core>,
    /// Folder of profiles.
    pub partners_dir: PathBuf,
    /// File of the days on which banks work; none for weekends alone.
    pub calendar: Option<PathBuf>,
    /// Folder in which others drop statements, and how often it is looked into.
    pub inbox: Option<(PathBuf, Duration)>,
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
    /// PEM certificates that alone may vouch for it; the public ones if `None`.
    pub trust_pem: Option<Vec<u8>>,
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
        let core = self.core(&file.core)?;
        let seen_password = self.secret_some("seen", "password", &file.seen.password)?;
        let encrypted = file.seen.url.starts_with("rediss://") || file.seen.url.starts_with("rediss+sentinel://");
        let seen_trust_pem = self.trust("seen", &file.seen.trust, (encrypted, "rediss://"))?;
        Ok(Config {
            path: self.path.to_owned(),
            public: address("public", &file.listen.public)?,
            internal: address("internal", &file.listen.internal)?,
            trusted_proxies,
            seal_secret: self.strong_secret("seal", "secret", &file.seal.secret)?,
            store: self.store(&file.store)?,
            seen_password,
            seen_trust_pem,
            core,
            partners_dir: PathBuf::from(&file.partners.dir),
            calendar: self.calendar(&file.finance)?,
            inbox: self.inbox(&file.finance)?,
            log_format,
            tokens: self.tokens(&file)?,
            file,
        })
    }

    fn store(&self, file: &file::StoreFile) -> Result<Place, ConfigError> {
        let password = self.secret_some("store", "password", &file.password)?;
        let trust = self.secret_some("store", "trust", &file.trust)?;
        let place = Place::parse(&file.url, password.as_ref(), trust.as_ref().map(Secret::expose));
        place.map_err(|error| {
            let text = error.to_string();
            let (key, problem) = text.strip_prefix("store.").and_then(|t| t.split_once(": ")).unwrap_or(("url", &text));
            self.error("store", key, problem)
        })
    }

    fn inbox(&self, file: &file::FinanceFile) -> Result<Option<(PathBuf, Duration)>, ConfigError> {
        if !(1..=86_400).contains(&file.inbox_every_s) {
            return Err(self.error("finance", "inbox_every_s", "expected 1 to 86400".to_owned()));
        }
        let path = Some(PathBuf::from(&file.inbox)).filter(|path| !path.as_os_str().is_empty());
        match path {
            Some(path) if !path.is_dir() => {
                Err(self.error("finance", "inbox", "expected a folder that is there".to_owned()))
            }
            path => Ok(path.map(|path| (path, Duration::from_secs(file.inbox_every_s)))),
        }
    }

    /// It is read again for each comparison; a wrong one is found here.
    fn calendar(&self, file: &file::FinanceFile) -> Result<Option<PathBuf>, ConfigError> {
        let path = Some(PathBuf::from(&file.calendar)).filter(|path| !path.as_os_str().is_empty());
        match crate::reconcile::settlement::load_calendar(path.as_deref()) {
            Ok(_) => Ok(path),
            Err(error) => Err(self.error("finance", "calendar", error.to_string())),
        }
    }

    fn core(&self, file: &file::CoreFile) -> Result<Option<Core>, ConfigError> {
        if file.url.is_empty() {
            return Ok(None);
        }
        let trust_pem = self.trust("core", &file.trust, (file.url.starts_with("https://"), "https://"))?;
        Ok(Some(Core { url: file.url.clone(), secret: self.secret("core", "secret", &file.secret)?, trust_pem }))
    }

    /// The authorities that alone may vouch for a section's server, if any are named: without an encrypted way to it,
    /// which begins with `scheme`, that is a mistake.
    fn trust(
        &self,
        section: &str,
        name: &str,
        (encrypted, scheme): (bool, &str),
    ) -> Result<Option<Vec<u8>>, ConfigError> {
        if name.is_empty() {
            return Ok(None);
        }
        if !encrypted {
            let expected = format!("expected an address in {section}.url that begins with {scheme}, or nothing here");
            return Err(self.error(section, "trust", expected));
        }
        let pem = self.secret(section, "trust", name)?.expose().to_vec();
        match crate::outbox::core_client::check_trust(&pem) {
            Ok(()) => Ok(Some(pem)),
            Err(problem) => Err(self.error(section, "trust", problem)),
        }
    }

    fn secret(&self, section: &str, key: &str, name: &str) -> Result<Secret, ConfigError> {
        EnvSecrets::read(name).map_err(|problem| self.error(section, key, problem))
    }

    fn secret_some(&self, section: &str, key: &str, name: &str) -> Result<Option<Secret>, ConfigError> {
        if name.is_empty() { Ok(None) } else { self.secret(section, key, name).map(Some) }
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
            ("limits", "inquiries", limits.inquiries > 0),
            ("limits", "inquiry_readers", limits.inquiry_readers > 0),
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
            trust_pem: self.seen_trust_pem.clone(),
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
mod tests;
