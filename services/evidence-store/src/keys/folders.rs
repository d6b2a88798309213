//! The key store: folders that each hold every wrapped key, one small file an exhibit, `<exhibit>.key`. What one lost is
//! repaired from another. `<exhibit>.destroyed` stays behind for ever, so that no copy of a folder that was away at the
//! time brings a destroyed key back.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chassis::Entropy;
use ids::ExhibitId;
use serde::{Deserialize, Serialize};

use super::{DataKey, Error, Kek, file};

/// The folders.
pub struct KeyStore {
    dirs: Vec<PathBuf>,
    /// Making, repairing and destroying don't mix.
    changing: Mutex<()>,
}

/// A key file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    format: String,
    exhibit: ExhibitId,
    /// The data key's name.
    key_id: String,
    /// The name of the KEK that it is wrapped under.
    kek: String,
    /// Hex.
    wrapped: String,
}

const FORMAT: &str = "alcove-wrapped-key/1";

impl KeyStore {
    /// In these folders, which are made if they aren't there.
    #[must_use]
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        for dir in &dirs {
            // One that is away is noticed when it is used.
            if let Err(error) = fs::create_dir_all(dir) {
                tracing::warn!(dir = %dir.display(), %error, "a key store folder is away");
            }
        }
        Self { dirs, changing: Mutex::new(()) }
    }

    /// The key of an exhibit that is about to open. In every folder on return.
    ///
    /// # Errors
    /// A folder or the KEK is away, or the key was destroyed.
    pub fn make(&self, exhibit: ExhibitId, kek: &Kek, entropy: &Entropy) -> Result<DataKey, Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match self.find(exhibit, kek) {
            Ok((key, bytes)) => {
                self.put_everywhere(exhibit, &bytes)?;
                return Ok(key);
            }
            Err(Error::Lost) => DataKey::generate(entropy),
            Err(error) => return Err(error),
        };
        self.put_everywhere(exhibit, &wrap(exhibit, &key, kek, entropy)?)?;
        Ok(key)
    }

    /// An exhibit's key, from whichever folder has it; the others get it again.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn load(&self, exhibit: ExhibitId, kek: &Kek) -> Result<DataKey, Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, bytes) = self.find(exhibit, kek)?;
        self.repair(exhibit, &bytes);
        Ok(key)
    }

    /// Destroys a key in every folder. May be repeated.
    ///
    /// # Errors
    /// A folder is away: then it may still hold the key.
    pub fn destroy(&self, exhibit: ExhibitId) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.finish_destroying(exhibit)
    }

    fn finish_destroying(&self, exhibit: ExhibitId) -> Result<(), Error> {
        for dir in &self.dirs {
            let done = || -> io::Result<()> {
                let gone = destroyed(dir, exhibit);
                if !gone.exists() {
                    file::create(&gone, b"")?;
                }
                file::destroy(&path(dir, exhibit))
            };
            done().map_err(Error::away(dir.display().to_string()))?;
        }
        Ok(())
    }

    /// Wraps every key again, under another KEK: in each folder the old file is replaced and overwritten. Evidence isn't
    /// touched. Gives how many there were. May be repeated: what is under the new one already stays.
    ///
    /// # Errors
    /// Either KEK or a folder is away, or a key can't be unwrapped: the keys before it are under the new one by then.
    pub fn rewrap(&self, old: &Kek, new: &Kek, entropy: &Entropy) -> Result<usize, Error> {
        let target = new.id()?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rewrapped = 0;
        for exhibit in self.exhibits()? {
            if self.was_destroyed(exhibit) {
                self.finish_destroying(exhibit)?;
                continue;
            }
            let (copies, away) = self.copies(exhibit);
            if let Some(away) = away {
                return Err(away);
            }
            // One folder may be done already, if this was interrupted.
            let done = copies.into_iter().flatten().find(|copy| read(exhibit, copy).is_ok_and(|w| w.kek == target));
            let bytes = match done {
                Some(bytes) if unwrap(exhibit, &bytes, new).is_ok() => bytes,
                _ => wrap(exhibit, &self.find(exhibit, old)?.0, new, entropy)?,
            };
            self.put_everywhere(exhibit, &bytes)?;
            rewrapped += 1;
        }
        Ok(rewrapped)
    }

    /// Looks at every key file: what one folder lacks and another has is repaired; all must name the configured KEK.
    ///
    /// # Errors
    /// The KEK is away, no folder can be read, or [`Error::WrongKek`].
    pub fn check(&self, kek: &Kek) -> Result<(), Error> {
        let configured = kek.id()?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        for exhibit in self.exhibits()? {
            if self.was_destroyed(exhibit) {
                self.finish_destroying(exhibit)?;
                continue;
            }
            let Some((bytes, wrapped)) = self.copies(exhibit).0.into_iter().flatten().find_map(readable(exhibit))
            else {
                tracing::error!(%exhibit, "no copy of the exhibit's key can be read");
                continue;
            };
            if wrapped.kek != configured {
                return Err(Error::WrongKek { wrapped: wrapped.kek, configured });
            }
            self.repair(exhibit, &bytes);
        }
        Ok(())
    }

    /// Every exhibit that a folder knows of.
    fn exhibits(&self) -> Result<BTreeSet<ExhibitId>, Error> {
        let mut found = BTreeSet::new();
        let mut away = None;
        let mut read = 0;
        for dir in &self.dirs {
            match fs::read_dir(dir) {
                Ok(entries) => {
                    read += 1;
                    for entry in entries.filter_map(Result::ok) {
                        let name = entry.file_name();
                        let name = name.to_str().and_then(|name| name.split_once('.'));
                        let name = name.filter(|(_, kind)| ["key", "destroyed"].contains(kind));
                        found.extend(name.and_then(|(id, _)| id.parse::<ExhibitId>().ok()));
                    }
                }
                Err(source) => away = Some(Error::Away { what: dir.display().to_string(), source }),
            }
        }
        match away {
            Some(away) if read == 0 => Err(away),
            _ => Ok(found),
        }
    }

    /// The first copy that opens, and its bytes.
    fn find(&self, exhibit: ExhibitId, kek: &Kek) -> Result<(DataKey, Vec<u8>), Error> {
        if self.was_destroyed(exhibit) {
            self.finish_destroying(exhibit)?;
            return Err(Error::Destroyed);
        }
        let (copies, away) = self.copies(exhibit);
        let mut failed = None;
        for copy in copies.into_iter().flatten() {
            match unwrap(exhibit, &copy, kek) {
                Ok(key) => return Ok((key, copy)),
                // What is away or wrong says more than that a copy is altered.
                Err(error) if failed.is_none() || !matches!(error, Error::Altered(_)) => failed = Some(error),
                Err(_) => {}
            }
        }
        Err(failed.or(away).unwrap_or(Error::Lost))
    }

    /// Each folder's copy, and whether a folder is away.
    fn copies(&self, exhibit: ExhibitId) -> (Vec<Option<Vec<u8>>>, Option<Error>) {
        let mut away = None;
        let read = |dir: &PathBuf| match fs::read(path(dir, exhibit)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound && dir.is_dir() => None,
            Err(source) => {
                away = Some(Error::Away { what: dir.display().to_string(), source });
                None
            }
        };
        let copies = self.dirs.iter().map(read).collect();
        (copies, away)
    }

    fn was_destroyed(&self, exhibit: ExhibitId) -> bool {
        self.dirs.iter().any(|dir| destroyed(dir, exhibit).exists())
    }

    fn put_everywhere(&self, exhibit: ExhibitId, bytes: &[u8]) -> Result<(), Error> {
        let keep = |dir: &PathBuf| put(dir, exhibit, bytes).map_err(Error::away(dir.display().to_string()));
        self.dirs.iter().try_for_each(|dir| keep(dir).map(drop))
    }

    /// As far as it goes: the key itself is at hand.
    fn repair(&self, exhibit: ExhibitId, bytes: &[u8]) {
        for dir in &self.dirs {
            match fs::create_dir_all(dir).and_then(|()| put(dir, exhibit, bytes)) {
                Ok(false) => {}
                Ok(true) => tracing::warn!(%exhibit, dir = %dir.display(), "a lost or altered key was repaired"),
                Err(error) => tracing::warn!(%exhibit, dir = %dir.display(), %error, "a key can't be repaired"),
            }
        }
    }
}

/// Puts a key file in a folder, unless just this is there already. Says whether it wasn't.
fn put(dir: &Path, exhibit: ExhibitId, bytes: &[u8]) -> io::Result<bool> {
    let path = path(dir, exhibit);
    match fs::read(&path) {
        Ok(there) if there == bytes => Ok(false),
        Ok(_) => file::replace(&path, bytes).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => file::create(&path, bytes).map(|()| true),
        Err(error) => Err(error),
    }
}

fn path(dir: &Path, exhibit: ExhibitId) -> PathBuf {
    dir.join(format!("{exhibit}.key"))
}

fn destroyed(dir: &Path, exhibit: ExhibitId) -> PathBuf {
    dir.join(format!("{exhibit}.destroyed"))
}

fn wrap(exhibit: ExhibitId, key: &DataKey, kek: &Kek, entropy: &Entropy) -> Result<Vec<u8>, Error> {
    let (id, bytes) = kek.wrap(exhibit, key, entropy)?;
    let wrapped =
        Wrapped { format: FORMAT.to_owned(), exhibit, key_id: key.id(), kek: id, wrapped: hex::encode(bytes) };
    let mut text = serde_json::to_vec(&wrapped).map_err(|_| Error::Altered("it can't be written"))?;
    text.push(b'\n');
    Ok(text)
}

fn read(exhibit: ExhibitId, text: &[u8]) -> Result<Wrapped, Error> {
    let wrapped: Wrapped = serde_json::from_slice(text).map_err(|_| Error::Altered("its file is not a key file"))?;
    if wrapped.format != FORMAT || wrapped.exhibit != exhibit {
        return Err(Error::Altered("its file is another exhibit's"));
    }
    Ok(wrapped)
}

fn readable(exhibit: ExhibitId) -> impl Fn(Vec<u8>) -> Option<(Vec<u8>, Wrapped)> {
    move |bytes| read(exhibit, &bytes).ok().map(|wrapped| (bytes, wrapped))
}

fn unwrap(exhibit: ExhibitId, text: &[u8], kek: &Kek) -> Result<DataKey, Error> {
    let wrapped = read(exhibit, text)?;
    let bytes = hex::decode(&wrapped.wrapped).map_err(|_| Error::Altered("its file is not a key file"))?;
    let key = kek.unwrap(exhibit, &wrapped.kek, &bytes)?;
    if key.id() != wrapped.key_id {
        return Err(Error::Altered("another key was wrapped"));
    }
    Ok(key)
}

#[cfg(test)]
#[path = "folders_tests.rs"]
mod tests;
