//! What every service on the bus has going beside answering, put together once: a service's own `run` says what is its own. Each part
//! stands by itself, too, for whoever runs only that one.

use async_nats::{Client, jetstream::Context};
use chassis::{
    Clock, Health, Shutdown, Tls, Workers,
    config::{self, Telemetry},
};
use sqlx::PgPool;

use crate::{CheckpointKeeper, Consumer, Error, Handler, Relay, measure, nats, watch_health};

/// A service's database and its way to NATS, and what is done with the two until the shutdown.
pub struct Post {
    pool: PgPool,
    client: Client,
    jetstream: Context,
    replicas: usize,
    clock: Clock,
    shutdown: Shutdown,
}

impl Post {
    /// Neither the database nor NATS need be there yet.
    ///
    /// # Errors
    /// The settings are not usable.
    pub async fn open(
        service: &str,
        pool: &PgPool,
        settings: &config::Nats,
        tls: Option<&Tls>,
        clock: &Clock,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let (client, jetstream) = nats(service, settings, tls).await?;
        let (pool, replicas) = (pool.clone(), settings.stream_replicas);
        Ok(Self { pool, client, jetstream, replicas, clock: clock.clone(), shutdown: shutdown.clone() })
    }

    /// For what a service looks for there besides.
    #[must_use]
    pub fn jetstream(&self) -> &Context {
        &self.jetstream
    }

    /// Publishes what the database holds of `source`'s events, says of database and NATS whether they are there, and keeps the figures.
    pub fn publish(&self, workers: &mut Workers, source: &'static str, health: &Health, telemetry: &Telemetry) {
        let (pool, shutdown) = (&self.pool, &self.shutdown);
        workers.spawn("health", watch_health(pool.clone(), self.client.clone(), health.clone(), shutdown.clone()));
        let relay = Relay::new(pool.clone(), self.jetstream.clone(), source).replicas(self.replicas);
        workers.spawn("relay", relay.run(shutdown.clone()));
        let figures = measure(pool.clone(), self.clock.clone(), telemetry.clone(), shutdown.clone());
        workers.spawn("figures of the outbox", figures);
    }

    /// Hears `source`'s events of these names, as `durable`.
    pub fn hear(
        &self,
        workers: &mut Workers,
        (durable, source, names): (&'static str, &'static str, &'static [&'static str]),
        handler: impl Handler,
    ) {
        let (pool, jetstream) = (self.pool.clone(), self.jetstream.clone());
        let consumer = Consumer::new(pool, jetstream, durable, source, names, self.clock.clone());
        workers.spawn(source, consumer.run(self.shutdown.clone(), handler));
    }

    /// Keeps the evidence log's checkpoints, as `keeper`.
    pub fn keep_checkpoints(&self, workers: &mut Workers, keeper: &'static str) {
        let keeper = CheckpointKeeper::new(self.pool.clone(), self.jetstream.clone(), keeper, self.clock.clone());
        workers.spawn("checkpoints", keeper.replicas(self.replicas).run(self.shutdown.clone()));
    }
}
