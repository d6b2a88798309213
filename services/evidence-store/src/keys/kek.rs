//! What wraps data keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chassis::Entropy;
use exhibit::Digest;
use ids::ExhibitId;
use zeroize::Zeroizing;

use super::{DataKey, Error, NONCE, Token, data_key::KEY};

/// A key-encryption key, by where it is.
pub enum Kek {
    /// In a file.
    File(FileKek),
    /// On a PKCS#11 token, which encrypts with AES-256-GCM under it.
    Pkcs11(Token),
}

/// A KEK in a file of 64 hex digits. It is read each time it is used, so it isn't kept in memory, and a file that is
/// replaced is noticed.
pub struct FileKek(PathBuf);

impl FileKek {
    /// In this file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn read(&self) -> Result<DataKey, Error> {
        let text = fs::read_to_string(&self.0).map_err(Error::away(self.0.display().to_string()))?;
        let text = Zeroizing::new(text);
        let mut bytes = Zeroizing::new([0; KEY]);
        hex::decode_to_slice(text.trim_end(), bytes.as_mut()).map_err(|_| Error::NotAKek(self.0.clone()))?;
        Ok(DataKey::from_bytes(*bytes))
    }
}

impl Kek {
    /// Its name: which key it is, telling nothing of it.
    ///
    /// # Errors
    /// It is away, or no key.
    pub fn id(&self) -> Result<String, Error> {
        match self {
            Self::File(file) => Ok(name(&file.read()?)),
            Self::Pkcs11(token) => token.name(),
        }
    }

    /// Wraps an exhibit's key. Gives the KEK's name and the wrapped key: a random nonce, ciphertext and tag.
    ///
    /// # Errors
    /// It is away, or no key.
    pub fn wrap(&self, exhibit: ExhibitId, key: &DataKey, entropy: &Entropy) -> Result<(String, Vec<u8>), Error> {
        let nonce: [u8; NONCE] = entropy.bytes();
        let (id, sealed) = match self {
            Self::File(file) => {
                let kek = file.read()?;
                let id = name(&kek);
                let sealed = kek.seal(nonce, &associated(exhibit, &id), key.bytes())?;
                (id, sealed)
            }
            Self::Pkcs11(token) => {
                let id = token.name()?;
                let sealed = token.seal(nonce, &associated(exhibit, &id), key.bytes())?;
                (id, sealed)
            }
        };
        Ok((id, [&nonce[..], &sealed].concat()))
    }

    /// Unwraps an exhibit's key that was wrapped under the KEK of this name.
    ///
    /// # Errors
    /// It is away, [`Error::WrongKek`], or the wrapped key was altered.
    pub fn unwrap(&self, exhibit: ExhibitId, wrapped_under: &str, wrapped: &[u8]) -> Result<DataKey, Error> {
        const ALTERED: Error = Error::Altered("it is not what was wrapped");
        let right = |configured: String| match configured == wrapped_under {
            true => Ok(associated(exhibit, &configured)),
            false => Err(Error::WrongKek { wrapped: wrapped_under.to_owned(), configured }),
        };
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or(ALTERED)?;
        let plain = match self {
            Self::File(file) => {
                let kek = file.read()?;
                let associated = right(name(&kek))?;
                Zeroizing::new(kek.open(*nonce, &associated, sealed).map_err(|_| ALTERED)?)
            }
            Self::Pkcs11(token) => {
                let associated = right(token.name()?)?;
                token.open(*nonce, &associated, sealed)?.ok_or(ALTERED)?
            }
        };
        let mut bytes = Zeroizing::new([0; KEY]);
        if plain.len() != KEY {
            return Err(ALTERED);
        }
        bytes.copy_from_slice(&plain);
        Ok(DataKey::from_bytes(*bytes))
    }
}

/// Makes a KEK file for development, unless there is one.
///
/// # Errors
/// It can't be written.
pub fn make_file(path: &Path, entropy: &Entropy) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let made = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = Zeroizing::new(hex::encode(DataKey::generate(entropy).bytes()));
        super::file::create(path, text.as_bytes())
    };
    made().map_err(Error::away(path.display().to_string()))
}

fn name(kek: &DataKey) -> String {
    let mut input = Zeroizing::new(b"alcove kek v1\n".to_vec());
    input.extend_from_slice(kek.bytes());
    format!("file:{}", hex::encode(&Digest::of(&input).as_bytes()[..8]))
}

/// Ties a wrapped key to its exhibit and its KEK.
fn associated(exhibit: ExhibitId, kek: &str) -> Vec<u8> {
    format!("alcove wrapped key v1\n{exhibit}\n{kek}\n").into_bytes()
}
