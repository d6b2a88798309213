//! Asks for lost packets, but not for ever: a few times, a round trip apart, within the time that the recording waits. Drops
//! duplicates.
//!
//! Both waits are measured. We send no sender reports, so the round trip is that of the repairs; and a path that reorders is
//! given longer before anything is called missing, or it would send everything twice.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rtc::{
    interceptor::StreamInfo,
    rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
    rtp::Header,
};

use super::extend::Sequence;

/// A packet is given at least this long to turn up by itself, out of order, and at most that long.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(15), Duration::from_millis(120));
/// How long after it was asked for it is asked for again, at least and at most.
const SPACING: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(200));
/// The same while no repair has come yet.
const SPACING_AT_FIRST: Duration = Duration::from_millis(90);
/// At most so often,
const MOST_ASKED: u8 = 6;
/// and not when it would come too late for the recording.
const WORTH_ASKING: Duration = Duration::from_millis(360);
/// A late packet is still told from a duplicate for this long.
const REMEMBERED: Duration = Duration::from_secs(2);
/// A larger jump is a restarted stream, not loss.
const LARGEST_GAP: i64 = 400;

struct Stream {
    sequence: Sequence,
    highest: Option<i64>,
    missing: BTreeMap<i64, Missing>,
    /// Repairs come as packets of their own (RFC 4588), declared or seen, so a late packet can be told from a repaired one.
    marked: bool,
    /// How long the stragglers of this path must be waited for.
    patience: Duration,
    /// From asking to the repair, smoothed.
    round_trip: Option<Duration>,
}

struct Missing {
    since: Instant,
    asked: u8,
    /// When it was asked for last.
    last: Option<Instant>,
}

/// The generator.
#[derive(Default)]
pub(super) struct BoundedNack {
    /// Each under its SSRC.
    streams: Vec<(u32, Stream)>,
}

impl Stream {
    fn new(marked: bool) -> Self {
        Self {
            sequence: Sequence::default(),
            highest: None,
            missing: BTreeMap::new(),
            marked,
            patience: PATIENCE.0,
            round_trip: None,
        }
    }

    /// False for a duplicate.
    fn arrived(&mut self, now: Instant, sequence_number: u16, repair: bool) -> bool {
        self.marked |= repair;
        let sequence = self.sequence.extend(sequence_number);
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return true;
        };
        if sequence <= highest {
            let missing = self.missing.remove(&sequence);
            if let Some(missing) = &missing {
                self.learn(now, missing, repair);
            }
            return missing.is_some();
        }
        if sequence - highest <= LARGEST_GAP {
            let missing = || Missing { since: now, asked: 0, last: None };
            self.missing.extend((highest + 1..sequence).map(|lost| (lost, missing())));
        }
        self.highest = Some(sequence);
        true
    }

    /// What was missing has come: late, or repaired?
    fn learn(&mut self, now: Instant, missing: &Missing, repair: bool) {
        let repaired = if self.marked { repair } else { missing.asked > 0 };
        if !repaired {
            self.patience = self.patience.max(now - missing.since).min(PATIENCE.1);
            return;
        }
        self.patience -= (self.patience - PATIENCE.0) / 16;
        // Asked for twice, nobody knows which request it answers.
        if let Some(asked) = missing.last.filter(|_| missing.asked == 1) {
            let took = now - asked;
            self.round_trip = Some(self.round_trip.map_or(took, |smoothed| (smoothed * 7 + took) / 8));
        }
    }

    /// What to ask for now.
    fn due(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|_, missing| now < missing.since + REMEMBERED);
        let (patience, spacing) = (self.patience, self.spacing());
        let mut due = Vec::new();
        for (sequence, missing) in &mut self.missing {
            if missing.next(patience, spacing).is_some_and(|next| next <= now) {
                missing.asked += 1;
                missing.last = Some(now);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "modulo 2^16 is the point"
                )]
                due.push(*sequence as u16);
            }
        }
        due
    }

    fn next(&self) -> Option<Instant> {
        self.missing.values().filter_map(|missing| missing.next(self.patience, self.spacing())).min()
    }

    /// A little more than a round trip.
    fn spacing(&self) -> Duration {
        self.round_trip.map_or(SPACING_AT_FIRST, |smoothed| (smoothed * 5 / 4).clamp(SPACING.0, SPACING.1))
    }
}

impl Missing {
    /// When it is to be asked for, if it still is.
    fn next(&self, patience: Duration, spacing: Duration) -> Option<Instant> {
        let next = self.last.map_or(self.since + patience, |last| last + spacing);
        (self.asked < MOST_ASKED && next < self.since + WORTH_ASKING).then_some(next)
    }
}

impl BoundedNack {
    /// This stream will come, and may be asked for if its sender said so.
    pub(super) fn bind(&mut self, info: &StreamInfo) {
        if info.rtcp_feedback.iter().any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty()) {
            self.streams.push((info.ssrc, Stream::new(info.ssrc_rtx.is_some())));
        }
    }

    /// A packet came, or the repair of it. False for a duplicate.
    pub(super) fn arrived(&mut self, now: Instant, header: &Header, repair: bool) -> bool {
        let stream = self.streams.iter_mut().find(|(ssrc, _)| *ssrc == header.ssrc);
        stream.is_none_or(|(_, stream)| stream.arrived(now, header.sequence_number, repair))
    }

    /// What to ask for now.
    pub(super) fn due(&mut self, now: Instant) -> impl Iterator<Item = TransportLayerNack> {
        self.streams.iter_mut().filter_map(move |(media_ssrc, stream)| {
            let due = stream.due(now);
            let nacks = nack_pairs_from_sequence_numbers(&due);
            (!due.is_empty()).then_some(TransportLayerNack { sender_ssrc: 1, media_ssrc: *media_ssrc, nacks })
        })
    }

    /// When something is to be asked for.
    pub(super) fn next(&self) -> Option<Instant> {
        self.streams.iter().filter_map(|(_, stream)| stream.next()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_lost_packet_is_asked_for_a_few_times_and_not_after_its_repair() {
        let (mut stream, now) = (Stream::new(false), Instant::now());
        for sequence in [10, 11, 14, 15] {
            assert!(stream.arrived(now, sequence, false));
        }
        assert!(stream.due(now).is_empty(), "it may only be late");
        let asked_at = now + PATIENCE.0;
        assert_eq!(stream.due(asked_at), [12, 13]);
        assert!(stream.arrived(asked_at, 12, false));
        let mut asked = 1;
        for step in 1..200 {
            let due = stream.due(asked_at + MILLI * 5 * step);
            assert!(due.iter().all(|sequence| *sequence == 13));
            asked += due.len();
        }
        assert_eq!(asked, usize::from(MOST_ASKED));
        assert_eq!(stream.next(), None);
        assert!(stream.arrived(now + Duration::from_secs(1), 13, false), "late, but no duplicate");
    }

    #[test]
    fn it_is_asked_for_again_after_a_round_trip_while_the_recording_waits() {
        let (mut stream, now) = (Stream::new(true), Instant::now());
        for turn in 0..20_u16 {
            let (then, first) = (now + Duration::from_secs(turn.into()), turn * 3);
            assert!(stream.arrived(then, first, false) && stream.arrived(then, first + 2, false));
            assert_eq!(stream.due(then + PATIENCE.0), [first + 1]);
            assert!(stream.arrived(then + PATIENCE.0 + MILLI * 120, first + 1, true));
        }
        assert_eq!(stream.round_trip, Some(MILLI * 120));
        let then = now + Duration::from_secs(60);
        assert!(stream.arrived(then, 100, false) && stream.arrived(then, 102, false));
        let asked: Vec<_> = (0..400).filter(|after| stream.due(then + MILLI * *after).contains(&101)).collect();
        assert_eq!(asked, [15, 165, 315]);
    }

    #[test]
    fn a_path_that_reorders_is_given_time_and_one_that_loses_is_not() {
        let (mut stream, now) = (Stream::new(true), Instant::now());
        assert!(stream.arrived(now, 1, false) && stream.arrived(now, 3, false));
        assert!(stream.arrived(now + MILLI * 80, 2, false));
        assert!(stream.arrived(now + MILLI * 80, 5, false));
        assert!(stream.due(now + MILLI * 159).is_empty());
        assert_eq!(stream.due(now + MILLI * 160), [4]);
        for lost in (6..500).step_by(2) {
            assert!(stream.arrived(now, lost + 1, false) && stream.arrived(now, lost, true));
        }
        assert!(stream.patience < PATIENCE.0 + MILLI, "{:?}", stream.patience);
    }

    #[test]
    fn duplicates_are_known() {
        let (mut stream, now) = (Stream::new(false), Instant::now());
        assert!(stream.arrived(now, 65_535, false));
        assert!(stream.arrived(now, 0, false));
        assert!(!stream.arrived(now, 65_535, false));
        assert!(!stream.arrived(now, 0, false));
    }

    #[test]
    fn a_restarted_stream_is_not_asked_for() {
        let (mut stream, now) = (Stream::new(false), Instant::now());
        assert!(stream.arrived(now, 10, false));
        assert!(stream.arrived(now, 10_000, false));
        assert!(stream.due(now + SPACING_AT_FIRST).is_empty());
    }
}
