//! Frames to segments of a Matroska file, each at most a second long and beginning with a key frame where one comes.
//!
//! Blocks wait here until every track has passed the cluster's end (or until a silent track has been waited for), so that
//! a cluster is complete and in order when it leaves, and is never touched again.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::DateTime;

use super::{
    Publication, RecordedSegment,
    matroska::{self, AUDIO, Block, Picture, VIDEO},
};

/// A cluster is never longer.
const LONGEST: i64 = 1_000;
/// How long a track may lag before a cluster closes without it: the longest reordering, and a little.
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

    /// True until the header is made: until then the picture can still be described.
    pub(super) fn awaits_header(&self) -> bool {
        self.began.is_none()
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

    /// Segments that are complete at `now`, when the wall clock says `wall` microseconds.
    pub(super) fn poll(&mut self, now: Instant, wall: i64, out: &mut Vec<RecordedSegment>) {
        let waited = !self.paused && self.first_block.is_some_and(|first| now >= first + HEADER_WAIT);
        if self.began.is_none() && (self.is_described() || waited) {
            self.make_header();
        }
        if self.began.is_none() {
            return;
        }
        let passed = self.passed().max(wall / 1_000 - PATIENCE);
        while let Some(end) = self.cluster_end()
            && end <= passed
        {
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
        self.pending.push(Waiting { track, at, key, data });
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

    /// Where the oldest pending cluster ends: at the next key frame, or after a second.
    fn cluster_end(&self) -> Option<i64> {
        let start = self.pending.iter().map(|block| block.at).min()?;
        let keys = self.pending.iter().filter(|block| block.track == VIDEO && block.key && block.at > start);
        let next_key = keys.map(|block| block.at).min().unwrap_or(i64::MAX);
        Some(next_key.min(start + LONGEST))
    }

    fn close(&mut self, end: i64, out: &mut Vec<RecordedSegment>) {
        let Some(began) = self.began else { return };
        let mut blocks: Vec<Waiting> = self.pending.extract_if(.., |block| block.at < end).collect();
        blocks.sort_by_key(|block| block.at);
        self.left = end;
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
        let (starts_at, ends_at) = (first.at, last.at);
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
mod tests {
    use ids::{ParticipantId, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::Recording;

    const START: i64 = 1_700_000_000_000_000;

    fn recorder(picture: Option<Picture>, sound: bool) -> Recorder {
        let publication = Publication {
            session: SessionId::from(Uuid::nil()),
            participant: ParticipantId::from(Uuid::nil()),
            track: "caller-1".parse().unwrap(),
            recording: Recording::On,
            yields: false,
        };
        Recorder::new(publication, picture, sound)
    }

    fn data() -> Bytes {
        Bytes::from_static(b"x")
    }

    fn millis(segment: &RecordedSegment) -> (i64, i64) {
        let since = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis() - START / 1_000;
        (since(segment.starts_at), since(segment.ends_at))
    }

    #[test]
    fn clusters_end_at_key_frames_and_after_a_second() {
        let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
        for step in 0..100 {
            let wall = START + step * 20_000;
            recorder.audio(now, wall, data());
            if step % 2 == 0 {
                recorder.describe(Picture::Vp8, Some((640, 360)));
                recorder.video(now, wall, step == 0 || step == 20, data());
            }
            recorder.poll(now, wall, &mut out);
        }
        recorder.finish(&mut out);
        let spans: Vec<_> = out.iter().map(millis).collect();
        assert_eq!(spans, [(0, 380), (400, 1_380), (1_400, 1_980)]);
        assert_eq!(out.iter().map(|segment| segment.seq).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(
            out[0].bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) && out[1].bytes.starts_with(&[0x1f, 0x43, 0xb6, 0x75])
        );
    }

    #[test]
    fn the_header_waits_two_seconds_for_a_key_frame_and_no_longer() {
        let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
        for step in 0..150 {
            let after = Duration::from_millis(step * 20);
            let wall = START + i64::try_from(after.as_micros()).unwrap();
            recorder.audio(now + after, wall, data());
            recorder.poll(now + after, wall, &mut out);
            assert!(after >= HEADER_WAIT || out.is_empty());
        }
        assert_eq!(millis(&out[0]), (0, 980));
        recorder.finish(&mut out);
        assert_eq!(millis(out.last().unwrap()), (2_000, 2_980));
    }

    #[test]
    fn time_never_runs_backwards() {
        let (mut recorder, now, mut out) = (recorder(None, true), Instant::now(), Vec::new());
        for step in 0..60 {
            recorder.audio(now, START + step * 20_000, data());
        }
        recorder.poll(now, START + 1_200_000, &mut out);
        assert_eq!(millis(&out[0]), (0, 980));
        // The anchor moves back by 300 ms, to before what has left.
        recorder.audio(now, START + 900_000, data());
        recorder.finish(&mut out);
        assert_eq!(millis(&out[1]), (1_000, 1_181));
    }

    #[test]
    fn a_silent_track_is_not_waited_for_long() {
        let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
        recorder.describe(Picture::Vp8, Some((640, 360)));
        recorder.video(now, START, true, data());
        for step in 0..60 {
            recorder.audio(now, START + step * 20_000, data());
        }
        recorder.poll(now, START + 1_100_000, &mut out);
        assert!(out.is_empty());
        recorder.poll(now, START + 1_600_000, &mut out);
        assert_eq!(out.len(), 1);
    }

    #[test]
    fn what_is_ahead_of_our_clock_waits_no_longer_than_that() {
        let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
        recorder.describe(Picture::Vp8, Some((640, 360)));
        for step in 0..1_000 {
            let wall = START + step * 20_000;
            recorder.video(now, wall + 2_000_000, step == 0, data());
            recorder.poll(now, wall, &mut out);
            assert!(recorder.pending.len() < 200, "{step}");
        }
    }

    #[test]
    fn a_pause_is_a_hole_in_the_same_file() {
        let (mut recorder, now, mut out) = (recorder(None, true), Instant::now(), Vec::new());
        for step in 0..150 {
            match step {
                20 => recorder.pause(&mut out),
                25 => recorder.resume(now),
                _ => {}
            }
            assert_eq!(recorder.audio(now, START + step * 20_000, data()).is_some(), !(20..25).contains(&step));
            recorder.poll(now, START + step * 20_000, &mut out);
        }
        recorder.finish(&mut out);
        let spans: Vec<_> = out.iter().map(millis).collect();
        assert_eq!(spans, [(0, 380), (500, 1_480), (1_500, 2_480), (2_500, 2_980)]);
        assert_eq!(out[1].seq, 1);
        assert!(out[1].bytes.starts_with(&[0x1f, 0x43, 0xb6, 0x75]), "no second header");
    }

    #[test]
    fn a_pause_before_the_first_key_frame_does_not_guess_at_the_picture() {
        let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
        assert!(recorder.audio(now, START, data()).is_some());
        recorder.pause(&mut out);
        recorder.poll(now + HEADER_WAIT * 2, START + 4_000_000, &mut out);
        assert!(out.is_empty() && recorder.awaits_header());
        recorder.resume(now + HEADER_WAIT * 2);
        recorder.describe(Picture::Vp8, Some((640, 360)));
        assert!(recorder.video(now, START + 4_100_000, true, data()).is_some());
        recorder.finish(&mut out);
        assert_eq!(out.iter().map(millis).collect::<Vec<_>>(), [(0, 0), (4_100, 4_100)]);
    }

    #[test]
    fn nothing_received_is_nothing_written() {
        let mut out = Vec::new();
        let mut recorder = recorder(Some(Picture::Vp8), true);
        recorder.poll(Instant::now(), START, &mut out);
        recorder.finish(&mut out);
        assert!(out.is_empty());
    }
}
