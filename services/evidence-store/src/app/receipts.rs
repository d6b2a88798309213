//! The key that signs receipts: the configured one, or in development one made once and kept in the data folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chassis::{Ambient, config::Profile};
use exhibit::receipt::ReceiptKey;

use super::keys::{failed, write};
use crate::{config::Config, error::Error};

/// Loads the key; in development without a configured one, makes it.
///
/// # Errors
/// A file can't be read or written, or isn't what it must be.
pub fn receipt_key(config: &Config, ambient: &Ambient) -> Result<ReceiptKey, Error> {
    let path = match &config.receipts.key_file {
        Some(path) => path.clone(),
        None if config.profile == Profile::Dev => development(&config.journal.data_dir.join("receipts"), ambient)?,
        // Config::check has refused this.
        None => return Err(chassis::Error::from(chassis::ConfigError::unusable("receipts.key_file", "no key")).into()),
    };
    let pem = fs::read_to_string(&path).map_err(failed(&path))?;
    let key = ReceiptKey::from_pem(&pem)?;
    tracing::info!(key_id = %key.public().id(), "receipts are signed by");
    Ok(key)
}

/// The public key is written last: with it there, everything is.
fn development(folder: &Path, ambient: &Ambient) -> Result<PathBuf, Error> {
    let (key, public) = (folder.join("dev-receipt-key.pem"), folder.join("receipt-key.hex"));
    if !public.exists() {
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let pem = ReceiptKey::pem_of_seed(ambient.entropy.bytes());
        write(&key, &pem, 0o600)?;
        write(&public, &format!("{}\n", ReceiptKey::from_pem(&pem)?.public()), 0o644)?;
        tracing::warn!(public = %public.display(), "made a receipt key for development: not for evidence");
    }
    Ok(key)
}
