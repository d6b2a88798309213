//! What weather does to a datagram.

use std::time::{Duration, Instant};

use crate::Dice;

/// IP and UDP headers: a capped link carries them too.
const HEADERS: usize = 28;

/// The state of the network one way.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// What becomes of media (RTP and its RTCP); how a connection is made is spared.
    pub loss: Loss,
    /// How long everything takes.
    pub delay: Duration,
    /// At most so much longer, at random for each datagram: so they overtake each other.
    pub jitter: Duration,
    /// What a connection's link carries, in kilobits (1,000) a second; `None`: anything.
    pub kbps: Option<u32>,
    /// How much waits in front of a capped link, as time; what would wait longer is lost.
    pub queue: Duration,
}

/// How packets are lost.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// Not at all.
    None,
    /// All sound and picture; the reports on them get through.
    Media,
    /// Each with this probability.
    Random(f64),
    /// In bursts (Gilbert's model).
    Bursts {
        /// The probability over all packets.
        share: f64,
        /// Packets in a row, on average.
        mean: f64,
    },
}

impl Default for Weather {
    /// Clear.
    fn default() -> Self {
        Self {
            loss: Loss::None,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            kbps: None,
            queue: Duration::from_millis(500),
        }
    }
}

/// The fate of one stream's packets.
#[derive(Debug)]
pub(super) struct Fate {
    dice: Dice,
    in_burst: bool,
}

impl Fate {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), in_burst: false }
    }

    pub(super) fn loses(&mut self, loss: Loss) -> bool {
        match loss {
            Loss::None => false,
            Loss::Media => true,
            Loss::Random(share) => self.dice.throw() < share,
            Loss::Bursts { share, mean } => {
                let ends = 1.0 / mean;
                let begins = share * ends / (1.0 - share);
                let thrown = self.dice.throw();
                self.in_burst = if self.in_burst { thrown >= ends } else { thrown < begins };
                self.in_burst
            }
        }
    }
}

/// One connection's link, one way.
#[derive(Debug)]
pub(super) struct Link {
    dice: Dice,
    /// When it has carried all that waits, if it is capped.
    free: Option<Instant>,
}

impl Link {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), free: None }
    }

    /// When a datagram of this many bytes arrives; `None` when there is no room for it.
    pub(super) fn carry(&mut self, now: Instant, weather: &Weather, length: usize) -> Option<Instant> {
        let mut carried = now;
        if let Some(kbps) = weather.kbps {
            let begins = self.free.map_or(now, |free| free.max(now));
            if begins > now + weather.queue {
                return None;
            }
            let bits = (length + HEADERS) as f64 * 8.0;
            carried = begins + Duration::from_secs_f64(bits / (f64::from(kbps) * 1_000.0));
            self.free = Some(carried);
        }
        Some(carried + weather.delay + weather.jitter.mul_f64(self.dice.throw()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(loss: Loss) -> Vec<bool> {
        let mut fate = Fate::new(7);
        (0..100_000).map(|_| fate.loses(loss)).collect()
    }

    fn share(lost: &[bool]) -> f64 {
        lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64
    }

    #[test]
    fn as_much_is_lost_as_was_asked_for_and_the_same_again() {
        assert_eq!(share(&lost(Loss::None)), 0.0);
        let random = lost(Loss::Random(0.05));
        assert!((share(&random) - 0.05).abs() < 0.005, "{}", share(&random));
        assert_eq!(random, lost(Loss::Random(0.05)));

        let bursts = lost(Loss::Bursts { share: 0.02, mean: 4.0 });
        assert!((share(&bursts) - 0.02).abs() < 0.005, "{}", share(&bursts));
        let runs = bursts.windows(2).filter(|pair| pair[1] && !pair[0]).count();
        let mean = share(&bursts) * bursts.len() as f64 / runs as f64;
        assert!((mean - 4.0).abs() < 0.5, "{mean}");
    }

    #[test]
    fn a_capped_link_queues_and_then_loses() {
        let (mut link, now) = (Link::new(1), Instant::now());
        let weather = Weather { kbps: Some(100), queue: Duration::from_millis(200), ..Weather::default() };
        // 1,250 bytes with their headers: 100 ms each.
        let arrivals: Vec<_> = (0..4).map(|_| link.carry(now, &weather, 1_222)).collect();
        let after = |millis| Some(now + Duration::from_millis(millis));
        assert_eq!(arrivals, [after(100), after(200), after(300), None]);
        let later = now + Duration::from_secs(1);
        assert_eq!(link.carry(later, &weather, 1_222), Some(later + Duration::from_millis(100)));
    }

    #[test]
    fn jitter_lets_datagrams_overtake_each_other_within_bounds() {
        let (mut link, now) = (Link::new(1), Instant::now());
        let (delay, jitter) = (Duration::from_millis(20), Duration::from_millis(150));
        let weather = Weather { delay, jitter, ..Weather::default() };
        let arrivals: Vec<_> = (0..100).filter_map(|_| link.carry(now, &weather, 100)).collect();
        assert!(arrivals.iter().all(|at| (now + delay..now + delay + jitter).contains(at)));
        assert!(!arrivals.is_sorted());
        assert_eq!(Link::new(1).carry(now, &Weather::default(), 100), Some(now));
    }
}
