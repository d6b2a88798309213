//! A PKCS#11 token (an HSM; SoftHSM2 in tests): keys that never leave it. One session behind a mutex, since a session may
//! be used by one thread at a time; opened again after a failure, so that an HSM may go away and come back.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as TokenError, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use exhibit::Digest;
use zeroize::Zeroizing;

use super::{Error, NONCE};

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The file that holds the user's PIN.
    pub pin_file: PathBuf,
    /// The key's label.
    pub key: String,
}

/// A key on a token.
pub struct Token {
    place: TokenKey,
    class: ObjectClass,
    state: Mutex<State>,
}

enum State {
    Closed,
    Open(Session, ObjectHandle),
    /// A token locks itself after some wrong PINs: the same one isn't tried again.
    Locked,
}

/// What goes wrong on the way to the key.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the PKCS#11 module failed")]
    Token(#[from] TokenError),
    #[error("no token by the label {0}")]
    NoToken(String),
    #[error("no key of the right kind by the label {0}, or more than one")]
    NoKey(String),
    #[error("the PIN was refused; it isn't tried again before a restart")]
    Pin,
    #[error("the PIN can't be read")]
    PinFile(#[source] io::Error),
}

const TAG_BITS: u64 = 128;

impl Token {
    /// A secret AES-256 key that wraps data keys.
    #[must_use]
    pub fn wrapping(place: TokenKey) -> Self {
        Self { place, class: ObjectClass::SECRET_KEY, state: Mutex::new(State::Closed) }
    }

    /// An ECDSA P-256 key that signs.
    #[must_use]
    pub fn signing(place: TokenKey) -> Self {
        Self { place, class: ObjectClass::PRIVATE_KEY, state: Mutex::new(State::Closed) }
    }

    /// Signs a SHA-256: r and s, 32 bytes each (PKCS #11, CKM_ECDSA).
    ///
    /// # Errors
    /// The token is away or refuses.
    pub fn sign(&self, sha256: Digest) -> Result<Vec<u8>, Error> {
        self.with(|session, key| session.sign(&Mechanism::Ecdsa, key, sha256.as_bytes()))
    }

    /// Encrypts with AES-256-GCM: ciphertext and tag.
    ///
    /// # Errors
    /// The token is away or refuses.
    pub fn seal(&self, mut nonce: [u8; NONCE], associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.with(|session, key| {
            let gcm = GcmParams::new(&mut nonce, associated, TAG_BITS.into())?;
            session.encrypt(&Mechanism::AesGcm(gcm), key, plain)
        })
    }

    /// Decrypts what [`Token::seal`] encrypted; `None`: it isn't authentic.
    ///
    /// # Errors
    /// The token is away or refuses.
    pub fn open(
        &self,
        mut nonce: [u8; NONCE],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        self.with(|session, key| {
            let gcm = GcmParams::new(&mut nonce, associated, TAG_BITS.into())?;
            match session.decrypt(&Mechanism::AesGcm(gcm), key, sealed) {
                Ok(plain) => Ok(Some(Zeroizing::new(plain))),
                // Tokens differ in how they say it; SoftHSM says GeneralError.
                Err(TokenError::Pkcs11(
                    RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
                    _,
                )) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// The key's name: a hash of what it makes of a fixed message, so that it tells which key it is and nothing of it.
    ///
    /// # Errors
    /// The token is away or refuses.
    pub fn name(&self) -> Result<String, Error> {
        let check = self.seal([0; NONCE], b"alcove kek name v1\n", &[0; 16])?;
        let mut input = b"alcove kek v1\n".to_vec();
        input.extend(check);
        Ok(format!("pkcs11:{}", hex::encode(&Digest::of(&input).as_bytes()[..8])))
    }

    fn with<T>(&self, act: impl FnOnce(&Session, ObjectHandle) -> Result<T, TokenError>) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = (|| {
            if matches!(*state, State::Closed) {
                let opened = self.open_session();
                if let Err(Fault::Pin) = opened {
                    *state = State::Locked;
                }
                let (session, key) = opened?;
                *state = State::Open(session, key);
            }
            match &*state {
                State::Open(session, key) => Ok(act(session, *key)?),
                State::Closed | State::Locked => Err(Fault::Pin),
            }
        })();
        if matches!(done, Err(Fault::Token(_))) {
            *state = State::Closed;
        }
        let what = || format!("key {} of token {}", self.place.key, self.place.token);
        done.map_err(|fault: Fault| Error::Away { what: what(), source: io::Error::other(fault) })
    }

    fn open_session(&self) -> Result<(Session, ObjectHandle), Fault> {
        let TokenKey { module, token, pin_file, key } = &self.place;
        let pkcs11 = Pkcs11::new(module)?;
        match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // By another key of the same module.
            Ok(()) | Err(TokenError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(error.into()),
        }
        let slots = pkcs11.get_slots_with_initialized_token()?;
        let named = |slot| pkcs11.get_token_info(slot).is_ok_and(|info| info.label().trim_end() == token);
        let slot = slots.into_iter().find(|slot| named(*slot)).ok_or_else(|| Fault::NoToken(token.clone()))?;
        let session = pkcs11.open_ro_session(slot)?;
        let pin = fs::read_to_string(pin_file).map_err(Fault::PinFile)?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.trim_end().to_owned()))) {
            Ok(()) | Err(TokenError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(TokenError::Pkcs11(RvError::PinIncorrect | RvError::PinLocked | RvError::PinExpired, _)) => {
                return Err(Fault::Pin);
            }
            Err(error) => return Err(error.into()),
        }
        let kind = if self.class == ObjectClass::SECRET_KEY { KeyType::AES } else { KeyType::EC };
        let wanted =
            [Attribute::Class(self.class), Attribute::KeyType(kind), Attribute::Label(key.clone().into_bytes())];
        match session.find_objects(&wanted)?[..] {
            [only] => Ok((session, only)),
            _ => Err(Fault::NoKey(key.clone())),
        }
    }
}
