//! RTP timestamps to wall clock, in microseconds since 1970.
//!
//! Until a stream's first sender report its anchor is the fastest packet so far: the least delayed of all. Its first time is given when
//! that is known, shortly after its first packet (`settling`). From the first report on both streams of a phone stand on the phone's own
//! clock, so that picture and sound can't drift apart with the network; that clock is tied to ours once, where the first reported stream
//! already stood. A stream whose anchor moves is led there gently: a jump would squeeze packets together, and players stumble. Where nothing
//! was sent for a while there is nothing to squeeze. Only who stands half a second off or more is set right at once. Back, that squeezes what
//! was held up to the milliseconds that the recorder puts between them; led gently it would be heard, and picture and sound be that much
//! apart for ten times as long.
//!
//! A phone's timestamps are believed as far as they go with our own clock. One that jumps, because an encoder began anew or somebody
//! means harm, begins a new anchor; nothing is ever said to be of a time that is yet to come.

use super::{extend::Timestamp, settling::Settling};

/// Sender reports that would move a stream further than this are the phone's clock being set, not drift. Nor is any time further
/// ahead of ours.
const MOST_MOVED: i64 = 2_000_000;

/// What seems to come later than this has begun to count anew, for no repair comes so late; or it was held up: by a path that stood still,
/// or because we did.
const MOST_LATE: i64 = 10_000_000;

/// What was held up comes all at once. Whoever is late for longer than this stays late: their timestamps stood still.
const CATCHES_UP: i64 = 2_000_000;

/// An anchor is followed by a tenth of the time that passes, unless it is further off than this.
const MOST_LED: i64 = 500_000;

/// No packet of Opus is longer (RFC 6716, section 2.1.4): what passes beyond that between two was silence that wasn't sent.
const LONGEST_PACKET: i64 = 120_000;

/// What must be added to the phone's NTP clock to get ours; shared by its streams.
#[derive(Debug, Default)]
pub(super) struct SenderClock(Option<i64>);

/// One stream's mapping.
#[derive(Debug)]
pub(super) struct Timeline {
    rate: i64,
    timestamps: Timestamp,
    /// The least of arrival minus RTP time: the arrival anchor.
    fastest: Option<i64>,
    /// Until when no time is given.
    settling: Option<Settling>,
    /// The highest RTP time so far.
    newest: Option<i64>,
    /// Since when, by our clock, each packet is later than `MOST_LATE`.
    late_since: Option<i64>,
    /// RTP time and NTP time of the last good report, both in microseconds.
    report: Option<(i64, i64)>,
    /// RTP time last asked for, and what was said.
    said: Option<(i64, i64)>,
}

impl Timeline {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: i64::from(rate),
            timestamps: Timestamp::default(),
            fastest: None,
            settling: None,
            newest: None,
            late_since: None,
            report: None,
            said: None,
        }
    }

    /// A packet with this timestamp arrived. Call it on arrival, before anything waits for it.
    pub(super) fn arrived(&mut self, clock: &SenderClock, timestamp: u32, wall: i64) {
        let rtp = self.micros(timestamp);
        let delay = wall - rtp;
        let fastest = self.fastest.map_or(delay, |fastest| fastest.min(delay));
        self.fastest = Some(fastest);
        self.settling.get_or_insert_with(|| Settling::begin(wall, delay)).arrived(wall, delay);
        let late = wall - self.at_micros(clock, rtp, fastest);
        let newest = *self.newest.get_or_insert(rtp);
        self.newest = Some(newest.max(rtp));
        self.late_since = if late > MOST_LATE { self.late_since.or(Some(wall)) } else { None };
        let stays_late = self.late_since.is_some_and(|since| wall - since >= CATCHES_UP);
        let counts_anew = late < -MOST_MOVED || late > MOST_LATE && rtp < newest - MOST_MOVED;
        if stays_late || counts_anew {
            (self.fastest, self.newest, self.late_since) = (Some(delay), Some(rtp), None);
            (self.report, self.said) = (None, None);
        }
    }

    /// Can times be given by now?
    pub(super) fn is_settled(&self, now: i64) -> bool {
        self.settling.as_ref().is_some_and(|settling| settling.is_over(now))
    }

    /// A sender report. False if it was refused: so is one that comes before the stream has settled, for it would tie the phone's clock to
    /// what was held up.
    pub(super) fn report(&mut self, clock: &mut SenderClock, ntp: u64, timestamp: u32, now: i64) -> bool {
        let Some(fastest) = self.fastest.filter(|_| self.is_settled(now)) else { return false };
        let (rtp, ntp) = (self.micros(timestamp), ntp_micros(ntp));
        let here = self.at_micros(clock, rtp, fastest);
        let offset = *clock.0.get_or_insert(here - ntp);
        if (ntp + offset - here).abs() > MOST_MOVED {
            return false;
        }
        self.report = Some((rtp, ntp));
        true
    }

    /// Wall clock of an RTP timestamp, asked for in order, of what came when ours said `now`; `None` before the first packet.
    pub(super) fn wall(&mut self, clock: &SenderClock, timestamp: u32, now: i64) -> Option<i64> {
        let fastest = self.fastest?;
        let rtp = self.micros(timestamp);
        let anchored = match self.at_micros(clock, rtp, fastest) {
            // The timestamps have jumped since it came: the anchor is no longer its own.
            far if !self.is_settled(now) && !(now - MOST_LATE..=now + MOST_MOVED).contains(&far) => now,
            anchored => anchored,
        };
        let wall = match self.said {
            Some((said_rtp, said)) if (anchored - said - (rtp - said_rtp)).abs() <= MOST_LED => {
                let passed = rtp - said_rtp;
                let leading = (passed.abs() / 10).max(passed - LONGEST_PACKET);
                said + passed + (anchored - said - passed).clamp(-leading, leading)
            }
            _ => anchored,
        };
        let wall = wall.min(now + MOST_MOVED);
        self.said = Some((rtp, wall));
        Some(wall)
    }

    fn at_micros(&self, clock: &SenderClock, rtp: i64, fastest: i64) -> i64 {
        match (self.report, clock.0) {
            (Some((reported, ntp)), Some(offset)) => rtp - reported + ntp + offset,
            _ => rtp + fastest,
        }
    }

    fn micros(&mut self, timestamp: u32) -> i64 {
        self.timestamps.extend(timestamp) * 1_000_000 / self.rate
    }
}

fn ntp_micros(ntp: u64) -> i64 {
    let (seconds, fraction) = (ntp >> 32, ntp & 0xffff_ffff);
    i64::try_from(seconds * 1_000_000 + ((fraction * 1_000_000) >> 32)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Later than anything that is asked for.
    const NOW: i64 = 1_000_000_000;

    fn ntp(micros: u64) -> u64 {
        ((micros / 1_000_000) << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
    }

    #[test]
    fn the_fastest_packet_is_the_anchor() {
        let (mut timeline, clock) = (Timeline::new(90_000), SenderClock::default());
        timeline.arrived(&clock, 90_000, 5_080_000);
        timeline.arrived(&clock, 180_000, 6_010_000);
        assert_eq!(timeline.wall(&clock, 90_000, NOW), Some(5_010_000));
        assert_eq!(timeline.wall(&clock, 270_000, NOW), Some(7_010_000));
    }

    #[test]
    fn a_moving_anchor_is_followed_gently() {
        let (mut timeline, clock) = (Timeline::new(48_000), SenderClock::default());
        timeline.arrived(&clock, 0, 1_100_000);
        let mut last = timeline.wall(&clock, 0, NOW).unwrap();
        timeline.arrived(&clock, 960, 1_020_000); // the first came 100 ms late
        for packet in 1..=60 {
            let wall = timeline.wall(&clock, packet * 960, NOW).unwrap();
            assert!((18_000..=20_000).contains(&(wall - last)), "{packet}: {}", wall - last);
            last = wall;
        }
        assert_eq!(last, 1_000_000 + 60 * 20_000);
    }

    #[test]
    fn a_moving_anchor_is_followed_at_once_over_a_silence() {
        let (mut timeline, clock) = (Timeline::new(48_000), SenderClock::default());
        timeline.arrived(&clock, 0, 1_300_000);
        assert_eq!(timeline.wall(&clock, 0, NOW), Some(1_300_000));
        timeline.arrived(&clock, 19_200, 1_400_000); // the first came 300 ms late
        assert_eq!(timeline.wall(&clock, 19_200, NOW), Some(1_420_000), "400 ms on, 120 of them may be sound");
        assert_eq!(timeline.wall(&clock, 38_400, NOW), Some(1_800_000));
    }

    #[test]
    fn who_stands_far_off_is_set_right_at_once() {
        let (mut timeline, clock) = (Timeline::new(48_000), SenderClock::default());
        timeline.arrived(&clock, 0, 0);
        assert_eq!(timeline.wall(&clock, 0, NOW), Some(0));
        let mut clock = SenderClock::default();
        assert!(timeline.report(&mut clock, ntp(4_000_000_000_000_000), 0, NOW));
        assert!(timeline.report(&mut clock, ntp(4_000_000_000_900_000), 960, NOW));
        let wall = timeline.wall(&clock, 960, NOW).unwrap();
        assert!((wall - 900_000).abs() <= 1, "{wall}");
    }

    #[test]
    fn reports_bring_sound_and_picture_together() {
        // Sound and picture taken at the same moment; the picture spends 70 ms more on its way.
        let (mut audio, mut video) = (Timeline::new(48_000), Timeline::new(90_000));
        let mut clock = SenderClock::default();
        audio.arrived(&clock, 48_000, 10_000_000);
        video.arrived(&clock, 90_000, 10_070_000);
        let apart = |audio: &mut Timeline, video: &mut Timeline, clock: &SenderClock, second: u32| {
            video.wall(clock, second * 90_000, NOW).unwrap() - audio.wall(clock, second * 48_000, NOW).unwrap()
        };
        assert_eq!(apart(&mut audio, &mut video, &clock, 1), 70_000);
        let taken = ntp(4_000_000_000_000_000);
        assert!(video.report(&mut clock, taken, 90_000, NOW));
        assert_eq!(video.wall(&clock, 180_000, NOW), Some(11_070_000), "the first reported stream stays where it is");
        assert!(audio.report(&mut clock, taken, 48_000, NOW));
        let apart = apart(&mut audio, &mut video, &clock, 3);
        assert!(apart.abs() <= 1, "{apart}");
    }

    #[test]
    fn a_phone_that_sets_its_clock_is_not_followed() {
        let (mut timeline, mut clock) = (Timeline::new(90_000), SenderClock::default());
        timeline.arrived(&clock, 0, 1_000_000);
        assert!(timeline.report(&mut clock, ntp(4_000_000_000_000_000), 0, NOW));
        assert!(!timeline.report(&mut clock, ntp(4_000_003_601_000_000), 90_000, NOW));
        assert_eq!(timeline.wall(&clock, 90_000, NOW), Some(2_000_000));
        let mut young = Timeline::new(90_000);
        assert!(!young.report(&mut clock, 0, 0, NOW), "before any packet");
        young.arrived(&clock, 0, 2_000_000);
        assert!(!young.report(&mut clock, ntp(4_000_000_001_000_000), 0, 2_099_999), "before it has settled");
        assert!(young.report(&mut clock, ntp(4_000_000_001_000_000), 0, 2_100_000));
    }

    #[test]
    fn a_timestamp_that_jumps_begins_anew() {
        for jump in [6 * 3_600 * 90_000_u32, (6 * 3_600 * 90_000_u32).wrapping_neg()] {
            let (mut timeline, mut clock) = (Timeline::new(90_000), SenderClock::default());
            timeline.arrived(&clock, 0, 1_000_000);
            assert!(timeline.report(&mut clock, ntp(4_000_000_000_000_000), 0, NOW));
            assert_eq!(timeline.wall(&clock, 90_000, 2_000_000), Some(2_000_000));
            timeline.arrived(&clock, jump, 2_500_000);
            assert_eq!(timeline.wall(&clock, jump, 2_500_000), Some(2_500_000), "{jump}");
            let old = timeline.report(&mut clock, ntp(4_000_000_003_000_000), 3 * 90_000, NOW);
            assert!(!old, "its reports are of the old time still");
            assert!(timeline.report(&mut clock, ntp(4_000_000_001_750_000), jump, NOW), "and then of the new");
            assert_eq!(timeline.wall(&clock, jump.wrapping_add(90_000), 3_500_000), Some(3_750_000), "it is followed");
        }
    }

    #[test]
    fn what_was_repaired_late_moves_nothing() {
        let (mut timeline, mut clock) = (Timeline::new(90_000), SenderClock::default());
        timeline.arrived(&clock, 0, 1_000_000);
        assert!(timeline.report(&mut clock, ntp(4_000_000_000_000_000), 0, NOW));
        timeline.arrived(&clock, 90_000, 7_000_000);
        assert_eq!(timeline.wall(&clock, 90_000, 7_000_000), Some(2_000_000));
    }

    /// A second of sound that comes at once after so many seconds of nothing, and then goes on as it was sent: all but this much later.
    /// Says how far each packet's time is from when it was sent, in seconds, over the next ten.
    fn after_nothing(seconds: i64, stays_late: bool) -> Vec<i64> {
        let (mut timeline, mut clock) = (Timeline::new(48_000), SenderClock::default());
        timeline.arrived(&clock, 0, 0);
        assert!(timeline.report(&mut clock, ntp(4_000_000_000_000_000), 0, NOW));
        let over = seconds * 1_000_000;
        let off = (1..600).map(|packet: u32| {
            let sent = i64::from(packet) * 20_000;
            let now = if stays_late { over + sent } else { sent.max(over) };
            timeline.arrived(&clock, packet * 960, now);
            (timeline.wall(&clock, packet * 960, now).unwrap() - sent) / 1_000_000
        });
        off.collect()
    }

    #[test]
    fn what_comes_late_all_at_once_keeps_its_times() {
        for seconds in [5, 11] {
            assert!(after_nothing(seconds, false).iter().all(|off| *off == 0), "{seconds}");
        }
    }

    #[test]
    fn a_phone_that_stood_still_with_its_timestamps_is_late_for_two_seconds_and_no_longer() {
        let off = after_nothing(15, true);
        let late = off.iter().take_while(|off| **off == 0).count();
        assert_eq!(late, 100);
        assert!(off[late..].iter().all(|off| *off == 15), "{off:?}");
    }

    proptest! {
        /// Whatever a phone sends and reports, nothing is recorded as of a time to come: it would wait in memory until then.
        #[test]
        fn no_time_is_yet_to_come(steps in prop::collection::vec((0_u8..3, any::<u32>(), any::<u64>(), 0_i64..3_000_000), 1..60)) {
            let (mut timeline, mut clock, mut now) = (Timeline::new(90_000), SenderClock::default(), 1_700_000_000_000_000);
            for (step, timestamp, ntp, passed) in steps {
                now += passed;
                match step {
                    0 => timeline.arrived(&clock, timestamp, now),
                    1 => _ = timeline.report(&mut clock, ntp, timestamp, now),
                    _ => {}
                }
                prop_assert!(timeline.wall(&clock, timestamp, now).is_none_or(|wall| wall <= now + MOST_MOVED));
            }
        }
    }
}
