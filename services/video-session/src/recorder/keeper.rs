//! Brings what is owed to the disk, a task for each session that owes anything: one that can't be kept holds up no other.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::Health;
use ids::{SessionId, TrackName};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::task::TaskTracker;

use super::{
    facts::{Fact, Seen, What},
    owed::{Over, Owed},
};
use crate::{
    rooms::Rooms,
    spool::{Piece, Place, Spool},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What its tasks work with. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    pub(super) owed: Arc<Mutex<Owed>>,
    pub(super) spool: Spool,
    pub(super) rooms: Rooms,
    pub(super) facts: UnboundedSender<Fact>,
    pub(super) health: Health,
    pub(super) tasks: TaskTracker,
}

impl Keeper {
    /// Something more is owed of this session: `owe` says whether nobody sees to it yet.
    pub(super) fn owe(&self, session: SessionId, owe: impl FnOnce(&mut Owed) -> bool) {
        if owe(&mut self.owed()) {
            self.tasks.spawn(self.clone().keep(session));
        }
    }

    /// Until nothing is owed.
    async fn keep(self, session: SessionId) {
        let mut pause = FIRST_PAUSE;
        loop {
            let keeper = self.clone();
            let round = tokio::task::spawn_blocking(move || keeper.round(session)).await;
            let round = round.map_err(io::Error::other).flatten();
            let all_well = self.owed().found(session, round.is_ok());
            self.health.set("spool", all_well);
            if let Err(error) = round {
                tracing::error!(session_id = %session, %error, "the recording can't be kept, trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            pause = FIRST_PAUSE;
            let Some(over) = self.settled(session) else { return };
            over.into_iter().for_each(|over| self.tell(session, over));
        }
    }

    /// Keeps all that there is. What one track or the ledger has to wait for, the others don't. Blocks on the disk.
    fn round(&self, session: SessionId) -> io::Result<()> {
        if self.spool.owner(session).is_none() {
            // Nothing of it is recorded; or its folder was let go, and then nothing more should have come.
            let given_up = self.owed().abandon(session);
            if given_up.segments > 0 {
                tracing::error!(session_id = %session, ?given_up, "recorded after its session was archived, and kept nowhere");
            }
            return Ok(());
        }
        let mut outcome = Ok(());
        for track in self.tracks(session) {
            outcome = self.keep_track(session, &track).and(outcome);
        }
        self.keep_lines(session).and(outcome)
    }

    fn keep_track(&self, session: SessionId, track: &TrackName) -> io::Result<()> {
        loop {
            let next = self.owed().next(session, track);
            let Some(segment) = next else { return Ok(()) };
            let place = Place { track: segment.track, seq: segment.seq };
            self.spool.keep(session, &place, &Piece::new(segment.starts_at, segment.ends_at, segment.bytes))?;
            self.owed().kept(session, track);
        }
    }

    fn keep_lines(&self, session: SessionId) -> io::Result<()> {
        let lines = self.owed().lines(session);
        self.spool.note(session, &lines)?;
        self.owed().noted(session, lines.len());
        Ok(())
    }

    fn tell(&self, session: SessionId, over: Over) {
        let Over { participant, track, segments, at } = over;
        self.rooms.remove_track(session, &track);
        // The other side ends only after us, unless it panicked, and then `run` says so.
        let what = What::Ended { segments };
        let _ = self.facts.send(Fact::Seen(Seen { session, participant, track, what, at }));
    }

    fn tracks(&self, session: SessionId) -> Vec<TrackName> {
        self.owed().tracks(session)
    }

    fn settled(&self, session: SessionId) -> Option<Vec<Over>> {
        self.owed().settled(session)
    }

    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
