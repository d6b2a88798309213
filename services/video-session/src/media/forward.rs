//! From a publisher to its viewers, and the viewers' wishes back.

use std::{collections::HashMap, time::Instant};

use rtc::{
    interceptor::Packet,
    rtcp::{
        Packet as Rtcp,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
            receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
        },
        sender_report::SenderReport,
    },
};

use super::{
    Kind, MediaEvent, ResourceId,
    engine::Engine,
    peer::{Peer, Role},
};

impl Engine {
    pub(super) fn rtp(&mut self, now: Instant, resource: ResourceId, packet: rtc::rtp::Packet) {
        let Some(Peer { role: Role::Publisher(publisher), .. }) = self.peers.get_mut(&resource) else { return };
        let Some(kind) = publisher.kind(&packet) else { return };
        let viewers = std::mem::take(&mut publisher.viewers);
        for id in &viewers {
            let Some(peer) = self.peers.get_mut(id) else { continue };
            if peer.connected
                && let Role::Viewer(viewer) = &mut peer.role
                && let Some(forwarded) = viewer.packet(kind, &packet)
            {
                peer.write(now, Packet::Rtp(forwarded));
                if peer.touch() {
                    self.touched.push(*id);
                }
            }
        }
        let mut events = Vec::new();
        if let Some(peer) = self.peers.get_mut(&resource) {
            if let Role::Publisher(publisher) = &mut peer.role {
                publisher.viewers = viewers;
                publisher.packet(now, kind, packet, &mut events);
            }
            ask_for_key_frame(now, peer);
        }
        self.tell(events);
    }

    pub(super) fn rtcp(&mut self, now: Instant, resource: ResourceId, packet: &dyn Rtcp) {
        let any = packet.as_any();
        let asks = any.is::<PictureLossIndication>() || any.is::<FullIntraRequest>();
        match self.peers.get_mut(&resource).map(|peer| &mut peer.role) {
            Some(Role::Publisher(publisher)) => {
                if let Some(report) = any.downcast_ref::<SenderReport>()
                    && let Some(kind) = publisher.kind_of(report.ssrc)
                {
                    publisher.report(now, kind, report);
                    for id in publisher.viewers.clone() {
                        self.forward_report(now, id, kind, report);
                    }
                }
            }
            Some(Role::Viewer(viewer)) if asks && viewer.shows() => {
                let publisher = viewer.publisher;
                self.want_key_frame(now, publisher);
            }
            _ => {}
        }
    }

    fn forward_report(&mut self, now: Instant, id: ResourceId, kind: Kind, report: &SenderReport) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Role::Viewer(viewer) = &mut peer.role
            && let Some(report) = viewer.report(kind, report)
        {
            peer.write(now, Packet::Rtcp(vec![Box::new(report)]));
            self.touch(id);
        }
    }

    pub(super) fn want_key_frame(&mut self, now: Instant, publisher: ResourceId) {
        let Some(peer) = self.peers.get_mut(&publisher) else { return };
        if let Role::Publisher(publisher) = &mut peer.role {
            publisher.key_frames.want();
        }
        if ask_for_key_frame(now, peer) {
            self.touch(publisher);
        }
    }

    /// Time has passed: whose path carries sound and picture, and whose only sound?
    pub(super) fn look_at_viewers(&mut self, now: Instant) {
        let (mut turned, mut awaited, mut narrowest) = (Vec::new(), Vec::new(), HashMap::new());
        for peer in self.peers.values_mut().filter(|peer| peer.connected) {
            let Role::Viewer(viewer) = &mut peer.role else { continue };
            if let Some(limit) = viewer.budget.limit() {
                let least = narrowest.entry(viewer.publisher).or_insert(limit);
                *least = limit.min(*least);
            }
            if let Some(held) = viewer.look(now) {
                let (publisher, viewer, limit) = (viewer.whom, peer.participant, viewer.budget.limit());
                tracing::info!(%viewer, %publisher, held, limit, "picture");
                turned.push(MediaEvent::PictureHeld { viewer, publisher, held });
            }
            if viewer.awaits_key_frame() {
                awaited.push(viewer.publisher);
            }
        }
        self.tell(turned);
        for publisher in awaited {
            self.want_key_frame(now, publisher);
        }
        self.ask_for_less(now, &narrowest);
    }

    /// Asks those publishers who may be asked for what the narrowest of their viewers' paths carries.
    fn ask_for_less(&mut self, now: Instant, narrowest: &HashMap<ResourceId, u64>) {
        let mut asked = Vec::new();
        for peer in self.peers.values_mut() {
            let Role::Publisher(publisher) = &mut peer.role else { continue };
            let limit = narrowest.get(&peer.id).copied();
            let Some(bits) = publisher.cap.as_mut().and_then(|cap| cap.look(now, limit)) else { continue };
            let ssrcs = publisher.picture().into_iter().collect();
            let wish = ReceiverEstimatedMaximumBitrate { sender_ssrc: 1, bitrate: bits as f32, ssrcs };
            peer.write(now, Packet::Rtcp(vec![Box::new(wish)]));
            asked.push(peer.id);
        }
        asked.into_iter().for_each(|publisher| self.touch(publisher));
    }
}

/// Asks a publisher for a key frame, if one is due. True if there is something to send.
pub(super) fn ask_for_key_frame(now: Instant, peer: &mut Peer) -> bool {
    if !peer.connected {
        return false;
    }
    let Role::Publisher(publisher) = &mut peer.role else { return false };
    let Some(media_ssrc) = publisher.key_frame_due(now) else { return false };
    let request = PictureLossIndication { sender_ssrc: 1, media_ssrc };
    peer.write(now, Packet::Rtcp(vec![Box::new(request)]));
    true
}
