//! A connection on which Postgres tells of changes, and that knows when it has gone deaf.
//!
//! Who only listens sends nothing, so nothing would tell them that the server's host is gone, or that what lies between has forgotten
//! the connection: they would wait for ever. So a line that was quiet for a while is asked for a sign of life.

use std::{io, time::Duration};

use futures::FutureExt;
use sqlx::{
    PgPool,
    postgres::{PgListener, PgNotification},
};
use tokio::time::Instant;

/// How long connecting, or a sign of life, may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How long a line may be quiet before it is asked.
const QUIET: Duration = Duration::from_secs(10);

/// One channel's line.
#[derive(Debug)]
pub struct Line {
    listener: PgListener,
    quiet_since: Instant,
    /// When a sign of life was asked for that has not come.
    asked_at: Option<Instant>,
}

impl Line {
    /// Listens on a channel, over one of the pool's connections: it has it until it is dropped.
    ///
    /// # Errors
    /// The database is away, or says nothing.
    pub async fn open(pool: &PgPool, channel: &str) -> Result<Self, sqlx::Error> {
        let opening = async {
            let mut listener = PgListener::connect_with(pool).await?;
            // What was told meanwhile would be missed in silence.
            listener.eager_reconnect(false);
            listener.listen(channel).await?;
            Ok(Self { listener, quiet_since: Instant::now(), asked_at: None })
        };
        within(PATIENCE, opening).await
    }

    /// The next that is told. Nothing is lost by giving up waiting for it.
    ///
    /// # Errors
    /// The line is lost or dead: to be opened anew, and then to look, for something may have been told meanwhile.
    pub async fn hear(&mut self) -> Result<PgNotification, sqlx::Error> {
        loop {
            // Kept: whoever gives up waiting and comes again would ask for ever.
            if let Some(asked_at) = self.asked_at {
                let left = (asked_at + PATIENCE).saturating_duration_since(Instant::now());
                within(left, sqlx::raw_sql("select 1").execute(&mut self.listener)).await?;
                (self.quiet_since, self.asked_at) = (Instant::now(), None);
            }
            if let Ok(heard) = tokio::time::timeout_at(self.quiet_since + QUIET, self.listener.try_recv()).await {
                self.quiet_since = Instant::now();
                return heard?.ok_or_else(lost);
            }
            self.asked_at = Some(Instant::now());
        }
    }

    /// Leaves out what has been told already: one look answers all of it.
    pub(crate) fn skip(&mut self) -> Result<(), sqlx::Error> {
        while let Some(heard) = self.listener.try_recv().now_or_never() {
            heard?.ok_or_else(lost)?;
        }
        Ok(())
    }
}

/// Asks something of a database that is away if it says nothing for so long.
pub(crate) async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
    tokio::time::timeout(limit, asked).await.unwrap_or_else(silent)
}

fn lost() -> sqlx::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof).into()
}
