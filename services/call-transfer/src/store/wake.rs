//! One LISTEN per process, however many officers watch. What was missed while the line was down is answered by waking
//! everybody: a watcher looks again and finds that nothing changed, or that something did.

use std::time::Duration;

use chassis::Shutdown;
use ids::ForceId;
use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::broadcast;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// The desk of this force.
    Force(ForceId),
    /// Perhaps any.
    All,
}

/// Hands wakes to whoever waits in this process.
#[derive(Debug, Clone)]
pub struct Wakes(broadcast::Sender<Wake>);

impl Wakes {
    /// Nobody waits yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(256))
    }

    /// From now on.
    #[must_use]
    pub fn subscribe(&self) -> Listener {
        Listener(self.0.subscribe())
    }

    /// Passes on what Postgres says until the shutdown.
    pub async fn run(&self, pool: PgPool, shutdown: Shutdown) {
        let mut pause = Duration::from_millis(100);
        while !shutdown.is_requested() {
            match shutdown.or(self.listen(&pool)).await {
                None => return,
                Some(Ok(())) => pause = Duration::from_millis(100),
                Some(Err(error)) => tracing::warn!(error = chassis::chain(&error), "listening for the desk failed"),
            }
            if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Returns when the connection is lost.
    async fn listen(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen("transfer_desk").await?;
        self.send(Wake::All);
        while let Some(notification) = listener.try_recv().await? {
            self.send(notification.payload().parse().map_or(Wake::All, Wake::Force));
        }
        Ok(())
    }

    fn send(&self, wake: Wake) {
        // Fails only when nobody waits.
        let _ = self.0.send(wake);
    }
}

impl Default for Wakes {
    fn default() -> Self {
        Self::new()
    }
}

/// One waiter.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Wake>);

impl Listener {
    /// Returns once the desk of `force`, or any with `None`, may have changed since the last return. Many changes at
    /// once are one.
    pub async fn changed(&mut self, force: Option<&ForceId>) {
        loop {
            match self.0.recv().await {
                Ok(Wake::Force(changed)) if force.is_some_and(|own| *own != changed) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.0 = self.0.resubscribe();
                    return;
                }
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
