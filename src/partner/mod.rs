//! How a partner speaks: one TOML file over a closed vocabulary, compiled at load, proved by its own examples.
//!
//! ```text
//! prove: RawNotice -> AuthenticNotice        the signature, and nothing else, is looked at first (I1)
//! read:  AuthenticNotice -> Notice           or read_bills -> References, read_status -> StatusAsk
//! reply: Outcome -> Reply                    or reply_bills(BillsAnswer), reply_status(StatusAnswer)
//! ```
//!
//! [`Partners::load`] reads a folder of profiles with their secrets; [`Partners::load_without_secrets`] is for tools
//! that only need the examples. [`forge`] makes signed calls up, for tools, sandboxes and tests.
//!
//! No partner is named here (I8), no clock is read and nothing is sent (I9); secrets reach no error text (I11).
//! Reading order: `file`, `compile`, `profile`, then `locate`, `canonical`, `signature`, `decode`, `reply`; [`statement`]
//! and [`settlement`] stand by themselves.

mod ask;
mod canonical;
mod compile;
mod decode;
mod example;
mod faults;
mod file;
pub mod forge;
mod json;
mod keys;
mod locate;
mod profile;
pub mod refund;
mod reply;
pub mod settlement;
mod signature;
pub mod statement;
mod times;

pub use ask::{BillsAnswer, BillsKind, StatusAnswer, StatusAsk, StatusKind};
pub use example::{Call as ExampleCall, Example, Expected, word_of};
pub use faults::{ProfileError, ProfileErrors};
pub use file::{Algorithm, KeyEncoding};
pub use keys::{FreshKey, HMAC_SECRET_MIN_BYTES, RSA_MODULUS_MIN_BITS, SigningKey};
pub use profile::{Contract, KeyNeed, KeySpan, Profile};
pub use reply::{Bill, Reply, ReplyContext};
pub use signature::{AuthenticNotice, Trace};

use crate::domain::secret::Secret;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Most profiles in one folder: 20 to 50 collectors, and room.
pub const PROFILES_MAX: usize = 256;

/// The largest profile file, in bytes.
pub const PROFILE_MAX_BYTES: u64 = 1 << 20;

/// Where secrets come from, by name.
pub trait SecretSource {
    /// The secret of a name such as `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// What is missing, by name; never a value.
    fn secret(&self, name: &str) -> Result<Secret, String>;
}

/// All partners.
#[derive(Clone, Debug, Default)]
pub struct Partners {
    by_code: BTreeMap<String, Arc<Profile>>,
}

impl Partners {
    /// Loads each `*.toml` of a folder, with its live keys, and proves its examples.
    ///
    /// # Errors
    /// Everything that is wrong with any of them; then none is loaded.
    pub fn load(dir: &Path, secrets: &dyn SecretSource) -> Result<Self, ProfileErrors> {
        Self::load_with(dir, Some(secrets))
    }

    /// The same without live keys: such partners prove nothing but their examples.
    ///
    /// # Errors
    /// As [`Partners::load`].
    pub fn load_without_secrets(dir: &Path) -> Result<Self, ProfileErrors> {
        Self::load_with(dir, None)
    }

    /// One profile from its text: `file` is its name in errors, and its stem must be the partner's code.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(file: &str, text: &str, secrets: Option<&dyn SecretSource>) -> Result<Profile, ProfileErrors> {
        compile::compile(file, text, secrets)
    }

    /// The profile of a partner.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Arc<Profile>> {
        self.by_code.get(code)
    }

    /// All profiles, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.by_code.values()
    }

    fn load_with(dir: &Path, secrets: Option<&dyn SecretSource>) -> Result<Self, ProfileErrors> {
        let mut errors = Vec::new();
        let mut partners = Self::default();
        let mut prints: BTreeMap<[u8; 32], String> = BTreeMap::new();
        for (file, text) in files(dir)? {
            let profile = match compile::compile(&file, &text, secrets) {
                Ok(profile) => profile,
                Err(ProfileErrors(more)) => {
                    errors.extend(more);
                    continue;
                }
            };
            let mut fault = |key: &str, message: String| {
                let mut faults = faults::Faults::new(&file, &text);
                faults.add(key, message);
                errors.extend(faults.into_list());
            };
            let code = profile.code().to_string();
            let stem = Path::new(&file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if stem != code {
                fault("partner", format!("expected {stem}, the name of the file"));
            }
            for (n, key) in profile.live.keys.iter().enumerate() {
                if let Some(other) = prints.insert(key.print, code.clone()).filter(|other| *other != code) {
                    fault(&format!("key[{}].secret", n + 1), format!("expected another secret than {other}'s"));
                }
            }
            partners.by_code.insert(code, Arc::new(profile));
        }
        if errors.is_empty() { Ok(partners) } else { Err(ProfileErrors(errors)) }
    }
}

/// The profiles of a folder, by name, so that errors come in one order.
fn files(dir: &Path) -> Result<Vec<(String, String)>, ProfileErrors> {
    let failed = |path: &Path, what: &str| {
        let (file, message) = (path.display().to_string(), what.to_owned());
        ProfileErrors(vec![ProfileError { file, line: 0, key: "(file)".to_owned(), message }])
    };
    let entries = std::fs::read_dir(dir).map_err(|_unreadable| failed(dir, "cannot read the folder of profiles"))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    if paths.is_empty() || paths.len() > PROFILES_MAX {
        return Err(failed(dir, "expected 1 to 256 profiles (*.toml) in the folder"));
    }
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > PROFILE_MAX_BYTES) {
            return Err(failed(&path, "expected at most 1 MiB"));
        }
        let text = std::fs::read_to_string(&path).map_err(|_unreadable| failed(&path, "cannot read it as UTF-8"))?;
        files.push((path.display().to_string(), text));
    }
    Ok(files)
}
