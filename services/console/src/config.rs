//! Configuration: `config.toml` has the defaults and says what each key means.

use std::path::PathBuf;

use chassis::{
    config::{Base, ConfigError, Listen, Profile, SecretString, ServiceConfig, Telemetry, Tls},
    tokens::is_private,
};
use serde::Deserialize;

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
    /// Where officers sign in, and for how long.
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

/// Where officers sign in, and for how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The OpenID issuer, as it names itself.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// And our password, if it gave us one.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// What is asked for, in the issuer's words.
    pub scope: String,
    /// For what the access tokens are to be (RFC 8707), if the issuer must be told.
    #[serde(default)]
    pub resource: Option<String>,
    /// Our own origin, as browsers and the issuer reach us.
    pub public_url: String,
    /// How long a sign-in holds without an act of the person.
    pub idle_minutes: u16,
    /// How long in any case.
    pub hours: u16,
    /// How many at once.
    pub most: usize,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: None,
            nats: None,
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: None,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let SignIn { issuer, public_url, idle_minutes, hours, most, .. } = &self.sign_in;
        for (key, url) in [("sign_in.issuer", issuer), ("sign_in.public_url", public_url)] {
            if !is_private(url) || (self.profile == Profile::Production && !url.starts_with("https://")) {
                return Err(ConfigError::unusable(key, "an https address; in development an http one on this machine"));
            }
        }
        if public_url.ends_with('/') {
            return Err(ConfigError::unusable("sign_in.public_url", "an origin, without a slash at its end"));
        }
        if !(1..=24).contains(hours) {
            return Err(ConfigError::unusable("sign_in.hours", "1 to 24"));
        }
        if !(1..=720).contains(idle_minutes) {
            return Err(ConfigError::unusable("sign_in.idle_minutes", "1 to 720"));
        }
        if *most == 0 {
            return Err(ConfigError::unusable("sign_in.most", "at least 1"));
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
        let production = load("ALCOVE_CONSOLE__PROFILE", "production");
        assert!(production.check().unwrap_err().to_string().contains("sign_in.issuer"));
        let https = SignIn {
            issuer: "https://login.example".to_owned(),
            public_url: "https://desk.example".to_owned(),
            ..production.sign_in.clone()
        };
        Config { sign_in: https, ..production }.check().unwrap();
        assert!(!format!("{config:?}").contains("development-only"), "the secret is printed");
    }

    #[test]
    fn a_sign_in_ends_one_day_and_goes_by_a_safe_way() {
        for (key, bad) in [
            ("HOURS", "0"),
            ("HOURS", "25"),
            ("IDLE_MINUTES", "0"),
            ("MOST", "0"),
            ("ISSUER", "http://login.example"),
            ("PUBLIC_URL", "http://desk.example"),
            ("PUBLIC_URL", "https://desk.example/"),
        ] {
            assert!(load(&format!("ALCOVE_CONSOLE__SIGN_IN__{key}"), bad).check().is_err(), "{key} {bad}");
        }
    }

    #[test]
    fn only_an_origin_gets_into_the_policy() {
        for bad in ["http://a b", "http://a;script-src *", "ftp://a", "http://", "http://a/path"] {
            assert!(load("ALCOVE_CONSOLE__WEB__MEDIA_ORIGIN", bad).check().is_err(), "{bad}");
        }
    }
}
