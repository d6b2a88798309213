//! What the other end asks a phone's camera for (REMB). `rtc` keeps such packets to itself, so they are read on their way in.

use std::{collections::VecDeque, time::Instant};

use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
    sansio::Protocol,
    shared::error::Error,
};
use tokio::sync::watch;

/// Reads along.
pub(crate) struct Wishes {
    asked: watch::Sender<Option<u64>>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Wishes {
    /// With what was asked for last, in bits a second.
    pub(crate) fn new() -> (Self, watch::Receiver<Option<u64>>) {
        let (asked, last) = watch::channel(None);
        (Self { asked, read: VecDeque::new(), write: VecDeque::new() }, last)
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Wishes {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(compound) = &packet.message.packet {
            for wish in compound.iter().filter_map(|one| one.as_any().downcast_ref::<ReceiverEstimatedMaximumBitrate>())
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "bits a second of a camera"
                )]
                self.asked.send_replace(Some(wish.bitrate as u64));
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

impl Interceptor for Wishes {
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}

    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}
