//! One data key an exhibit, wrapped under a key-encryption key (KEK) that a file or a token (PKCS#11) holds.
//!
//! Wrapped keys lie in the key store's folders and nowhere else: not in the journal, Postgres or object storage. So
//! once they are destroyed, no backup of those gives the exhibit back.

mod data_key;
mod file;
mod folders;
mod kek;
mod token;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use chassis::Entropy;
use ids::ExhibitId;

pub use data_key::{DataKey, NONCE, TAG};
pub use folders::KeyStore;
pub use kek::{FileKek, Kek, make_file};
pub use token::{Token, TokenKey};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The KEK or a folder of the key store can't be reached: it may come back.
    #[error("the keys are away: can't use {what}")]
    Away {
        /// What can't be reached.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The key was wrapped under another KEK than the configured one.
    #[error("wrong key-encryption key: the exhibit's key is wrapped under {wrapped}, configured is {configured}")]
    WrongKek {
        /// Names the KEK that would be needed.
        wrapped: String,
        /// Names the one that is configured.
        configured: String,
    },
    /// The KEK file is no key.
    #[error("{} is not 64 hex digits", .0.display())]
    NotAKek(PathBuf),
    /// No folder has the key, though all of them are there.
    #[error("no key store folder has the exhibit's key")]
    Lost,
    /// Every copy of the key was altered.
    #[error("the exhibit's key can't be unwrapped: {0}")]
    Altered(&'static str),
    /// The exhibit was disposed of.
    #[error("the exhibit's key was destroyed")]
    Destroyed,
    /// What was stored isn't what this key encrypted for this place.
    #[error("decryption failed")]
    NotAuthentic,
    /// The text is too long for the cipher.
    #[error("encryption failed")]
    Unencryptable,
}

impl Error {
    fn away(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Away { what: what.into(), source }
    }

    /// May trying again later work?
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// The keys of the process: what is open is cached, so that it can be written to while the KEK is away.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    store: KeyStore,
    kek: Kek,
    entropy: Entropy,
    cache: RwLock<HashMap<ExhibitId, Arc<DataKey>>>,
}

impl Keys {
    /// Keys of this store, wrapped under this KEK.
    #[must_use]
    pub fn new(store: KeyStore, kek: Kek, entropy: Entropy) -> Self {
        Self(Arc::new(Inner { store, kek, entropy, cache: RwLock::default() }))
    }

    /// The key of an exhibit that is about to open: made now, or by an attempt that got no further. Durable in every
    /// folder on return, and cached.
    ///
    /// # Errors
    /// The KEK or a folder is away, or the exhibit was disposed of.
    pub async fn make(&self, exhibit: ExhibitId) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.cached(exhibit) {
            return Ok(key);
        }
        let key = self.blocking(move |inner| inner.store.make(exhibit, &inner.kek, &inner.entropy)).await?;
        Ok(self.keep(exhibit, key))
    }

    /// The key of an exhibit that is open, cached from then on.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn open(&self, exhibit: ExhibitId) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.cached(exhibit) {
            return Ok(key);
        }
        let key = self.load(exhibit).await?;
        let mut cache = self.0.cache.write().unwrap_or_else(PoisonError::into_inner);
        Ok(cache.entry(exhibit).or_insert(key).clone())
    }

    /// The key of any exhibit; not cached if it wasn't.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn load(&self, exhibit: ExhibitId) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.cached(exhibit) {
            return Ok(key);
        }
        Ok(Arc::new(self.blocking(move |inner| inner.store.load(exhibit, &inner.kek)).await?))
    }

    /// Drops an exhibit's key from memory: it is sealed.
    pub fn forget(&self, exhibit: ExhibitId) {
        self.0.cache.write().unwrap_or_else(PoisonError::into_inner).remove(&exhibit);
    }

    /// Destroys an exhibit's key in every folder. Once this has returned, what it encrypted can't be read again. May be
    /// repeated.
    ///
    /// # Errors
    /// A folder is away: then it may still hold the key.
    pub async fn destroy(&self, exhibit: ExhibitId) -> Result<(), Error> {
        self.forget(exhibit);
        self.blocking(move |inner| inner.store.destroy(exhibit)).await
    }

    /// Looks at every key: repairs what one folder lacks and another has, and says if one isn't wrapped under the
    /// configured KEK.
    ///
    /// # Errors
    /// The KEK or a folder is away, or [`Error::WrongKek`].
    pub async fn check(&self) -> Result<(), Error> {
        self.blocking(|inner| inner.store.check(&inner.kek)).await
    }

    fn cached(&self, exhibit: ExhibitId) -> Option<Arc<DataKey>> {
        self.0.cache.read().unwrap_or_else(PoisonError::into_inner).get(&exhibit).cloned()
    }

    fn keep(&self, exhibit: ExhibitId, key: DataKey) -> Arc<DataKey> {
        let mut cache = self.0.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.entry(exhibit).or_insert_with(|| Arc::new(key)).clone()
    }

    /// Files and tokens are waited for beside the runtime's threads.
    async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || act(&inner)).await;
        done.unwrap_or_else(|error| Err(Error::Away { what: "the key store".to_owned(), source: error.into() }))
    }
}
