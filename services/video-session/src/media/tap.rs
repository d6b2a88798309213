//! Lets sender reports and key-frame requests through to us.
//!
//! `rtc` keeps RTCP to itself unless it is marked, and routes a compound by its first packet's SSRC alone (Chromium's first
//! PLI rides behind an empty receiver report and would be lost), so each goes on as a compound of its own.

use std::{collections::VecDeque, time::Instant};

use rtc::{
    interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::{
        self,
        payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
        sender_report::SenderReport,
    },
    sansio::Protocol,
    shared::error::Error,
};

/// Last in the chain.
#[derive(Default)]
pub(super) struct Tap {
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtcp(compound) = &packet.message.packet else {
            self.read.push_back(packet);
            return Ok(());
        };
        for one in compound.iter().filter_map(|one| wanted(one.as_ref())) {
            self.read.push_back(TaggedPacket {
                now: packet.now,
                transport: packet.transport,
                message: AttributedPacket::new(Packet::Rtcp(vec![one])).with(Attribute::DeliverToApplication),
            });
        }
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

impl Interceptor for Tap {
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}

    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}

/// A copy for the application. A report's reception blocks are left out: `rtc` would route by them.
fn wanted(packet: &dyn rtcp::Packet) -> Option<Box<dyn rtcp::Packet>> {
    let any = packet.as_any();
    if let Some(report) = any.downcast_ref::<SenderReport>() {
        return Some(Box::new(SenderReport { reports: Vec::new(), ..report.clone() }));
    }
    let asks = any.is::<PictureLossIndication>() || any.is::<FullIntraRequest>();
    asks.then(|| packet.cloned())
}
