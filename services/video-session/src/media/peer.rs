//! One peer connection: made from an offer, drained after every input.

use std::{
    collections::HashSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use ids::ParticipantId;
use rtc::{
    ice::mdns::MulticastDnsMode,
    interceptor::Registry,
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::{
            media_engine::{MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine},
            setting_engine::SettingEngineBuilder,
        },
        event::RTCPeerConnectionEvent,
        message::{RTCMessage, TaggedRTCMessage},
        sdp::RTCSessionDescription,
        state::RTCPeerConnectionState,
        transport::{RTCDtlsRole, RTCDtlsTransportState, RTCIceCandidateInit},
    },
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
        RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, error::Error},
};

use super::{
    ResourceId,
    checks::Checks,
    endpoint::Endpoint,
    fragment,
    gate::Gate,
    negotiate::{Offer, Payload, VideoCodec},
    publisher::Publisher,
    viewer::Viewer,
};

/// Transport-wide sequence numbers.
pub(super) const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// A connection and what it is for.
pub(super) struct Peer {
    pub(super) id: ResourceId,
    pub(super) participant: ParticipantId,
    pub(super) role: Role,
    pub(super) connected: bool,
    pub(super) born: Instant,
    /// When something first came by TCP.
    pub(super) tcp_since: Option<Instant>,
    /// Its ICE session.
    pub(super) checks: Checks,
    /// Where good checks came from in the ICE session before it: media may still be under way from there.
    pub(super) former: HashSet<Endpoint>,
    /// How much it may send.
    pub(super) gate: Gate,
    /// What was offered, as we took it: an ICE restart is the same offer with other credentials.
    pub(super) offer: String,
    /// When it next wants to be woken.
    pub(super) next: Option<Instant>,
    pub(super) connection: RTCPeerConnection,
}

/// What a connection is for.
pub(super) enum Role {
    Publisher(Box<Publisher>),
    Viewer(Box<Viewer>),
}

/// How an answer is made.
pub(super) struct Setup<'a> {
    pub(super) now: Instant,
    pub(super) offer: &'a Offer,
    pub(super) candidates: &'a [Endpoint],
    pub(super) chain: Registry,
    /// Empty for a publisher.
    pub(super) send: Vec<MediaStreamTrack>,
}

/// An answer, and the ICE session that it begins.
pub(super) struct Answered {
    pub(super) sdp: String,
    pub(super) checks: Checks,
}

/// The connection and its answer.
pub(super) fn answer(setup: Setup<'_>) -> Result<(RTCPeerConnection, Answered), Error> {
    let role = if setup.offer.passive { RTCDtlsRole::Client } else { RTCDtlsRole::Server };
    let settings = SettingEngineBuilder::new()
        .with_answering_dtls_role(role)
        .with_ice_timeouts(Some(Duration::from_secs(5)), Some(Duration::from_secs(25)), Some(Duration::from_secs(2)))
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_srtp_replay_protection_window(1_024)
        .build();
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_setting_engine(settings)
        .with_media_engine(media_engine(setup.offer)?)
        .with_interceptor_registry(setup.chain)
        .build(setup.now)?;
    for track in setup.send {
        connection.add_track(track)?;
    }
    let offer = (setup.offer.sdp.clone(), setup.offer.ufrag.clone());
    let answered = answer_to(&mut connection, setup.now, offer, setup.candidates)?;
    Ok((connection, answered))
}

/// Answers an offer: the first one, or the same again with another ICE session. No ICE credentials are ever set by us, or
/// `rtc` would give the same ones to each session.
fn answer_to(
    connection: &mut RTCPeerConnection,
    now: Instant,
    (offer, theirs): (String, String),
    candidates: &[Endpoint],
) -> Result<Answered, Error> {
    connection.set_remote_description(now, RTCSessionDescription::offer(offer)?)?;
    for candidate in candidates {
        connection.add_local_candidate(candidate.candidate()?)?;
    }
    // There will be no others: the answer says so (a=end-of-candidates).
    connection.add_local_candidate(RTCIceCandidateInit::default())?;
    let answer = connection.create_answer(None)?;
    let (ours, password) = fragment::session(&answer.sdp).ok_or(Error::ErrSessionDescriptionMissingIcePwd)?;
    let checks = Checks::new(now, ours.to_owned(), password, theirs);
    let sdp = muxed(&answer.sdp);
    connection.set_local_description(now, answer)?;
    Ok(Answered { sdp, checks })
}

/// RTCP never has a way of its own: `rtcp-mux-only`, required of every bundled section (RFC 9725, section 4.4.1) and not
/// known to `rtc`, which names candidates for that way too.
fn muxed(answer: &str) -> String {
    let is_of_rtcp = |line: &&str| line.starts_with("a=candidate:") && line.split(' ').nth(1) == Some("2");
    let lines = answer.lines().filter(|line| !is_of_rtcp(line));
    let muxed = lines.map(|line| if line == "a=rtcp-mux" { "a=rtcp-mux\r\na=rtcp-mux-only" } else { line });
    muxed.map(|line| format!("{line}\r\n")).collect()
}

/// A track of ours towards a viewer.
pub(super) fn track(
    stream: &str,
    codec: RTCRtpCodec,
    kind: RtpCodecKind,
    ssrc: u32,
    rtx: Option<u32>,
) -> MediaStreamTrack {
    let rtp_coding_parameters = RTCRtpCodingParameters {
        ssrc: Some(ssrc),
        rtx: rtx.map(|ssrc| RTCRtpRtxParameters { ssrc }),
        ..RTCRtpCodingParameters::default()
    };
    let coding = RTCRtpEncodingParameters { rtp_coding_parameters, codec, ..RTCRtpEncodingParameters::default() };
    MediaStreamTrack::new(stream.to_owned(), kind.to_string(), kind.to_string(), kind, vec![coding])
}

/// The video codec of an offer, in `rtc`'s words.
pub(super) fn video_codec(codec: VideoCodec, payload: &Payload) -> RTCRtpCodec {
    let mime_type = match codec {
        VideoCodec::Vp8 => MIME_TYPE_VP8,
        VideoCodec::H264 => MIME_TYPE_H264,
    };
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", "")];
    codec_of(mime_type, 90_000, 0, &payload.fmtp, &feedback)
}

/// Opus, in `rtc`'s words.
pub(super) fn audio_codec(payload: &Payload) -> RTCRtpCodec {
    codec_of(MIME_TYPE_OPUS, 48_000, 2, &payload.fmtp, &[("transport-cc", "")])
}

fn codec_of(mime_type: &str, clock_rate: u32, channels: u16, fmtp: &str, feedback: &[(&str, &str)]) -> RTCRtpCodec {
    let feedback = feedback
        .iter()
        .map(|(typ, parameter)| RTCPFeedback { typ: (*typ).to_owned(), parameter: (*parameter).to_owned() });
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.collect(),
    }
}

/// Knows exactly what was chosen from the offer, under the offer's payload types.
fn media_engine(offer: &Offer) -> Result<MediaEngine, Error> {
    let mut engine = MediaEngine::default();
    let mut register =
        |rtp_codec, payload_type, kind| engine.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, kind);
    if let Some(audio) = &offer.audio {
        register(audio_codec(audio), audio.payload_type, RtpCodecKind::Audio)?;
    }
    if let Some((codec, video)) = &offer.video {
        register(video_codec(*codec, video), video.payload_type, RtpCodecKind::Video)?;
        if let Some(rtx) = video.rtx {
            let fmtp = format!("apt={}", video.payload_type);
            register(codec_of(MIME_TYPE_RTX, 90_000, 0, &fmtp, &[]), rtx, RtpCodecKind::Video)?;
        }
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        engine.register_header_extension(RTCRtpHeaderExtensionCapability { uri: TWCC.to_owned() }, kind, None)?;
    }
    Ok(engine)
}

/// What came out of a connection after an input.
#[derive(Default)]
pub(super) struct Drained {
    pub(super) states: Vec<RTCPeerConnectionState>,
    pub(super) messages: Vec<RTCMessage>,
    /// The peer closed its side.
    pub(super) goodbye: bool,
}

impl Peer {
    /// Its ICE session's entity-tag: a new session has a new one of our user names.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.checks.ours)
    }

    /// Begins another ICE session. DTLS and all streams go on over it.
    pub(super) fn restart(
        &mut self,
        now: Instant,
        offer: (String, String),
        ours: &[Endpoint],
    ) -> Result<Answered, Error> {
        answer_to(&mut self.connection, now, offer, ours)
    }

    pub(super) fn read(&mut self, now: Instant, local: SocketAddr, from: Endpoint, datagram: &[u8]) -> Drained {
        let transport = TransportContext {
            local_addr: local,
            peer_addr: from.address,
            transport_protocol: from.transport,
            ecn: None,
        };
        if let Err(error) =
            self.connection.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(datagram) })
        {
            tracing::debug!(participant = %self.participant, %error, "datagram refused");
        }
        let mut drained = self.drain();
        let is_dtls = datagram.first().is_some_and(|first| (20..64).contains(first));
        drained.goodbye = is_dtls && self.connected && self.is_closed();
        drained
    }

    /// The W3C's connection state, which `rtc` keeps, does not change when the peer says goodbye; its DTLS state does.
    fn is_closed(&mut self) -> bool {
        let connection = &mut self.connection;
        let (receiver, sender) = (connection.get_receivers().next(), connection.get_senders().next());
        let state = if let Some(id) = receiver {
            connection.rtp_receiver(id).and_then(|receiver| Some(receiver.transport()?.state()))
        } else {
            sender.and_then(|id| connection.rtp_sender(id)?.transport().map(|transport| transport.state()))
        };
        state == Some(RTCDtlsTransportState::Closed)
    }

    pub(super) fn wake(&mut self, now: Instant) -> Drained {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!(participant = %self.participant, %error, "timeout refused");
        }
        self.drain()
    }

    /// Events first: they install the keys that later reads need.
    fn drain(&mut self) -> Drained {
        let mut drained = Drained::default();
        while let Some(event) = self.connection.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                drained.states.push(state);
            }
        }
        while let Some(message) = self.connection.poll_media_read() {
            drained.messages.push(message.message);
        }
        drained
    }

    /// Sends RTP or RTCP. Dropped before the keys are there.
    pub(super) fn write(&mut self, now: Instant, message: RTCMessage) {
        if self.connected
            && let Err(error) = self.connection.handle_write(TaggedRTCMessage { now, message })
        {
            tracing::debug!(participant = %self.participant, %error, "packet refused");
        }
    }

    /// What must leave on the socket; then sets when to wake it.
    pub(super) fn transmit(&mut self, out: &mut Vec<(Endpoint, BytesMut)>) {
        while let Some(TaggedBytesMut { transport, message, .. }) = self.connection.poll_write() {
            out.push((Endpoint { address: transport.peer_addr, transport: transport.transport_protocol }, message));
        }
        self.next = self.connection.poll_timeout();
    }
}
