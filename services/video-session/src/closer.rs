//! Sees people and sessions to their end: closes the media of whoever was sent away, gives up sessions where nobody is, and
//! once a session has ended closes its media, waits until evidence-store has the recording and the documents that go with
//! it, and says so. The spool's folder goes once evidence-store has let go of it. Everything it goes by is in the database
//! and the spool, so a restarted process goes on where the old one stopped; and so does another instance, for it sees to
//! the sessions of an owner that is no more, too, if there is anything to see to.

mod parts;
mod trail;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api::evidence::v1::evidence_service_client::EvidenceServiceClient;
use chassis::{Clock, Shutdown, grpc::Channel};
use chrono::TimeDelta;
use ids::SessionId;
use tokio_util::task::TaskTracker;

use crate::{
    app::App,
    changes::{Change, Changes},
    domain::{Ending, Participant, RecordOrder, Recording, Remark, Session},
    error::Error,
    ledger,
    media::{Instruction, Media},
    metrics::{self, Writing},
    rooms::Rooms,
    spool::{Owner, Spool},
    store::Stored,
};

const TICK: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(500);
/// Before what somebody has to mend is tried again.
const LONG_PAUSE: Duration = Duration::from_secs(5);
/// So often it is looked for what was kept for too long.
const SWEEP: TimeDelta = TimeDelta::hours(1);

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
    /// Who knows what another instance has sent.
    pub evidence: EvidenceServiceClient<Channel>,
    /// When to look.
    pub changes: Changes,
    /// Time.
    pub clock: Clock,
    /// How long an ended session waits for its recording to be acknowledged.
    pub drain_limit: Duration,
}

impl Closer {
    /// Runs until shutdown. A session whose end is not yet told by then is told by the next process.
    pub async fn run(self, shutdown: Shutdown) {
        let closing = Arc::new(Mutex::new(HashSet::new()));
        let tasks = TaskTracker::new();
        let mut heard = self.changes.subscribe();
        let mut settled = parts::Settled::default();
        let work = async {
            let mut tick = tokio::time::interval(TICK);
            let mut sweep_at = self.clock.now();
            loop {
                let looked = tokio::select! {
                    _ = tick.tick() => self.look_at_all(&closing, &tasks, &mut settled).await,
                    () = self.clock.sleep_until(sweep_at) => {
                        sweep_at = self.clock.now() + SWEEP;
                        self.app.forget_stale_consents().await
                    }
                    change = heard.next() => match change {
                        Change::Session(_, session) => self.look_at(session, &closing, &tasks).await,
                        Change::Any => self.look_at_all(&closing, &tasks, &mut settled).await,
                    },
                };
                if let Err(error) = looked {
                    tracing::debug!(error = chassis::chain(&error), "sessions not looked at");
                }
            }
        };
        shutdown.or(work).await;
    }

    async fn look_at_all(
        &self,
        closing: &Closing,
        tasks: &TaskTracker,
        settled: &mut parts::Settled,
    ) -> Result<(), Error> {
        let spooled = self.spool.sessions();
        let open = self.app.unannounced().await?;
        let still: HashSet<SessionId> = open.iter().map(|stored| stored.session.id).collect();
        for stored in open {
            let session = stored.session.id;
            if let Err(error) = self.consider(stored, closing, tasks).await {
                // The others are looked at all the same, and this one at the next tick.
                tracing::debug!(session_id = %session, error = chassis::chain(&error), "session not looked at");
            }
        }
        settled.retain(|session| !still.contains(session));
        self.hand_over(settled).await?;
        let done = |session: &SessionId| {
            !still.contains(session) && self.spool.owed(*session) == 0 && self.spool.documents_owed(*session).is_empty()
        };
        let done: Vec<SessionId> = spooled.into_iter().filter(done).collect();
        if !done.is_empty() {
            for session in self.app.released(&done).await? {
                self.retire(session).await;
            }
        }
        Ok(())
    }

    async fn look_at(&self, session: SessionId, closing: &Closing, tasks: &TaskTracker) -> Result<(), Error> {
        let stored = self.app.look(session).await?;
        // Another's is its own business, as long as it is alive; if it isn't, the next tick finds it.
        let is_ours = self.app.owns(&stored) || stored.owner.is_none();
        if is_ours && stored.announced_at.is_none() { self.consider(stored, closing, tasks).await } else { Ok(()) }
    }

    async fn consider(&self, stored: Stored, closing: &Closing, tasks: &TaskTracker) -> Result<(), Error> {
        let session = stored.session.id;
        if !self.app.owns(&stored) {
            // Taking it over is a change, and brings us back here.
            return if self.needs_care(&stored) { self.app.claim(session).await.map(drop) } else { Ok(()) };
        }
        self.show_out(&stored.session).await;
        self.stop_recording(&stored.session).await;
        if stored.session.ending().is_none() {
            self.media.cover(stored.session.covering());
            self.media.pleas(stored.session.pleas());
            // After the end they are written by whoever makes the documents, and by nobody at the same time.
            self.note_fast_tracks(&stored).await?;
        }
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

    /// Is there anything to see to in a session that nobody carries? Where nobody is, and its time isn't up, there isn't.
    fn needs_care(&self, stored: &Stored) -> bool {
        let is_there = |one: &Participant| one.flowing.is_some() || one.watching;
        stored.session.ending().is_some()
            || self.app.is_given_up(stored)
            || stored.session.participants.iter().any(is_there)
    }

    /// Ends the media of whoever was sent away. Whoever slips in at that very moment is found at the next tick.
    async fn show_out(&self, session: &Session) {
        for removed in session.participants.iter().filter(|one| one.removed_at.is_some()) {
            for resource in self.rooms.of_participant(removed.id) {
                self.rooms.set_lost(resource, true);
                self.media.close(resource).await;
            }
        }
    }

    /// Consent was withdrawn where the media core can't have heard of it: by the control room. To what it knows it does nothing.
    async fn stop_recording(&self, session: &Session) {
        if session.recording == Recording::Stopped && session.ending().is_none() {
            let (session, reason) = (session.id, Remark::none());
            let stop = Instruction { session, order: RecordOrder::Stop, by: None, reason };
            // It is shutting down, and records nothing any more.
            let _ = self.media.record(stop).await;
        }
    }

    async fn close(&self, session: SessionId, ending: Ending) {
        for resource in self.rooms.of_session(session) {
            self.media.close(resource).await;
        }
        let limit = ending.at + TimeDelta::from_std(self.drain_limit).unwrap_or(TimeDelta::MAX);
        let handed_over = async {
            self.drained(session).await;
            self.leave_documents(session).await?;
            self.documents_settled(session).await;
            Ok(())
        };
        let left = tokio::select! {
            left = handed_over => left,
            () = self.clock.sleep_until(limit) => {
                let owed = self.spool.owed(session);
                tracing::error!(session_id = %session, owed, "the end is told before evidence-store has everything");
                self.count_elsewhere(session).await;
                self.leave_documents(session).await
            }
        };
        // Whatever is wrong with them: no exhibit is sealed without its documents.
        if let Err(error) = left {
            return held_up(session, Writing::Documents, &error).await;
        }
        while let Err(error) = self.app.announce(session, &self.spool.recorded(session)).await {
            if !error.is_transient() {
                return held_up(session, Writing::End, &error).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.media.forget(session);
        self.rooms.forget(session);
        let spool = self.spool.clone();
        // A failure is found again when the folder is to go.
        let _ = tokio::task::spawn_blocking(move || spool.settle_receipts(session)).await;
    }

    /// Makes the session's documents of what was noted, and keeps them in the spool until evidence-store has them.
    ///
    /// # Errors
    /// What doesn't pass by itself.
    async fn leave_documents(&self, session: SessionId) -> Result<(), Error> {
        loop {
            let left = async {
                let Some(owner) = self.folder(session).await? else { return Ok(()) };
                // After a crash the spool knows more than the database.
                for (track, segments) in self.spool.recorded(session) {
                    self.app.track_recorded(session, &track, segments).await?;
                }
                self.note_fast_tracks(&self.app.look(session).await?).await?;
                let people = self.app.who_was_there(session).await?;
                let (spool, now) = (self.spool.clone(), self.clock.now());
                let kept = tokio::task::spawn_blocking(move || ledger::leave(&spool, &owner, &people, now));
                kept.await.map_err(std::io::Error::other).flatten().map_err(Error::Spool)
            };
            match left.await {
                Err(error) if error.is_transient() => tokio::time::sleep(PAUSE).await,
                settled => return settled,
            }
        }
    }

    /// The documents are with evidence-store, or it was tried once in vain: then they follow later.
    async fn documents_settled(&self, session: SessionId) {
        let mut spool = self.spool.changes();
        while !self.spool.documents_settled(session) {
            // The spool is ours, so its sender can't be gone.
            let _ = spool.changed().await;
        }
    }

    /// Where the session's documents can be kept. Here nothing was recorded of it, perhaps, but by an earlier owner.
    async fn folder(&self, session: SessionId) -> Result<Option<Owner>, Error> {
        if let Some(owner) = self.spool.owner(session) {
            return Ok(Some(owner));
        }
        let Stored { session, trace, epoch, .. } = self.app.look(session).await?;
        if !session.accepted.recording || session.participants.iter().all(|one| one.publications == 0) {
            return Ok(None);
        }
        let owner = Owner::of(&session, &trace, epoch);
        let (spool, whose) = (self.spool.clone(), owner.clone());
        let prepared = tokio::task::spawn_blocking(move || spool.prepare(&whose)).await;
        prepared.map_err(std::io::Error::other).flatten().map_err(Error::Spool)?;
        Ok(Some(owner))
    }

    /// Everything recorded is in a spool, and everything in the spools is in evidence-store.
    async fn drained(&self, session: SessionId) {
        let (mut rooms, mut spool) = (self.rooms.changes(), self.spool.changes());
        while self.rooms.has_publications(session) || self.spool.owed(session) > 0 {
            tokio::select! {
                _ = rooms.changed() => {}
                _ = spool.changed() => {}
            }
        }
        // Another instance may have seconds of an earlier part: it says so when it has no more.
        while !matches!(self.app.is_whole(session).await, Ok(true)) {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn retire(&self, session: SessionId) {
        let spool = self.spool.clone();
        // A folder that stays is found again at the next tick.
        let _ = tokio::task::spawn_blocking(move || spool.retire(session)).await;
    }
}

/// Somebody has to mend it. The session is found again at a tick after this.
async fn held_up(session: SessionId, what: Writing, error: &Error) {
    metrics::not_written(what);
    tracing::error!(session_id = %session, ?what, error = chassis::chain(error), "an ended call waits until somebody has mended this");
    tokio::time::sleep(LONG_PAUSE).await;
}

type Closing = Arc<Mutex<HashSet<SessionId>>>;
