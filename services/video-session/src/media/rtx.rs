//! Undoes RFC 4588 before the NACK generator: a repaired packet must look like the one that was lost.

use rtc::{interceptor::StreamInfo, rtp::Packet};

/// Rewrites retransmissions in place, and knows those that only probe for bandwidth.
#[derive(Default)]
pub(super) struct UnwrapRtx {
    /// Retransmission SSRC, and the SSRC and payload type it repairs.
    repairs: Vec<(u32, u32, u8)>,
}

/// What a packet was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwrapped {
    Plain,
    Repair,
    /// Nothing in it to recover.
    Probe,
}

impl UnwrapRtx {
    /// This stream will come, and perhaps repairs of it.
    pub(super) fn bind(&mut self, stream: &StreamInfo) {
        self.repairs.extend(stream.ssrc_rtx.map(|rtx| (rtx, stream.ssrc, stream.payload_type)));
    }

    pub(super) fn unwrap(&self, packet: &mut Packet) -> Unwrapped {
        let repair = self.repairs.iter().find(|(rtx, ..)| *rtx == packet.header.ssrc);
        let Some(&(_, ssrc, payload_type)) = repair else { return Unwrapped::Plain };
        let [high, low, ..] = packet.payload[..] else { return Unwrapped::Probe };
        packet.header.ssrc = ssrc;
        packet.header.payload_type = payload_type;
        packet.header.sequence_number = u16::from_be_bytes([high, low]);
        packet.header.padding = false;
        packet.payload = packet.payload.slice(2..);
        Unwrapped::Repair
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rtc::rtp::Header;

    use super::*;

    #[test]
    fn a_repair_becomes_the_packet_it_repairs_and_a_probe_is_dropped() {
        let mut unwrap = UnwrapRtx::default();
        unwrap.bind(&StreamInfo { ssrc: 1, payload_type: 96, ssrc_rtx: Some(2), ..StreamInfo::default() });
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
