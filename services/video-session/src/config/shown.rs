//! What a deployment lets a caller's phone show is looked through before anything is bound: one careless word in a title is enough to
//! give somebody away. A refusal names the key, and not what it says.

use std::net::IpAddr;

use chassis::ConfigError;

use super::Config;
use crate::domain::{Shown, is_forbidden};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let host = config.http.public_url.as_deref().map(host).filter(|host| host.parse::<IpAddr>().is_err());
    for (key, text, shown) in [
        ("page.title", config.page.title.as_str(), Shown::Words),
        ("page.exit_url", config.page.exit_url.as_str(), Shown::Words),
        ("http.public_url", host.unwrap_or_default(), Shown::Name),
        ("texts.sender", config.texts.sender.as_str(), Shown::Name),
        ("texts.words", config.texts.words.as_str(), Shown::Words),
    ] {
        if is_forbidden(text, shown) {
            return Err(ConfigError::unusable(key, "has a word that gives a caller away (web/forbidden.txt)"));
        }
    }
    Ok(())
}

/// The name in an address.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chassis::ServiceConfig;

    use crate::config::tests::{load, problem};

    #[test]
    fn what_a_phone_shows_gives_nobody_away() {
        for (name, text, key) in [
            ("PAGE__TITLE", "Police video call", "page.title"),
            ("PAGE__EXIT_URL", "https://abuse-help.test/", "page.exit_url"),
            ("HTTP__PUBLIC_URL", "https://safe-harbour.page:8443/x", "http.public_url"),
            ("TEXTS__SENDER", "Refuge", "texts.sender"),
            ("TEXTS__WORDS", "Your 0fficer waits: {link}", "texts.words"),
        ] {
            let problem = problem(&[(name, text)]);
            assert!(problem.starts_with(key) && !problem.contains(text), "{problem}");
        }
        for good in ["http://127.0.0.1:10112", "http://[::1]:999", "https://quiet-garden.page"] {
            load(&[("HTTP__PUBLIC_URL", good)]).unwrap().check().unwrap();
        }
    }
}
