//! A synthetic phone: joins by a spoken code, plays a clip of our own as its camera and microphone by WHIP, watches
//! others by WHEP, and counts what goes out and comes in.
//!
//! It is the `webrtc` crate's other end of the line than the server's, as a browser is; but it decodes nothing.

mod clip;
mod peer;
mod stay;
mod wishes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rtc::{media::Sample, rtp_transceiver::rtp_sender::RtpCodecKind};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{bytes::Bytes, task::AbortOnDropHandle};
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::RTCPeerConnectionState,
};

pub use stay::Steady;

use crate::Error;
use clip::Reel;
use peer::{Peer, Sending};

/// A participant's way in, from the caller's page or from `SessionService.JoinSession`.
#[derive(Clone, Deserialize)]
pub struct Pass {
    /// Who one is in the session.
    pub participant_id: String,
    /// The bearer token of the endpoints below.
    pub token: String,
    /// Where to publish.
    pub whip_url: String,
    /// Where to watch: this, `/`, and whom.
    pub whep_url: String,
    /// The session's state, as server-sent events.
    pub events_url: String,
}

/// Joins as the caller does: the code that was read out, typed into the neutral page.
///
/// # Errors
/// [`Error::Refused`] when the code isn't good.
pub async fn join(page_url: &str, code: &str) -> Result<Pass, Error> {
    post(page_url, &serde_json::json!({ "code": code })).await
}

/// The same, from a page that says which one it is (32 hexadecimal digits), so that it may ask again when the answer got lost.
///
/// # Errors
/// [`Error::Refused`] when the code isn't good.
pub async fn join_again(page_url: &str, code: &str, page: &str) -> Result<Pass, Error> {
    post(page_url, &serde_json::json!({ "code": code, "page": page })).await
}

async fn post(page_url: &str, body: &serde_json::Value) -> Result<Pass, Error> {
    let url = format!("{}/join", page_url.trim_end_matches('/'));
    let answer = reqwest::Client::new().post(&url).json(body).send().await?;
    if answer.status().is_success() {
        return Ok(answer.json().await?);
    }
    Err(Error::Refused { what: format!("POST {url}"), status: answer.status().as_u16(), body: answer.text().await? })
}

/// What every phone plays over and over, frame by frame: its picture (15 a second), and its sound (50 a second).
///
/// # Errors
/// When the clip can't be read.
pub fn plays() -> Result<[Vec<Bytes>; 2], Error> {
    Ok([clip::video()?.frames, clip::audio()?.frames])
}

/// What a phone has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Whole video frames.
    pub video_frames: u64,
    /// Opus packets of 20 ms.
    pub audio_packets: u64,
}

/// What a phone has received of one other participant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// RTP packets of video.
    pub video_packets: u64,
    /// Video frames, by the marker of their last packet.
    pub video_frames: u64,
    /// RTP timestamp of the newest of them.
    pub video_timestamp: u32,
    /// RTP packets of audio.
    pub audio_packets: u64,
    /// When the first whole video frame came.
    pub first_frame: Option<Instant>,
}

/// The phone.
pub struct Phone {
    pass: Pass,
    http: reqwest::Client,
    publisher: Option<Publisher>,
    watches: Vec<Watch>,
}

struct Publisher {
    peer: Peer,
    sent: watch::Receiver<Sent>,
    players: Vec<AbortOnDropHandle<()>>,
}

struct Watch {
    participant: String,
    peer: Peer,
    received: watch::Receiver<Received>,
}

impl Phone {
    /// A phone that has joined, and neither publishes nor watches yet.
    #[must_use]
    pub fn new(pass: Pass) -> Self {
        Self { pass, http: reqwest::Client::new(), publisher: None, watches: Vec::new() }
    }

    /// What it joined with.
    #[must_use]
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Publishes the clip, again and again, until [`Phone::hang_up`].
    ///
    /// # Errors
    /// [`Error::Refused`] by the server, or when media doesn't connect.
    pub async fn publish(&mut self) -> Result<(), Error> {
        let mut peer = Peer::new(|_| {}).await?;
        // The two identifiers need differ only within this connection.
        let video = peer.send(RtpCodecKind::Video, 0x0A1C_0001).await?;
        let audio = peer.send(RtpCodecKind::Audio, 0x0A1C_0002).await?;
        peer.connect(&self.http, &self.pass.whip_url, &self.pass.token).await?;
        let (counts, sent) = watch::channel(Sent::default());
        let counts = Arc::new(counts);
        let players = vec![
            AbortOnDropHandle::new(tokio::spawn(play(video, clip::video()?, Arc::clone(&counts), |sent| {
                &mut sent.video_frames
            }))),
            AbortOnDropHandle::new(tokio::spawn(play(audio, clip::audio()?, counts, |sent| &mut sent.audio_packets))),
        ];
        self.publisher = Some(Publisher { peer, sent, players });
        Ok(())
    }

    /// Watches another participant.
    ///
    /// # Errors
    /// [`Error::Refused`] by the server, such as when that participant doesn't publish yet.
    pub async fn watch(&mut self, participant_id: &str) -> Result<(), Error> {
        let (counts, received) = watch::channel(Received::default());
        let counts = Arc::new(counts);
        let mut peer = Peer::new(move |track| {
            // Ends when the track does, with the connection.
            tokio::spawn(count(track, Arc::clone(&counts)));
        })
        .await?;
        peer.receive(RtpCodecKind::Video).await?;
        peer.receive(RtpCodecKind::Audio).await?;
        let url = format!("{}/{participant_id}", self.pass.whep_url.trim_end_matches('/'));
        peer.connect(&self.http, &url, &self.pass.token).await?;
        self.watches.push(Watch { participant: participant_id.to_owned(), peer, received });
        Ok(())
    }

    /// What it has sent so far.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.publisher.as_ref().map(|publisher| *publisher.sent.borrow()).unwrap_or_default()
    }

    /// Waits until it has sent so many video frames in all. It plays by the clock, so that comes by itself.
    ///
    /// # Errors
    /// When that takes longer than `patience`, or it doesn't publish, or its track has ended: with what it sent.
    pub async fn has_sent(&self, video_frames: u64, patience: Duration) -> Result<Sent, Error> {
        let publisher = self.publisher.as_ref().ok_or_else(|| Error::Phone("doesn't publish".to_owned()))?;
        let mut sent = publisher.sent.clone();
        match tokio::time::timeout(patience, sent.wait_for(|sent| sent.video_frames >= video_frames)).await {
            Ok(Ok(sent)) => Ok(*sent),
            _ => {
                let log = format!("{:?}", self.sent());
                Err(Error::Late { what: format!("frame {video_frames} of a phone"), seconds: patience.as_secs(), log })
            }
        }
    }

    /// What it has received of a participant so far.
    #[must_use]
    pub fn received(&self, participant_id: &str) -> Received {
        self.watches.iter().find(|w| w.participant == participant_id).map(|w| *w.received.borrow()).unwrap_or_default()
    }

    /// Waits until enough of a participant has come.
    ///
    /// # Errors
    /// When that takes longer than `patience`: with what came.
    pub async fn wait_for(
        &self,
        participant_id: &str,
        patience: Duration,
        enough: impl Fn(&Received) -> bool,
    ) -> Result<Received, Error> {
        let watch = self.watches.iter().find(|w| w.participant == participant_id);
        let mut received =
            watch.map(|w| w.received.clone()).ok_or_else(|| Error::Phone(format!("doesn't watch {participant_id}")))?;
        match tokio::time::timeout(patience, received.wait_for(|r| enough(r))).await {
            Ok(Ok(received)) => Ok(*received),
            _ => {
                let log = format!("{:?}", self.received(participant_id));
                Err(Error::Late { what: format!("media of {participant_id}"), seconds: patience.as_secs(), log })
            }
        }
    }

    /// Bits a second that its camera was last asked for (REMB), if it ever was. It plays on as before: its clip is what it is.
    #[must_use]
    pub fn asked(&self) -> Option<u64> {
        self.publisher.as_ref().and_then(|publisher| publisher.peer.asked())
    }

    /// Stops playing but stays connected: no more sound and picture, while its reports on them go on.
    pub fn fall_silent(&mut self) {
        if let Some(publisher) = &mut self.publisher {
            publisher.players.clear();
        }
    }

    /// Changes its network, as from Wi-Fi to 4G: what it publishes and watches goes on from other sockets, by ICE restarts.
    ///
    /// # Errors
    /// [`Error::Refused`] by the server.
    pub async fn change_network(&mut self) -> Result<(), Error> {
        let own = self.publisher.as_mut().map(|publisher| &mut publisher.peer);
        for peer in own.into_iter().chain(self.watches.iter_mut().map(|watch| &mut watch.peer)) {
            peer.restart(&self.http, &self.pass.token).await?;
        }
        Ok(())
    }

    /// Whether its own media still has a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.publisher.as_ref().is_some_and(|p| p.peer.state() == RTCPeerConnectionState::Connected)
    }

    /// Hangs up: gives up what it published and watched, and closes. Answers what it sent.
    ///
    /// # Errors
    /// [`Error::Refused`] by the server.
    pub async fn hang_up(mut self) -> Result<Sent, Error> {
        for watch in std::mem::take(&mut self.watches) {
            watch.peer.close(&self.http, &self.pass.token).await?;
        }
        let Some(Publisher { peer, sent, players }) = self.publisher.take() else {
            return Ok(Sent::default());
        };
        drop(players);
        let sent = *sent.borrow();
        peer.close(&self.http, &self.pass.token).await?;
        Ok(sent)
    }

    /// Vanishes without a word, as a phone without a network does.
    pub async fn vanish(mut self) {
        for watch in std::mem::take(&mut self.watches) {
            watch.peer.vanish().await;
        }
        if let Some(publisher) = self.publisher.take() {
            publisher.peer.vanish().await;
        }
    }
}

/// Sends one kind of the clip at its own pace, and counts it.
async fn play(sending: Sending, reel: Reel, counts: Arc<watch::Sender<Sent>>, kind: fn(&mut Sent) -> &mut u64) {
    let Sending { track, sender, ssrc } = sending;
    // Packets must carry the payload type that was agreed on.
    let parameters = sender.get_parameters().await;
    let Some(payload_type) = parameters.ok().and_then(|p| p.rtp_parameters.codecs.first().map(|c| c.payload_type))
    else {
        return;
    };
    let mut beat = interval(reel.each);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for frame in reel.frames.iter().cycle() {
        beat.tick().await;
        let sample = Sample { data: frame.clone(), duration: reel.each, ..Sample::new(Instant::now()) };
        if track.sample_writer(ssrc, payload_type).write_sample(&sample).await.is_err() {
            return;
        }
        counts.send_modify(|sent| *kind(sent) += 1);
    }
}

/// Counts what a track brings until it ends.
async fn count(track: Arc<dyn TrackRemote>, received: Arc<watch::Sender<Received>>) {
    let video = track.kind().await == RtpCodecKind::Video;
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        // Probes for bandwidth carry nothing.
        if packet.payload.is_empty() {
            continue;
        }
        received.send_modify(|received| {
            if !video {
                received.audio_packets += 1;
                return;
            }
            received.video_packets += 1;
            if packet.header.marker {
                received.video_frames += 1;
                received.video_timestamp = packet.header.timestamp;
                received.first_frame.get_or_insert_with(Instant::now);
            }
        });
    }
}
