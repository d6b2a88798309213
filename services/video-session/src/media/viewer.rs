//! A viewer's side of forwarding: the publisher's packets under the viewer's own SSRC and payload type, untouched inside.

use rtc::{
    rtcp::sender_report::SenderReport,
    rtp::{Header, Packet},
};

use super::{Kind, ResourceId, Seat};

/// Who watches what.
pub(super) struct Viewer {
    pub(super) seat: Seat,
    pub(super) publisher: ResourceId,
    pub(super) video: Option<Outlet>,
    pub(super) audio: Option<Outlet>,
}

/// One stream towards a viewer.
pub(super) struct Outlet {
    ssrc: u32,
    payload_type: u8,
    packets: u32,
    octets: u32,
}

impl Outlet {
    pub(super) fn new(ssrc: u32, payload_type: u8) -> Self {
        Self { ssrc, payload_type, packets: 0, octets: 0 }
    }

    /// Sequence numbers and timestamps stay the publisher's; its header extensions were never negotiated here.
    fn packet(&mut self, packet: &Packet) -> Packet {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(u32::try_from(packet.payload.len()).unwrap_or_default());
        Packet {
            header: Header {
                version: 2,
                padding: packet.payload.is_empty(),
                marker: packet.header.marker,
                payload_type: self.payload_type,
                sequence_number: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: self.ssrc,
                ..Header::default()
            },
            payload: packet.payload.clone(),
        }
    }

    fn report(&self, report: &SenderReport) -> SenderReport {
        SenderReport {
            ssrc: self.ssrc,
            packet_count: self.packets,
            octet_count: self.octets,
            reports: Vec::new(),
            ..report.clone()
        }
    }
}

impl Viewer {
    pub(super) fn packet(&mut self, kind: Kind, packet: &Packet) -> Option<Packet> {
        Some(self.outlet(kind)?.packet(packet))
    }

    pub(super) fn report(&mut self, kind: Kind, report: &SenderReport) -> Option<SenderReport> {
        Some(self.outlet(kind)?.report(report))
    }

    fn outlet(&mut self, kind: Kind) -> Option<&mut Outlet> {
        match kind {
            Kind::Audio => self.audio.as_mut(),
            Kind::Video => self.video.as_mut(),
        }
    }
}
