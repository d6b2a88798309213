//! One of a publication's two streams: its packets put in order, and its clock.

use std::time::{Duration, Instant};

use rtc::rtp::Packet;

use super::{
    frames::Frame,
    reorder::Reorder,
    timeline::{SenderClock, Timeline},
};

/// What comes this late is recorded all the same: a repair, or what a path with 150 ms of jitter and a busy machine held up.
const HOLD: Duration = Duration::from_millis(400);

/// Picture or sound.
pub(super) struct Stream {
    pub(super) ssrc: Option<u32>,
    pub(super) reorder: Reorder<Packet>,
    pub(super) timeline: Timeline,
    /// When the newest packet came, in microseconds since 1970.
    pub(super) heard: Option<i64>,
    /// What is to be recorded, and when it came, by both clocks: more than the newest only until the stream has settled.
    untimed: Vec<(Instant, i64, Frame)>,
}

impl Stream {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            ssrc: None,
            reorder: Reorder::new(HOLD),
            timeline: Timeline::new(rate),
            heard: None,
            untimed: Vec::new(),
        }
    }

    /// The next frame, or packet of sound, that is to be recorded, whole at `now`, which is `wall` microseconds since 1970.
    pub(super) fn keep(&mut self, now: Instant, wall: i64, frame: Frame) {
        self.untimed.push((now, wall, frame));
    }

    /// All that is to be recorded and has no time yet, with its time: by all that is known now, whether the stream has settled or not.
    pub(super) fn timed(&mut self, clock: &SenderClock) -> impl Iterator<Item = (Instant, i64, Frame)> {
        let Self { untimed, timeline, .. } = self;
        untimed.drain(..).filter_map(|(came, here, frame)| {
            let at = timeline.wall(clock, frame.timestamp, here)?;
            Some((came, at, frame))
        })
    }
}
