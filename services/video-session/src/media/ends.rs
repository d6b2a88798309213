//! What sequence numbers can't tell: what was lost before the first packet that came, and after the last one. A sender counts
//! its packets, and its reports say the count.
//!
//! A report may have overtaken packets that it counts, or the last of them may be lost: then it seems to tell of a loss before the
//! first. Its timestamp is no help, for browsers reckon it on to the moment of the report, and what is about to be sent stands before
//! that. So nothing is said unless two reports came where the path kept its order.
//!
//! Of sound only: browsers count repairs and probes among a picture's packets. What was sent after the last report that came
//! nobody can know, nor anything of a sender without two such reports; the ledger's `silent` and `disconnected` are all there is
//! of that.

use std::collections::VecDeque;

use super::extend::Sequence;

/// Packets that may overtake a report.
const MOST_OVERTAKING: usize = 32;
/// So many packets on either side of a report, a third of a second, must have come in order, or the path reorders.
const NEAR: u32 = 16;
/// So many reports must have come in order.
const ENOUGH: u32 = 2;

/// One stream's ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    sequence: Sequence,
    first: Option<i64>,
    /// Highest sequence number so far.
    last: i64,
    /// The newest ones, with their timestamps.
    newest: VecDeque<(i64, u32)>,
    /// How many must come in order before a report does again.
    unsettled: u32,
    /// How many came since the newest report, while that seems to have come in order.
    since_report: Option<u32>,
    /// Reports that came in order.
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
        self.order(sequence);
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

    /// Did the path keep its order around the newest report?
    fn order(&mut self, sequence: i64) {
        if sequence <= self.last {
            (self.unsettled, self.since_report) = (NEAR, None);
            return;
        }
        self.unsettled = self.unsettled.saturating_sub(1);
        self.since_report = match self.since_report {
            // What is missing beside it may be among what it counts, or not.
            Some(0) if sequence > self.last + 1 => None,
            since => since.map(|since| since + 1),
        };
        if self.since_report == Some(NEAR) {
            self.close();
        }
    }

    /// The newest report, if it came in order, as far as that is known; and that is nothing if it came last.
    fn close(&mut self) {
        self.reports += u32::from(self.since_report.take().is_some_and(|since| since > 0));
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
        self.close();
        // Of what has overtaken it, it knows nothing.
        self.since_report = (self.unsettled == 0 && before_it == Some(self.last)).then_some(0);
    }

    /// It is over: what was lost before the first and after the last packet that came, as far as it is known.
    pub(super) fn lost(&mut self) -> impl Iterator<Item = End> {
        self.close();
        let known = self.first.zip(self.before).filter(|(_, before)| self.reports >= ENOUGH && *before >= 0);
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

    /// A packet of 20 ms.
    const PACKET: u32 = 960;

    /// Sound from sequence number 10 on, of which these came, with a report after every tenth that was sent.
    fn heard(sent: u16, came: impl Fn(u16) -> bool) -> Vec<End> {
        heard_ahead(sent, came, 500)
    }

    /// The same, with reports whose timestamps are so much ahead of what was sent last.
    fn heard_ahead(sent: u16, came: impl Fn(u16) -> bool, ahead: u32) -> Vec<End> {
        let mut ends = Ends::default();
        for n in 0..sent {
            if came(n) {
                ends.sound(n);
            }
            if n % 10 == 9 {
                ends.report(u32::from(n) + 1, u32::from(n) * PACKET + ahead);
            }
        }
        ends.lost().collect()
    }

    impl Ends {
        fn sound(&mut self, n: u16) {
            self.packet(10 + n, u32::from(n) * PACKET);
        }
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
    fn a_report_that_stands_later_than_what_is_about_to_be_sent_counts_what_was_sent() {
        assert_eq!(heard_ahead(50, |_| true, 3 * PACKET), []);
        assert_eq!(heard_ahead(50, |n| n >= 3, 3 * PACKET), [End { first: 10, packets: 3 }]);
    }

    #[test]
    fn what_overtook_a_report_is_not_counted_against_it() {
        let mut ends = Ends::default();
        for n in 0..30 {
            ends.sound(n);
        }
        ends.report(10, 9 * PACKET);
        ends.sound(30);
        ends.report(20, 19 * PACKET);
        ends.sound(31);
        assert_eq!(ends.lost().count(), 0);
    }

    /// Three seconds of sound with 150 ms of jitter. Each of the reports in it overtook the last three packets that it counts.
    fn jitter(ends: &mut Ends, from: u16) {
        for n in (from..from + 150).step_by(5) {
            if n % 50 == 0 {
                ends.report(u32::from(n) + 3, u32::from(n + 2) * PACKET + 500);
            }
            for swapped in [2, 0, 4, 1, 3] {
                ends.sound(n + swapped);
            }
        }
    }

    #[test]
    fn nothing_is_lost_that_a_report_has_overtaken() {
        let mut ends = Ends::default();
        (0..100).for_each(|n| ends.sound(n));
        jitter(&mut ends, 100);
        assert_eq!(ends.lost().collect::<Vec<_>>(), []);
    }

    #[test]
    fn before_and_after_a_path_reorders_its_reports_are_believed() {
        let mut ends = Ends::default();
        for n in 3..100 {
            ends.sound(n);
            if n == 50 {
                ends.report(51, 50 * PACKET + 500);
            }
        }
        jitter(&mut ends, 100);
        for n in 250..300 {
            ends.sound(n);
            if n == 280 {
                ends.report(281, 280 * PACKET + 500);
            }
        }
        ends.report(302, 302 * PACKET);
        assert_eq!(ends.lost().collect::<Vec<_>>(), [End { first: 10, packets: 3 }, End { first: 310, packets: 2 }]);
    }

    #[test]
    fn what_is_lost_beside_a_report_is_lost_there_and_not_at_the_beginning() {
        assert_eq!(heard(60, |n| n % 10 != 9), []);
        assert_eq!(heard(60, |n| n % 10 != 0 || n == 0), []);
    }

    #[test]
    fn one_report_says_nothing() {
        assert_eq!(heard(19, |n| n >= 3), []);
        assert_eq!(Ends::default().lost().count(), 0);
    }
}
