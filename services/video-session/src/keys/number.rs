//! A phone number that has to wait for its message in the database: encrypted with the server's key (AES-256-GCM), and bound to the
//! message that it is for. Only for callers who rang withheld; everybody else's number stays at the control room.

use ids::PhoneNumber;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

use super::Keys;

/// Random bytes that no other number is encrypted with.
pub type NonceBytes = [u8; NONCE_LEN];

impl Keys {
    /// What may be stored of a number. `None` only if encryption itself fails.
    #[must_use]
    pub fn seal_number(&self, number: &PhoneNumber, message: Uuid, nonce: NonceBytes) -> Option<Vec<u8>> {
        let mut bytes = number.expose().as_bytes().to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.numbers()?.seal_in_place_append_tag(nonce_used, Aad::from(message.as_bytes()), &mut bytes).ok()?;
        Some([&nonce[..], &bytes].concat())
    }

    /// The number, if it was sealed with this key for this message.
    #[must_use]
    pub fn open_number(&self, sealed: &[u8], message: Uuid) -> Option<PhoneNumber> {
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let number = self.numbers()?.open_in_place(nonce, Aad::from(message.as_bytes()), &mut bytes).ok()?;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// What a repeat of a request is known by, instead of the number in it.
    #[must_use]
    pub fn blind_number(&self, number: &PhoneNumber) -> String {
        hex::encode(self.mac("number-hash", &[number.expose().as_bytes()]))
    }

    fn numbers(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.mac("number-key", &[])).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::Secret;

    use super::*;

    #[test]
    fn a_number_is_read_with_its_key_for_its_message_and_in_no_other_way() {
        let [keys, others] = ["k", "l"].map(|key| Keys::new(&Secret::new(key.repeat(32))));
        let number: PhoneNumber = "+447700900123".parse().unwrap();
        let (message, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = keys.seal_number(&number, message, [7; NONCE_LEN]).unwrap();
        assert_eq!(keys.open_number(&sealed, message), Some(number.clone()));
        assert_eq!(keys.open_number(&sealed, other), None);
        assert_eq!(others.open_number(&sealed, message), None);
        assert_eq!(keys.open_number(&sealed[..5], message), None);
        assert!(!String::from_utf8_lossy(&sealed).contains("7700"));
        assert_ne!(keys.blind_number(&number), others.blind_number(&number));
    }
}
