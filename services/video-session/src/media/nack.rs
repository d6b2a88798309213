//! Asks for lost packets, but not for ever: a few times, spaced, within the time that the recording waits. Drops duplicates.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
    sansio::Protocol,
    shared::{TransportContext, error::Error},
};

use super::extend::Sequence;

/// A packet is given this long to turn up by itself, out of order.
const PATIENCE: Duration = Duration::from_millis(15);
/// Then it is asked for, and again after this, which covers most round trips.
const SPACING: Duration = Duration::from_millis(90);
/// At most so often.
const MOST_ASKED: u8 = 4;
/// A late packet is still told from a duplicate for this long.
const REMEMBERED: Duration = Duration::from_secs(2);
/// A larger jump is a restarted stream, not loss.
const LARGEST_GAP: i64 = 400;

#[derive(Default)]
struct Stream {
    sequence: Sequence,
    highest: Option<i64>,
    missing: BTreeMap<i64, Missing>,
}

struct Missing {
    since: Instant,
    next: Instant,
    asked: u8,
}

/// The generator.
#[derive(Default)]
pub(super) struct BoundedNack {
    streams: HashMap<u32, Stream>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Stream {
    /// False for a duplicate.
    fn arrived(&mut self, now: Instant, sequence_number: u16) -> bool {
        let sequence = self.sequence.extend(sequence_number);
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return true;
        };
        if sequence <= highest {
            return self.missing.remove(&sequence).is_some();
        }
        if sequence - highest <= LARGEST_GAP {
            let missing = || Missing { since: now, next: now + PATIENCE, asked: 0 };
            self.missing.extend((highest + 1..sequence).map(|lost| (lost, missing())));
        }
        self.highest = Some(sequence);
        true
    }

    /// What to ask for now.
    fn due(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|_, missing| now < missing.since + REMEMBERED);
        let mut due = Vec::new();
        for (sequence, missing) in &mut self.missing {
            if missing.asked < MOST_ASKED && missing.next <= now {
                missing.asked += 1;
                missing.next = now + SPACING;
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
        self.missing.values().filter(|missing| missing.asked < MOST_ASKED).map(|missing| missing.next).min()
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for BoundedNack {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &packet.message.packet
            && let Some(stream) = self.streams.get_mut(&rtp.header.ssrc)
            && !stream.arrived(packet.now, rtp.header.sequence_number)
        {
            return Ok(());
        }
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        for (&media_ssrc, stream) in &mut self.streams {
            let due = stream.due(now);
            if due.is_empty() {
                continue;
            }
            let nacks = nack_pairs_from_sequence_numbers(&due);
            let nack = TransportLayerNack { sender_ssrc: 1, media_ssrc, nacks };
            self.write.push_back(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(nack)])),
            });
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.streams.values().filter_map(Stream::next).min()
    }
}

impl Interceptor for BoundedNack {
    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if info.rtcp_feedback.iter().any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty()) {
            // An ICE restart binds the streams again: what is missing is still missing.
            self.streams.entry(info.ssrc).or_default();
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_packet_is_asked_for_a_few_times_and_not_after_its_repair() {
        let (mut stream, now) = (Stream::default(), Instant::now());
        for sequence in [10, 11, 14, 15] {
            assert!(stream.arrived(now, sequence));
        }
        assert!(stream.due(now).is_empty(), "it may only be late");
        assert_eq!(stream.due(now + PATIENCE), [12, 13]);
        assert!(stream.arrived(now + PATIENCE, 12));
        let mut asked = 1;
        for step in 1..20 {
            let due = stream.due(now + PATIENCE + SPACING * step);
            assert!(due.iter().all(|sequence| *sequence == 13));
            asked += due.len();
        }
        assert_eq!(asked, usize::from(MOST_ASKED));
        assert_eq!(stream.next(), None);
        assert!(stream.arrived(now + Duration::from_secs(1), 13), "late, but no duplicate");
    }

    #[test]
    fn duplicates_are_known() {
        let (mut stream, now) = (Stream::default(), Instant::now());
        assert!(stream.arrived(now, 65_535));
        assert!(stream.arrived(now, 0));
        assert!(!stream.arrived(now, 65_535));
        assert!(!stream.arrived(now, 0));
    }

    #[test]
    fn a_restarted_stream_is_not_asked_for() {
        let (mut stream, now) = (Stream::default(), Instant::now());
        assert!(stream.arrived(now, 10));
        assert!(stream.arrived(now, 10_000));
        assert!(stream.due(now + SPACING).is_empty());
    }
}
