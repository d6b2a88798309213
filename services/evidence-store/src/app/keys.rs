//! Who signs: the configured key and certificate, or in development an identity made once and kept in the data folder.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chassis::{Ambient, config::Profile};
use exhibit::seal::{DevIdentity, Signer};

use crate::{config::Config, error::Error};

/// Loads the signer; in development without a configured key, makes one.
///
/// # Errors
/// A file can't be read, or isn't what it must be.
pub fn signer(config: &Config, ambient: &Ambient) -> Result<Signer, Error> {
    let (key, cert) = match (&config.signing.key_file, &config.signing.cert_file) {
        (Some(key), Some(cert)) => (key.clone(), cert.clone()),
        _ if config.profile == Profile::Dev => development(&config.journal.data_dir.join("signing"), ambient)?,
        // Config::check has refused this.
        _ => return Err(chassis::Error::from(chassis::ConfigError::unusable("signing", "no key")).into()),
    };
    let signer = Signer::from_pem(&read(&key)?, &read(&cert)?)?;
    tracing::info!(subject = signer.certificate().subject(), "seals are signed by");
    Ok(signer)
}

/// The certificate is written last: with it there, everything is.
fn development(folder: &Path, ambient: &Ambient) -> Result<(PathBuf, PathBuf), Error> {
    let (key, cert, roots) = (folder.join("dev-key.pem"), folder.join("dev-cert.pem"), folder.join("roots.pem"));
    if !cert.exists() {
        let identity = DevIdentity::make(ambient.entropy.bytes(), ambient.clock.now())?;
        fs::create_dir_all(folder).map_err(failed(folder))?;
        write(&key, &identity.key_pem, 0o600)?;
        write(&roots, &identity.roots_pem, 0o644)?;
        write(&cert, &identity.certificate_pem, 0o644)?;
        tracing::warn!(roots = %roots.display(), "made a signing identity for development: not for evidence");
    }
    Ok((key, cert))
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(failed(path))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path).map_err(failed(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::SigningFile { path, source }
}
