//! One of a publication's two streams: its packets put in order, and its clock.

use std::time::Duration;

use rtc::rtp::Packet;

use super::{reorder::Reorder, timeline::Timeline};

/// What comes this late is recorded all the same: a repair, or what a path with 150 ms of jitter and a busy machine held up.
const HOLD: Duration = Duration::from_millis(400);

/// Picture or sound.
pub(super) struct Stream {
    pub(super) ssrc: Option<u32>,
    pub(super) reorder: Reorder<Packet>,
    pub(super) timeline: Timeline,
    /// When the newest packet came, in microseconds since 1970.
    pub(super) heard: Option<i64>,
}

impl Stream {
    pub(super) fn new(rate: u32) -> Self {
        Self { ssrc: None, reorder: Reorder::new(HOLD), timeline: Timeline::new(rate), heard: None }
    }
}
