//! The key that an exhibit's bytes are encrypted with: AES-256-GCM (NIST SP 800-38D).

use chassis::Entropy;
use exhibit::Digest;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::Error;

/// Length of a nonce, in bytes.
pub const NONCE: usize = 12;
/// Length of a tag, in bytes.
pub const TAG: usize = 16;
/// Length of a key, in bytes.
pub(super) const KEY: usize = 32;

/// One exhibit's key. Overwritten when dropped; has no `Debug` and no `Clone`.
pub struct DataKey(Zeroizing<[u8; KEY]>);

impl DataKey {
    /// A new one.
    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        let mut key = Zeroizing::new([0; KEY]);
        entropy.fill(key.as_mut());
        Self(key)
    }

    /// One that was made before.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Its name, which tells nothing of it: 32 hex digits of a hash.
    #[must_use]
    pub fn id(&self) -> String {
        let mut input = Zeroizing::new(b"alcove data key v1\n".to_vec());
        input.extend_from_slice(self.0.as_ref());
        hex::encode(&Digest::of(&input).as_bytes()[..16])
    }

    /// Ciphertext and tag. The nonce must be random and new.
    ///
    /// # Errors
    /// The text is too long for the cipher (64 GiB).
    pub fn seal(&self, nonce: [u8; NONCE], associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(plain.len() + TAG);
        bytes.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self.cipher()?.seal_in_place_append_tag(nonce, Aad::from(associated), &mut bytes);
        sealed.map_err(|_| Error::Unencryptable)?;
        Ok(bytes)
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`].
    pub fn open(&self, nonce: [u8; NONCE], associated: &[u8], stored: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = stored.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(associated), &mut bytes);
        let len = opened.map_err(|_| Error::NotAuthentic)?.len();
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Made anew each time (a fraction of a microsecond): ring doesn't overwrite what it expands.
    fn cipher(&self) -> Result<LessSafeKey, Error> {
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.0.as_ref()).map_err(|_| Error::Unencryptable)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// NIST CAVP, `gcmEncryptExtIV256.rsp`: [Keylen = 256] [IVlen = 96] [PTlen = 128] [AADlen = 128] [Taglen = 128], Count = 0.
    #[test]
    fn it_is_aes_256_gcm() {
        let hex = |text: &str| hex::decode(text).unwrap();
        let key = hex("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b");
        let key = DataKey::from_bytes(key.try_into().unwrap());
        let nonce: [u8; NONCE] = hex("ac93a1a6145299bde902f21a").try_into().unwrap();
        let (plain, associated) = (hex("2d71bcfa914e4ac045b2aa60955fad24"), hex("1e0889016f67601c8ebea4943bc23ad6"));
        let sealed = key.seal(nonce, &associated, &plain).unwrap();
        assert_eq!(hex::encode(&sealed), "8995ae2e6df3dbf96fac7b7137bae67feca5aa77d51d4a0a14d9c51e1da474ab");
        assert_eq!(key.open(nonce, &associated, &sealed).unwrap(), plain);
        assert!(key.open(nonce, b"", &sealed).is_err());
    }
}
