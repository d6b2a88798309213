//! The publisher's half: one leader takes what is unpublished to the stream and marks it once the stream has it.
//!
//! The leader holds an advisory lock on the very connection that it reads and marks with: if that connection dies the
//! lock goes, and so does the leader. A deposed leader may still publish the batch in its hands; the successor
//! publishes the same oldest events first, so the stream's first copy of each event is always in order.

use std::time::Duration;

use async_nats::{
    connection::State,
    jetstream::{Context, context::PublishError},
};
use chassis::{Shutdown, chain};
use futures::future::join_all;
use sqlx::{Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{
    Error,
    backoff::Backoff,
    event::Unpublished,
    line::{Line, PATIENCE, within},
    metrics,
    probe::{Probe, Step},
    stream::own_stream,
    write::CHANNEL,
};

/// The advisory lock's key: "outbox" in ASCII. Locks are per database, and so are outboxes.
const LOCK: i64 = 0x6f75_7462_6f78;

/// At most so many events, each of another call, are under way at once.
const BATCH: i64 = 500;

/// How long a publish may wait for its acknowledgement before it is made again.
const ACK_LIMIT: Duration = Duration::from_secs(2);

/// A look at the table without having been notified; and a look at the lock by those that don't lead.
const POLL: Duration = Duration::from_secs(1);

/// How long a statement may take. One takes milliseconds; after this the server is gone without a word, or as good as.
const STATEMENT: Duration = Duration::from_secs(30);

/// How long the last rounds after the shutdown may take. What is left is published by the next start.
const LAST_ROUNDS: Duration = Duration::from_secs(2);

/// Publishes a service's events. Every replica runs one; the one that holds the database's advisory lock works.
#[derive(Debug, Clone)]
pub struct Relay {
    pool: PgPool,
    jetstream: Context,
    service: &'static str,
    replicas: usize,
    probe: Probe,
}

impl Relay {
    /// A relay for the events in this database, on `alcove.<service>.v1.<event>.<force>`.
    #[must_use]
    pub fn new(pool: PgPool, jetstream: Context, service: &'static str) -> Self {
        Self { pool, jetstream, service, replicas: 1, probe: Probe::default() }
    }

    /// Copies of the stream: `nats.stream_replicas`.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// For the crash tests.
    #[doc(hidden)]
    #[must_use]
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = probe;
        self
    }

    /// Runs until the shutdown, and for a moment more if it leads. It outlives every loss of the database and of NATS.
    pub async fn run(self, shutdown: Shutdown) {
        tokio::select! {
            () = self.try_to_lead(&shutdown) => {}
            // Whatever it waits for then: a database that is frozen answers no statement.
            () = shutdown.overdue(LAST_ROUNDS) => {}
        }
    }

    async fn try_to_lead(&self, shutdown: &Shutdown) {
        let mut backoff = Backoff::capped(Duration::from_secs(2));
        while let Err(error) = self.lead(shutdown, &mut backoff).await {
            tracing::warn!(error = chain(&error), "the outbox's relay lost its footing; trying again");
            if shutdown.or(tokio::time::sleep(backoff.step())).await.is_none() {
                return;
            }
        }
    }

    /// Waits for the lead, then publishes until the shutdown or a failure of the database.
    async fn lead(&self, shutdown: &Shutdown, backoff: &mut Backoff) -> Result<(), Error> {
        let Some(elected) = shutdown.or(self.elected()).await else { return Ok(()) };
        let (mut connection, mut line) = elected?;
        let mut stream_ready = false;
        loop {
            // Asked before the look: what was there when the end was asked for, the last look sees.
            let is_ending = shutdown.is_requested();
            let batch = self.claim(&mut connection).await?;
            self.probe.at(Step::Claimed).await;
            if batch.is_empty() {
                if is_ending {
                    return Ok(());
                }
                tokio::select! {
                    heard = line.hear() => heard.and_then(|_| line.skip())?,
                    () = tokio::time::sleep(POLL) => {}
                    () = shutdown.requested() => {}
                }
                continue;
            }
            let published = self.publish(&batch, &mut stream_ready).await;
            self.probe.at(Step::Published).await;
            mark(&mut connection, &published).await?;
            self.probe.at(Step::Marked).await;
            if published.len() == batch.len() {
                backoff.reset();
            } else if shutdown.or(tokio::time::sleep(backoff.step())).await.is_none() {
                return Ok(());
            }
        }
    }

    fn options(&self) -> sqlx::postgres::PgConnectOptions {
        // Server-side keep-alives: the lock of a leader whose host is gone is free within some ten seconds.
        let keepalives =
            [("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3")];
        self.pool.connect_options().as_ref().clone().application_name("outbox-relay").options(keepalives)
    }

    /// Returns a connection that holds the lock, and a line on which it is told of what is written.
    async fn elected(&self) -> Result<(PgConnection, Line), Error> {
        let mut connection = within(PATIENCE, PgConnection::connect_with(&self.options())).await?;
        loop {
            let asked = sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "led!""#, LOCK);
            if within(STATEMENT, asked.fetch_one(&mut connection)).await? {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        let listening = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options());
        Ok((connection, Line::open(&listening, CHANNEL).await?))
    }

    /// The oldest unpublished event of each call.
    async fn claim(&self, connection: &mut PgConnection) -> Result<Vec<Unpublished>, Error> {
        let oldest = sqlx::query_as!(
            Unpublished,
            r#"select e.event_id as event, e.call_id as call, e.version, e.name, e.force_id as force, e.payload, e.trace,
                   e.occurred_at,
                   (select string_agg(p.name || '=' || p.version, ',')
                    from (select name, max(version) as version from outbox.events
                          where call_id = e.call_id and version < e.version group by name) p) as after
               from (select distinct on (call_id) * from outbox.events where published_at is null
                     order by call_id, version limit $1) e"#,
            BATCH,
        );
        Ok(within(STATEMENT, oldest.fetch_all(connection)).await?)
    }

    /// Publishes a batch, all at once, and returns the ids that the stream has acknowledged.
    async fn publish(&self, batch: &[Unpublished], stream_ready: &mut bool) -> Vec<Uuid> {
        let connected = self.jetstream.client().connection_state() == State::Connected;
        if connected && !*stream_ready {
            match own_stream(&self.jetstream, self.service, self.replicas).await {
                Ok(()) => *stream_ready = true,
                Err(error) => tracing::warn!(error = chain(&error), "the stream can't be made ready"),
            }
        }
        if !connected || !*stream_ready {
            // Publishing into a lost connection would only fill the client's buffer.
            return Vec::new();
        }
        let answers = join_all(batch.iter().map(|event| self.publish_one(event))).await;
        let mut acknowledged = Vec::with_capacity(batch.len());
        let mut first_failure = None;
        for (event, answer) in batch.iter().zip(answers) {
            match answer {
                Ok(()) => {
                    metrics::published(self.service, event);
                    acknowledged.push(event.event);
                }
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        if let Some(failure) = first_failure {
            let failed = batch.len() - acknowledged.len();
            tracing::warn!(failed, error = failure, "events were not acknowledged; publishing them again");
            // The stream may have been deleted: look again before the next round.
            *stream_ready = false;
        }
        acknowledged
    }

    async fn publish_one(&self, event: &Unpublished) -> Result<(), String> {
        let (subject, headers) = (event.subject(self.service), event.headers(self.service));
        let payload = event.payload.clone().into();
        let publish = async {
            self.jetstream.publish_with_headers(subject, headers, payload).await?.await?;
            Ok::<_, PublishError>(())
        };
        match tokio::time::timeout(ACK_LIMIT, publish).await {
            Ok(published) => published.map_err(|error| chain(&error)),
            Err(_) => Err("no acknowledgement in time".to_owned()),
        }
    }
}

async fn mark(connection: &mut PgConnection, published: &[Uuid]) -> Result<(), Error> {
    if !published.is_empty() {
        let marking = sqlx::query!("update outbox.events set published_at = now() where event_id = any($1)", published);
        within(STATEMENT, marking.execute(connection)).await?;
    }
    Ok(())
}
