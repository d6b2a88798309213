//! What the media core has given and the disk hasn't taken yet. Pure; every track keeps its order.
//!
//! Memory is bounded. When it is full, whichever track owes most gives up its newest segments: in their place goes one hole a
//! track, which is a line in the ledger, and in the film a segment for each that says nothing (`media::VOID`), for numbers and
//! chain must go on without a gap. A track's first segment has the file's header, and is never given up.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};

use crate::{
    ledger,
    media::{self, RecordedSegment},
};

/// Lines of one session that may wait. Orders about the recording and covers are beside it: there are few, and each must be known.
const MOST_LINES: usize = 10_000;

/// All sessions' debts.
#[derive(Debug)]
pub(super) struct Owed {
    sessions: HashMap<SessionId, Session>,
    /// Of segments.
    bytes: usize,
    most: usize,
}

#[derive(Debug, Default)]
struct Session {
    tracks: BTreeMap<TrackName, Track>,
    lines: VecDeque<String>,
    lost: Option<LostLines>,
    over: Vec<Over>,
    is_sick: bool,
}

#[derive(Debug, Default)]
struct Track {
    /// The first one may be on its way to the disk.
    segments: VecDeque<RecordedSegment>,
    bytes: usize,
    /// After the last segment.
    hole: Option<Hole>,
    /// Before the first segment: it is being written.
    filling: Option<Hole>,
}

/// Segments in a row of one track that were given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) participant: ParticipantId,
    pub(crate) track: TrackName,
    /// Number of the first, and one more than the last.
    pub(crate) segments: std::ops::Range<u64>,
    /// Wall clock of the first frame in it.
    pub(crate) starts_at: DateTime<Utc>,
    /// Wall clock of the last frame in it.
    pub(crate) ends_at: DateTime<Utc>,
}

/// Lines of a ledger that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LostLines {
    pub(crate) count: u64,
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// A publication is over: to be told once everything of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Over {
    pub(super) participant: ParticipantId,
    pub(super) track: TrackName,
    /// How many were made in all.
    pub(super) segments: u64,
    pub(super) at: DateTime<Utc>,
}

/// How much of a session was given up for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned {
    pub(super) segments: usize,
    pub(super) lines: usize,
}

impl Owed {
    /// Nothing is owed, and segments of no more than so many bytes ever will be (but for one a track).
    pub(super) fn new(most: usize) -> Self {
        Self { sessions: HashMap::new(), bytes: 0, most }
    }

    /// A segment is owed. True: nobody sees to this session yet.
    pub(super) fn segment(&mut self, segment: RecordedSegment) -> bool {
        let is_new = !self.sessions.contains_key(&segment.session);
        let session = self.sessions.entry(segment.session).or_default();
        let track = session.tracks.entry(segment.track.clone()).or_default();
        match &mut track.hole {
            Some(hole) => hole.append(&segment),
            None => {
                track.bytes += segment.bytes.len();
                self.bytes += segment.bytes.len();
                track.segments.push_back(segment);
                self.shed();
            }
        }
        is_new
    }

    /// A line of the ledger is owed, of something that happened then. True: nobody sees to this session yet.
    pub(super) fn line(&mut self, session: SessionId, at: DateTime<Utc>, line: String) -> bool {
        let is_new = !self.sessions.contains_key(&session);
        let session = self.sessions.entry(session).or_default();
        if session.lines.len() < MOST_LINES && session.lost.is_none() {
            session.lines.push_back(line);
        } else {
            let lost = session.lost.get_or_insert(LostLines { count: 0, since: at, until: at });
            (lost.count, lost.until) = (lost.count + 1, at);
        }
        is_new
    }

    /// The line of an order about the recording, of a cover, or of a call for help, is owed. True: nobody sees to this session yet.
    pub(super) fn order(&mut self, session: SessionId, line: String) -> bool {
        let is_new = !self.sessions.contains_key(&session);
        self.sessions.entry(session).or_default().lines.push_back(line);
        is_new
    }

    /// A publication is over. True: nobody sees to this session yet.
    pub(super) fn over(&mut self, session: SessionId, over: Over) -> bool {
        let is_new = !self.sessions.contains_key(&session);
        self.sessions.entry(session).or_default().over.push(over);
        is_new
    }

    /// Of which tracks segments are owed.
    pub(super) fn tracks(&self, session: SessionId) -> Vec<TrackName> {
        let tracks = self.sessions.get(&session).map(|session| session.tracks.keys().cloned());
        tracks.into_iter().flatten().collect()
    }

    /// The segment of a track that is to be kept next. It stays owed until it is [`Owed::kept`].
    pub(super) fn next(&mut self, id: SessionId, name: &TrackName) -> Option<RecordedSegment> {
        let session = self.sessions.get_mut(&id)?;
        let track = session.tracks.get_mut(name)?;
        if track.segments.is_empty() && track.filling.is_none() {
            track.filling = track.hole.take();
            session.lines.extend(track.filling.as_ref().map(ledger::not_kept));
        }
        match &track.filling {
            Some(hole) => Some(hole.void(id)),
            None => track.segments.front().cloned(),
        }
    }

    /// What was next is kept.
    pub(super) fn kept(&mut self, session: SessionId, name: &TrackName) {
        let Some(session) = self.sessions.get_mut(&session) else { return };
        let Some(track) = session.tracks.get_mut(name) else { return };
        if let Some(hole) = &mut track.filling {
            hole.segments.start += 1;
            if hole.segments.is_empty() {
                track.filling = None;
            }
        } else if let Some(kept) = track.segments.pop_front() {
            track.bytes -= kept.bytes.len();
            self.bytes -= kept.bytes.len();
        }
        if track.is_empty() {
            session.tracks.remove(name);
        }
    }

    /// The lines that are owed. They stay so until they are [`Owed::noted`].
    pub(super) fn lines(&mut self, session: SessionId) -> Vec<String> {
        let Some(session) = self.sessions.get_mut(&session) else { return Vec::new() };
        session.lines.extend(session.lost.take().map(ledger::lines_lost));
        session.lines.iter().cloned().collect()
    }

    /// So many of them, the first ones, are kept.
    pub(super) fn noted(&mut self, session: SessionId, count: usize) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.lines.drain(..count.min(session.lines.len()));
        }
    }

    /// The publications that may be told to be over; `None`: nothing is owed, and whoever sees to the session is done.
    pub(super) fn settled(&mut self, id: SessionId) -> Option<Vec<Over>> {
        let session = self.sessions.get_mut(&id)?;
        if !session.tracks.is_empty() || !session.lines.is_empty() || session.lost.is_some() {
            return Some(Vec::new());
        }
        let over = mem::take(&mut session.over);
        if over.is_empty() {
            self.sessions.remove(&id);
            return None;
        }
        Some(over)
    }

    /// There is no place to keep anything of this session.
    pub(super) fn abandon(&mut self, session: SessionId) -> Abandoned {
        let Some(session) = self.sessions.get_mut(&session) else { return Abandoned { segments: 0, lines: 0 } };
        let tracks = mem::take(&mut session.tracks);
        self.bytes -= tracks.values().map(|track| track.bytes).sum::<usize>();
        session.lost = None;
        let segments = tracks.values().map(|track| track.segments.len()).sum();
        Abandoned { segments, lines: mem::take(&mut session.lines).len() }
    }

    /// The disk took what was owed of a session, or didn't. Gives back whether all is well with all of them.
    pub(super) fn found(&mut self, session: SessionId, is_well: bool) -> bool {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.is_sick = !is_well;
        }
        !self.sessions.values().any(|session| session.is_sick)
    }

    /// Gives up what there is no room for.
    fn shed(&mut self) {
        while self.bytes > self.most {
            let tracks = self.sessions.values_mut().flat_map(|session| session.tracks.values_mut());
            let most = tracks.filter(|track| track.segments.len() > 1).max_by_key(|track| track.bytes);
            let Some((track, given_up)) = most.and_then(|track| track.segments.pop_back().map(|last| (track, last)))
            else {
                return;
            };
            track.bytes -= given_up.bytes.len();
            self.bytes -= given_up.bytes.len();
            match &mut track.hole {
                Some(hole) => hole.prepend(&given_up),
                None => track.hole = Some(Hole::of(&given_up)),
            }
        }
    }
}

impl Track {
    fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.hole.is_none() && self.filling.is_none()
    }
}

impl Hole {
    fn of(segment: &RecordedSegment) -> Self {
        Self {
            participant: segment.participant,
            track: segment.track.clone(),
            segments: segment.seq..segment.seq + 1,
            starts_at: segment.starts_at,
            ends_at: segment.ends_at,
        }
    }

    fn append(&mut self, next: &RecordedSegment) {
        self.segments.end = next.seq + 1;
        self.ends_at = next.ends_at;
    }

    fn prepend(&mut self, before: &RecordedSegment) {
        self.segments.start = before.seq;
        self.starts_at = before.starts_at;
    }

    /// What goes into the film for the first of its segments.
    fn void(&self, session: SessionId) -> RecordedSegment {
        RecordedSegment {
            session,
            participant: self.participant,
            track: self.track.clone(),
            seq: self.segments.start,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            bytes: Bytes::from_static(media::VOID),
        }
    }
}

#[cfg(test)]
mod tests;
