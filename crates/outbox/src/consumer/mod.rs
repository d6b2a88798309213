//! The receiver's half: a durable pull consumer whose inbox row commits with the event's effect.
//!
//! Lanes work side by side, and a call always has the same lane. That keeps a call's events in order in one process;
//! across crashes, redeliveries and replicas the inbox does, by letting an event wait until its predecessor is in.

mod inbox;
mod lane;
mod pending;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::{
    Context, ErrorCode, Message,
    consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull},
    stream::ConsumerErrorKind,
};
use chassis::{Clock, Shutdown, chain};
use futures::{StreamExt, future::BoxFuture};
use sqlx::PgPool;
use tokio::{sync::mpsc, task::JoinSet};

use self::{
    lane::Lane,
    pending::{InHand, Pending},
};
use crate::{
    Delivery, Error, Failure, Tx,
    backoff::Backoff,
    ensure_stream,
    event::{header, subject},
    metrics,
    probe::Probe,
    stream::stream_name,
};

/// Unless a consumer is told otherwise.
const ACK_WAIT: Duration = Duration::from_secs(4);

/// Handlers at work at once, each with a transaction.
const LANES: usize = 8;

/// Messages that wait in one lane.
const DEPTH: usize = 32;

/// What a service does with the events that it gets. Its writes go through `tx`, which commits together with the inbox
/// row: it must not commit by itself, and must do nothing outside of `tx` that a second try would repeat.
pub trait Handler: Send + Sync + 'static {
    /// Handles one event. In an implementation this can be an `async fn`.
    fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// `|tx, delivery| Box::pin(async move { … })`
impl<F> Handler for F
where
    F: for<'a> Fn(&'a mut Tx, &'a Delivery) -> BoxFuture<'a, Result<(), Failure>> + Send + Sync + 'static,
{
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        self(tx, delivery).await
    }
}

/// Receives some of another service's events, each call's in order.
#[derive(Debug, Clone)]
pub struct Consumer {
    pool: PgPool,
    jetstream: Context,
    durable: &'static str,
    source: &'static str,
    names: &'static [&'static str],
    clock: Clock,
    ack_wait: Duration,
    probe: Probe,
}

impl Consumer {
    /// A consumer named `durable` (replicas share it) of `source`'s events with these names.
    #[must_use]
    pub fn new(
        pool: PgPool,
        jetstream: Context,
        durable: &'static str,
        source: &'static str,
        names: &'static [&'static str],
        clock: Clock,
    ) -> Self {
        Self { pool, jetstream, durable, source, names, clock, ack_wait: ACK_WAIT, probe: Probe::default() }
    }

    /// How long the stream waits for a sign of life. Short: after a crash this is how long a call's next event waits.
    #[must_use]
    pub fn ack_wait(mut self, ack_wait: Duration) -> Self {
        self.ack_wait = ack_wait;
        self
    }

    /// For the crash tests.
    #[doc(hidden)]
    #[must_use]
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = probe;
        self
    }

    /// Runs until the shutdown, and finishes what it has in hand. It outlives every loss of the database and of NATS.
    pub async fn run(self, shutdown: Shutdown, handler: impl Handler) {
        metrics::redelivered(self.durable, 0);
        let (handler, pending) = (Arc::new(handler), Pending::default());
        let mut lanes = JoinSet::new();
        let mut senders = Vec::with_capacity(LANES);
        for _ in 0..LANES {
            let (sender, receiver) = mpsc::channel(DEPTH);
            let lane = Lane { consumer: self.clone(), handler: Arc::clone(&handler), shutdown: shutdown.clone() };
            lanes.spawn(lane.run(receiver));
            senders.push(sender);
        }
        let mut signs_of_life = JoinSet::new();
        signs_of_life.spawn(pending.clone().keep_alive(self.ack_wait / 4));

        let mut backoff = Backoff::capped(Duration::from_secs(2));
        while let Err(error) = self.receive(&senders, &pending, &shutdown, &mut backoff).await {
            tracing::warn!(consumer = self.durable, error = chain(&error), "events can't be received; trying again");
            if shutdown.or(tokio::time::sleep(backoff.step())).await.is_none() {
                break;
            }
        }
        drop(senders);
        lanes.join_all().await;
        // The last acknowledgements: losing them would only cost second deliveries.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.jetstream.client().flush()).await;
    }

    /// Hands messages to lanes until the shutdown.
    async fn receive(
        &self,
        lanes: &[mpsc::Sender<InHand>],
        pending: &Pending,
        shutdown: &Shutdown,
        backoff: &mut Backoff,
    ) -> Result<(), Error> {
        let Some(messages) = shutdown.or(self.subscribe()).await else { return Ok(()) };
        let mut messages = messages?;
        loop {
            let Some(next) = shutdown.or(messages.next()).await else { return Ok(()) };
            let ended = || Error::nats("deliver events")("the subscription ended".into());
            let message = next.ok_or_else(ended)?.map_err(|error| Error::nats("deliver events")(error.into()))?;
            backoff.reset();
            let lane = &lanes[lane_of(&message, lanes.len())];
            // A full lane holds up the others too: that is what bounds the messages in memory.
            let _ = shutdown.or(lane.send(pending.hold(message))).await;
        }
    }

    /// Replicas of two versions share the durable consumer while an upgrade rolls, so a running one only ever adds its names:
    /// else an old one that reconnects would take away what only a newer one knows, which then never came. A name that nobody
    /// knows any more stays asked for: its events are left by everybody, and parked.
    async fn subscribe(&self) -> Result<pull::Stream, Error> {
        ensure_stream(&self.jetstream, self.source).await?;
        let failed = Error::nats("subscribe");
        let mut filter_subjects: Vec<_> = self.names.iter().map(|name| subject(self.source, name, "*")).collect();
        let there = self.jetstream.get_consumer_from_stream(self.durable, stream_name(self.source)).await;
        let there: Option<PullConsumer> = match there {
            Ok(there) => Some(there),
            Err(error) if is_not_there(&error.kind()) => None,
            Err(error) => return Err(failed(error.into())),
        };
        for asked_for in there.iter().flat_map(|there| asked_for(&there.cached_info().config)) {
            if !filter_subjects.contains(asked_for) {
                filter_subjects.push(asked_for.clone());
            }
        }
        let config = pull::Config {
            durable_name: Some(self.durable.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            deliver_policy: DeliverPolicy::All,
            filter_subjects,
            max_ack_pending: 2_000,
            ..pull::Config::default()
        };
        let consumer = match there {
            // Not written again: another replica may be about to add a name.
            Some(there) if is_so(&there.cached_info().config, &config) => there,
            _ => {
                let created = self.jetstream.create_consumer_on_stream(config, stream_name(self.source)).await;
                created.map_err(|error| failed(error.into()))?
            }
        };
        consumer
            .stream()
            .max_messages_per_batch(LANES * DEPTH)
            .expires(Duration::from_secs(30))
            .heartbeat(Duration::from_secs(2))
            .messages()
            .await
            .map_err(|error| failed(error.into()))
    }
}

fn is_not_there(error: &ConsumerErrorKind) -> bool {
    matches!(error, ConsumerErrorKind::JetStream(error) if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND)
}

/// The subjects that a consumer is set up for.
fn asked_for(config: &consumer::Config) -> impl Iterator<Item = &String> {
    config.filter_subjects.iter().chain(Some(&config.filter_subject).filter(|one| !one.is_empty()))
}

/// Is the consumer what we would make of it?
fn is_so(there: &consumer::Config, ours: &pull::Config) -> bool {
    there.ack_wait == ours.ack_wait
        && there.max_ack_pending == ours.max_ack_pending
        && ours.filter_subjects.iter().all(|subject| asked_for(there).any(|asked_for| asked_for == subject))
}

/// By the call, as the header says it; what has no call isn't an event and may go anywhere.
fn lane_of(message: &Message, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(header::SUBJECT))
        .map(|call| call.as_str())
        .hash(&mut hasher);
    // Fewer than `lanes`, so it fits.
    usize::try_from(hasher.finish() % lanes as u64).unwrap_or(0)
}
