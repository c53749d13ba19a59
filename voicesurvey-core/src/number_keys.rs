//! Keyed hashes of phone numbers: what remains of a number that was erased.
//!
//! A number has so few digits that a plain hash of it is no secret: whoever has the hash tries all
//! numbers. So the hash is an HMAC with a key of the operator's that is not in the database, over
//! the company and the number, so that two companies' hashes of one person differ. It still answers
//! the one question that matters: is this number the one that must not be called (I8)?
//!
//! Keys are replaced by naming a new one first: it makes the hashes from then on, and the older ones
//! are asked as long as hashes of theirs are left. A hash cannot be made anew without the number, so
//! a key that is lost takes away the answer; stores then refuse to say that a number may be called.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::id::CompanyId;
use crate::phone_number::PhoneNumber;

/// The keys of an installation, the one that makes new hashes first. Clones share them.
#[derive(Clone, Default)]
pub struct NumberKeys(Arc<[NumberKey]>);

#[derive(Clone)]
struct NumberKey {
    id: NumberKeyId,
    hmac: Hmac<Sha256>,
}

/// Names a key without telling it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKeyId([u8; 8]);

/// What remains of a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberHash([u8; 32]);

/// The key is so short that it can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key for erased numbers needs at least {least} characters", least = NumberKeys::LEAST_BYTES)]
pub struct ShortNumberKey;

/// Numbers were erased with a key that is not given, so nobody can tell any more which ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("numbers were erased with the key {0}, which is not among database.number_keys")]
pub struct UnknownNumberKey(pub NumberKeyId);

impl NumberKeys {
    /// The shortest key that is taken.
    pub const LEAST_BYTES: usize = 32;

    /// Takes the secrets, the one that makes new hashes first.
    pub fn new<S: AsRef<[u8]>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, ShortNumberKey> {
        let keys = secrets.into_iter().map(|secret| {
            let secret = secret.as_ref();
            if secret.len() < Self::LEAST_BYTES {
                return Err(ShortNumberKey);
            }
            let hash = Sha256::new_with_prefix(b"voicesurvey number key\0")
                .chain_update(secret)
                .finalize();
            let mut id = [0; 8];
            id.copy_from_slice(&hash[..8]);
            Ok(NumberKey {
                id: NumberKeyId(id),
                // OK because an HMAC takes a key of any length.
                hmac: Hmac::new_from_slice(secret).map_err(|_| ShortNumberKey)?,
            })
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// The key that makes new hashes, if there is one.
    pub fn current(&self) -> Option<NumberKeyId> {
        self.0.first().map(|key| key.id)
    }

    /// Fails unless all of these keys are given: where one is missing nobody can tell who is excluded.
    pub fn must_include(
        &self,
        used: impl IntoIterator<Item = NumberKeyId>,
    ) -> Result<(), UnknownNumberKey> {
        let mut used = used.into_iter();
        let missing = used.find(|id| self.0.iter().all(|key| key.id != *id));
        missing.map_or(Ok(()), |id| Err(UnknownNumberKey(id)))
    }

    /// What remains of a number that is erased now, with the key that made it; `None` without keys.
    pub fn hash(
        &self,
        company_id: CompanyId,
        number: &PhoneNumber,
    ) -> Option<(NumberKeyId, NumberHash)> {
        let key = self.0.first()?;
        Some((key.id, key.hash(company_id, number)))
    }

    /// What would remain of each of the numbers, with every key in `used`: those with which the
    /// company has erased numbers.
    pub fn hashes(
        &self,
        used: &[NumberKeyId],
        company_id: CompanyId,
        numbers: &[PhoneNumber],
    ) -> Result<HashMap<NumberHash, PhoneNumber>, UnknownNumberKey> {
        let mut hashes = HashMap::with_capacity(used.len() * numbers.len());
        for id in used {
            let key = self.0.iter().find(|key| key.id == *id);
            let key = key.ok_or(UnknownNumberKey(*id))?;
            hashes.extend(
                numbers
                    .iter()
                    .map(|number| (key.hash(company_id, number), *number)),
            );
        }
        Ok(hashes)
    }
}

impl NumberKey {
    fn hash(&self, company_id: CompanyId, number: &PhoneNumber) -> NumberHash {
        let mut hmac = self.hmac.clone();
        hmac.update(company_id.as_uuid().as_bytes());
        hmac.update(number.as_str().as_bytes());
        NumberHash(hmac.finalize().into_bytes().into())
    }
}

impl NumberKeyId {
    /// Reads a name from a store; `None` when it is not 8 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for stores.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl NumberHash {
    /// Sorts before every other.
    #[cfg(feature = "memory")]
    pub(crate) const LEAST: Self = Self([0; 32]);

    /// Reads a hash from a store; `None` when it is not 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for stores.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for NumberKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NumberKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberKeyId({self})")
    }
}

impl fmt::Debug for NumberHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberHash(…)")
    }
}

impl fmt::Debug for NumberKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.0.iter().map(|key| key.id);
        f.debug_tuple("NumberKeys")
            .field(&ids.collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    const OLD: &str = "an old key that has been replaced";
    const NEW: &str = "the key that makes all new hashes";

    fn company() -> CompanyId {
        samples::company().id
    }

    #[test]
    fn a_hash_is_an_hmac_of_company_and_number() {
        let keys = NumberKeys::new([NEW]).unwrap();
        let company = CompanyId::from_uuid(uuid::Uuid::from_u128(7));
        let number: PhoneNumber = "+393471234567".parse().unwrap();
        let (_, hash) = keys.hash(company, &number).unwrap();
        let hex = hash.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        // python3: hmac.new(key, uuid.UUID(int=7).bytes + b"+393471234567", "sha256").hexdigest()
        let expected = "6a98317a94d02335cb6d31ca7b7aa4efd56861d8463f83e3baa1975181533594";
        assert_eq!(hex.collect::<String>(), expected);
    }

    #[test]
    fn hashes_differ_by_company_number_and_key() {
        let (old, new) = (NumberKeys::new([OLD]), NumberKeys::new([NEW]));
        let (old, new) = (old.unwrap(), new.unwrap());
        let (company, number) = (company(), samples::phone_number(1));
        let first = new.hash(company, &number).unwrap();
        assert_eq!(new.hash(company, &number), Some(first));
        assert_ne!(new.hash(self::company(), &number), Some(first));
        assert_ne!(new.hash(company, &samples::phone_number(2)), Some(first));
        assert_ne!(old.hash(company, &number), Some(first));
        assert_eq!(NumberKeys::default().hash(company, &number), None);
    }

    #[test]
    fn a_replaced_key_is_asked_and_a_lost_one_is_an_error() {
        let (company, number) = (company(), samples::phone_number(1));
        let before = NumberKeys::new([OLD]).unwrap();
        let (old, hash) = before.hash(company, &number).unwrap();
        let after = NumberKeys::new([NEW, OLD]).unwrap();
        assert_ne!(after.current(), Some(old));
        let hashes = after.hashes(&[old], company, &[number]).unwrap();
        assert_eq!(hashes, HashMap::from([(hash, number)]));
        let lost = NumberKeys::new([NEW]).unwrap();
        let error = lost.hashes(&[old], company, &[number]).unwrap_err();
        assert_eq!(error, UnknownNumberKey(old));
        // Where nothing was erased, nothing is needed.
        assert_eq!(lost.hashes(&[], company, &[number]), Ok(HashMap::new()));
    }

    #[test]
    fn keys_are_not_short_and_show_nothing() {
        assert_eq!(
            NumberKeys::new(["a short key"]).unwrap_err(),
            ShortNumberKey
        );
        let shown = format!("{:?}", NumberKeys::new([NEW]).unwrap());
        assert!(!shown.contains("key that makes"), "{shown}");
    }
}
