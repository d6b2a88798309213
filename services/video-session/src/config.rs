//! The service's configuration: `config.toml` documents every key.

mod shown;
mod texts;

use std::{path::PathBuf, time::Duration};

use chassis::{
    ConfigError, ServiceConfig,
    config::{Base, Database, Grpc, Listen, Nats, Profile, SecretString, Telemetry, Tls, Tokens},
};
use chrono::TimeDelta;
use exhibit::receipt::PublicKey;
use ids::{ForceId, InstanceName};
use serde::Deserialize;

pub use texts::{Carrier, Texts};

use crate::{
    domain::{Door, Patience},
    media::MediaConfig,
};

/// The embedded defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");

const SHORTEST_KEY: usize = 32;
/// Less is lost on a busy machine that is well.
const SHORTEST_LEASE_MS: u32 = 500;

/// All of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// Which of several this is.
    pub instance: Instance,
    /// The console's way in.
    pub grpc: Grpc,
    /// Health.
    pub health: Listen,
    /// Where to write the bound addresses.
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Whose tokens say which officer asks.
    pub tokens: Option<Tokens>,
    /// The neutral host.
    pub http: Http,
    /// The media port.
    pub media: Socket,
    /// Ways around networks that block UDP.
    pub turn: Turn,
    /// The caller's page.
    pub page: Page,
    /// Our own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// evidence-store.
    pub evidence: Upstream,
    /// intake.
    pub intake: Intake,
    /// Text messages.
    pub texts: Texts,
    /// Their receipts.
    pub receipts: Listen,
    /// Segments on disk.
    pub spool: Spool,
    /// What codes and tokens are derived from.
    pub secrets: Secrets,
    /// When a call ends by itself.
    pub rules: Rules,
    /// What happens while a caller has covered their call.
    pub cover: Cover,
    /// How often a code may be guessed.
    pub tries: Tries,
}

/// `[instance]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// As the ingress knows it, and no other instance is called.
    pub name: InstanceName,
    /// How other instances reach its gRPC.
    #[serde(default)]
    pub url: Option<String>,
    /// Milliseconds.
    pub lease_ms: u32,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The listener.
    pub listen: std::net::SocketAddr,
    /// How it is reached from outside.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Who may use it from another origin.
    pub console_origins: Vec<String>,
    /// Whether X-Forwarded-For is ours.
    pub behind_proxy: bool,
}

/// `[media]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Socket {
    /// The one port.
    pub listen: std::net::SocketAddr,
    /// What the phones are told.
    pub advertise: Vec<std::net::IpAddr>,
    /// Whether TCP is served there, too.
    pub tcp: bool,
}

/// `[turn]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The servers, as browsers take them.
    pub urls: Vec<String>,
    /// The secret that we share with them.
    #[serde(default)]
    pub secret: Option<SecretString>,
    /// Seconds.
    pub ttl_s: u32,
}

/// `[page]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The document's title and heading.
    pub title: String,
    /// Where Leave goes.
    pub exit_url: String,
    /// The document's HTTP status: 404 or 200.
    pub status: u16,
    /// Whose callers come in here; empty: everybody's.
    pub forces: Vec<ForceId>,
}

/// `[evidence]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its gRPC address.
    pub url: String,
    /// The public key of its receipts, 64 hex digits.
    #[serde(default)]
    pub receipt_key: Option<String>,
}

/// `[intake]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Its gRPC address.
    pub url: String,
}

/// `[spool]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spool {
    /// The instance's own disk.
    pub dir: PathBuf,
    /// Where receipts stay for good.
    pub receipts_dir: PathBuf,
    /// When a session's segments may go.
    pub release: Release,
    /// Seconds.
    pub ask_again_s: u32,
}

/// When a session's segments may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// Once evidence-store has them in object storage.
    Archived,
    /// Once the exhibit is sealed: on a development machine without an archive.
    Sealed,
}

/// `[secrets]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The server's key.
    pub key: SecretString,
}

/// `[rules]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Seconds.
    pub both_gone_s: u32,
    /// Seconds.
    pub never_came_s: u32,
    /// Seconds.
    pub drain_limit_s: u32,
}

/// `[cover]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// Whether the recording goes on.
    pub record: CoverRecording,
}

/// Whether a call is recorded while it is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverRecording {
    /// It never is.
    Never,
    /// It is if the caller has agreed to it.
    WithConsent,
}

/// `[tries]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    /// Wrong codes a minute, all callers and all instances together.
    pub everyone_per_minute: u32,
    /// Wrong codes in ten minutes from one address (IPv4, or an IPv6 /64).
    pub one_address: u32,
    /// Wrong codes in ten minutes from one IPv6 /48. Fewer than everybody's, or one holder of addresses could use all of them up.
    pub one_site: u32,
}

impl Rules {
    /// As the domain takes them.
    #[must_use]
    pub fn patience(self) -> Patience {
        Patience {
            both_gone: TimeDelta::seconds(self.both_gone_s.into()),
            never_came: TimeDelta::seconds(self.never_came_s.into()),
        }
    }

    /// How long an ended session waits for its recording to be acknowledged.
    #[must_use]
    pub fn drain_limit(self) -> Duration {
        Duration::from_secs(self.drain_limit_s.into())
    }
}

impl Instance {
    /// How long it is believed to be alive after it was last heard of.
    #[must_use]
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms.into())
    }
}

impl Upstream {
    /// The key to verify receipts with, if there is one.
    ///
    /// # Errors
    /// When it is none.
    pub fn receipt_key(&self) -> Result<Option<PublicKey>, ConfigError> {
        let key = self.receipt_key.as_deref().map(str::parse).transpose();
        key.map_err(|error: exhibit::receipt::Error| ConfigError::unusable("evidence.receipt_key", error))
    }
}

impl Config {
    /// Whom it lets in by a code, and how many wrong ones it bears.
    #[must_use]
    pub fn door(&self) -> Door {
        Door { forces: self.page.forces.clone(), wrong_a_minute: self.tries.everyone_per_minute }
    }

    /// What the media core needs.
    #[must_use]
    pub fn media(&self) -> MediaConfig {
        MediaConfig { listen: self.media.listen, advertise: self.media.advertise.clone(), tcp: self.media.tcp }
    }
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
        let key = self.secrets.key.expose();
        if key.len() < SHORTEST_KEY {
            return Err(ConfigError::unusable("secrets.key", format!("needs at least {SHORTEST_KEY} bytes")));
        }
        if self.profile == Profile::Production && DEFAULTS.contains(key.as_str()) {
            return Err(ConfigError::unusable("secrets.key", "the development key is known to everyone"));
        }
        if self.profile == Profile::Production && self.spool.release != Release::Archived {
            return Err(ConfigError::unusable("spool.release", "production keeps segments until they are archived"));
        }
        if self.spool.ask_again_s == 0 {
            return Err(ConfigError::unusable("spool.ask_again_s", "must be at least 1"));
        }
        if self.instance.lease_ms < SHORTEST_LEASE_MS {
            return Err(ConfigError::unusable("instance.lease_ms", format!("must be at least {SHORTEST_LEASE_MS}")));
        }
        self.evidence.receipt_key()?;
        self.texts.check(self.profile, self.http.public_url.as_deref())?;
        shown::check(self)?;
        for origin in &self.http.console_origins {
            if !origin.starts_with("http") || origin.ends_with('/') || origin.contains('*') {
                return Err(ConfigError::unusable("http.console_origins", format!("`{origin}` is no origin")));
            }
        }
        for url in &self.turn.urls {
            let is_turn = url.starts_with("turn:") || url.starts_with("turns:");
            let is_stun = url.starts_with("stun:") || url.starts_with("stuns:");
            // It goes between the angle brackets of a header.
            if !is_turn && !is_stun || !url.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>') {
                return Err(ConfigError::unusable("turn.urls", format!("`{url}` is no turn: or stun: URL")));
            }
            if is_turn && self.turn.secret.as_ref().is_none_or(|secret| secret.expose().is_empty()) {
                return Err(ConfigError::unusable("turn.secret", "the TURN servers need one"));
            }
        }
        let exit = &self.page.exit_url;
        if !exit.starts_with("https://") && !exit.starts_with("http://") {
            return Err(ConfigError::unusable("page.exit_url", "must be a http or https address"));
        }
        if ![200, 404].contains(&self.page.status) {
            return Err(ConfigError::unusable("page.status", "must be 404 or 200"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(super) fn load(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env = env.iter().map(|(key, value)| (format!("ALCOVE_VIDEO_SESSION__{key}"), (*value).to_owned()));
        chassis::config::load("video-session", DEFAULTS, env)
    }

    /// What a start is refused for.
    pub(super) fn problem(env: &[(&str, &str)]) -> String {
        load(env).unwrap().check().unwrap_err().to_string()
    }

    #[test]
    fn the_shipped_defaults_work_and_production_refuses_their_key() {
        load(&[]).unwrap().check().unwrap();
        let production = load(&[("PROFILE", "production")]).unwrap();
        assert!(production.check().unwrap_err().to_string().contains("secrets.key"));
        assert!(!format!("{production:?}").contains("development only"));
        let own = [("PROFILE", "production"), ("SECRETS__KEY", "0123456789abcdef0123456789abcdef")];
        assert!(load(&own).unwrap().check().unwrap_err().to_string().contains("spool.release"));
        let archived = ("SPOOL__RELEASE", "archived");
        load(&[own[0], own[1], archived]).unwrap().check().unwrap();
        let no_key = ("EVIDENCE__RECEIPT_KEY", "d75a98");
        assert!(load(&[no_key]).unwrap().check().unwrap_err().to_string().contains("evidence.receipt_key"));
        assert!(load(&[("SPOOL__DIRR", "x")]).is_err());
        let two = load(&[("HTTP__CONSOLE_ORIGINS", "http://a.test:1,https://b.test")]).unwrap();
        assert_eq!(two.http.console_origins.len(), 2);
        two.check().unwrap();
        let turn = ("TURN__URLS", "turns:turn.test:443?transport=tcp,stun:turn.test");
        assert!(load(&[turn]).unwrap().check().unwrap_err().to_string().contains("turn.secret"));
        let relayed = load(&[turn, ("TURN__SECRET", "north wind")]).unwrap();
        relayed.check().unwrap();
        assert!(!format!("{relayed:?}").contains("north wind"));
        assert!(load(&[("TURN__URLS", "https://turn.test")]).unwrap().check().is_err());
        load(&[("PAGE__STATUS", "200")]).unwrap().check().unwrap();
        assert_eq!(load(&[("PAGE__FORCES", "wmp,kent")]).unwrap().door().forces.len(), 2);
        assert!(load(&[("PAGE__FORCES", "West Midlands")]).is_err());
        // Browsers list these in their history like any page.
        for status in ["403", "410"] {
            let other = load(&[("PAGE__STATUS", status)]).unwrap().check().unwrap_err();
            assert!(other.to_string().contains("page.status"), "{status}");
        }
    }
}
