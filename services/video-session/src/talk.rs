//! What is written in the calls of this process: kept in the spool, then told to everybody who reads.
//!
//! A call's lines are in memory while somebody reads or writes there, so that a page which comes late hears them from the
//! first one on. Of a call that isn't recorded they are nowhere else, and go with the last of its readers. Never in Postgres,
//! in an event, a log or a span.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::{DateTime, Utc};
use exhibit::jcs;
use ids::SessionId;
use tokio::sync::{Mutex as Turn, watch};
use tracing::Instrument;

use crate::{
    app::App,
    domain::{self, Content, Line, Role, Wording, Writer},
    error::Error,
    spool::{Lines, Owner, Spool},
    store::Named,
};

/// Where lines are written and read. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Talk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    spool: Spool,
    rooms: Mutex<HashMap<SessionId, Weak<Room>>>,
}

/// Numbers leap to here with each part: they only grow, though who takes a session over doesn't have its earlier lines.
const EACH_PART: u32 = 10_000;

/// The lines that are known here, and their numbers.
#[derive(Debug, Default)]
struct Said {
    lines: Vec<Line>,
    numbers: Vec<u32>,
}

/// One session's lines. Who writes next waits for their turn here, and not on a connection to the database.
#[derive(Debug)]
struct Room {
    said: watch::Sender<Said>,
    /// True once the lines that an earlier process kept are here.
    turn: Turn<bool>,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its number within the session: counts up, from 1.
    pub number: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// The caller has written it, and their word for "come now" is in it.
    pub asks: bool,
}

/// One reader's place.
#[derive(Debug)]
pub struct Reader {
    /// Keeps the lines here.
    _room: Arc<Room>,
    said: watch::Receiver<Said>,
    next: usize,
}

impl Talk {
    /// Over the spool that keeps it.
    #[must_use]
    pub fn new(spool: Spool) -> Self {
        Self(Arc::new(Inner { spool, rooms: Mutex::default() }))
    }

    /// Writes a line: when this returns it is kept, and told to the others. The writer's own id makes a repeat harmless.
    ///
    /// # Errors
    /// They may not; it can't be written; the id came before with something else; the disk or the database fails.
    pub async fn write(&self, app: &App, who: Named, request: String, wording: Wording) -> Result<Written, Error> {
        let (talk, app) = (self.clone(), app.clone());
        // Its own task: what is kept is told, though the one who asked has hung up meanwhile.
        let writing = async move { talk.write_in_turn(&app, who, request, wording).await }.in_current_span();
        tokio::spawn(writing).await.map_err(io::Error::other).map_err(Error::Spool)?
    }

    async fn write_in_turn(&self, app: &App, who: Named, request: String, wording: Wording) -> Result<Written, Error> {
        let room = self.room(who.session);
        let mut turn = room.turn.lock().await;
        self.fill(&room, &mut turn, who.session).await.map_err(Error::Spool)?;
        let floor = app.give_floor(who).await?;
        let writer = Writer { participant: who.participant, role: floor.role, request };
        let line = {
            let before = room.said.borrow();
            match writer.write(&before.lines, wording, app.now())? {
                // Said again, perhaps, because nobody got as far as to tell of it.
                domain::Turn::Repeated(index) => {
                    let (number, line) = (before.numbers[index], &before.lines[index]);
                    return Ok(Written { number, at: line.at, asks: asks(app, who.session, floor.word_hash, line) });
                }
                domain::Turn::Fresh(line) => line,
            }
        };
        let (at, mut number) = (line.at, 0);
        let asks = asks(app, who.session, floor.word_hash, &line);
        let part = match floor.kept.clone().filter(|_| !floor.paused) {
            Some(owner) => self.keep(owner, &line).instrument(floor.span.clone()).await.map_err(Error::Spool)?,
            None => floor.epoch,
        };
        room.said.send_modify(|said| number = said.push(part, line));
        floor.yield_up().await?;
        Ok(Written { number, at, asks })
    }

    /// Answers in which part.
    async fn keep(&self, owner: Owner, line: &Line) -> io::Result<u64> {
        let text = String::from_utf8(jcs::to_vec(line).map_err(io::Error::other)?).map_err(io::Error::other)?;
        let spool = self.0.spool.clone();
        let kept = tokio::task::spawn_blocking(move || {
            // Somebody may write before anybody's picture is there.
            spool.prepare(&owner)?;
            spool.append(owner.session, Lines::Chat, &[text])?;
            Ok(spool.owner(owner.session).map_or(owner.part, |known| known.part))
        });
        kept.await.map_err(io::Error::other)?
    }

    /// Reads a session's lines, from its first.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn read(&self, session: SessionId) -> io::Result<Reader> {
        let room = self.room(session);
        self.fill(&room, &mut *room.turn.lock().await, session).await?;
        Ok(Reader { said: room.said.subscribe(), _room: room, next: 0 })
    }

    fn room(&self, session: SessionId) -> Arc<Room> {
        let mut rooms = self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(&session).and_then(Weak::upgrade) {
            return room;
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let room = Arc::new(Room { said: watch::Sender::new(Said::default()), turn: Turn::new(false) });
        rooms.insert(session, Arc::downgrade(&room));
        room
    }

    /// Fetches what is kept, the first time.
    async fn fill(&self, room: &Room, is_full: &mut bool, session: SessionId) -> io::Result<()> {
        if *is_full {
            return Ok(());
        }
        let spool = self.0.spool.clone();
        let kept = tokio::task::spawn_blocking(move || spool.lines_by_part(session, Lines::Chat)).await;
        let kept = kept.map_err(io::Error::other)??;
        let mut said = Said::default();
        for (part, lines) in kept {
            // A line torn by a crash was acknowledged to nobody; the transcript shows what there is of it.
            for line in lines.iter().filter_map(|line| serde_json::from_str(line).ok()) {
                said.push(part, line);
            }
        }
        room.said.send_replace(said);
        *is_full = true;
        Ok(())
    }
}

/// Is it the caller's, with their word for "come now" in it?
pub(crate) fn asks(app: &App, session: SessionId, word_hash: Option<[u8; 32]>, line: &Line) -> bool {
    match (&line.content, word_hash) {
        (Content::Text { text, .. }, Some(hash)) if line.role == Role::Caller => app.is_word_in(session, hash, text),
        _ => false,
    }
}

impl Reader {
    /// Every line that this reader hasn't had, with its number.
    pub fn take(&mut self) -> Vec<(u32, Line)> {
        let said = self.said.borrow_and_update();
        let all = said.numbers.iter().copied().zip(said.lines.iter().cloned());
        let fresh = all.skip(self.next).collect();
        self.next = said.lines.len();
        fresh
    }

    /// Wakes when there is more.
    pub async fn more(&mut self) {
        if self.said.changed().await.is_err() {
            // The room is ours, so its sender can't be gone.
            std::future::pending::<()>().await;
        }
    }

    /// The same as a stream, for whoever listens to several things at once.
    pub fn news(&self) -> impl futures::Stream<Item = ()> + use<> {
        futures::stream::unfold(self.said.clone(), |mut said| async {
            said.changed().await.ok()?;
            Some(((), said))
        })
    }
}

impl Said {
    fn push(&mut self, part: u64, line: Line) -> u32 {
        let first =
            u32::try_from(part.saturating_sub(1)).unwrap_or(u32::MAX).saturating_mul(EACH_PART).saturating_add(1);
        let number = self.numbers.last().map_or(first, |last| first.max(last.saturating_add(1)));
        self.lines.push(line);
        self.numbers.push(number);
        number
    }
}
