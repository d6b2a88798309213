//! Frames to segments of a Matroska file, each less than a second long and beginning with a key frame where one comes.
//!
//! Blocks wait here until every track has passed the cluster's end (or until a silent track has been waited for), so that
//! a cluster is complete and in order when it leaves, and is never touched again. That wait begins when a block is here, not when it was
//! spoken: what a process that stood still finds in its sockets is seconds old, and keeps the times that it has. The file begins with the
//! oldest block that is here when the first cluster leaves: a stream may be older than another that came before it (`settling`).

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::DateTime;

use super::{
    Publication, RecordedSegment,
    matroska::{self, AUDIO, Block, Picture, VIDEO},
};

/// A cluster is never longer, in milliseconds: with its way to the disk, a kill is to cost no more than a second.
const LONGEST: i64 = 900;
/// How many milliseconds a track may lag before a cluster closes without it: the longest reordering, and a little.
const PATIENCE: i64 = 600;
/// How long the header waits for the first key frame, which names the picture's size.
const HEADER_WAIT: Duration = Duration::from_secs(2);
/// What the header says when no key frame came in time; decoders believe the frames.
const UNKNOWN_SIZE: (u16, u16) = (640, 480);

/// Writes one publication.
#[derive(Debug)]
pub(super) struct Recorder {
    publication: Publication,
    picture: Option<Picture>,
    sound: bool,
    size: Option<(u16, u16)>,
    first_block: Option<Instant>,
    /// Milliseconds since 1970 of the file's millisecond 0, once the header is made.
    began: Option<i64>,
    header: Option<Bytes>,
    pending: Vec<Waiting>,
    /// Newest time of each track: video, audio.
    newest: [Option<i64>; 2],
    /// Everything before this has left.
    left: i64,
    /// Takes nothing for now.
    paused: bool,
    seq: u64,
}

#[derive(Debug)]
struct Waiting {
    track: u8,
    at: i64,
    came: Instant,
    key: bool,
    data: Bytes,
}

impl Recorder {
    pub(super) fn new(publication: Publication, picture: Option<Picture>, sound: bool) -> Self {
        Self {
            publication,
            picture,
            sound,
            size: None,
            first_block: None,
            began: None,
            header: None,
            pending: Vec::new(),
            newest: [None; 2],
            left: i64::MIN,
            paused: false,
            seq: 0,
        }
    }

    /// How many segments there are so far.
    pub(super) fn segments(&self) -> u64 {
        self.seq
    }

    /// Does the header, which isn't made yet, lack what a key frame says?
    pub(super) fn is_undescribed(&self) -> bool {
        self.began.is_none() && !self.is_described()
    }

    /// What a frame says of the picture: for the header.
    pub(super) fn describe(&mut self, picture: Picture, size: Option<(u16, u16)>) {
        self.picture = Some(picture);
        self.size = self.size.or(size);
    }

    /// Milliseconds since 1970 of the file's millisecond 0, once there is a file.
    pub(super) fn began(&self) -> Option<i64> {
        self.began
    }

    /// A whole frame, at `wall` microseconds since 1970. Gives when it is in the recording, in milliseconds since 1970; `None` in a
    /// pause.
    pub(super) fn video(&mut self, now: Instant, wall: i64, key: bool, data: Bytes) -> Option<i64> {
        self.push(now, VIDEO, wall, key, data)
    }

    /// One Opus packet. The same.
    pub(super) fn audio(&mut self, now: Instant, wall: i64, data: Bytes) -> Option<i64> {
        self.push(now, AUDIO, wall, true, data)
    }

    /// Takes nothing more for now; what it has leaves. Without a header, which can't be made before a key frame has described the
    /// picture, it stays until there is one.
    pub(super) fn pause(&mut self, out: &mut Vec<RecordedSegment>) {
        self.paused = true;
        if self.began.is_none() && self.is_described() {
            self.make_header();
        }
        if self.began.is_some() {
            self.close_all(out);
            // What comes next may come before the last cluster would have been full.
            self.left = self.newest.into_iter().flatten().max().map_or(self.left, |newest| newest + 1);
        }
    }

    /// Goes on in the same file, at the time that it then is.
    pub(super) fn resume(&mut self, now: Instant) {
        self.paused = false;
        if self.began.is_none() && self.first_block.is_some() {
            self.first_block = Some(now);
        }
    }

    /// Does it take what it is given?
    pub(super) fn is_on(&self) -> bool {
        !self.paused
    }

    /// Segments that are complete at `now`.
    pub(super) fn poll(&mut self, now: Instant, out: &mut Vec<RecordedSegment>) {
        let waited = !self.paused && self.first_block.is_some_and(|first| now >= first + HEADER_WAIT);
        if self.is_undescribed() && !waited {
            return;
        }
        let passed = self.passed();
        while let Some(end) = self.cluster_end()
            && (end <= passed || self.is_overdue(now, end))
        {
            if self.began.is_none() {
                self.make_header();
            }
            self.close(end, out);
        }
    }

    /// Everything that is left: the publication is over.
    pub(super) fn finish(&mut self, out: &mut Vec<RecordedSegment>) {
        if self.began.is_none() {
            self.make_header();
        }
        self.close_all(out);
    }

    fn close_all(&mut self, out: &mut Vec<RecordedSegment>) {
        while let Some(end) = self.cluster_end() {
            self.close(end, out);
        }
    }

    fn push(&mut self, now: Instant, track: u8, wall: i64, key: bool, data: Bytes) -> Option<i64> {
        if self.paused {
            return None;
        }
        self.first_block.get_or_insert(now);
        let newest = &mut self.newest[usize::from(track == AUDIO)];
        // Anchors move when reports come, and a silent track may come back late: time never runs backwards for a player.
        let at = (wall / 1_000).max(newest.map_or(i64::MIN, |newest| newest + 1)).max(self.left);
        *newest = Some(at);
        self.pending.push(Waiting { track, at, came: now, key, data });
        Some(at)
    }

    fn is_described(&self) -> bool {
        self.size.is_some() || self.picture.is_none()
    }

    fn make_header(&mut self) {
        let Some(began) = self.pending.iter().map(|block| block.at).min() else { return };
        let picture = self.picture.as_ref().map(|picture| (picture, self.size.unwrap_or(UNKNOWN_SIZE)));
        self.header = Some(matroska::header(began * 1_000, picture, self.sound));
        self.began = Some(began);
        self.left = began;
    }

    /// How far every track has come: no block before this can be new.
    fn passed(&self) -> i64 {
        let tracks = [(self.picture.is_some(), self.newest[0]), (self.sound, self.newest[1])];
        let known = tracks.into_iter().filter(|(declared, _)| *declared);
        known.map(|(_, newest)| newest.unwrap_or(i64::MIN)).min().unwrap_or(i64::MIN)
    }

    /// Where the oldest pending cluster ends: at the next key frame, or when it is as long as it may be.
    fn cluster_end(&self) -> Option<i64> {
        let start = self.pending.iter().map(|block| block.at).min()?;
        let keys = self.pending.iter().filter(|block| block.track == VIDEO && block.key && block.at > start);
        let next_key = keys.map(|block| block.at).min().unwrap_or(i64::MAX);
        Some(next_key.min(start + LONGEST))
    }

    /// Has the cluster that ends here been waited for as long as a track may lag?
    fn is_overdue(&self, now: Instant, end: i64) -> bool {
        let until = |block: &Waiting| {
            block.came + Duration::from_millis((end - block.at + PATIENCE).try_into().unwrap_or_default())
        };
        self.pending.iter().filter(|block| block.at < end).any(|block| until(block) <= now)
    }

    fn close(&mut self, end: i64, out: &mut Vec<RecordedSegment>) {
        let Some(began) = self.began else { return };
        let mut blocks: Vec<Waiting> = self.pending.extract_if(.., |block| block.at < end).collect();
        blocks.sort_by_key(|block| block.at);
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
        let (starts_at, ends_at) = (first.at, last.at);
        // Not the cluster's end: what comes late, but after this, keeps its time.
        self.left = last.at + 1;
        let blocks: Vec<Block> = blocks
            .into_iter()
            .map(|block| Block {
                track: block.track,
                at: u64::try_from(block.at - began).unwrap_or_default(),
                key: block.key,
                data: block.data,
            })
            .collect();
        let cluster = matroska::cluster(&blocks);
        let bytes = match self.header.take() {
            Some(header) => {
                let mut bytes = BytesMut::with_capacity(header.len() + cluster.len());
                bytes.extend_from_slice(&header);
                bytes.extend_from_slice(&cluster);
                bytes.freeze()
            }
            None => cluster,
        };
        out.push(RecordedSegment {
            session: self.publication.session,
            participant: self.publication.participant,
            track: self.publication.track.clone(),
            seq: self.seq,
            starts_at: DateTime::from_timestamp_millis(starts_at).unwrap_or_default(),
            ends_at: DateTime::from_timestamp_millis(ends_at).unwrap_or_default(),
            bytes,
        });
        self.seq += 1;
    }
}

#[cfg(test)]
mod tests;
