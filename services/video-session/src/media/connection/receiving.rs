//! A publisher's packets, once they are decrypted: acknowledged and reported as they came, repairs put in the place of what was lost,
//! duplicates dropped, and what is still missing asked for.

use std::time::Instant;

use rtc::{
    interceptor::{
        AttributedPacket, Interceptor, Packet, ReceiverReportBuilder, ReceiverReportInterceptor, StreamInfo,
        TaggedPacket, TwccReceiverBuilder, TwccReceiverInterceptor,
    },
    rtcp, rtp,
    sansio::Protocol,
    shared::TransportContext,
};

use super::streams;
use crate::media::{
    nack::BoundedNack,
    rtx::{UnwrapRtx, Unwrapped},
};

/// Reports, several of which may travel as one packet.
pub(in crate::media) type Reports = Vec<Box<dyn rtcp::Packet>>;

/// The receiving half of a connection.
pub(in crate::media) struct Receiving {
    /// The streams that were offered: nothing else is listened to.
    known: Vec<u32>,
    acknowledges: TwccReceiverInterceptor,
    reports: ReceiverReportInterceptor,
    unwraps: UnwrapRtx,
    asks: BoundedNack,
}

impl Receiving {
    pub(in crate::media) fn new(offered: &[StreamInfo]) -> Self {
        let mut receiving = Self {
            known: offered.iter().map(|stream| stream.ssrc).collect(),
            acknowledges: TwccReceiverBuilder::new().build(),
            reports: ReceiverReportBuilder::new().build(),
            unwraps: UnwrapRtx::default(),
            asks: BoundedNack::default(),
        };
        for stream in offered {
            receiving.unwraps.bind(stream);
            receiving.asks.bind(stream);
            for stream in [Some(stream.clone()), streams::repairs(stream)].into_iter().flatten() {
                receiving.acknowledges.bind_remote_stream(&stream);
                receiving.reports.bind_remote_stream(&stream);
            }
        }
        receiving
    }

    /// A packet came. What there is to record and forward of it.
    pub(in crate::media) fn packet(&mut self, now: Instant, packet: rtp::Packet) -> Option<rtp::Packet> {
        let mut came = tagged(now, Packet::Rtp(packet));
        // Both see retransmissions as they came: they describe the path.
        came = through(&mut self.acknowledges, came)?;
        came = through(&mut self.reports, came)?;
        let Packet::Rtp(mut packet) = came.message.packet else { return None };
        let unwrapped = self.unwraps.unwrap(&mut packet);
        let is_new = unwrapped != Unwrapped::Probe
            && self.known.contains(&packet.header.ssrc)
            && self.asks.arrived(now, &packet.header, unwrapped == Unwrapped::Repair);
        is_new.then_some(packet)
    }

    /// Reports came: theirs say when they sent.
    pub(in crate::media) fn heard(&mut self, now: Instant, reports: Reports) -> Option<Reports> {
        match through(&mut self.reports, tagged(now, Packet::Rtcp(reports)))?.message.packet {
            Packet::Rtcp(reports) => Some(reports),
            _ => None,
        }
    }

    /// When it wants to be woken.
    pub(in crate::media) fn next(&mut self) -> Option<Instant> {
        let next = [self.acknowledges.poll_timeout(), self.reports.poll_timeout(), self.asks.next()];
        next.into_iter().flatten().min()
    }

    /// Time has passed: what there is to say.
    pub(in crate::media) fn wake(&mut self, now: Instant, mut say: impl FnMut(Reports)) {
        for interceptor in [&mut self.acknowledges as &mut dyn Interceptor, &mut self.reports] {
            if interceptor.poll_timeout().is_some_and(|next| next <= now)
                && let Err(error) = interceptor.handle_timeout(now)
            {
                tracing::debug!(%error, "no report");
            }
            while let Some(said) = interceptor.poll_write() {
                if let Packet::Rtcp(reports) = said.message.packet {
                    say(reports);
                }
            }
        }
        for nack in self.asks.due(now) {
            say(vec![Box::new(nack)]);
        }
    }
}

/// What an interceptor makes of a packet on its way in.
fn through(interceptor: &mut dyn Interceptor, packet: TaggedPacket) -> Option<TaggedPacket> {
    interceptor.handle_read(packet).ok()?;
    interceptor.poll_read()
}

/// As interceptors take it. Where it came from is not their business.
pub(super) fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
    TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) }
}
