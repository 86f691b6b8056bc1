//! Fresh keys for every partner: the halves that the gateway reads, and the halves that the sandbox collectors sign
//! with. Made anew at each run; nothing of them is ever written down.

use crate::domain::ids::PartnerCode;
use crate::domain::secret::Secret;
use crate::partner::{FreshKey, Partners, SecretSource, SigningKey};
use std::collections::{BTreeMap, HashMap};

/// The keys of a sandbox.
#[derive(Debug, Default)]
pub struct SandboxKeys {
    secrets: HashMap<String, Secret>,
    signers: BTreeMap<PartnerCode, Vec<SigningKey>>,
    strangers: BTreeMap<PartnerCode, SigningKey>,
}

impl SandboxKeys {
    /// Makes a key for each that a profile needs, and for each partner one that the gateway does not know.
    ///
    /// # Errors
    /// When the machine has no randomness or a key's encoding does not suit its algorithm.
    pub fn generate(partners: &Partners) -> Result<Self, String> {
        let mut keys = Self::default();
        for need in partners.iter().flat_map(|profile| profile.key_needs()) {
            let fresh = || {
                FreshKey::generate(need.algorithm, need.encoding)
                    .map_err(|error| format!("{}, key {}: {error}", need.partner, need.id))
            };
            let signer = |key: &FreshKey| {
                SigningKey::read(&need.id, need.algorithm, need.encoding, &key.signs)
                    .map_err(|error| format!("{}, key {}: {error}", need.partner, need.id))
            };
            let key = fresh()?;
            if need.ours {
                keys.secrets.insert(need.secret.clone(), key.signs);
                continue;
            }
            keys.signers.entry(need.partner.clone()).or_default().push(signer(&key)?);
            keys.secrets.insert(need.secret.clone(), key.proves);
            keys.strangers.insert(need.partner.clone(), signer(&fresh()?)?);
        }
        Ok(keys)
    }

    /// What this partner signs with.
    #[must_use]
    pub fn signers(&self, partner: &PartnerCode) -> &[SigningKey] {
        self.signers.get(partner).map_or(&[], Vec::as_slice)
    }

    /// What somebody signs with who only pretends to be this partner.
    #[must_use]
    pub fn stranger(&self, partner: &PartnerCode) -> Option<&SigningKey> {
        self.strangers.get(partner)
    }
}

impl SecretSource for SandboxKeys {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        self.secrets.get(name).cloned().ok_or_else(|| format!("{name}: no profile needed it when the keys were made"))
    }
}
