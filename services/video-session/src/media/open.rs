//! Offers in, answers out: what the engine does when someone comes.

use std::time::Instant;

use super::{
    Answer, Kind, MediaError, Publication, ResourceId, Seat,
    answer::Outgoing,
    connection::{Connection, Setup, Way},
    engine::Engine,
    negotiate::{Offer, Wanted},
    peer::{Peer, Role},
    publisher::Publisher,
    viewer::{Outlet, Shown, Viewer},
};
use ids::ParticipantId;

impl Engine {
    pub(super) fn publish(&mut self, now: Instant, publication: Publication, sdp: &str) -> Result<Answer, MediaError> {
        let offer = Offer::parse(sdp, Wanted::Publish)?;
        let participant = publication.participant;
        let (video, audio) = (offer.video.clone(), offer.audio.clone());
        let (number, candidates) = (self.number(), &self.candidates);
        let (connection, answered) =
            Connection::new(Setup { now, number, offer, candidates, way: Way::In }).map_err(refused)?;
        let began = (now, self.clock.now().timestamp_micros());
        let recording = self.stands(publication.session, publication.recording);
        let publication = Publication { recording, ..publication };
        let role = Role::Publisher(Box::new(Publisher::new(publication, began, video, audio)));
        let answer = self.open(answered.sdp, |id| Peer::new(now, id, participant, role, connection, answered.checks));
        self.by_participant.insert(participant, answer.resource);
        Ok(answer)
    }

    pub(super) fn watch(
        &mut self,
        now: Instant,
        seat: Seat,
        publisher: ParticipantId,
        sdp: &str,
    ) -> Result<Answer, MediaError> {
        let source = self.by_participant.get(&publisher).copied().ok_or(MediaError::NothingToWatch)?;
        let Some(Peer { role: Role::Publisher(published), .. }) = self.peers.get(&source) else {
            return Err(MediaError::NothingToWatch);
        };
        let video = published.video.as_ref().map(|(codec, payload)| (*codec, payload.fmtp.as_str()));
        let offer = Offer::parse(sdp, Wanted::Watch { video, audio: published.audio.is_some() })?;

        let (mut sends, mut viewer) = (Vec::new(), Viewer::new(seat, source, publisher));
        viewer.hide(self.hides(seat.session(), seat.participant()));
        if let Some(payload) = &offer.audio {
            let ssrc = self.ssrc();
            sends.push(Outgoing { kind: Kind::Audio, ssrc, rtx: None });
            viewer.sound = Some(Outlet::new(ssrc, payload.payload_type));
        }
        if let Some((codec, payload)) = &offer.video {
            let (ssrc, rtx) = (self.ssrc(), payload.rtx.map(|_| self.ssrc()));
            sends.push(Outgoing { kind: Kind::Video, ssrc, rtx });
            viewer.picture = Some(Shown::new(Outlet::new(ssrc, payload.payload_type), *codec));
        }
        let way = Way::Out { stream: publisher.to_string(), sends, budget: viewer.budget.clone() };
        let (number, candidates) = (self.number(), &self.candidates);
        let (connection, answered) = Connection::new(Setup { now, number, offer, candidates, way }).map_err(refused)?;
        let role = Role::Viewer(Box::new(viewer));
        let answer =
            self.open(answered.sdp, |id| Peer::new(now, id, seat.participant(), role, connection, answered.checks));
        if let Some(Peer { role: Role::Publisher(published), .. }) = self.peers.get_mut(&source) {
            published.viewers.push(answer.resource);
        }
        Ok(answer)
    }

    fn open(&mut self, sdp: String, peer: impl FnOnce(ResourceId) -> Peer) -> Answer {
        let resource = ResourceId(u128::from_be_bytes(self.entropy.bytes()));
        let peer = peer(resource);
        let etag = peer.etag();
        self.by_ufrag.insert(peer.checks.ours.clone(), resource);
        self.peers.insert(resource, peer);
        self.touch(resource);
        Answer { sdp, resource, etag }
    }

    fn number(&self) -> u64 {
        u64::from_be_bytes(self.entropy.bytes())
    }

    fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.entropy.bytes()).max(1)
    }
}

fn refused(error: rtc::shared::error::Error) -> MediaError {
    MediaError::MalformedSdp(error.to_string())
}
