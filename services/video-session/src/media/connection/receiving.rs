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

use super::{latch::Offered, streams};
use crate::media::{
    nack::BoundedNack,
    rtx::{UnwrapRtx, Unwrapped},
};

/// Reports, several of which may travel as one packet.
pub(in crate::media) type Reports = Vec<Box<dyn rtcp::Packet>>;

/// The receiving half of a connection.
pub(in crate::media) struct Receiving {
    offered: Vec<Offered>,
    /// The SSRCs of what was offered, repairs included: nothing else is listened to.
    known: Vec<u32>,
    acknowledges: TwccReceiverInterceptor,
    reports: ReceiverReportInterceptor,
    unwraps: UnwrapRtx,
    asks: BoundedNack,
}

impl Receiving {
    pub(in crate::media) fn new(offered: Vec<Offered>) -> Self {
        let declared: Vec<_> = offered.iter().filter_map(Offered::stream).collect();
        let mut receiving = Self {
            offered,
            known: Vec::new(),
            acknowledges: TwccReceiverBuilder::new().build(),
            reports: ReceiverReportBuilder::new().build(),
            unwraps: UnwrapRtx::default(),
            asks: BoundedNack::default(),
        };
        declared.iter().for_each(|stream| receiving.bind(stream));
        receiving
    }

    /// Listens to what of a stream is not listened to yet.
    fn bind(&mut self, stream: &StreamInfo) {
        self.unwraps.bind(stream);
        for stream in [Some(stream.clone()), streams::repairs(stream)].into_iter().flatten() {
            if !self.known.contains(&stream.ssrc) {
                self.known.push(stream.ssrc);
                self.asks.bind(&stream);
                self.acknowledges.bind_remote_stream(&stream);
                self.reports.bind_remote_stream(&stream);
            }
        }
    }

    /// A packet came. What there is to record and forward of it.
    pub(in crate::media) fn packet(&mut self, now: Instant, packet: rtp::Packet) -> Option<rtp::Packet> {
        if !self.known.contains(&packet.header.ssrc)
            && let Some(stream) = self.offered.iter_mut().find_map(|offered| offered.learn(&packet.header))
        {
            self.bind(&stream);
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use bytes::Bytes;
    use rtc::{
        interceptor::{RTCPFeedback, RTPHeaderExtension},
        rtcp::{
            receiver_report::ReceiverReport,
            sender_report::SenderReport,
            transport_feedbacks::{transport_layer_cc::TransportLayerCc, transport_layer_nack::TransportLayerNack},
        },
    };

    use super::*;
    use crate::media::section::TWCC;

    const WIDE: u8 = 5;
    const STEP: Duration = Duration::from_millis(10);

    /// A picture's stream with RTX, its SSRCs declared or not.
    fn receiving(ssrcs: Option<(u32, Option<u32>)>) -> Receiving {
        let like = StreamInfo {
            payload_type: 96,
            payload_type_rtx: Some(97),
            clock_rate: 90_000,
            rtcp_feedback: vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }],
            rtp_header_extensions: vec![RTPHeaderExtension { uri: TWCC.to_owned(), id: WIDE.into() }],
            ..StreamInfo::default()
        };
        Receiving::new(vec![Offered { ssrcs, mid: None, like }])
    }

    fn packet(ssrc: u32, payload_type: u8, sequence_number: u16, wide: u16, payload: &[u8]) -> rtp::Packet {
        let mut header = rtp::Header { ssrc, payload_type, sequence_number, ..rtp::Header::default() };
        header.set_extension(WIDE, Bytes::copy_from_slice(&wide.to_be_bytes())).unwrap();
        rtp::Packet { header, payload: Bytes::copy_from_slice(payload) }
    }

    /// What a second and a half of it leads to: whose packets come out, repaired or not, and what is said to their sender.
    fn heard(mut receiving: Receiving) -> (Vec<(u32, u8, u16)>, Vec<String>) {
        let (mut now, mut wide, mut taken, mut said) = (Instant::now(), 0, Vec::new(), Vec::new());
        for number in 100..250 {
            now += STEP;
            let mut came = vec![packet(1, 96, number, wide, &[7])];
            match number {
                // Lost, and repaired five packets later: once as it should be, once twice over.
                120 | 160 => came.clear(),
                125 => came.push(packet(2, 97, 500, wide + 1, &[0, 120, 7])),
                165 => came.extend([501, 502].map(|rtx| packet(2, 97, rtx, wide + 1, &[0, 160, 7]))),
                // A probe; and what nobody offered.
                180 => came.push(packet(2, 97, 503, wide + 1, &[])),
                190 => came.extend([packet(3, 96, 7, wide + 1, &[7]), packet(4, 97, 8, wide + 1, &[0, 120, 7])]),
                _ => {}
            }
            wide += 2;
            taken.extend(came.into_iter().filter_map(|packet| {
                let rtp::Header { ssrc, payload_type, sequence_number, .. } = receiving.packet(now, packet)?.header;
                Some((ssrc, payload_type, sequence_number))
            }));
            if number % 50 == 10 {
                let report = SenderReport { ssrc: 1, ntp_time: u64::from(number) << 32, ..SenderReport::default() };
                assert_eq!(receiving.heard(now, vec![Box::new(report)]).unwrap().len(), 1);
            }
            receiving.wake(now, |reports| said.extend(reports.iter().filter_map(|report| words(report.as_ref()))));
        }
        (taken, said)
    }

    /// What a report says, less what is drawn at random, and less of streams of which nothing has come.
    fn words(report: &dyn rtcp::Packet) -> Option<String> {
        let any = report.as_any();
        if let Some(ReceiverReport { reports, .. }) = any.downcast_ref() {
            return reports.iter().any(|one| one.last_sequence_number > 0).then(|| format!("{reports:?}"));
        }
        if let Some(wide) = any.downcast_ref::<TransportLayerCc>() {
            return Some(format!("{:?}", TransportLayerCc { sender_ssrc: 0, ..wide.clone() }));
        }
        any.downcast_ref::<TransportLayerNack>().map(|nack| format!("{nack:?}"))
    }

    #[test]
    fn what_the_offer_did_not_name_is_repaired_and_reported_as_if_it_had() {
        let (taken, mut said) = heard(receiving(Some((1, Some(2)))));
        let mut whole: Vec<_> = taken.iter().map(|(.., sequence)| *sequence).collect();
        whole.sort_unstable();
        assert!(whole.iter().copied().eq(100..250) && taken.iter().all(|one| (one.0, one.1) == (1, 96)), "{taken:?}");
        for kind in ["ReceptionReport { ssrc: 1", "ReceptionReport { ssrc: 2", "TransportLayerCc", "TransportLayerNack"]
        {
            assert!(said.iter().any(|words| words.contains(kind)), "no {kind} in {said:?}");
        }
        for ssrcs in [None, Some((1, None))] {
            let (also_taken, mut also_said) = heard(receiving(ssrcs));
            assert_eq!(taken, also_taken);
            // Those of one moment come in any order.
            said.sort();
            also_said.sort();
            assert_eq!(said, also_said);
        }
    }
}
