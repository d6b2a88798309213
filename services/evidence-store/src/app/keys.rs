//! Who signs, and what data keys are wrapped under: as configured, or in development an identity and a key that are made
//! once and kept in the data folder.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chassis::{Ambient, config::Profile};
use exhibit::seal::{DevIdentity, Signer};

use super::receipt_key;
use crate::{
    config::{self, Config, Provider},
    error::Error,
    journal::{Disk, receipts::Receipts},
    keys::{self, FileKek, Kek, KeyStore, Keys, Token, TokenKey},
    log::Log,
    store::Store,
    tsa,
};

/// Who vouches for a seal.
pub struct Notary {
    /// Signs it.
    pub signer: Signer,
    /// Says when it was there; none in development alone.
    pub tsa: Option<tsa::Client>,
    /// Shows that it can't be taken back, with its witness.
    pub log: Log,
    /// Signs for what is taken in.
    pub receipts: Receipts,
}

impl Notary {
    /// As configured.
    ///
    /// # Errors
    /// A key or certificate can't be read, or isn't what it must be.
    pub fn new(config: &Config, ambient: &Ambient, store: &Store) -> Result<Self, Error> {
        Ok(Self {
            signer: signer(config, ambient)?,
            tsa: tsa::Client::new(&config.timestamping)?,
            log: Log::new(config, store.clone(), ambient.clock.clone(), ambient.entropy.clone())?,
            receipts: Receipts::new(receipt_key(config, ambient)?, ambient.clock.clone()),
        })
    }
}

/// Loads the signer; in development without a configured key, makes one.
///
/// # Errors
/// A file can't be read, or isn't what it must be.
pub fn signer(config: &Config, ambient: &Ambient) -> Result<Signer, Error> {
    if let (Provider::Pkcs11, Some(place), Some(cert)) =
        (config.signing.provider, &config.signing.pkcs11, &config.signing.cert_file)
    {
        let token = Token::signing(place_of(place));
        let signer = Signer::external(&read(cert)?, Box::new(move |sha256| Ok(token.sign(sha256)?)))?;
        tracing::info!(subject = signer.certificate().subject(), "seals are signed, on a token, by");
        return Ok(signer);
    }
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

/// The key store and what wraps its keys; in development without a configured one, makes a KEK.
///
/// # Errors
/// The KEK of the development profile can't be written.
pub fn keys(config: &Config, ambient: &Ambient) -> Result<Keys, Error> {
    Ok(Keys::new(key_store(config), kek(config, &config.keys.kek(), ambient)?, ambient.entropy.clone()))
}

/// Wraps every key under the configured KEK that is wrapped under the previous one. Takes the journal's folder, so that
/// no service uses the keys meanwhile.
///
/// # Errors
/// No previous KEK is configured, the service is running, or a key can't be wrapped again.
pub fn rewrap(config: &Config, ambient: &Ambient) -> Result<usize, Error> {
    let Some(previous) = &config.keys.previous else {
        return Err(
            chassis::Error::from(chassis::ConfigError::unusable("keys.previous", "the old key is needed")).into()
        );
    };
    let _alone = Disk::lock(&config.journal.data_dir).map_err(Error::journal("take the journal's folder"))?;
    let (old, new) = (kek(config, previous, ambient)?, kek(config, &config.keys.kek(), ambient)?);
    let rewrapped = key_store(config).rewrap(&old, &new, &ambient.entropy)?;
    tracing::info!(rewrapped, from = old.id()?, to = new.id()?, "every exhibit's key is wrapped under the new key");
    Ok(rewrapped)
}

fn key_store(config: &Config) -> KeyStore {
    match &config.keys.dirs[..] {
        [] => KeyStore::new(vec![config.journal.data_dir.join("keys")]),
        dirs => KeyStore::new(dirs.to_vec()),
    }
}

fn kek(config: &Config, kek: &config::Kek, ambient: &Ambient) -> Result<Kek, Error> {
    match (kek.provider, &kek.kek_file, &kek.pkcs11) {
        (Provider::Pkcs11, _, Some(place)) => Ok(Kek::Pkcs11(Token::wrapping(place_of(place)))),
        // Config::check has refused this.
        (Provider::Pkcs11, _, None) => {
            Err(chassis::Error::from(chassis::ConfigError::unusable("keys.pkcs11", "is missing")).into())
        }
        (Provider::File, Some(path), _) => Ok(Kek::File(FileKek::new(path))),
        (Provider::File, None, _) => {
            let path = config.journal.data_dir.join("kek/dev-kek.hex");
            keys::make_file(&path, &ambient.entropy)?;
            Ok(Kek::File(FileKek::new(&path)))
        }
    }
}

fn place_of(config::Pkcs11 { module, token, pin_file, key }: &config::Pkcs11) -> TokenKey {
    TokenKey { module: module.clone(), token: token.clone(), pin_file: pin_file.clone(), key: key.clone() }
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

/// Durable on return.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path).map_err(failed(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(path))
}

/// For `map_err`, naming the file.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::SigningFile { path, source }
}
