//! What sequence numbers can't tell: what was lost before the first packet that came, and after the last one. A sender counts
//! its packets, and its reports say the count.
//!
//! Of sound only: browsers count repairs and probes among a picture's packets. What was sent after the last report that came
//! nobody can know, nor anything of a sender that reported less than twice; the ledger's `silent` and `disconnected` are all
//! there is of that.

use std::collections::VecDeque;

use super::extend::Sequence;

/// Packets that may overtake a report.
const MOST_OVERTAKING: usize = 32;

/// One stream's ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    sequence: Sequence,
    first: Option<i64>,
    /// Highest sequence number so far.
    last: i64,
    /// The newest ones, with their timestamps.
    newest: VecDeque<(i64, u32)>,
    reports: u32,
    /// The least that any report had more than had come: what was lost before all of them.
    before: Option<i64>,
    /// Packets sent, by the newest report.
    counted: i64,
}

/// Packets in a row that never came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Sequence number of the first.
    pub(super) first: u16,
    pub(super) packets: u64,
}

impl Ends {
    /// A packet came.
    pub(super) fn packet(&mut self, sequence_number: u16, timestamp: u32) {
        let sequence = self.sequence.extend(sequence_number);
        let first = *self.first.get_or_insert(sequence);
        // What came too late to be recorded is as good as lost: the reorder buffer begins with the first that came.
        if sequence < first {
            return;
        }
        self.last = self.last.max(sequence);
        self.newest.push_back((sequence, timestamp));
        if self.newest.len() > MOST_OVERTAKING {
            self.newest.pop_front();
        }
    }

    /// The sender says how many it had sent when its media stood at this timestamp.
    pub(super) fn report(&mut self, packets: u32, timestamp: u32) {
        let Some(first) = self.first else { return };
        let sent_before = |of: u32| timestamp.wrapping_sub(of).cast_signed() >= 0;
        let before_it = self.newest.iter().filter(|(_, of)| sent_before(*of)).map(|(sequence, _)| *sequence).max();
        let Some(came) = before_it.map(|last| last - first + 1) else { return };
        self.counted = i64::from(packets);
        let more = self.counted - came;
        self.before = Some(self.before.map_or(more, |before| before.min(more)));
        self.reports += 1;
    }

    /// What was lost before the first and after the last packet that came, as far as it is known.
    pub(super) fn lost(&self) -> impl Iterator<Item = End> {
        let known = self.first.zip(self.before).filter(|(_, before)| self.reports >= 2 && *before >= 0);
        let ends = known.map(|(first, before)| {
            let after = self.counted - before - (self.last - first + 1);
            [(first - before, before), (self.last + 1, after)]
        });
        ends.into_iter().flatten().filter_map(|(first, packets)| {
            let packets = u64::try_from(packets).ok().filter(|packets| *packets > 0)?;
            // The low 16 bits are what was on the wire.
            Some(End { first: (first & 0xffff) as u16, packets })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sound of 20 ms a packet from sequence number 10 on, of which these came, with a report after every tenth that was sent.
    fn heard(sent: u16, came: impl Fn(u16) -> bool) -> Vec<End> {
        let mut ends = Ends::default();
        for n in 0..sent {
            if came(n) {
                ends.packet(10 + n, u32::from(n) * 960);
            }
            if n % 10 == 9 {
                ends.report(u32::from(n) + 1, u32::from(n) * 960 + 500);
            }
        }
        ends.lost().collect()
    }

    #[test]
    fn what_was_lost_at_the_ends_is_known_by_the_senders_count() {
        assert_eq!(heard(50, |_| true), []);
        assert_eq!(heard(50, |n| n >= 3), [End { first: 10, packets: 3 }]);
        assert_eq!(heard(50, |n| n < 45), [End { first: 55, packets: 5 }]);
        let both = [End { first: 10, packets: 2 }, End { first: 55, packets: 5 }];
        assert_eq!(heard(50, |n| (2..45).contains(&n) && n != 19 && n != 30), both);
    }

    #[test]
    fn what_overtook_a_report_is_not_counted_against_it() {
        let mut ends = Ends::default();
        for n in 0..30_u16 {
            ends.packet(n, u32::from(n) * 960);
        }
        ends.report(10, 9 * 960);
        ends.report(20, 19 * 960);
        assert_eq!(ends.lost().count(), 0);
    }

    #[test]
    fn one_report_says_nothing() {
        assert_eq!(heard(19, |n| n >= 3), []);
        assert_eq!(Ends::default().lost().count(), 0);
    }
}
