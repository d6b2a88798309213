//! Keeps this instance's lease, and lets go of the media of sessions that another has taken over meanwhile.
//!
//! One row an instance, not one a session: whoever carries a thousand calls writes one row, and all of them are free at once when
//! it dies. In Postgres, where the sessions are: a second place to ask would be a second truth. While Postgres is away from
//! all, nobody can renew and nobody can take over, so calls simply go on; and right after it nobody may take over at once (`Footing`).

use std::time::Duration;

use chassis::Shutdown;
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{
    app::Own,
    media::Media,
    rooms::Rooms,
    store::{self, StoreError},
};
use outbox::Scope;

/// Renewed so often within a lease: one that comes late costs nothing.
const RENEWALS: u32 = 4;
/// Without Postgres the end doesn't wait for it.
const GIVING_BACK: Duration = Duration::from_secs(1);

/// Another process has come under our name: this one is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced;

/// The keeper of the lease.
#[derive(Debug)]
pub struct Lease {
    own: Own,
    grpc_url: String,
    /// Of its own: a busy service must not look like a dead one.
    pool: PgPool,
    registered: bool,
}

impl Lease {
    /// Over the service's own database; other instances reach us there.
    #[must_use]
    pub fn new(own: Own, grpc_url: String, pool: &PgPool) -> Self {
        let connect = pool.connect_options().as_ref().clone().application_name("lease");
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(own.lease).connect_lazy_with(connect);
        Self { own, grpc_url, pool, registered: false }
    }

    /// Makes the instance known, if it isn't.
    ///
    /// # Errors
    /// When the database fails: to be tried again.
    pub async fn register(&mut self) -> Result<(), StoreError> {
        if !self.registered {
            let mut connection = self.pool.acquire().await?;
            store::register(&mut connection, &self.own.instance, &self.grpc_url, self.own.lease).await?;
            self.registered = true;
            let Own { instance, lease } = &self.own;
            tracing::info!(instance = %instance.name, id = %instance.id, ?lease, "lease begun");
        }
        Ok(())
    }

    /// Renews until the shutdown, and closes what was taken over by another.
    ///
    /// # Errors
    /// When another process of our name has come.
    pub async fn run(&mut self, rooms: &Rooms, media: &Media, shutdown: &Shutdown) -> Result<(), Replaced> {
        let mut tick = tokio::time::interval(self.own.lease / RENEWALS);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.or(tick.tick()).await.is_some() {
            // What isn't answered within a lease comes too late.
            let renewed = tokio::time::timeout(self.own.lease, self.once(rooms, media));
            match shutdown.or(renewed).await {
                Some(Ok(Ok(true))) => {}
                Some(Ok(Ok(false))) => return Err(Replaced),
                // The calls go on. Whoever still has Postgres takes them over, and the pages follow.
                Some(Ok(Err(error))) => tracing::debug!(error = chassis::chain(&error), "lease not renewed"),
                Some(Err(_)) => tracing::debug!("lease not renewed: the database says nothing"),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn once(&mut self, rooms: &Rooms, media: &Media) -> Result<bool, StoreError> {
        self.register().await?;
        let mut connection = self.pool.acquire().await?;
        if !store::renew(&mut connection, self.own.instance.id, self.own.lease).await? {
            return Ok(false);
        }
        drop(connection);
        let held: Vec<_> = rooms.sessions().into_iter().collect();
        if held.is_empty() {
            return Ok(true);
        }
        let mut tx = outbox::begin(&self.pool, Scope::All).await?;
        for session in store::not_owned(&mut tx, &held, self.own.instance.id).await? {
            tracing::warn!(session_id = %session, "taken over by another instance: its media ends here");
            for resource in rooms.of_session(session) {
                rooms.set_lost(resource, true);
                media.close(resource).await;
            }
        }
        Ok(true)
    }

    /// Gives the lease back: nobody needs to wait until it has run out.
    pub async fn release(&self) {
        let given_back = async {
            let mut connection = self.pool.acquire().await?;
            store::release(&mut connection, self.own.instance.id).await
        };
        if let Ok(Err(error)) = tokio::time::timeout(GIVING_BACK, given_back).await {
            tracing::debug!(error = chassis::chain(&error), "lease not given back: it runs out by itself");
        }
    }
}
