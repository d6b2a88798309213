//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

mod archive;
mod log;
mod retention;

use std::path::PathBuf;

use chassis::{
    ConfigError,
    config::{Base, Database, Grpc, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens},
};
use exhibit::{Digest, timestamp};
use serde::Deserialize;

pub use archive::{Archive, Receipts};
pub use log::{Log, Witness};
pub use retention::{Addendum, Retention};

/// The embedded defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The gRPC listener.
    pub grpc: Grpc,
    /// The health listener.
    pub health: Listen,
    /// Where to write the addresses that were bound.
    #[serde(default)]
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Whose tokens say which officer asks.
    pub tokens: Option<Tokens>,
    /// The service's own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// Where the evidence is.
    pub journal: Journal,
    /// What it is encrypted with.
    pub keys: Keys,
    /// When to seal.
    pub sealing: Sealing,
    /// Who seals.
    #[serde(default)]
    pub signing: Signing,
    /// Who says when.
    pub timestamping: Timestamping,
    /// Films for whoever must look quickly.
    pub working_copy: WorkingCopy,
    /// The transparency log.
    pub log: Log,
    /// What comes after the seal.
    pub addendum: Addendum,
    /// How long exhibits are kept.
    pub retention: Retention,
    /// Who watches the log.
    #[serde(default)]
    pub witness: Option<Witness>,
    /// Who signs receipts.
    #[serde(default)]
    pub receipts: Receipts,
    /// Object storage.
    pub archive: Archive,
}

/// Where the evidence is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The folder.
    pub data_dir: PathBuf,
    /// Size of a file at which the next begins.
    pub max_file_mb: u64,
    /// Room kept for items and seals of open exhibits.
    pub reserve_mb: u64,
    /// Below so much room nothing new is begun.
    pub refuse_new_below_mb: u64,
}

/// What the evidence is encrypted with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// What holds the key that wraps the exhibits' keys.
    pub provider: Provider,
    /// For `file`: where it is.
    #[serde(default)]
    pub kek_file: Option<PathBuf>,
    /// For `pkcs11`: where it is.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11>,
    /// For `rewrap`: what the keys are wrapped under until then.
    #[serde(default)]
    pub previous: Option<Kek>,
    /// The key store: each folder holds every wrapped key.
    #[serde(default)]
    pub dirs: Vec<PathBuf>,
}

/// A key-encryption key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kek {
    /// What holds it.
    pub provider: Provider,
    /// For `file`: where it is.
    #[serde(default)]
    pub kek_file: Option<PathBuf>,
    /// For `pkcs11`: where it is.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11>,
}

/// What holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A file.
    #[default]
    File,
    /// A PKCS#11 token.
    Pkcs11,
}

/// A key on a PKCS#11 token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11 {
    /// The module, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The file that holds the user's PIN.
    pub pin_file: PathBuf,
    /// The key's label.
    pub key: String,
}

/// When to seal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// How long to wait for declared segments.
    pub grace_seconds: u32,
}

/// Who seals.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// What holds the private key.
    #[serde(default)]
    pub provider: Provider,
    /// For `file`: PEM file of the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// For `pkcs11`: where it is.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11>,
    /// PEM file of its certificate.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
}

/// Who says when.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamping {
    /// The authority.
    #[serde(default)]
    pub url: Option<String>,
    /// PEM file of the roots that its certificate must lead to.
    #[serde(default)]
    pub roots_file: Option<PathBuf>,
    /// The policy asked for, a dotted OID.
    #[serde(default)]
    pub policy: Option<String>,
    /// PEM file of the CA of its web server.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout_seconds: u32,
    /// How far its clock and ours may be apart.
    pub max_skew_seconds: u32,
}

impl Timestamping {
    fn check(&self, profile: Profile) -> Result<(), ConfigError> {
        match (&self.url, &self.roots_file) {
            (Some(_), Some(_)) => {}
            (None, None) if profile == Profile::Dev => {}
            (None, None) => {
                return Err(ConfigError::unusable("timestamping.url", "production needs a timestamp authority"));
            }
            _ => return Err(ConfigError::unusable("timestamping", "url and roots_file go together")),
        }
        let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if !self.url.as_ref().is_none_or(is_http) {
            return Err(ConfigError::unusable("timestamping.url", "must begin with http:// or https://"));
        }
        if timestamp::Request::new(Digest::of(b""), [0; 8], self.policy.as_deref()).is_err() {
            return Err(ConfigError::unusable("timestamping.policy", "must be a dotted OID, such as 1.2.3.4"));
        }
        if !(1..=120).contains(&self.timeout_seconds) {
            return Err(ConfigError::unusable("timestamping.timeout_seconds", "must be from 1 to 120"));
        }
        // A seal whose signing time is further ahead of its timestamp is refused by every verifier (`exhibit::verify::CLOCK_TOLERANCE`).
        if !(1..=300).contains(&self.max_skew_seconds) {
            return Err(ConfigError::unusable("timestamping.max_skew_seconds", "must be from 1 to 300"));
        }
        Ok(())
    }
}

/// Films for whoever must look quickly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingCopy {
    /// ffmpeg: a name to be found in the path, or where it is.
    pub ffmpeg: PathBuf,
    /// ffprobe, which comes with it.
    pub ffprobe: PathBuf,
    /// Where the plain media is while a film is made.
    #[serde(default)]
    pub scratch_dir: Option<PathBuf>,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: Some(self.grpc.clone()),
            nats: Some(self.nats.clone()),
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: self.tokens.clone(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        match (&self.signing.key_file, &self.signing.cert_file) {
            (_, cert) if self.signing.provider == Provider::Pkcs11 => {
                if cert.is_none() || self.signing.pkcs11.is_none() {
                    return Err(ConfigError::unusable("signing", "pkcs11 needs signing.pkcs11 and cert_file"));
                }
            }
            (Some(_), Some(_)) => {}
            (None, None) if self.profile == Profile::Dev => {}
            (None, None) => return Err(ConfigError::unusable("signing.key_file", "production needs a signing key")),
            _ => return Err(ConfigError::unusable("signing", "key_file and cert_file go together")),
        }
        self.timestamping.check(self.profile)?;
        self.log.check(self.profile)?;
        Witness::check(self.witness.as_ref(), self.profile)?;
        self.retention.check(self.profile)?;
        self.receipts.check(self.profile)?;
        self.archive.check(self.profile, self.journal.max_file_mb)?;
        self.keys.check(self.profile, &self.journal.data_dir)?;
        // A batch and a segment of the largest size must fit in a file.
        if !(64..=1024 * 1024).contains(&self.journal.max_file_mb) {
            return Err(ConfigError::unusable("journal.max_file_mb", "must be from 64 to 1048576"));
        }
        for (key, mb) in [
            ("journal.reserve_mb", self.journal.reserve_mb),
            ("journal.refuse_new_below_mb", self.journal.refuse_new_below_mb),
        ] {
            if mb > 1024 * 1024 {
                return Err(ConfigError::unusable(key, "must be at most 1048576"));
            }
        }
        Ok(())
    }
}

impl Keys {
    /// The key that wraps from now on.
    #[must_use]
    pub fn kek(&self) -> Kek {
        Kek { provider: self.provider, kek_file: self.kek_file.clone(), pkcs11: self.pkcs11.clone() }
    }

    fn check(&self, profile: Profile, data_dir: &std::path::Path) -> Result<(), ConfigError> {
        for kek in [Some(self.kek()), self.previous.clone()].into_iter().flatten() {
            if kek.provider == Provider::Pkcs11 && kek.pkcs11.is_none() {
                return Err(ConfigError::unusable("keys.pkcs11", "where on the token the key is must be said"));
            }
        }
        if profile == Profile::Dev {
            return Ok(());
        }
        if self.provider == Provider::File && self.kek_file.is_none() {
            return Err(ConfigError::unusable("keys.kek_file", "production needs a key-encryption key"));
        }
        if self.dirs.is_empty() || self.dirs.iter().any(|dir| dir.starts_with(data_dir)) {
            let why = "production needs key store folders, outside of journal.data_dir and its backups";
            return Err(ConfigError::unusable("keys.dirs", why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use exhibit::tlog::note::SignerKey;

    use super::*;

    fn load(env: &[(&str, &str)]) -> Config {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        chassis::config::load("evidence-store", DEFAULTS, env).unwrap()
    }

    #[test]
    fn the_shipped_defaults_are_a_configuration() {
        assert!(load(&[]).check().is_ok());
    }

    #[test]
    fn production_brings_its_own_key() {
        let production = ("ALCOVE_EVIDENCE_STORE__PROFILE", "production");
        let key = ("ALCOVE_EVIDENCE_STORE__SIGNING__KEY_FILE", "/k");
        let cert = ("ALCOVE_EVIDENCE_STORE__SIGNING__CERT_FILE", "/c");
        assert!(load(&[production]).check().is_err());
        assert!(load(&[key]).check().is_err());
        let kek = ("ALCOVE_EVIDENCE_STORE__KEYS__KEK_FILE", "/kek");
        let witness = SignerKey::from_seed("witness.example", &[7; 32]).unwrap().cosignature_verifier().to_string();
        let all = [
            production,
            key,
            cert,
            kek,
            ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__URL", "http://tsa.example/"),
            ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__ROOTS_FILE", "/r"),
            ("ALCOVE_EVIDENCE_STORE__LOG__KEY_FILE", "/l"),
            ("ALCOVE_EVIDENCE_STORE__WITNESS__URL", "http://witness.example"),
            ("ALCOVE_EVIDENCE_STORE__WITNESS__KEY", &witness),
            ("ALCOVE_EVIDENCE_STORE__RECEIPTS__KEY_FILE", "/r"),
            ("ALCOVE_EVIDENCE_STORE__ARCHIVE__URL", "s3://evidence/1"),
        ];
        let usable = |settings: &[(&str, &str)], dirs: &[&str]| {
            let env = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let config = chassis::config::load::<Config>("evidence-store", DEFAULTS, env);
            config.is_ok_and(|mut config| {
                config.keys.dirs = dirs.iter().map(PathBuf::from).collect();
                config.check().is_ok()
            })
        };
        let dirs = ["/a", "/b"];
        assert!(usable(&all, &dirs));
        // All of it is asked for: there is no voucher of a seal that one could leave out.
        for missing in 1..all.len() {
            let mut some = all.to_vec();
            some.remove(missing);
            assert!(!usable(&some, &dirs), "without {}", all[missing].0);
        }
        assert!(!usable(&all, &[]));
        assert!(!usable(&all, &["/a", "target/evidence-store/keys"]));
    }

    #[test]
    fn a_timestamp_authority_is_whole_or_not_there() {
        let url = ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__URL", "https://tsa.example/");
        let roots = ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__ROOTS_FILE", "/r");
        assert!(load(&[url]).check().is_err());
        assert!(load(&[roots]).check().is_err());
        assert!(load(&[url, roots]).check().is_ok());
        for (key, value) in [
            ("URL", "tsa.example"),
            ("POLICY", "a policy"),
            ("TIMEOUT_SECONDS", "0"),
            ("MAX_SKEW_SECONDS", "0"),
            ("MAX_SKEW_SECONDS", "86400"),
        ] {
            let key = format!("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__{key}");
            assert!(load(&[url, roots, (&key, value)]).check().is_err(), "{key}={value}");
        }
    }
}
