//! What left towards a viewer, what is known to have arrived, and whether the way there is full: nothing to say while it
//! carries all that is sent; when it is full, how much comes through.
//!
//! A forwarder doesn't choose the rate. It needs no target to grow towards, but to know when the path is full, and to be
//! sure: a picture is held on the strength of it. A path is full when even its quickest packets wait in a queue, or when it
//! loses what no radio loses. Overtaking, a tenth lost at random, and feedback that is lost itself, are not that.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A packet's fate is settled once one is known that left so many microseconds later: what overtakes it makes it look lost
/// at first.
const SETTLED: i64 = 200_000;
/// What left in this long before that is judged together.
const JUDGED: i64 = 500_000;
/// So few packets prove nothing.
const FEWEST: usize = 10;
/// No path takes longer, there and back.
const LONGEST: i64 = 5_000_000;
/// The fastest packet of this long, or of twice that, is how long the way takes without any queue.
const REMEMBERED: i64 = 10_000_000;
/// A queue of more microseconds than this in front of the quickest tenth: full.
const STANDING: i64 = 150_000;
/// A short queue, and more of this lost: full too, with little room to wait in.
const SHORT: i64 = 40_000;
const OVERFLOWING: f64 = 0.15;
/// Full, whatever the reason.
const HOPELESS: f64 = 0.3;
/// What left, and what is known to have arrived.
#[derive(Default)]
pub(super) struct Path {
    began: Option<Instant>,
    /// Transport-wide number of the oldest one.
    oldest: u16,
    packets: VecDeque<Sent>,
    /// When the newest one left that is known to have arrived.
    known: i64,
    /// The shortest way of this period, and of the one before; and when this one began. All in microseconds.
    fastest: [Option<i64>; 2],
    period: i64,
}

struct Sent {
    left: i64,
    bytes: usize,
    fate: Fate,
}

/// What is known of a packet.
#[derive(Clone, Copy)]
enum Fate {
    /// Nothing: the feedback may have been lost, which says nothing of what it was about.
    Unknown,
    Missing,
    /// At this time, by the viewer's clock.
    Arrived(i64),
}

impl Path {
    /// A packet leaves, under this transport-wide number.
    pub(super) fn left(&mut self, now: Instant, number: u16, bytes: usize) {
        let left = micros(now.saturating_duration_since(*self.began.get_or_insert(now)));
        while self.packets.front().is_some_and(|packet| packet.left < left - LONGEST) {
            self.packets.pop_front();
            self.oldest = self.oldest.wrapping_add(1);
        }
        if self.packets.is_empty() {
            self.oldest = number;
        }
        self.packets.push_back(Sent { left, bytes, fate: Fate::Unknown });
        if left >= self.period + REMEMBERED {
            self.fastest = [None, self.fastest[0]];
            self.period = left;
        }
    }

    /// The viewer tells of a packet: when it arrived, or that it hasn't.
    pub(super) fn told(&mut self, number: u16, arrived: Option<Duration>) {
        let Some(packet) = self.packets.get_mut(usize::from(number.wrapping_sub(self.oldest))) else { return };
        let Some(at) = arrived.map(micros) else {
            if matches!(packet.fate, Fate::Unknown) {
                packet.fate = Fate::Missing;
            }
            return;
        };
        packet.fate = Fate::Arrived(at);
        self.known = self.known.max(packet.left);
        let took = at - packet.left;
        self.fastest[0] = Some(self.fastest[0].map_or(took, |fastest| fastest.min(took)));
    }

    /// Bits a second that come through, if that is less than what is sent.
    pub(super) fn limit(&self) -> Option<u64> {
        let settled = self.known - SETTLED - JUDGED..self.known - SETTLED;
        let judged = || self.packets.iter().filter(|packet| settled.contains(&packet.left));
        let arrived = || {
            judged().filter_map(|packet| match packet.fate {
                Fate::Arrived(at) => Some((packet, at)),
                Fate::Unknown | Fate::Missing => None,
            })
        };
        let sent = judged().filter(|packet| !matches!(packet.fate, Fate::Unknown)).count();
        let came = arrived().count();
        if sent < FEWEST || came == 0 {
            return None;
        }
        let fastest = self.fastest.iter().flatten().min()?;
        let mut queued: Vec<_> = arrived().map(|(packet, at)| at - packet.left - fastest).collect();
        let (_, standing, _) = queued.select_nth_unstable(came / 10);
        let lost = (sent - came) as f64 / sent as f64;
        let full = *standing > STANDING || *standing > SHORT && lost > OVERFLOWING || lost > HOPELESS;
        if !full {
            return None;
        }
        let (first, last) = (arrived().map(|(_, at)| at).min()?, arrived().map(|(_, at)| at).max()?);
        let bits: usize = arrived().map(|(packet, _)| packet.bytes * 8).sum();
        Some(bits as u64 * 1_000_000 / (last - first).max(JUDGED).cast_unsigned())
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that takes 20 ms, and what it does to packets of 1,000 bytes.
    struct Simulated {
        path: Path,
        now: Instant,
        number: u16,
        /// When the link is free, in microseconds.
        free: i64,
        dice: u32,
    }

    /// What the link does.
    #[derive(Default, Clone, Copy)]
    struct Link {
        kbps: Option<i64>,
        /// How long a packet may wait, in milliseconds.
        queue: i64,
        jitter: i64,
        lost_percent: u32,
        feedback_lost_percent: u32,
    }

    impl Simulated {
        fn new() -> Self {
            Self { path: Path::default(), now: Instant::now(), number: 65_500, free: 0, dice: 1 }
        }

        fn throw(&mut self) -> u32 {
            self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            self.dice >> 16
        }

        /// Sends at so many kb/s for a time, and says what is known at the end of each tenth of a second.
        fn send(&mut self, kbps: i64, tenths: usize, link: Link) -> Vec<Option<u64>> {
            let (began, bytes) = (self.now, 1_000);
            let each = Duration::from_micros((8_000_000 / kbps).unsigned_abs());
            let (mut said, mut untold) = (Vec::new(), Vec::new());
            while said.len() < tenths {
                self.path.left(self.now, self.number, bytes);
                let at = micros(self.now - self.path.began.unwrap());
                let waits = (self.free - at).max(0);
                let lost = self.throw() % 100 < link.lost_percent || link.kbps.is_some() && waits > link.queue * 1_000;
                if !lost {
                    self.free = at + waits + link.kbps.map_or(0, |kbps| 8_000_000 / kbps);
                }
                let jitter = i64::from(self.throw() % 1_000) * link.jitter;
                untold.push((self.number, (!lost).then_some(self.free + 20_000 + jitter)));
                self.number = self.number.wrapping_add(1);
                self.now += each;
                if self.now >= began + Duration::from_millis(100) * (said.len() as u32 + 1) {
                    self.tell(&mut untold, link.feedback_lost_percent);
                    said.push(self.path.limit());
                }
            }
            said
        }

        /// The viewer tells of all up to the newest that has arrived, and again of those that were still on their way.
        fn tell(&mut self, untold: &mut Vec<(u16, Option<i64>)>, lost_percent: u32) {
            let now = micros(self.now - self.path.began.unwrap());
            let here = |arrives: Option<i64>| arrives.filter(|arrives| *arrives <= now);
            let Some(newest) = untold.iter().rposition(|(_, arrives)| here(*arrives).is_some()) else { return };
            if self.throw() % 100 >= lost_percent {
                for (number, arrives) in &untold[..=newest] {
                    self.path.told(*number, here(*arrives).map(|at| Duration::from_micros(at.unsigned_abs())));
                }
            }
            let mut later = untold.split_off(newest + 1);
            untold.retain(|(_, arrives)| arrives.is_some_and(|arrives| arrives > now));
            untold.append(&mut later);
        }
    }

    #[test]
    fn a_full_path_is_known_within_two_seconds_and_so_is_what_it_carries() {
        for queue in [60, 300, 2_000] {
            let mut simulated = Simulated::new();
            let calm = simulated.send(250, 30, Link { kbps: Some(300), queue, ..Link::default() });
            assert!(calm.iter().all(Option::is_none), "it carries that: {calm:?}");
            let full = simulated.send(600, 40, Link { kbps: Some(300), queue, ..Link::default() });
            let known = full[20..].iter().map(|limit| limit.unwrap_or_default());
            assert!(known.clone().all(|limit| (270_000..330_000).contains(&limit)), "queue {queue}: {full:?}");
            let calm = simulated.send(50, 60, Link { kbps: Some(300), queue, ..Link::default() });
            assert!(calm[45..].iter().all(Option::is_none), "queue {queue}: {calm:?}");
        }
    }

    #[test]
    fn jitter_and_loss_at_random_are_not_a_full_path() {
        for link in [
            Link { jitter: 150, ..Link::default() },
            Link { lost_percent: 10, feedback_lost_percent: 10, ..Link::default() },
            Link { jitter: 50, lost_percent: 10, feedback_lost_percent: 10, ..Link::default() },
            Link { feedback_lost_percent: 40, ..Link::default() },
        ] {
            let said = Simulated::new().send(800, 200, link);
            assert!(said.iter().all(Option::is_none), "{said:?}");
        }
    }

    #[test]
    fn most_of_it_lost_is_full_whatever_the_reason() {
        let said = Simulated::new().send(800, 40, Link { lost_percent: 45, ..Link::default() });
        assert!(said[25..].iter().all(Option::is_some), "{said:?}");
    }
}
