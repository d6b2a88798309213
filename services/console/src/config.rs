//! Configuration: `config.toml` has the defaults and says what each key means.

use std::path::PathBuf;

use chassis::config::{Base, ConfigError, Listen, Profile, ServiceConfig, Telemetry, Tls};
use serde::Deserialize;

use crate::domain::Officer;

/// The service's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Where to write the addresses that were bound.
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// Where browsers come.
    pub http: Listen,
    /// Where the health checks answer.
    pub health: Listen,
    /// The page.
    pub web: Web,
    /// Where gRPC-web goes.
    pub upstreams: Upstreams,
    /// Who may sign in.
    pub sign_in: SignIn,
}

/// The page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// The folder of the built page.
    pub root: PathBuf,
    /// video-session's public origin.
    pub media_origin: String,
}

/// Where gRPC-web goes: `http://host:port` each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named for the services")]
pub struct Upstreams {
    pub intake: String,
    pub transfer: String,
    pub session: String,
    pub evidence: String,
    pub referral: String,
}

/// Who may sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// How long a sign-in lasts.
    pub hours: u16,
    /// The development list.
    #[serde(default)]
    pub officers: Vec<Officer>,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: None,
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: None,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.profile != Profile::Dev {
            return Err(if self.sign_in.officers.is_empty() {
                ConfigError::unusable("sign_in", "there is no identity provider, and this profile needs one")
            } else {
                ConfigError::unusable("sign_in.officers", "signing in from a list is for the dev profile only")
            });
        }
        if !(1..=24).contains(&self.sign_in.hours) {
            return Err(ConfigError::unusable("sign_in.hours", "1 to 24"));
        }
        // It goes into a header as it stands: an origin and nothing more.
        let origin = self.web.media_origin.strip_prefix("http://").or(self.web.media_origin.strip_prefix("https://"));
        let plain = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
        };
        if !origin.is_some_and(plain) {
            return Err(ConfigError::unusable("web.media_origin", "an origin, such as http://127.0.0.1:7303"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn load(key: &str, value: &str) -> Config {
        let env = [(key.to_owned(), value.to_owned())];
        chassis::config::load::<Config>("console", crate::SERVICE.defaults, env).unwrap()
    }

    #[test]
    fn the_defaults_are_for_development_only() {
        let config = load("UNRELATED", "x");
        config.check().unwrap();
        assert!(config.sign_in.officers.len() > 1);
        let production = load("ALCOVE_CONSOLE__PROFILE", "production");
        assert!(production.check().unwrap_err().to_string().contains("sign_in.officers"));
        let nobody = Config { sign_in: SignIn { hours: 12, officers: Vec::new() }, ..production };
        assert!(nobody.check().unwrap_err().to_string().contains("identity provider"));
    }

    #[test]
    fn only_an_origin_gets_into_the_policy() {
        for bad in ["http://a b", "http://a;script-src *", "ftp://a", "http://", "http://a/path"] {
            assert!(load("ALCOVE_CONSOLE__WEB__MEDIA_ORIGIN", bad).check().is_err(), "{bad}");
        }
    }
}
