//! Offers in, answers out: what the engine does when someone comes.

use std::{collections::HashSet, time::Instant};

use ids::ParticipantId;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use super::{
    Answer, MediaError, Publication, ResourceId, Seat, chain,
    engine::Engine,
    gate::Gate,
    negotiate::{Offer, Wanted},
    peer::{self, Peer, Role, Setup},
    publisher::Publisher,
    viewer::{Outlet, Shown, Viewer},
};

impl Engine {
    pub(super) fn publish(&mut self, now: Instant, publication: Publication, sdp: &str) -> Result<Answer, MediaError> {
        let offer = Offer::parse(sdp, Wanted::Publish)?;
        let participant = publication.participant;
        let (candidates, chain) = (&self.candidates, chain::publisher());
        let setup = Setup { now, offer: &offer, candidates, chain, send: Vec::new() };
        let (connection, answered) = peer::answer(setup).map_err(refused)?;
        let began = (now, self.clock.now().timestamp_micros());
        let role = Role::Publisher(Box::new(Publisher::new(publication, began, offer.video, offer.audio)));
        let answer = self.open(answered.sdp, |id| Peer {
            id,
            participant,
            role,
            connected: false,
            born: now,
            tcp_since: None,
            checks: answered.checks,
            former: HashSet::new(),
            gate: Gate::of_datagrams(now),
            offer: offer.sdp,
            next: Some(now),
            connection,
        });
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

        // One stream for both, so that a browser plays them in step.
        let stream = publisher.to_string();
        let (mut send, mut roles) = (Vec::new(), Viewer::new(seat, source, publisher));
        if let Some(payload) = &offer.audio {
            let ssrc = self.ssrc();
            send.push(peer::track(&stream, peer::audio_codec(payload), RtpCodecKind::Audio, ssrc, None));
            roles.sound = Some(Outlet::new(ssrc, payload.payload_type));
        }
        if let Some((codec, payload)) = &offer.video {
            let (ssrc, rtx) = (self.ssrc(), payload.rtx.map(|_| self.ssrc()));
            let described = peer::video_codec(*codec, payload);
            send.push(peer::track(&stream, described, RtpCodecKind::Video, ssrc, rtx));
            roles.picture = Some(Shown::new(Outlet::new(ssrc, payload.payload_type), *codec));
        }

        let (candidates, chain) = (&self.candidates, chain::viewer(&roles.budget));
        let setup = Setup { now, offer: &offer, candidates, chain, send };
        let (connection, answered) = peer::answer(setup).map_err(refused)?;
        let answer = self.open(answered.sdp, |id| Peer {
            id,
            participant: seat.participant(),
            role: Role::Viewer(Box::new(roles)),
            connected: false,
            born: now,
            tcp_since: None,
            checks: answered.checks,
            former: HashSet::new(),
            gate: Gate::of_datagrams(now),
            offer: offer.sdp,
            next: Some(now),
            connection,
        });
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

    fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.entropy.bytes()).max(1)
    }
}

fn refused(error: rtc::shared::error::Error) -> MediaError {
    MediaError::MalformedSdp(error.to_string())
}
