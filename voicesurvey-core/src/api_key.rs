//! API keys: who may do what, proved by a secret that is stored only as its hash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::{ApiKeyId, CompanyId, IdGenerator};
use crate::time::Timestamp;

/// What the holder of a key may do. Each role may do everything that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Creates and runs campaigns, uploads call lists, edits skillbases, excludes numbers.
    Manager,
    /// Also manages API keys, and takes numbers off the exclusion list.
    Admin,
}

impl Role {
    /// Every role, from the least to the most powerful.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Manager, Self::Admin];

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role '{0}': use admin, manager or viewer")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A key as it is stored: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// Whose key it is.
    pub company_id: CompanyId,
    /// What people call it.
    pub name: String,
    /// The secret's first characters, so that a key can be recognised in a list.
    pub prefix: String,
    /// SHA-256 of the secret.
    pub hash: ApiKeyHash,
    /// What its holder may do.
    pub role: Role,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops being accepted, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last accepted, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether the key is accepted at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// SHA-256 of a secret: enough, because the secret itself is 238 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// The hash of a secret as its holder presents it.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Takes a hash read from a store; `None` when it is not 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for stores.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(…)")
    }
}

/// A secret that was just made. It is shown once and kept nowhere.
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const LENGTH: usize = 40;
    const PREFIX: &str = "vsk_";
    const SHOWN: usize = 12;

    /// A fresh secret: `vsk_` and 40 random letters and digits.
    pub fn generate(ids: &IdGenerator) -> Self {
        Self(format!("{}{}", Self::PREFIX, Self::letters(ids)))
    }

    /// 40 random letters and digits: 238 bits.
    pub(crate) fn letters(ids: &IdGenerator) -> String {
        let mut secret = String::new();
        let mut chance = [0; 64];
        while secret.len() < Self::LENGTH {
            ids.fill(&mut chance);
            // Bytes from 248 up are left out, else the first letters would be more likely.
            let letters = chance.iter().filter(|&&byte| byte < 248);
            let missing = Self::LENGTH - secret.len();
            secret.extend(
                letters
                    .take(missing)
                    .map(|&byte| char::from(Self::ALPHABET[usize::from(byte % 62)])),
            );
        }
        secret
    }

    /// What may be shown later to recognise the key.
    pub fn prefix(&self) -> &str {
        &self.0[..Self::SHOWN]
    }

    /// What is stored.
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(&self.0)
    }

    /// The secret itself, to be shown to its holder once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeySecret({}…)", self.prefix())
    }
}

/// Who asks: proved by a key, bound to one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The company whose rows may be seen and changed.
    pub company_id: CompanyId,
    /// The key that proved it.
    pub api_key_id: ApiKeyId,
    /// What may be done.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::time::SystemClock;

    #[test]
    fn a_secret_has_its_form_and_hides_itself() {
        let ids = IdGenerator::from_seed(Arc::new(SystemClock), 1);
        let secret = ApiKeySecret::generate(&ids);
        assert_eq!(secret.reveal().len(), 44);
        assert!(
            secret.reveal()[4..]
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric())
        );
        assert!(!format!("{secret:?}").contains(&secret.reveal()[12..]));
        assert_ne!(secret.hash(), ApiKeySecret::generate(&ids).hash());
    }

    #[test]
    fn roles_are_ordered_by_power() {
        assert!(Role::Viewer < Role::Manager && Role::Manager < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
    }
}
