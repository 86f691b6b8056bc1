//! Keys of a profile: the examples', and the live ones with their rules. No live key is one from the examples, none is
//! weak, and two may live at once for a rotation. No secret reaches an error text (I11).

use super::super::SecretSource;
use super::super::file::Algorithm;
use super::super::keys::{self, LiveKey, SigningKey};
use super::super::profile::{KeyNeed, Party};
use super::super::times;
use super::Compiler;
use crate::domain::ids::PartnerCode;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// Most live keys of one partner: two for a rotation, and as many again for a second algorithm.
const KEYS_MAX: usize = 4;

impl Compiler<'_, '_> {
    pub(super) fn parties(
        &mut self,
        code: &PartnerCode,
        secrets: Option<&dyn SecretSource>,
    ) -> (Party, Party, Vec<KeyNeed>) {
        let account = &self.file.notice.account;
        let example = Party {
            keys: self.example_keys(),
            account: account.in_examples.clone().unwrap_or_else(|| account.is.clone()),
            reply_key: self.reply_key(None),
            signers: self.example_signers(),
        };
        let needs = self.needs(code);
        let mut live = Party { account: account.is.clone(), ..Party::default() };
        if self.file.key.is_empty() || self.file.key.len() > KEYS_MAX {
            self.faults.add("key", format!("expected 1 to {KEYS_MAX} of [[key]]"));
        }
        if let Some(secrets) = secrets {
            live.keys = self.live_keys(secrets, &example.keys);
            live.reply_key = self.reply_key(Some((secrets, &example)));
        }
        (live, example, needs)
    }

    fn key_algorithm(&mut self, key: &str, own: Option<Algorithm>) -> Option<Algorithm> {
        let file = &self.file.signature;
        let fits = |a: Algorithm| {
            file.algorithm == Some(a) || file.versions.as_ref().is_some_and(|v| v.values().any(|known| *known == a))
        };
        match own.or(file.algorithm) {
            Some(algorithm) if fits(algorithm) => Some(algorithm),
            _ => {
                self.faults.add(key, "expected the algorithm of this key, one of the signature's");
                None
            }
        }
    }

    fn example_keys(&mut self) -> Vec<LiveKey> {
        let mut keys = Vec::new();
        if self.file.example_key.is_empty() {
            self.faults.add("example_key", "expected at least one [[example_key]]");
        }
        for (n, file) in self.file.example_key.iter().enumerate() {
            let key = format!("example_key[{}]", n + 1);
            let Some(algorithm) = self.key_algorithm(&key, file.algorithm) else { continue };
            let secret = Secret::new(file.value.clone().into_bytes());
            let read = keys::verifier(algorithm, file.encoding, &secret, self.file.allow_legacy);
            if let Some((verifier, print)) = self.faults.take(&format!("{key}.value"), read) {
                let id = file.id.as_str().into();
                keys.push(LiveKey { id, algorithm, verifier, not_before: None, not_after: None, print });
            }
        }
        keys
    }

    fn example_signers(&mut self) -> Vec<SigningKey> {
        let mut signers = Vec::new();
        for (n, file) in self.file.example_key.iter().enumerate() {
            let Some(algorithm) = file.algorithm.or(self.file.signature.algorithm) else { continue };
            let shared = !matches!(algorithm, Algorithm::RsaSha256Pkcs1v15 | Algorithm::Ed25519);
            let text = if shared { Some(&file.value) } else { file.private.as_ref() };
            let encoding = file.private_encoding.filter(|_| !shared).unwrap_or(file.encoding);
            if let Some(text) = text {
                let secret = Secret::new(text.clone().into_bytes());
                let read = SigningKey::read(&file.id, algorithm, encoding, &secret);
                signers.extend(self.faults.take(&format!("example_key[{}].private", n + 1), read));
            }
        }
        signers
    }

    fn live_keys(&mut self, secrets: &dyn SecretSource, examples: &[LiveKey]) -> Vec<LiveKey> {
        let mut keys: Vec<LiveKey> = Vec::new();
        for (n, file) in self.file.key.iter().enumerate() {
            let at = format!("key[{}]", n + 1);
            let Some(algorithm) = self.key_algorithm(&format!("{at}.algorithm"), file.algorithm) else { continue };
            let not_before = self.moment(&format!("{at}.not_before"), file.not_before.as_ref());
            let not_after = self.moment(&format!("{at}.not_after"), file.not_after.as_ref());
            let secret = match secrets.secret(&file.secret) {
                Ok(secret) => secret,
                Err(_) if file.optional => continue,
                Err(message) => {
                    self.faults.add(&format!("{at}.secret"), message);
                    continue;
                }
            };
            let read = keys::verifier(algorithm, file.encoding, &secret, self.file.allow_legacy);
            let Some((verifier, print)) = self.faults.take(&format!("{at}.secret"), read) else { continue };
            if examples.iter().any(|example| example.print == print) {
                self.faults.add(&format!("{at}.secret"), "expected a key of our own, found the key of the examples");
            }
            if keys.iter().any(|key| *key.id == *file.id || key.print == print) {
                self.faults.add(&format!("{at}.id"), "expected another id and another secret for each key");
            }
            let id = file.id.as_str().into();
            keys.push(LiveKey { id, algorithm, verifier, not_before, not_after, print });
        }
        if keys.is_empty() {
            self.faults.add("key", "expected at least one key whose secret is set");
        }
        keys
    }

    fn moment(&mut self, key: &str, text: Option<&String>) -> Option<Timestamp> {
        let text = text?;
        self.faults.take(key, times::rfc3339(text).ok_or("expected a moment such as 2026-04-01T00:00:00+07:00"))
    }

    /// The key our replies are signed with: the examples' own, or the live one.
    fn reply_key(&mut self, live: Option<(&dyn SecretSource, &Party)>) -> Option<SigningKey> {
        let file = self.file.reply_signature.as_ref()?;
        let Some((secrets, example)) = live else {
            let secret = Secret::new(file.example_key.clone().into_bytes());
            let read = SigningKey::read("reply", file.algorithm, file.key_encoding, &secret);
            return self.faults.take("reply_signature.example_key", read);
        };
        let secret = self.faults.take("reply_signature.key", secrets.secret(&file.key))?;
        if secret.expose_text().map(str::trim) == Some(file.example_key.trim()) {
            self.faults.add("reply_signature.key", "expected a key of our own, found the key of the examples");
        }
        let read = SigningKey::read("reply", file.algorithm, file.key_encoding, &secret);
        let key = self.faults.take("reply_signature.key", read)?;
        let prints = key.print().zip(example.reply_key.as_ref().and_then(SigningKey::print));
        if prints.is_some_and(|(ours, example)| ours == example) {
            self.faults.add("reply_signature.key", "expected a key of our own, found the key of the examples");
        }
        Some(key)
    }

    fn needs(&self, code: &PartnerCode) -> Vec<KeyNeed> {
        let mut needs = Vec::new();
        for file in &self.file.key {
            if let Some(algorithm) = file.algorithm.or(self.file.signature.algorithm) {
                let (id, secret, encoding) = (file.id.clone(), file.secret.clone(), file.encoding);
                needs.push(KeyNeed { partner: code.clone(), id, secret, algorithm, encoding, ours: false });
            }
        }
        if let Some(reply) = &self.file.reply_signature {
            let (secret, algorithm, encoding) = (reply.key.clone(), reply.algorithm, reply.key_encoding);
            let id = "reply".to_owned();
            needs.push(KeyNeed { partner: code.clone(), id, secret, algorithm, encoding, ours: true });
        }
        needs
    }
}
