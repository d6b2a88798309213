//! The witness: somebody else, on another host, who remembers the newest checkpoint and only ever cosigns one that follows
//! from it. The protocol is <https://c2sp.org/tlog-witness>; `GET /seen` is our witness's own addition.

use std::time::Duration;

use exhibit::{
    Digest,
    tlog::{
        self, WitnessPolicy, digest_to_base64,
        note::{Signature, SignedNote, VerifierKey},
    },
};
use reqwest::{Client, StatusCode};

use crate::{config, error::Error};

/// One request may take so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer is longer than a note may be.
const ANSWER_AT_MOST: usize = tlog::note::NOTE_AT_MOST;

/// The configured witness.
#[derive(Debug)]
pub struct Witness {
    client: Client,
    url: String,
    key: VerifierKey,
}

/// What the witness said to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It follows from what the witness knew: its signature, checked.
    Cosigned(Signature),
    /// The witness knows a tree of this size, not of the one that was said.
    Knows(u64),
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It can't be reached, or broke off.
    #[error("the witness doesn't answer")]
    Away(#[source] reqwest::Error),
    /// It refuses: the tree doesn't follow from the one it knows, or it doesn't know the log.
    #[error("the witness refuses the log's checkpoint ({0})")]
    Refused(StatusCode),
    /// What it says can't be used.
    #[error("the witness's answer is not a cosignature of its own over the checkpoint")]
    Useless(#[source] tlog::Error),
    /// It says more than there can be to say.
    #[error("the witness's answer is too long")]
    TooLong,
}

impl Witness {
    /// As configured.
    ///
    /// # Errors
    /// The key isn't one, or there is no HTTP client to be had.
    pub fn new(config: &config::Witness) -> Result<Self, Error> {
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().map_err(Error::Http)?;
        Ok(Self { client, url: config.url.trim_end_matches('/').to_owned(), key: config.key.parse()? })
    }

    /// Who must have cosigned: this witness.
    #[must_use]
    pub fn policy(&self) -> WitnessPolicy {
        WitnessPolicy::all(vec![self.key.clone()])
    }

    /// Asks for a cosignature: `path` shows that the tree of `old` leaves, which the witness knows, is where this one begins.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn add(&self, old: u64, path: &[Digest], note: &SignedNote) -> Result<Answer, Trouble> {
        let path: String = path.iter().map(|hash| format!("{}\n", digest_to_base64(hash))).collect();
        let body = format!("old {old}\n{path}\n{}", note.to_text());
        let request = self.client.post(format!("{}/add-checkpoint", self.url)).body(body);
        let (status, answer) = ask(request).await?;
        match status {
            StatusCode::OK => self.cosignature(&answer, note).map(Answer::Cosigned),
            StatusCode::CONFLICT => match answer.strip_suffix('\n').and_then(tlog::size_from_text) {
                Some(size) => Ok(Answer::Knows(size)),
                None => Err(Trouble::Refused(status)),
            },
            _ => Err(Trouble::Refused(status)),
        }
    }

    /// The newest checkpoint of a log that the witness has seen, as it keeps it; none if it has seen none.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn seen(&self, origin: &str) -> Result<Option<String>, Trouble> {
        let request = self.client.get(format!("{}/seen", self.url)).query(&[("origin", origin)]);
        let (status, answer) = ask(request).await?;
        match status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Trouble::Refused(status)),
        }
    }

    /// The line among these that is this witness's, if it holds.
    fn cosignature(&self, lines: &str, note: &SignedNote) -> Result<Signature, Trouble> {
        let mine = |line: &str| {
            Signature::parse(line).ok().filter(|s| s.name() == self.key.name() && s.key_id() == self.key.id())
        };
        let absent = || Trouble::Useless(tlog::Error::NotSigned(self.key.name().to_owned()));
        let signature = lines.split_inclusive('\n').find_map(mine).ok_or_else(absent)?;
        let mut cosigned = note.clone();
        cosigned.add(signature.clone()).map_err(Trouble::Useless)?;
        cosigned.verify(&self.key).map_err(Trouble::Useless)?;
        Ok(signature)
    }
}

async fn ask(request: reqwest::RequestBuilder) -> Result<(StatusCode, String), Trouble> {
    // The URL may have a password in it.
    let away = |error: reqwest::Error| Trouble::Away(error.without_url());
    let mut answer = request.send().await.map_err(away)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_AT_MOST {
            return Err(Trouble::TooLong);
        }
    }
    Ok((answer.status(), String::from_utf8_lossy(&body).into_owned()))
}
