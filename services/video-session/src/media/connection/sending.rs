//! A viewer's packets, before they are encrypted: numbered transport-wide, so that what the path carries can be measured; and kept,
//! so that what was lost can be sent again. No sender reports of ours: the publisher's are forwarded, rewritten.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;
use rtc::{
    interceptor::{Interceptor, NackResponderBuilder, NackResponderInterceptor, Packet, StreamInfo},
    rtp,
    sansio::Protocol,
};

use super::receiving::{Reports, tagged};
use crate::media::estimate::{Budget, Estimate};

/// Packets of one stream that can be sent again: four seconds of 1 Mb/s. A power of two.
const KEPT: u16 = 512;

/// The sending half of a connection.
pub(in crate::media) struct Sending {
    /// SSRC, and the number of the header extension.
    numbered: Vec<(u32, u8)>,
    /// The next transport-wide number.
    number: u16,
    estimate: Estimate,
    kept: NackResponderInterceptor,
}

impl Sending {
    /// What the path carries goes into the budget.
    pub(in crate::media) fn new(sent: &[StreamInfo], budget: &Budget) -> Self {
        let mut kept = NackResponderBuilder::new().with_size(KEPT).build();
        sent.iter().for_each(|stream| kept.bind_local_stream(stream));
        let extension = |stream: &StreamInfo| {
            let id = stream.rtp_header_extensions.first()?.id;
            Some((stream.ssrc, u8::try_from(id).ok()?))
        };
        let numbered = sent.iter().filter_map(extension).collect();
        Self { numbered, number: 0, estimate: Estimate::new(budget), kept }
    }

    /// A packet is to leave.
    pub(in crate::media) fn packet(&mut self, now: Instant, packet: rtp::Packet, send: impl FnMut(&rtp::Packet)) {
        if let Err(error) = self.kept.handle_write(tagged(now, Packet::Rtp(packet))) {
            tracing::debug!(%error, "packet refused");
        }
        self.leave(now, send);
    }

    /// Reports came. What was lost leaves again; the reports themselves come back.
    pub(in crate::media) fn heard(
        &mut self,
        now: Instant,
        from: SocketAddr,
        mut reports: Reports,
        send: impl FnMut(&rtp::Packet),
    ) -> Option<Reports> {
        self.estimate.heard(from, &mut reports);
        self.kept.handle_read(tagged(now, Packet::Rtcp(reports))).ok()?;
        let heard = self.kept.poll_read();
        self.leave(now, send);
        match heard?.message.packet {
            Packet::Rtcp(reports) => Some(reports),
            _ => None,
        }
    }

    fn leave(&mut self, now: Instant, mut send: impl FnMut(&rtp::Packet)) {
        while let Some(leaving) = self.kept.poll_write() {
            let Packet::Rtp(mut packet) = leaving.message.packet else { continue };
            if let Some((_, id)) = self.numbered.iter().find(|(ssrc, _)| *ssrc == packet.header.ssrc) {
                let number = Bytes::copy_from_slice(&self.number.to_be_bytes());
                if packet.header.set_extension(*id, number).is_ok() {
                    self.estimate.left(now, self.number, packet.payload.len());
                    self.number = self.number.wrapping_add(1);
                }
            }
            send(&packet);
        }
    }
}
