//! Where the keys come from, and when they are asked for again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{
    Refused,
    keys::{Key, Keys},
    unknown::Unknown,
};
use crate::{Clock, ConfigError, Error, chain, config};

/// A key that we don't know makes us ask again, but not for each token that somebody makes up.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// As long as we have none at all we ask sooner: nobody is let in meanwhile.
const SOON: TimeDelta = TimeDelta::seconds(2);
/// A key that was taken back is refused after this, at the latest, if the issuer can be asked.
const KEPT: TimeDelta = TimeDelta::hours(1);
const PATIENCE: Duration = Duration::from_secs(5);
/// Some fifty keys.
const MAX_BODY: usize = 256 * 1024;

pub(super) struct Issuer {
    name: String,
    jwks: Option<String>,
    http: reqwest::Client,
    clock: Clock,
    known: RwLock<Known>,
    unknown: Mutex<Unknown>,
    /// One asks at a time.
    asking: Arc<tokio::sync::Mutex<()>>,
}

/// What is known of the keys, and since when.
#[derive(Clone, Default)]
struct Known {
    keys: Option<Arc<Keys>>,
    fetched: Option<DateTime<Utc>>,
    asked: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no answer")]
    Http(#[from] reqwest::Error),
    #[error("it says other things than it should")]
    Said,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Issuer {
    pub(super) fn new(config: &config::Tokens, clock: Clock) -> Result<Self, Error> {
        for (key, url) in [("tokens.issuer", Some(&config.issuer)), ("tokens.jwks_url", config.jwks_url.as_ref())] {
            if url.is_some_and(|url| !is_private(url)) {
                return Err(ConfigError::unusable(key, "an https address, or an http one on this machine").into());
            }
        }
        // A redirect may lead to where anybody could answer.
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| ConfigError::unusable("tokens", chain(&error)))?;
        let (name, jwks) = (config.issuer.clone(), config.jwks_url.clone());
        let (known, unknown, asking) = (RwLock::default(), Mutex::default(), Arc::default());
        Ok(Self { name, jwks, http, clock, known, unknown, asking })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The key of that name. Waits for the issuer only if it isn't there.
    pub(super) async fn key(self: &Arc<Self>, kid: Option<&str>) -> Result<Key, Refused> {
        let known = self.known();
        if let Some(key) = known.find(kid) {
            if known.is_old(self.clock.now()) {
                self.ask_meanwhile();
            }
            return Ok(key);
        }
        self.unknown().want(kid);
        let _asking = self.asking.lock().await;
        let known = self.known();
        let pause = if known.keys.is_some() { AGAIN } else { SOON };
        // Whoever waited for another's question has its answer, or that there was none, and need not ask again.
        let may_ask = known.asked.is_none_or(|then| is_past(then, pause, self.clock.now()));
        let has_said = known.find(kid).is_none() && may_ask && self.ask().await;
        // That it has no such key can be said by an answer only that was asked for after the name was seen.
        let says_no =
            || if has_said || self.unknown().is_missing(kid) { Refused::Invalid } else { Refused::IssuerAway };
        self.known().find(kid).ok_or_else(says_no)
    }

    /// Old keys still hold while somebody asks whether there are new ones, and if there is no answer.
    fn ask_meanwhile(self: &Arc<Self>) {
        let Ok(asking) = Arc::clone(&self.asking).try_lock_owned() else { return };
        let issuer = Arc::clone(self);
        tokio::spawn(async move {
            let _asking = asking;
            // Somebody before us may have done it.
            if issuer.known().is_old(issuer.clock.now()) {
                issuer.ask().await;
            }
        });
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn unknown(&self) -> MutexGuard<'_, Unknown> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the keys. Was there an answer?
    async fn ask(&self) -> bool {
        let had = self.known().keys;
        let asked = self.unknown().asking(had.iter().flat_map(|keys| keys.names()));
        let answer = self.fetch().await;
        // The pause begins now: those who waited must not each wait for an answer of their own.
        let now = self.clock.now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.asked = Some(now);
        match answer {
            Ok(keys) => {
                known.fetched = Some(now);
                known.keys = Some(Arc::new(keys));
                self.unknown().answered(asked);
                true
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "the token issuer's keys can't be had");
                self.unknown().unanswered();
                false
            }
        }
    }

    async fn fetch(&self) -> Result<Keys, Failed> {
        let url = match &self.jwks {
            Some(url) => url.clone(),
            None => {
                let url = format!("{}/.well-known/openid-configuration", self.name.trim_end_matches('/'));
                let said: Discovered = serde_json::from_slice(&self.get(&url).await?).map_err(|_| Failed::Said)?;
                if said.issuer != self.name || !is_private(&said.jwks_uri) {
                    return Err(Failed::Said);
                }
                said.jwks_uri
            }
        };
        Keys::read(&self.get(&url).await?).ok_or(Failed::Said)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, Failed> {
        let mut answer = self.http.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err(Failed::Said);
            }
        }
        Ok(body)
    }
}

impl Known {
    fn find(&self, kid: Option<&str>) -> Option<Key> {
        self.keys.as_ref()?.find(kid)
    }

    /// Are they to be asked for again, though nobody misses one?
    fn is_old(&self, now: DateTime<Utc>) -> bool {
        self.fetched.is_some_and(|then| is_past(then, KEPT, now))
            && self.asked.is_none_or(|then| is_past(then, AGAIN, now))
    }
}

/// A clock that was set back counts as time that has passed: nobody waits for it to come round again.
fn is_past(then: DateTime<Utc>, pause: TimeDelta, now: DateTime<Utc>) -> bool {
    (now - then).abs() >= pause
}

/// Can nobody on the way to this address read or change what is said: is it `https`, or on this machine?
#[must_use]
pub fn is_private(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}
