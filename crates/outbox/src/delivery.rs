//! An event that has arrived, and what a handler can say about it.

use std::error::Error as StdError;

use async_nats::{HeaderMap, jetstream::Message};
use bytes::Bytes;
use chassis::{Trace, trace::TRACEPARENT};
use ids::{CallId, EventId, ForceId};

use crate::{
    Error, NewEvent,
    error::{is_away, stems_from_away},
    event::header,
};

/// An event from another service.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub event: EventId,
    /// The service that published it: `intake`.
    pub source: String,
    /// Its name: `transfer_requested`.
    pub name: String,
    /// The call that it is about.
    pub call: CallId,
    /// The force.
    pub force: ForceId,
    /// Its version within the call at its source.
    pub version: u64,
    /// The trace it belongs to. The handler already runs in a span of it.
    pub trace: Trace,
    /// The protobuf message.
    pub payload: Bytes,
    /// 1 for the first try.
    pub attempt: u32,
    /// The version of the latest earlier event of this call that this consumer also gets; 0 for none.
    pub(crate) after: u64,
}

impl Delivery {
    /// An event as it would arrive, handed over without a bus: for who plays the bus.
    #[must_use]
    pub fn handed_over(new: NewEvent, event: EventId, source: &str, version: u64) -> Self {
        let NewEvent { name, call, force, payload, trace } = new;
        let (source, name, payload) = (source.to_owned(), name.to_owned(), payload.into());
        Self { event, source, name, call, force, version, trace, payload, attempt: 1, after: 0 }
    }

    /// Decodes the payload.
    ///
    /// # Errors
    /// [`Poison`] when it isn't such a message: trying again can't help.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, Poison> {
        M::decode(self.payload.clone())
            .map_err(|error| Poison(format!("the payload is not a {}: {error}", std::any::type_name::<M>())))
    }

    /// Reads a message's headers; `names` are the events that the consumer gets.
    pub(crate) fn read(message: &Message, names: &[&str]) -> Result<Self, Poison> {
        let headers = message.headers.as_ref().ok_or_else(|| Poison("no headers".to_owned()))?;
        let kind = text(headers, header::TYPE)?;
        let (source, name) = kind
            .strip_prefix("alcove.")
            .and_then(|kind| kind.split_once(".v1."))
            .ok_or_else(|| Poison("ce-type is not an event of ours".to_owned()))?;
        Ok(Self {
            event: parsed(headers, header::ID)?,
            source: source.to_owned(),
            name: name.to_owned(),
            call: parsed(headers, header::SUBJECT)?,
            force: parsed(headers, header::FORCE)?,
            version: parsed(headers, header::VERSION)?,
            trace: headers.get(TRACEPARENT).map(|value| Trace::parse(value.as_str())).unwrap_or_default(),
            payload: message.payload.clone(),
            attempt: 1,
            after: headers.get(header::AFTER).map_or(0, |value| latest(value.as_str(), names)),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Poison> {
    headers.get(name).map(async_nats::HeaderValue::as_str).ok_or_else(|| Poison(format!("no {name} header")))
}

fn parsed<T: std::str::FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, Poison> {
    text(headers, name)?.parse().map_err(|_| Poison(format!("the {name} header is malformed")))
}

/// The highest version in `call_queued=1,call_offered=4` among these names.
fn latest(after: &str, names: &[&str]) -> u64 {
    let pairs = after.split(',').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| names.contains(name)).filter_map(|(_, version)| version.parse().ok()).max().unwrap_or(0)
}

/// An event that can never be handled, and why, in the code's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);

/// Why a handler could not do its work. Its transaction is rolled back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work next time. After some tries the event is parked; tries don't count while the database is away.
    #[error("the event could not be handled")]
    Retry(#[source] Box<dyn StdError + Send + Sync>),
    /// Something it needs is away: tried for as long as it takes.
    #[error("something that the event needs is away")]
    Away(#[source] Box<dyn StdError + Send + Sync>),
    /// It can never work: parked at once.
    #[error("the event can't be handled: {0}")]
    Poison(String),
}

impl Failure {
    /// Wraps a service's error: [`Failure::Away`] when `away` says so or a database in its sources is away, else
    /// [`Failure::Retry`].
    pub fn of(error: impl StdError + Send + Sync + 'static, away: bool) -> Self {
        if away || stems_from_away(&error) { Self::Away(error.into()) } else { Self::Retry(error.into()) }
    }

    /// For figures: what sort of failure it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Away(_) => "away",
            Self::Poison(_) => "poison",
        }
    }

    /// Does this try count?
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Retry(source) => stems_from_away(source.as_ref()),
            Self::Poison(_) => false,
        }
    }
}

impl From<Poison> for Failure {
    fn from(poison: Poison) -> Self {
        Self::Poison(poison.0)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Away(error.into()) } else { Self::Retry(error.into()) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.is_unavailable() { Self::Away(error.into()) } else { Self::Retry(error.into()) }
    }
}
