//! Sees sessions to their end: gives up those where nobody is, and once a session has ended closes its media, waits
//! until evidence-store has the recording, and says so. Everything it goes by is in the database and the spool, so a
//! restarted process goes on where the old one stopped.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::{Clock, Shutdown};
use chrono::TimeDelta;
use ids::SessionId;
use tokio_util::task::TaskTracker;

use crate::{
    app::App,
    changes::{Change, Changes},
    domain::Ending,
    error::Error,
    media::Media,
    rooms::Rooms,
    spool::Spool,
    store::Stored,
};

const TICK: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(500);

/// The worker and what it works with.
#[derive(Clone)]
pub struct Closer {
    /// The use cases.
    pub app: App,
    /// The media core.
    pub media: Media,
    /// Who holds what.
    pub rooms: Rooms,
    /// What is still owed.
    pub spool: Spool,
    /// When to look.
    pub changes: Changes,
    /// Time.
    pub clock: Clock,
    /// How long an ended session waits for its recording to be acknowledged.
    pub drain_limit: Duration,
}

impl Closer {
    /// Nobody is connected any more who was so to an earlier process: their connections died with it.
    ///
    /// # Errors
    /// When the database fails: to be tried again.
    pub async fn disown(&self) -> Result<(), Error> {
        for stored in self.app.unannounced().await? {
            let session = stored.session.id;
            if !self.rooms.has_publications(session) {
                self.app.all_lost(session).await?;
            }
        }
        Ok(())
    }

    /// Runs until shutdown. A session whose end is not yet told by then is told by the next process.
    pub async fn run(self, shutdown: Shutdown) {
        let closing = Arc::new(Mutex::new(HashSet::new()));
        let tasks = TaskTracker::new();
        let mut heard = self.changes.subscribe();
        let work = async {
            let mut tick = tokio::time::interval(TICK);
            loop {
                let looked = tokio::select! {
                    _ = tick.tick() => self.look_at_all(&closing, &tasks).await,
                    change = heard.next() => match change {
                        Change::Session(_, session) => self.look_at(session, &closing, &tasks).await,
                        Change::Any => self.look_at_all(&closing, &tasks).await,
                    },
                };
                if let Err(error) = looked {
                    tracing::debug!(error = chassis::chain(&error), "sessions not looked at");
                }
            }
        };
        shutdown.or(work).await;
    }

    async fn look_at_all(&self, closing: &Closing, tasks: &TaskTracker) -> Result<(), Error> {
        // The spool is listed first: a session that is in it and then not in the database's list has been announced.
        let spooled = self.spool.sessions();
        let open = self.app.unannounced().await?;
        let still: HashSet<SessionId> = open.iter().map(|stored| stored.session.id).collect();
        for stored in open {
            self.consider(stored, closing, tasks).await?;
        }
        for session in spooled {
            if !still.contains(&session) && self.spool.owed(session) == 0 {
                self.retire(session).await;
            }
        }
        Ok(())
    }

    async fn look_at(&self, session: SessionId, closing: &Closing, tasks: &TaskTracker) -> Result<(), Error> {
        let stored = self.app.look(session).await?;
        if stored.announced_at.is_none() { self.consider(stored, closing, tasks).await } else { Ok(()) }
    }

    async fn consider(&self, stored: Stored, closing: &Closing, tasks: &TaskTracker) -> Result<(), Error> {
        let session = stored.session.id;
        if self.app.is_given_up(&stored) {
            // Its commit is a change, and brings us back here.
            return self.app.give_up(session).await;
        }
        let Some(ending) = stored.session.ending() else { return Ok(()) };
        if closing.lock().unwrap_or_else(PoisonError::into_inner).insert(session) {
            let (closer, closing) = (self.clone(), closing.clone());
            tasks.spawn(async move {
                closer.close(session, ending).await;
                closing.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
            });
        }
        Ok(())
    }

    async fn close(&self, session: SessionId, ending: Ending) {
        for resource in self.rooms.of_session(session) {
            self.media.close(resource).await;
        }
        let limit = ending.at + TimeDelta::from_std(self.drain_limit).unwrap_or(TimeDelta::MAX);
        tokio::select! {
            () = self.drained(session) => {}
            () = self.clock.sleep_until(limit) => {
                let owed = self.spool.owed(session);
                tracing::error!(session_id = %session, owed, "the end is told before evidence-store has everything");
            }
        }
        while let Err(error) = self.app.announce(session, &self.spool.recorded(session)).await {
            if !error.is_transient() {
                tracing::error!(session_id = %session, error = chassis::chain(&error), "the end can't be told");
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if self.spool.owed(session) == 0 {
            self.retire(session).await;
        }
    }

    /// Everything recorded is in the spool, and everything in the spool is in evidence-store.
    async fn drained(&self, session: SessionId) {
        let (mut rooms, mut spool) = (self.rooms.changes(), self.spool.changes());
        while self.rooms.has_publications(session) || self.spool.owed(session) > 0 {
            tokio::select! {
                _ = rooms.changed() => {}
                _ = spool.changed() => {}
            }
        }
    }

    async fn retire(&self, session: SessionId) {
        let spool = self.spool.clone();
        // A folder that stays is found again at the next tick.
        let _ = tokio::task::spawn_blocking(move || spool.retire(session)).await;
    }
}

type Closing = Arc<Mutex<HashSet<SessionId>>>;
