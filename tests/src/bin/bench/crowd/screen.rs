//! What a phone of the crowd does with what it watches: reads each packet's time stamp, and reports as a browser does.

use std::{collections::HashSet, time::Instant};

use bytes::Bytes;
use rtc::{
    interceptor::{
        AttributedPacket, Interceptor, Packet, RTCPFeedback, RTPHeaderExtension, ReceiverReportBuilder,
        ReceiverReportInterceptor, StreamInfo, TaggedPacket, TwccReceiverBuilder, TwccReceiverInterceptor,
    },
    rtcp,
    rtp::Header,
    sansio::Protocol,
    shared::{
        TransportContext,
        marshal::{MarshalSize, Unmarshal},
    },
    srtp::context::Context,
};

use super::camera::STAMP;
use crate::Failure;

/// The screen.
pub struct Screen {
    wide: Option<u8>,
    streams: HashSet<u32>,
    feedback: TwccReceiverInterceptor,
    reports: ReceiverReportInterceptor,
}

impl Screen {
    /// One that acknowledges packets by their transport-wide numbers, if that was agreed on.
    pub fn new(wide: Option<u8>) -> Self {
        let (feedback, reports) = (TwccReceiverBuilder::new().build(), ReceiverReportBuilder::new().build());
        Self { wide, streams: HashSet::new(), feedback, reports }
    }

    /// When a packet was sent, in microseconds since 1970; `None` for one without anything in it.
    pub fn packet(&mut self, now: Instant, keys: &mut Context, datagram: &[u8]) -> Result<Option<i64>, Failure> {
        let header = Header::unmarshal(&mut &*datagram)?;
        let plain = keys.decrypt_rtp_with_header(datagram, &header)?;
        let stamp = plain.get(header.marshal_size() + STAMP..).and_then(|payload| payload.first_chunk());
        let stamp = stamp.map(|bytes| i64::from_be_bytes(*bytes));
        if self.streams.insert(header.ssrc) {
            self.bind(&header);
        }
        let packet = TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(Packet::Rtp(rtc::rtp::Packet { header, payload: Bytes::new() })),
        };
        self.feedback.handle_read(packet)?;
        while let Some(packet) = self.feedback.poll_read() {
            self.reports.handle_read(packet)?;
        }
        while self.reports.poll_read().is_some() {}
        Ok(stamp)
    }

    /// What it says to the server by now.
    pub fn says(&mut self, now: Instant) -> Result<Vec<Box<dyn rtcp::Packet>>, Failure> {
        self.feedback.handle_timeout(now)?;
        self.reports.handle_timeout(now)?;
        let mut said = Vec::new();
        while let Some(packet) = self.feedback.poll_write().or_else(|| self.reports.poll_write()) {
            if let Packet::Rtcp(mut packets) = packet.message.packet {
                said.append(&mut packets);
            }
        }
        Ok(said)
    }

    fn bind(&mut self, header: &Header) {
        let wide = self.wide.map(|id| RTPHeaderExtension { uri: super::sdp::WIDE_URI.to_owned(), id: id.into() });
        let feedback = RTCPFeedback { typ: "transport-cc".to_owned(), parameter: String::new() };
        let info = StreamInfo {
            ssrc: header.ssrc,
            payload_type: header.payload_type,
            clock_rate: if header.payload_type == super::sdp::SOUND { 48_000 } else { 90_000 },
            rtp_header_extensions: wide.into_iter().collect(),
            rtcp_feedback: vec![feedback],
            ..StreamInfo::default()
        };
        self.feedback.bind_remote_stream(&info);
        self.reports.bind_remote_stream(&info);
    }
}
