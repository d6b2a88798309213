//! Where in the recording a picture is, by the RTP timestamp that whoever watches saw: for stills of what was shown just now.

use std::collections::VecDeque;

use chrono::DateTime;
use tokio::sync::oneshot;

use super::{MediaError, RecordedFrame, RecordedSegment};

/// Milliseconds that a picture is remembered.
const REMEMBERED: i64 = 90_000;
/// What was recorded so much earlier, in RTP units of 1/90,000 s, isn't what was seen.
const MOST_BEFORE: u32 = 90_000;

/// The newest pictures of one recording.
#[derive(Debug, Default)]
pub(super) struct Shown {
    frames: VecDeque<Frame>,
    asked: Vec<(Frame, Answer)>,
}

/// Where the answer goes.
pub(super) type Answer = oneshot::Sender<Result<RecordedFrame, MediaError>>;

#[derive(Debug, Clone)]
struct Frame {
    rtp_timestamp: u32,
    /// Milliseconds since 1970, as the recording has it.
    at: i64,
    /// Where it is, once its segment is whole: before, nobody knows which that is.
    found: Option<RecordedFrame>,
}

impl Shown {
    /// A picture was recorded.
    pub(super) fn add(&mut self, rtp_timestamp: u32, at: i64) {
        self.frames.push_back(Frame { rtp_timestamp, at, found: None });
        while self.frames.front().is_some_and(|oldest| oldest.at < at - REMEMBERED) {
            self.frames.pop_front();
        }
    }

    /// Somebody asks for the picture with that timestamp, or the one before it. They are answered once its segment is whole.
    pub(super) fn ask(&mut self, rtp_timestamp: u32, answer: Answer) {
        let before = |frame: &&Frame| rtp_timestamp.wrapping_sub(frame.rtp_timestamp) <= MOST_BEFORE;
        match self.frames.iter().rev().find(before) {
            Some(Frame { found: Some(found), .. }) => drop(answer.send(Ok(found.clone()))),
            Some(frame) => self.asked.push((frame.clone(), answer)),
            None => drop(answer.send(Err(MediaError::NoSuchFrame))),
        }
    }

    /// A segment of the file that began at that millisecond since 1970 is whole.
    pub(super) fn written(&mut self, segment: &RecordedSegment, began: i64) {
        let ends_at = segment.ends_at.timestamp_millis();
        let found = |frame: &Frame| RecordedFrame {
            track: segment.track.clone(),
            rtp_timestamp: frame.rtp_timestamp,
            file_ms: u64::try_from(frame.at - began).unwrap_or_default(),
            segment: segment.seq,
            at: DateTime::from_timestamp_millis(frame.at).unwrap_or_default(),
        };
        for frame in self.frames.iter_mut().rev().take_while(|frame| frame.found.is_none()) {
            if frame.at <= ends_at {
                frame.found = Some(found(frame));
            }
        }
        for (frame, answer) in self.asked.extract_if(.., |(frame, _)| frame.at <= ends_at) {
            // Nobody may be waiting any more.
            drop(answer.send(Ok(found(&frame))));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use ids::{ParticipantId, SessionId};
    use uuid::Uuid;

    use super::*;

    const BEGAN: i64 = 1_700_000_000_000;

    fn segment(seq: u64, ends: i64) -> RecordedSegment {
        let at = |millis| DateTime::from_timestamp_millis(BEGAN + millis).unwrap();
        RecordedSegment {
            session: SessionId::from(Uuid::nil()),
            participant: ParticipantId::from(Uuid::nil()),
            track: "caller-1".parse().unwrap(),
            seq,
            starts_at: at(0),
            ends_at: at(ends),
            bytes: Bytes::new(),
        }
    }

    /// Pictures 40 ms apart, from just before the timestamps begin anew.
    fn shown(frames: u32) -> Shown {
        let mut shown = Shown::default();
        for n in 0..frames {
            shown.add(rtp(n), BEGAN + i64::from(n) * 40);
        }
        shown
    }

    fn rtp(n: u32) -> u32 {
        (n * 3_600).wrapping_sub(10 * 3_600)
    }

    #[test]
    fn a_picture_is_found_once_its_segment_is_whole() {
        let mut shown = shown(50);
        let ask = |shown: &mut Shown, timestamp| {
            let (answer, mut answered) = oneshot::channel();
            shown.ask(timestamp, answer);
            move || answered.try_recv().ok().map(|frame| frame.map(|it| (it.rtp_timestamp, it.file_ms, it.segment)))
        };
        let (mut early, mut late) = (ask(&mut shown, rtp(12)), ask(&mut shown, rtp(30) + 100));
        assert_eq!((early(), late()), (None, None));
        shown.written(&segment(0, 960), BEGAN);
        assert_eq!((early(), late()), (Some(Ok((rtp(12), 480, 0))), None));
        shown.written(&segment(1, 1_960), BEGAN);
        assert_eq!(late(), Some(Ok((rtp(30), 1_200, 1))), "the one before what was asked for");
        assert_eq!(ask(&mut shown, rtp(24))(), Some(Ok((rtp(24), 960, 0))), "known at once");
        assert_eq!(ask(&mut shown, rtp(0) - 1)(), Some(Err(MediaError::NoSuchFrame)), "before the first");
        assert_eq!(ask(&mut shown, rtp(49) + MOST_BEFORE + 1)(), Some(Err(MediaError::NoSuchFrame)), "nothing like it");
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let shown = shown(5_000);
        assert_eq!(shown.frames.len(), 2_251);
        assert_eq!(shown.frames.back().unwrap().at, BEGAN + 4_999 * 40);
    }
}
