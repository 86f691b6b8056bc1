//! Secrets by name: read from the environment or a file, never shown (I11). The one reader of the environment.

use crate::domain::secret::Secret;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest secret file, in bytes: a PEM key of 8192 bits is under 7 KiB.
const SECRET_FILE_MAX_BYTES: u64 = 65_536;

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
