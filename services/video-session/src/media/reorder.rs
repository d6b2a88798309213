//! Puts a stream's packets back in order: waits for the missing one as long as its hold, then says how many never came.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::extend::Sequence;

/// A stream with more than this waiting has jumped, not lost: it is released at once.
const MOST_HELD: usize = 2_048;

/// What comes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ordered<T> {
    /// The next packet.
    Packet(T),
    /// These packets never came.
    Gap {
        /// Sequence number of the first.
        first: u16,
        /// How many in a row.
        packets: u64,
    },
}

/// A reorder buffer. Duplicates and packets that come after their gap was declared are dropped.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    hold: Duration,
    sequence: Sequence,
    next: Option<i64>,
    held: BTreeMap<i64, (Instant, T)>,
}

impl<T> Reorder<T> {
    pub(super) fn new(hold: Duration) -> Self {
        Self { hold, sequence: Sequence::default(), next: None, held: BTreeMap::new() }
    }

    /// Takes a packet; false if it was a duplicate or came too late.
    pub(super) fn push(&mut self, now: Instant, sequence_number: u16, packet: T) -> bool {
        let sequence = self.sequence.extend(sequence_number);
        let next = *self.next.get_or_insert(sequence);
        if sequence < next || self.held.contains_key(&sequence) {
            return false;
        }
        self.held.insert(sequence, (now, packet));
        true
    }

    /// The next packet or gap that is ready at `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Ordered<T>> {
        let next = self.next?;
        let (&first, (arrived, _)) = self.held.first_key_value()?;
        if first > next {
            if now < *arrived + self.hold && self.held.len() <= MOST_HELD {
                return None;
            }
            self.next = Some(first);
            // The low 16 bits are what was on the wire.
            return Some(Ordered::Gap { first: (next & 0xffff) as u16, packets: first.abs_diff(next) });
        }
        let (_, packet) = self.held.remove(&first)?;
        self.next = Some(next + 1);
        Some(Ordered::Packet(packet))
    }

    /// Everything that is left, without waiting: the stream is over.
    pub(super) fn flush(&mut self) -> Option<Ordered<T>> {
        self.hold = Duration::ZERO;
        let (arrived, _) = self.held.values().next()?;
        self.pop(*arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_millis(400);

    fn drain(reorder: &mut Reorder<u16>, now: Instant) -> Vec<Ordered<u16>> {
        std::iter::from_fn(|| reorder.pop(now)).collect()
    }

    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn reordered_packets_come_out_in_order_at_once() {
        let (mut reorder, now) = (Reorder::new(HOLD), start());
        for sequence in [65_534, 65_535, 1, 0, 2] {
            assert!(reorder.push(now, sequence, sequence));
        }
        let order: Vec<_> = [65_534, 65_535, 0, 1, 2].map(Ordered::Packet).into();
        assert_eq!(drain(&mut reorder, now), order);
    }

    #[test]
    fn a_duplicate_is_dropped_held_or_released() {
        let (mut reorder, now) = (Reorder::new(HOLD), start());
        assert!(reorder.push(now, 7, 7));
        assert!(!reorder.push(now, 7, 7));
        assert_eq!(drain(&mut reorder, now), [Ordered::Packet(7)]);
        assert!(!reorder.push(now, 7, 7));
        assert!(reorder.push(now, 9, 9));
        assert!(!reorder.push(now, 9, 9));
        assert!(reorder.push(now, 8, 8));
        assert_eq!(drain(&mut reorder, now), [Ordered::Packet(8), Ordered::Packet(9)]);
    }

    #[test]
    fn a_gap_is_declared_after_the_hold_and_its_packet_then_comes_too_late() {
        let (mut reorder, now) = (Reorder::new(HOLD), start());
        for sequence in [1, 2, 5, 6] {
            reorder.push(now, sequence, sequence);
        }
        assert_eq!(drain(&mut reorder, now), [Ordered::Packet(1), Ordered::Packet(2)]);
        assert_eq!(drain(&mut reorder, now + HOLD - Duration::from_millis(1)), []);
        assert_eq!(
            drain(&mut reorder, now + HOLD),
            [Ordered::Gap { first: 3, packets: 2 }, Ordered::Packet(5), Ordered::Packet(6)]
        );
        assert!(!reorder.push(now + HOLD, 3, 3));
    }

    #[test]
    fn a_repair_within_the_hold_leaves_no_gap() {
        let (mut reorder, now) = (Reorder::new(HOLD), start());
        for (after, sequence) in [(0, 1), (10, 3), (20, 4), (300, 2)] {
            reorder.push(now + Duration::from_millis(after), sequence, sequence);
        }
        let all: Vec<_> = [1, 2, 3, 4].map(Ordered::Packet).into();
        assert_eq!(drain(&mut reorder, now + Duration::from_millis(300)), all);
    }

    #[test]
    fn flushing_empties_it() {
        let (mut reorder, now) = (Reorder::new(HOLD), start());
        for sequence in [1, 3, 6] {
            reorder.push(now, sequence, sequence);
        }
        let left: Vec<_> = std::iter::from_fn(|| reorder.flush()).collect();
        let gap = |first, packets| Ordered::Gap { first, packets };
        let expected = [Ordered::Packet(1), gap(2, 1), Ordered::Packet(3), gap(4, 2), Ordered::Packet(6)];
        assert_eq!(left, expected);
    }
}
