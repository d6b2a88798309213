//! The timestamp authority, over HTTP (RFC 3161 section 3.4): any that speaks it. Its answer is checked before it is taken.
//!
//! The token's time stands, never ours. But the two clocks must agree within a limit, or a wrong one on either side would
//! go unseen until a court asks.

use std::{fs, path::Path, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use exhibit::{
    Digest,
    timestamp::{self, Request, Response, Token, TsaRoots},
};
use reqwest::{Certificate, StatusCode, header::CONTENT_TYPE, redirect};
use tokio::time::Instant;

use crate::{config::Timestamping, metrics};

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// No honest answer is longer, in bytes: a token with a long chain of RSA certificates has 8 KiB.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The configured authority.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    policy: Option<String>,
    roots: TsaRoots,
    max_skew: TimeDelta,
}

/// An answer that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The whole answer as it came: what is kept as `proof/seal.tsr`.
    pub tsr: Vec<u8>,
    /// What it says.
    pub token: Token,
}

/// Why there is no timestamp.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration can't be read.
    #[error("can't use {path}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The roots of the authority aren't certificates.
    #[error("can't use the roots of the timestamp authority")]
    Roots(#[source] exhibit::seal::Error),
    /// There is no HTTP client to be had with this configuration.
    #[error("can't make an HTTP client for the timestamp authority")]
    Http(#[source] reqwest::Error),
    /// It can't be reached, doesn't answer in time, or broke off.
    #[error("the timestamp authority doesn't answer")]
    Away(#[source] reqwest::Error),
    /// It answers that something is wrong.
    #[error("the timestamp authority answers with HTTP status {0}")]
    Status(StatusCode),
    /// It answers with something else: a page, perhaps.
    #[error("the timestamp authority answers with something else than {REPLY}")]
    ContentType,
    /// It answers with more than an answer can have.
    #[error("the timestamp authority's answer is over 64 KiB")]
    TooLong,
    /// It said no, or its timestamp isn't one for us.
    #[error("the timestamp authority's answer can't be taken")]
    Refused(#[source] timestamp::Error),
    /// Its clock and ours are too far apart.
    #[error("the timestamp says {theirs}, while it is {ours} here")]
    Skewed {
        /// The token's time.
        theirs: DateTime<Utc>,
        /// Our clock, at the end of its patience nearest to that.
        ours: DateTime<Utc>,
    },
}

impl Error {
    /// May it help to ask again soon? If not, somebody must see to the authority, a clock or the configuration first.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Status(status) => status.is_server_error() || [408, 425, 429].contains(&status.as_u16()),
            Self::Refused(why) => matches!(why, timestamp::Error::Rejected { temporary: true, .. }),
            _ => false,
        }
    }
}

impl Client {
    /// As configured; none where no authority is.
    ///
    /// # Errors
    /// The roots or the CA can't be read, or there is no HTTP client to be had.
    pub fn new(config: &Timestamping) -> Result<Option<Self>, Error> {
        let (Some(url), Some(roots)) = (&config.url, &config.roots_file) else { return Ok(None) };
        let roots = String::from_utf8_lossy(&read(roots)?).into_owned();
        // No redirects: what answers is who was configured. No proxy from the environment either.
        let mut http = reqwest::Client::builder()
            .timeout(Duration::from_secs(config.timeout_seconds.into()))
            .redirect(redirect::Policy::none())
            .no_proxy();
        if let Some(ca) = &config.ca_file {
            http = http.tls_built_in_root_certs(false);
            for ca in Certificate::from_pem_bundle(&read(ca)?).map_err(Error::Http)? {
                http = http.add_root_certificate(ca);
            }
        }
        Ok(Some(Self {
            http: http.build().map_err(Error::Http)?,
            url: url.clone(),
            policy: config.policy.clone(),
            roots: TsaRoots::from_pem(&roots).map_err(Error::Roots)?,
            max_skew: TimeDelta::seconds(config.max_skew_seconds.into()),
        }))
    }

    /// Has a seal stamped: `nonce` must be random, `now` is our clock.
    ///
    /// # Errors
    /// There is no timestamp that could be taken. Nothing stands in for it.
    pub async fn stamp(&self, seal: &[u8], nonce: [u8; 8], now: DateTime<Utc>) -> Result<Stamped, Error> {
        let asked = Instant::now();
        let policy = self.policy.as_deref();
        let request = Request::new(Digest::of(seal), nonce, policy).map_err(Error::Refused)?;
        let tsr = self.ask(request.to_der()).await?;
        let answered = now + TimeDelta::from_std(asked.elapsed()).unwrap_or_default();
        let token = Response::parse(&tsr).and_then(|response| response.check(&request, &self.roots));
        let token = token.map_err(Error::Refused)?;
        // Made between question and answer, as far as the two clocks agree.
        let ours = token.gen_time.clamp(now, answered);
        let skew = token.gen_time - ours;
        // Also of a token that is refused for it. Positive: their clock is ahead of ours.
        metrics::skewed(skew.as_seconds_f64());
        if skew.abs() > self.max_skew {
            return Err(Error::Skewed { theirs: token.gen_time, ours });
        }
        Ok(Stamped { tsr, token })
    }

    async fn ask(&self, query: Vec<u8>) -> Result<Vec<u8>, Error> {
        // The URL may have a password in it.
        let away = |error: reqwest::Error| Error::Away(error.without_url());
        let request = self.http.post(&self.url).header(CONTENT_TYPE, QUERY).body(query);
        let mut answer = request.send().await.map_err(away)?;
        if answer.status() != StatusCode::OK {
            return Err(Error::Status(answer.status()));
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case(REPLY) {
            return Err(Error::ContentType);
        }
        let mut tsr = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            tsr.extend_from_slice(&chunk);
            if tsr.len() > LONGEST_ANSWER {
                return Err(Error::TooLong);
            }
        }
        Ok(tsr)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}
