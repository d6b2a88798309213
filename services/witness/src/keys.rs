//! The cosigning key: from its file or, in the dev profile, made once. Its public half is written beside what we have seen.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use chassis::{Entropy, config::Profile};
use exhibit::tlog::note::SignerKey;

use crate::{Config, Error};

/// The key's file in the dev profile, in the data folder.
pub const DEV_KEY: &str = "witness.key";
/// The verifier key's file, in the data folder: one line.
pub const VKEY: &str = "witness.vkey";

/// Loads the key, or makes it where that is allowed.
///
/// # Errors
/// When there is none, or it isn't one.
pub fn load(config: &Config, entropy: &Entropy) -> Result<SignerKey, Error> {
    let folder = &config.storage.data_dir;
    let path = config.signing.key_file.clone().unwrap_or_else(|| folder.join(DEV_KEY));
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && made_here(config) => make(&path, entropy)?,
        read => read.map_err(Error::io("can't read the key", &path))?,
    };
    let key = SignerKey::from_text(&config.name, &text).map_err(|source| Error::Damaged { path, source })?;
    let vkey = folder.join(VKEY);
    fs::write(&vkey, format!("{}\n", key.cosignature_verifier())).map_err(Error::io("can't write", vkey))?;
    Ok(key)
}

fn made_here(config: &Config) -> bool {
    config.profile == Profile::Dev && config.signing.key_file.is_none()
}

fn make(path: &Path, entropy: &Entropy) -> Result<String, Error> {
    let text = format!("{}\n", hex::encode(entropy.bytes::<32>()));
    // Synced before it is used: a cosignature by a key that a crash has taken would never be explained.
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(Error::io("can't write the key", path))?;
    Ok(text)
}
