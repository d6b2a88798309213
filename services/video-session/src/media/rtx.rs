//! Undoes RFC 4588 before the NACK generator: a repaired packet must look like the one that was lost.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use rtc::{
    interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket},
    sansio::Protocol,
    shared::error::Error,
};

/// Rewrites retransmissions in place, marked as such, and drops those that only probe for bandwidth.
#[derive(Default)]
pub(super) struct UnwrapRtx {
    /// Retransmission SSRC to the SSRC and payload type it repairs.
    repairs: HashMap<u32, (u32, u8)>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

/// What a packet was.
#[derive(Debug, PartialEq, Eq)]
enum Unwrapped {
    Plain,
    Repair,
    /// Nothing in it to recover.
    Probe,
}

impl UnwrapRtx {
    fn unwrap(&self, packet: &mut rtc::rtp::Packet) -> Unwrapped {
        let Some(&(ssrc, payload_type)) = self.repairs.get(&packet.header.ssrc) else { return Unwrapped::Plain };
        let [high, low, ..] = packet.payload[..] else { return Unwrapped::Probe };
        packet.header.ssrc = ssrc;
        packet.header.payload_type = payload_type;
        packet.header.sequence_number = u16::from_be_bytes([high, low]);
        packet.header.padding = false;
        packet.payload = packet.payload.slice(2..);
        Unwrapped::Repair
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for UnwrapRtx {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &mut packet.message.packet {
            match self.unwrap(rtp) {
                Unwrapped::Plain => {}
                Unwrapped::Repair => drop(packet.message.add(Attribute::Retransmission)),
                Unwrapped::Probe => return Ok(()),
            }
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
}

impl Interceptor for UnwrapRtx {
    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(ssrc_rtx) = info.ssrc_rtx {
            self.repairs.insert(ssrc_rtx, (info.ssrc, info.payload_type));
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(ssrc_rtx) = info.ssrc_rtx {
            self.repairs.remove(&ssrc_rtx);
        }
    }

    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rtc::rtp::{Header, Packet};

    use super::*;

    #[test]
    fn a_repair_becomes_the_packet_it_repairs_and_a_probe_is_dropped() {
        let mut unwrap = UnwrapRtx::default();
        unwrap.bind_remote_stream(&StreamInfo {
            ssrc: 1,
            payload_type: 96,
            ssrc_rtx: Some(2),
            ..StreamInfo::default()
        });
        let packet = |ssrc, payload: &'static [u8]| Packet {
            header: Header { ssrc, payload_type: 97, sequence_number: 9, timestamp: 5, ..Header::default() },
            payload: Bytes::from_static(payload),
        };
        let mut repair = packet(2, &[1, 0, 7]);
        assert_eq!(unwrap.unwrap(&mut repair), Unwrapped::Repair);
        assert_eq!((repair.header.ssrc, repair.header.payload_type, repair.header.sequence_number), (1, 96, 256));
        assert_eq!(repair.payload, [7][..]);
        assert_eq!(unwrap.unwrap(&mut packet(2, &[])), Unwrapped::Probe);
        let mut other = packet(1, &[1, 0, 7]);
        assert_eq!(unwrap.unwrap(&mut other), Unwrapped::Plain);
        assert_eq!(other, packet(1, &[1, 0, 7]));
    }
}
