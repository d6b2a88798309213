//! One peer connection of the synthetic phone, and its WHIP or WHEP resource.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, Url, header};
use rtc::{
    interceptor::Slot,
    media_stream::MediaStreamTrack,
    peer_connection::configuration::{RTCOfferOptions, setting_engine::SettingEngineBuilder},
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{
            RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
            RtpCodecKind,
        },
    },
};
use tokio::sync::watch;
use webrtc::{
    media_stream::{
        track_local::{TrackLocal, static_sample::TrackLocalStaticSample},
        track_remote::TrackRemote,
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCPeerConnectionState, RTCSessionDescription, Registry, register_default_interceptors,
    },
    rtp_transceiver::RtpSender,
};

use super::wishes::Wishes;
use crate::Error;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a peer connection says of itself, and the tracks that come.
pub(crate) struct Observer {
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    on_track: Box<dyn Fn(Arc<dyn TrackRemote>) + Send + Sync>,
}

#[tonic::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        (self.on_track)(track);
    }
}

/// A peer connection before and after its offer was answered.
pub(crate) struct Peer {
    connection: Arc<dyn PeerConnection>,
    state: watch::Receiver<RTCPeerConnectionState>,
    gathered: watch::Receiver<bool>,
    asked: watch::Receiver<Option<u64>>,
    resource: Option<Url>,
    /// What it was answered: an ICE restart changes only a part of it.
    answer: String,
}

impl Peer {
    /// One that knows VP8 and Opus; `on_track` is told of each track that comes.
    pub(crate) async fn new(on_track: impl Fn(Arc<dyn TrackRemote>) + Send + Sync + 'static) -> Result<Self, Error> {
        let mut engine = MediaEngine::default();
        for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
            engine.register_codec(codec(kind), kind).map_err(Error::phone("a codec"))?;
        }
        let registry =
            register_default_interceptors(Registry::new(), &mut engine).map_err(Error::phone("interceptors"))?;
        let (wishes, asked) = Wishes::new();
        let registry = registry.with(Slot::from(500), wishes);
        // A phone whose network has changed has other sockets.
        let settings = SettingEngineBuilder::new().with_discard_local_candidates_during_ice_restart(true).build();
        let (state, states) = watch::channel(RTCPeerConnectionState::New);
        let (gathered, gatherings) = watch::channel(false);
        let connection = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Observer { state, gathered, on_track: Box::new(on_track) }))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .map_err(Error::phone("a peer connection"))?;
        Ok(Self {
            connection: Arc::new(connection),
            state: states,
            gathered: gatherings,
            asked,
            resource: None,
            answer: String::new(),
        })
    }

    /// A track to send.
    pub(crate) async fn send(&self, kind: RtpCodecKind, ssrc: u32) -> Result<Sending, Error> {
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: codec(kind).rtp_codec,
            ..Default::default()
        };
        let track = MediaStreamTrack::new("phone".into(), kind.to_string(), kind.to_string(), kind, vec![coding]);
        let track = Arc::new(TrackLocalStaticSample::new(Instant::now(), track).map_err(Error::phone("a track"))?);
        let sender = self.connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await;
        Ok(Sending { track, sender: sender.map_err(Error::phone("a track"))?, ssrc })
    }

    /// Asks for a track of a kind.
    pub(crate) async fn receive(&self, kind: RtpCodecKind) -> Result<(), Error> {
        let init = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Recvonly, ..Default::default() };
        self.connection.add_transceiver_from_kind(kind, Some(init)).await.map_err(Error::phone("a transceiver"))?;
        Ok(())
    }

    /// Offers to a WHIP or WHEP endpoint, takes its answer, and waits for the connection.
    pub(crate) async fn connect(&mut self, http: &reqwest::Client, url: &str, token: &str) -> Result<(), Error> {
        let offer = self.connection.create_offer(None).await.map_err(Error::phone("an offer"))?;
        let offer = self.described(offer).await?;
        let request = http.post(url).bearer_auth(token).header(header::CONTENT_TYPE, "application/sdp").body(offer);
        let answer = request.send().await?;
        let status = answer.status();
        let resource = answer.headers().get(header::LOCATION).and_then(|at| at.to_str().ok()).map(str::to_owned);
        let base = answer.url().clone();
        let body = answer.text().await?;
        if status != StatusCode::CREATED {
            return Err(Error::Refused { what: format!("POST {url}"), status: status.as_u16(), body });
        }
        self.resource = resource.and_then(|at| base.join(&at).ok());
        self.answer.clone_from(&body);
        self.accept(body).await
    }

    /// Changes its network: new sockets, and an ICE restart (PATCH) that tells the server of them.
    pub(crate) async fn restart(&mut self, http: &reqwest::Client, token: &str) -> Result<(), Error> {
        let resource = self.resource.clone().ok_or_else(|| Error::Phone("has no connection to restart".to_owned()))?;
        let options = RTCOfferOptions { ice_restart: true };
        let offer = self.connection.create_offer(Some(options)).await.map_err(Error::phone("a restart"))?;
        let fragment = fragment(&self.described(offer).await?);
        let request = http.patch(resource.clone()).bearer_auth(token).header(header::IF_MATCH, "*");
        let request = request.header(header::CONTENT_TYPE, "application/trickle-ice-sdpfrag").body(fragment);
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        if status != StatusCode::OK {
            return Err(Error::Refused { what: format!("PATCH {resource}"), status: status.as_u16(), body });
        }
        let answer = RTCSessionDescription::answer(merged(&self.answer, &body)).map_err(Error::phone("the answer"))?;
        self.connection.set_remote_description(answer).await.map_err(Error::phone("the restart's answer"))
    }

    /// Takes a description of its own as the local one, and answers it with every candidate: no trickling.
    async fn described(&mut self, own: RTCSessionDescription) -> Result<String, Error> {
        self.gathered.mark_unchanged();
        self.connection.set_local_description(own).await.map_err(Error::phone("a local description"))?;
        let _ = tokio::time::timeout(PATIENCE, self.gathered.changed())
            .await
            .map_err(|_| late("the phone's candidates"))?;
        Ok(self.connection.local_description().await.map(|own| own.sdp).unwrap_or_default())
    }

    /// Takes the answer to its offer, and waits for the connection.
    async fn accept(&mut self, answer: String) -> Result<(), Error> {
        let answer = RTCSessionDescription::answer(answer).map_err(Error::phone("the answer"))?;
        self.connection.set_remote_description(answer).await.map_err(Error::phone("the answer"))?;
        let connected = self.state.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        let _ = tokio::time::timeout(PATIENCE, connected).await.map_err(|_| late("the phone's media connection"))?;
        Ok(())
    }

    /// Bits a second that the other end last asked for.
    pub(crate) fn asked(&self) -> Option<u64> {
        *self.asked.borrow()
    }

    /// What it is now.
    pub(crate) fn state(&self) -> RTCPeerConnectionState {
        *self.state.borrow()
    }

    /// Gives up the resource (DELETE) and closes.
    pub(crate) async fn close(self, http: &reqwest::Client, token: &str) -> Result<(), Error> {
        if let Some(resource) = &self.resource {
            let answer = http.delete(resource.clone()).bearer_auth(token).send().await?;
            let status = answer.status();
            // It may be gone already: the call has ended.
            if !status.is_success() && status != StatusCode::NOT_FOUND {
                let what = format!("DELETE {resource}");
                return Err(Error::Refused { what, status: status.as_u16(), body: answer.text().await? });
            }
        }
        self.connection.close().await.map_err(Error::phone("closing"))
    }

    /// Vanishes without a word, as a phone without a network does.
    pub(crate) async fn vanish(self) {
        let _ = self.connection.close().await;
    }
}

/// A track being sent.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) track: Arc<TrackLocalStaticSample>,
    pub(crate) sender: Arc<dyn RtpSender>,
    pub(crate) ssrc: u32,
}

/// What of a description tells of its ICE session: its first section's, for all are bundled.
fn fragment(description: &str) -> String {
    let end = description.match_indices("\r\nm=").nth(1).map_or(description.len(), |(at, _)| at);
    let kept = |line: &&str| {
        ["m=", "a=mid:", "a=ice-", "a=candidate:", "a=end-of-candidates"].iter().any(|kept| line.starts_with(kept))
    };
    description[..end].lines().filter(kept).map(|line| format!("{line}\r\n")).collect()
}

/// An answer with the ICE session of a fragment.
fn merged(answer: &str, fragment: &str) -> String {
    let of = |name: &'static str| fragment.lines().filter(move |line| line.starts_with(name));
    let mut candidates = Some(of("a=candidate:").map(|line| format!("{line}\r\n")).collect::<String>());
    let mut merged = String::new();
    for line in answer.lines().filter(|line| !line.starts_with("a=candidate:")) {
        let name = ["a=ice-ufrag:", "a=ice-pwd:"].into_iter().find(|name| line.starts_with(name));
        merged += name.and_then(|name| of(name).next()).unwrap_or(line);
        merged += "\r\n";
        if name == Some("a=ice-pwd:") {
            merged += &candidates.take().unwrap_or_default();
        }
    }
    merged
}

fn late(what: &str) -> Error {
    Error::Late { what: what.to_owned(), seconds: PATIENCE.as_secs(), log: String::new() }
}

fn codec(kind: RtpCodecKind) -> RTCRtpCodecParameters {
    let feedback = |kind: &str, parameter: &str| RTCPFeedback { typ: kind.to_owned(), parameter: parameter.to_owned() };
    let (mime_type, clock_rate, channels, rtcp_feedback, payload_type) = if kind == RtpCodecKind::Video {
        let all =
            vec![feedback("nack", ""), feedback("nack", "pli"), feedback("ccm", "fir"), feedback("transport-cc", "")];
        ("video/VP8", 90_000, 0, all, 96)
    } else {
        ("audio/opus", 48_000, 2, vec![feedback("transport-cc", "")], 111)
    };
    let fmtp = if kind == RtpCodecKind::Audio { "minptime=10;useinbandfec=1" } else { "" };
    let rtp_codec = RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback,
    };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::phone::{Received, Sent, clip, count, play};

    #[tokio::test(flavor = "multi_thread")]
    async fn one_phone_plays_and_another_counts() {
        let (counts, mut received) = watch::channel(Received::default());
        let counts = Arc::new(counts);
        let mut viewer = Peer::new(move |track| drop(tokio::spawn(count(track, Arc::clone(&counts))))).await.unwrap();
        let mut camera = Peer::new(|_| {}).await.unwrap();
        let video = camera.send(RtpCodecKind::Video, 1).await.unwrap();
        let audio = camera.send(RtpCodecKind::Audio, 2).await.unwrap();

        let offer = camera.connection.create_offer(None).await.unwrap();
        let offer = RTCSessionDescription::offer(camera.described(offer).await.unwrap()).unwrap();
        viewer.connection.set_remote_description(offer).await.unwrap();
        let answer = viewer.connection.create_answer(None).await.unwrap();
        let answer = viewer.described(answer).await.unwrap();
        camera.accept(answer).await.unwrap();

        let (sent, _) = watch::channel(Sent::default());
        let sent = Arc::new(sent);
        tokio::spawn(play(video, clip::video().unwrap(), Arc::clone(&sent), |sent| &mut sent.video_frames));
        tokio::spawn(play(audio, clip::audio().unwrap(), sent, |sent| &mut sent.audio_packets));
        let enough = received.wait_for(|r| r.video_frames >= 15 && r.audio_packets >= 50);
        let got = *tokio::time::timeout(Duration::from_secs(10), enough).await.unwrap().unwrap();
        assert!(got.video_packets > got.video_frames, "{got:?}");
        camera.vanish().await;
        viewer.vanish().await;
    }
}
