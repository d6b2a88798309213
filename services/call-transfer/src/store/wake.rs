//! One LISTEN per process, however many officers watch. What was missed while the line was down is answered by waking
//! everybody: a watcher looks again and finds that nothing changed, or that something did.

use std::{convert::Infallible, time::Duration};

use chassis::Shutdown;
use ids::ForceId;
use outbox::Line;
use sqlx::PgPool;
use tokio::sync::broadcast;

/// Before the line is opened anew.
const PAUSE: Duration = Duration::from_millis(500);

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
        loop {
            match shutdown.or(self.listen(&pool)).await {
                None => return,
                Some(Ok(never)) => match never {},
                Some(Err(error)) => tracing::warn!(error = chassis::chain(&error), "listening for the desk failed"),
            }
            if shutdown.or(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }

    /// Returns when the line is lost.
    async fn listen(&self, pool: &PgPool) -> Result<Infallible, sqlx::Error> {
        let mut line = Line::open(pool, "transfer_desk").await?;
        self.send(Wake::All);
        loop {
            self.send(line.hear().await?.payload().parse().map_or(Wake::All, Wake::Force));
        }
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
