//! `[links]`: what partners' letters have in them, and where those lead.

use std::{net::SocketAddr, path::PathBuf};

use chassis::{ConfigError, config::Profile};
use reqwest::Url;
use serde::Deserialize;

/// Longer than anything takes that a letter is about.
const MOST_DAYS: u16 = 366;

/// Links in letters, by which a partner says that they have a referral, and what came of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Where they are followed to. Plain HTTP: TLS ends in front of it.
    pub listen: SocketAddr,
    /// How that is reached from outside.
    pub public_url: String,
    /// The keys that they are signed with.
    pub key_file: PathBuf,
    /// So long after the letter was written.
    #[serde(default = "four_weeks")]
    pub valid_days: u16,
}

impl Links {
    pub(super) fn check(&self, profile: Profile) -> Result<(), ConfigError> {
        let unusable = |why| Err(ConfigError::unusable("links.public_url", why));
        let Ok(url) = self.public_url.parse::<Url>() else { return unusable("is no URL") };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return unusable("is scheme, host and path, and nothing else");
        }
        match (url.scheme(), profile) {
            ("https", _) | ("http", Profile::Dev) => {}
            _ => return unusable("must be an https:// URL: whoever reads a link on its way may use it"),
        }
        if !(1..=MOST_DAYS).contains(&self.valid_days) {
            return Err(ConfigError::unusable("links.valid_days", "must be 1 to 366"));
        }
        Ok(())
    }
}

fn four_weeks() -> u16 {
    28
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn problem(profile: Profile, public_url: &str, valid_days: u16) -> Option<String> {
        let (listen, key_file) = ("127.0.0.1:0".parse().unwrap(), PathBuf::new());
        let links = Links { listen, public_url: public_url.to_owned(), key_file, valid_days };
        links.check(profile).err().map(|error| error.to_string())
    }

    #[test]
    fn in_production_a_link_is_https_and_no_link_is_for_ever() {
        for (profile, url) in [
            (Profile::Production, "https://referrals.example"),
            (Profile::Production, "https://force.example/referrals/"),
            (Profile::Dev, "http://127.0.0.1:7305"),
        ] {
            assert_eq!(problem(profile, url, four_weeks()), None);
        }
        for url in ["http://referrals.example", "ftp://referrals.example", "referrals.example", "https://r.example/?r="]
        {
            let said = problem(Profile::Production, url, 28).unwrap();
            assert!(said.contains("links.public_url") && !said.contains("r.example"), "{said}");
        }
        for days in [0, 367] {
            assert!(problem(Profile::Dev, "http://r.example", days).unwrap().contains("links.valid_days"));
        }
    }
}
