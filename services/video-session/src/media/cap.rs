//! Better a small picture than none: a publisher whose viewer's path is narrow is asked to send less (REMB), and a little more
//! each time that it went well. Never the caller: what they show is recorded, and no viewer's network may thin it.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(500);
/// Bits a second below which there is no picture worth having.
const LEAST: u64 = 100_000;
/// Above this nobody is held back: browsers are asked for 1.5 Mb/s.
const MOST: u64 = 3_000_000;

/// What one publisher is asked for.
#[derive(Debug, Default)]
pub(super) struct Cap {
    bits: Option<u64>,
    looked: Option<Instant>,
}

impl Cap {
    /// Looks at what comes through to the viewer with the narrowest path, if any path is full. `Some`: bits a second that the
    /// publisher is to be asked for now.
    pub(super) fn look(&mut self, now: Instant, narrowest: Option<u64>) -> Option<u64> {
        if self.looked.is_some_and(|looked| now < looked + EVERY) {
            return None;
        }
        self.looked = Some(now);
        self.bits = match (narrowest, self.bits) {
            (Some(limit), _) => Some((limit * 8 / 10).max(LEAST)),
            // It was told that it is free.
            (None, Some(MOST)) => None,
            (None, bits) => bits.map(|bits| (bits * 104 / 100).min(MOST)),
        };
        self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_less_at_once_then_for_more_and_in_the_end_for_anything() {
        let (mut cap, now) = (Cap::default(), Instant::now());
        assert_eq!(cap.look(now, None), None);
        assert_eq!(cap.look(now + EVERY / 2, Some(300_000)), None, "twice a second");
        assert_eq!(cap.look(now + EVERY, Some(300_000)), Some(240_000));
        let asked: Vec<_> = (2..100).map_while(|n| cap.look(now + EVERY * n, None)).collect();
        assert_eq!((asked[0], asked.last()), (249_600, Some(&MOST)));
        assert!(asked.is_sorted() && asked.len() < 80, "{asked:?}");
        assert_eq!(cap.look(now + EVERY * 200, Some(1)), Some(LEAST));
    }
}
