//! Committed changes, as they come: Postgres NOTIFYs within the transaction, everybody who watches hears it here.
//!
//! Heard from the database and not passed on in memory, so that a change made by another instance, or by a consumer's
//! transaction, is heard like our own. What was missed while the connection was away is covered by [`Change::Any`].

use std::{convert::Infallible, time::Duration};

use chassis::Shutdown;
use ids::{CallId, ForceId, SessionId};
use outbox::Line;
use sqlx::PgPool;
use tokio::{
    sync::{broadcast, mpsc},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    app::App,
    error::Error,
    store::{CHANGED, Stored},
};

/// Looked at again after so long even if nothing was heard.
const AT_LEAST: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);

/// Something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This session.
    Session(CallId, SessionId),
    /// Perhaps anything: the connection was away, or this receiver was slow.
    Any,
}

/// What somebody watches.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A call's session, which may be still to be made.
    Call(ForceId, CallId),
    /// A session that there is.
    Session(SessionId),
}

/// What whoever watches is told.
#[derive(Debug)]
pub enum Sight {
    /// The session as it is.
    Session(Box<Stored>),
    /// For a whole lease it couldn't be looked at: if others could, one of them carries it by now. Said once each time.
    Lost,
}

/// Where changes are heard. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(1024))
    }
}

impl Changes {
    /// Listens to the database until shutdown.
    pub async fn listen(&self, pool: PgPool, shutdown: Shutdown) {
        let listening = async {
            loop {
                let Err(error) = self.listen_once(&pool).await;
                tracing::debug!(%error, "not listening");
                let _ = self.0.send(Change::Any);
                tokio::time::sleep(PAUSE).await;
            }
        };
        shutdown.or(listening).await;
    }

    async fn listen_once(&self, pool: &PgPool) -> Result<Infallible, sqlx::Error> {
        let mut line = Line::open(pool, CHANGED).await?;
        let _ = self.0.send(Change::Any);
        loop {
            let notification = line.hear().await?;
            let parsed = notification
                .payload()
                .split_once(' ')
                .and_then(|(call, session)| Some(Change::Session(call.parse().ok()?, session.parse().ok()?)));
            // Nobody watching is no error.
            let _ = self.0.send(parsed.unwrap_or(Change::Any));
        }
    }

    /// Hears every change from here on.
    #[must_use]
    pub fn subscribe(&self) -> Heard {
        Heard(self.0.subscribe())
    }

    /// The session as it is, at once (or once it is made) and after every change; ends after its end.
    #[must_use]
    pub fn watch(&self, app: App, wanted: Wanted, shutdown: Shutdown) -> ReceiverStream<Result<Sight, Error>> {
        let (sender, receiver) = mpsc::channel(4);
        let heard = self.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = shutdown.requested() => {}
                () = follow(&app, &wanted, heard, &sender) => {}
            }
        });
        ReceiverStream::new(receiver)
    }
}

/// One hearer's place.
#[derive(Debug)]
pub struct Heard(broadcast::Receiver<Change>);

impl Heard {
    /// The next change.
    pub async fn next(&mut self) -> Change {
        match self.0.recv().await {
            Ok(change) => change,
            Err(broadcast::error::RecvError::Lagged(_)) => Change::Any,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn follow(app: &App, wanted: &Wanted, mut heard: Heard, sender: &mpsc::Sender<Result<Sight, Error>>) {
    let mut last = None;
    // Since when it can't be looked at, and whether that was said.
    let mut blind: Option<Instant> = None;
    let mut is_told = false;
    loop {
        let began = Instant::now();
        let looked = async {
            match wanted {
                Wanted::Call(force, call) => app.find(force, *call).await,
                Wanted::Session(session) => app.look(*session).await.map(Some),
            }
        };
        // A database that says nothing is away, too; whoever knows nothing yet waits for it.
        let now = match last {
            None => looked.await,
            Some(_) => tokio::time::timeout(app.lease(), looked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut.into())),
        };
        match now {
            // Whoever watches already may hear of what needs no database, and of the rest once it is back.
            Err(error) if error.is_transient() && last.is_some() => {
                tracing::debug!(error = chassis::chain(&error), "not looked at");
                let is_lost = blind.get_or_insert(began).elapsed() >= app.lease();
                if is_lost && !std::mem::replace(&mut is_told, true) && sender.send(Ok(Sight::Lost)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
            Ok(found) => {
                (blind, is_told) = (None, false);
                if let Some(stored) = found.filter(|stored| last.as_ref() != Some(&stored.session)) {
                    last = Some(stored.session.clone());
                    let over = stored.session.ending().is_some();
                    if sender.send(Ok(Sight::Session(Box::new(stored)))).await.is_err() || over {
                        return;
                    }
                }
            }
        }
        let relevant = async {
            loop {
                match (heard.next().await, wanted) {
                    (Change::Session(call, _), Wanted::Call(_, wanted)) if call != *wanted => {}
                    (Change::Session(_, session), Wanted::Session(wanted)) if session != *wanted => {}
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(AT_LEAST, relevant).await;
    }
}
