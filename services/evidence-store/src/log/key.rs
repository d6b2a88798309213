//! The log's own key: Ed25519, named as the log is. It signs checkpoints and nothing else.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use chassis::{Entropy, config::Profile};
use exhibit::tlog::note::SignerKey;
use zeroize::Zeroizing;

use crate::{config::Config, error::Error};

/// The file that a verifier of the development log trusts, beside the key.
pub const VKEY: &str = "log.vkey";

/// Reads the key; in development without a configured one, makes one in the log's folder, with its `vkey` beside it.
///
/// # Errors
/// A file can't be read or written, or is no key.
pub fn signer(config: &Config, folder: &Path, entropy: &Entropy) -> Result<SignerKey, Error> {
    let origin = &config.log.origin;
    if let Some(file) = &config.log.key_file {
        return read(file, origin);
    }
    if config.profile != Profile::Dev {
        // Config::check has refused this.
        return Err(chassis::Error::from(chassis::ConfigError::unusable("log.key_file", "no key")).into());
    }
    let (file, vkey) = (folder.join("dev-log.key"), folder.join(VKEY));
    if !vkey.exists() {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let seed = Zeroizing::new(entropy.bytes::<32>());
        let signer = SignerKey::from_seed(origin, &seed)?;
        write(&file, &Zeroizing::new(format!("{}\n", hex::encode(seed.as_slice()))), 0o600)?;
        // Written last: with it there, everything is.
        write(&vkey, &format!("{}\n", signer.verifier()), 0o644)?;
        tracing::warn!(vkey = %vkey.display(), "made a log key for development: not for evidence");
    }
    read(&file, origin)
}

fn read(file: &Path, origin: &str) -> Result<SignerKey, Error> {
    let text = Zeroizing::new(fs::read_to_string(file).map_err(Error::file(file))?);
    Ok(SignerKey::from_text(origin, &text)?)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(mode).open(path).map_err(Error::file(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file(path))
}
