//! Doors for `tests/fuzz`: each parser that bytes from outside meet, and the engine behind them. What `rtc` makes of its part of the input may
//! end one connection (`engine::guard`), never the loop; a panic of ours is found.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rtc::{
    dtls::extension::extension_use_srtp::SrtpProtectionProfile,
    interceptor::{Packet, RTCPFeedback, StreamInfo},
    rtcp,
    shared::{TransportContext, marshal::Unmarshal},
};
use tokio::{io::AsyncReadExt, sync::mpsc::UnboundedReceiver};

use super::{
    Condition, EndedWhy, MediaEvent, ResourceId, bare,
    connection::{
        handshake::{Handshake, Outcome},
        latch::Offered,
        receiving::Receiving,
        sending::Sending,
    },
    endpoint::Endpoint,
    engine::Engine,
    estimate::Budget,
    fragment::Fragment,
    negotiate::{Offer, VideoCodec, Wanted},
    stun, tcp,
};

/// How much of an input says what is changed of a handshake, and how often each side has its say in it.
const CHANGES: usize = 64;
const ROUNDS: usize = 12;
/// A datagram's first byte where the names of a check are to be put in.
pub const NAMED: u8 = 0xfe;

/// Offers that are answered.
pub const OFFERS: [&str; 3] = [
    include_str!("../../tests/media_support/chromium.sdp"),
    include_str!("../../tests/media_support/iphone_15.sdp"),
    include_str!("../../tests/media_support/iphone_17.sdp"),
];

/// Lets `rtc`'s panics be contained, or not, as in the service: libFuzzer's own hook ends the process before anybody could. A panic of ours is
/// never right.
pub fn contained() {
    let ends = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/rtc-")) {
            ends(panic);
        }
    }));
}

/// Any text as an offer, to publish and to watch.
pub fn sdp(text: &str) {
    for wanted in [
        Wanted::Watch { video: Some((VideoCodec::Vp8, "")), audio: true },
        Wanted::Watch { video: Some((VideoCodec::H264, "packetization-mode=1")), audio: false },
        Wanted::Publish,
    ] {
        if let Ok(offer) = Offer::parse(text, wanted) {
            assert!(offer.audio.is_some() || offer.video.is_some(), "what is taken is worth an answer");
            assert!(!offer.fingerprints.is_empty() && !offer.ufrag.is_empty() && !offer.pwd.is_empty());
        }
    }
    let (mut room, now) = (Room::open(), Instant::now());
    let _ = super::engine::guard(|| room.publish(now, text));
}

/// Any text as a fragment, for a connection that is there.
pub fn fragment(text: &str) {
    if let Ok(fragment) = Fragment::parse(text) {
        // Whether they are any is found out before anything is changed.
        let _ = fragment.credentials();
    }
    let (mut room, now) = (Room::open(), Instant::now());
    let Some(resource) = room.publish(now, OFFERS[0]) else { return };
    let _ = room.engine.patch(now, resource, &Condition::Any, text);
}

/// Any text as the lines of an If-Match: the tags that it names, written together, are the same tags.
pub fn condition(text: &str) {
    let Condition::Tags(tags) = Condition::parse(text.split('\n')) else { return };
    for tag in &tags {
        assert!(tag.len() >= 2 && tag.matches('"').count() == 2 && tag.starts_with('"') && tag.ends_with('"'));
    }
    let again = Condition::parse([tags.join(", ").as_str()]);
    assert!(again == Condition::Tags(tags) || again == Condition::Any, "{again:?}");
}

/// What comes by TCP, torn in two anywhere: datagram after datagram, up to one that is too long or isn't all there.
pub fn frames(bytes: &[u8]) {
    let Some((torn, wire)) = bytes.split_first_chunk::<2>() else { return };
    let (first, second) = wire.split_at(usize::from(u16::from_be_bytes(*torn)).min(wire.len()));
    let mut read = AsyncReadExt::chain(first, second);
    let mut wanted = chunks(wire).take_while(|chunk| chunk.len() <= usize::from(tcp::LONGEST));
    loop {
        let read = pin!(tcp::frame(&mut read)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(read) = read else { panic!("there is nothing to wait for") };
        let next = wanted.next();
        assert_eq!(read.as_deref().ok(), next);
        if next.is_none() {
            return;
        }
    }
}

/// Any bytes as STUN.
pub fn stun(bytes: &[u8]) {
    let user = stun::request_user(bytes);
    assert!(user.is_none() || stun::is_stun(bytes), "only STUN has users");
    if let Some((text, tag)) = stun::signed(bytes) {
        assert!(text.len() + tag.len() <= bytes.len());
    }
}

/// Datagrams at the open port, before any secret is known: none of them is answered.
pub fn datagrams(bytes: &[u8]) {
    let (mut room, now) = (Room::open(), Instant::now());
    let Some(resource) = room.publish(now, OFFERS[0]) else { return };
    let checks = &room.engine.peers[&resource].checks;
    let names = format!("{}:{}", checks.ours, checks.theirs);
    room.engine.wake(now);
    let _ = std::mem::take(&mut room.engine.out);
    for (number, datagram) in chunks(bytes).enumerate() {
        let from = Endpoint::udp(SocketAddr::from(([10, 0, 0, 1], 4_000 + u16::try_from(number % 4).unwrap_or(0))));
        // The names can be overheard, and change with each run: an input says where they belong.
        let datagram = match datagram.strip_prefix(&[NAMED]) {
            Some(attributes) => named(&names, attributes),
            None => datagram.to_vec(),
        };
        room.engine.datagram(now + Duration::from_millis(1), from, &datagram);
    }
    room.engine.wake(now + Duration::from_millis(50));
    assert!(room.engine.out.is_empty(), "a stranger was answered");
}

/// The handshake of a stranger, whose certificate is not the offer's: its datagrams, changed on their way as the first bytes say, and then
/// any. It never gets keys.
pub fn handshake(bytes: &[u8]) {
    let ((how, rest), mut now) = (bytes.split_at(bytes.len().min(CHANGES)), Instant::now());
    let Ok(offer) = Offer::parse(OFFERS[0], Wanted::Publish) else { return };
    let Ok(mut ours) = Handshake::new(&offer) else { return };
    let profiles = match how.first() {
        Some(1) => vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80],
        _ => vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm],
    };
    let ((mut phone, _), peer) = (bare::phone(now, profiles), TransportContext::default().peer_addr);
    let (mut changes, mut any) = (how.chunks_exact(4), chunks(rest));
    for _ in 0..ROUNDS {
        now += Duration::from_millis(250);
        let _ = phone.handle_timeout(peer, now);
        let said = std::iter::from_fn(|| phone.poll_transmit()).map(|sent| changed(&sent.message, changes.next()));
        for datagram in said.flatten().chain(any.next().map(<[u8]>::to_vec)) {
            let read = super::engine::guard(|| ours.read(now, &datagram));
            assert!(!matches!(read, Ok(Ok(Some(Outcome::Done(_))))), "keys for a stranger");
        }
        let _ = super::engine::guard(|| ours.wake(now));
        while let Some(datagram) = ours.transmit() {
            let _ = phone.read(now, peer, None, datagram);
        }
    }
}

/// As four bytes say: as it is, with a byte of another value, cut off, or lost.
fn changed(datagram: &[u8], change: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut datagram = datagram.to_vec();
    if let Some(&[how, high, low, flip]) = change {
        let at = usize::from(u16::from_be_bytes([high, low])) % datagram.len().max(1);
        match how >> 6 {
            0 => {}
            1 => datagram.get_mut(at).into_iter().for_each(|byte| *byte ^= flip),
            2 => datagram.truncate(at),
            _ => return None,
        }
    }
    Some(datagram)
}

/// RTP and RTCP that were decrypted, through what repairs and measures them, to recording and viewer.
pub fn packets(bytes: &[u8]) {
    let Some((shape, rest)) = bytes.split_first() else { return };
    let (mut room, mut now) = (Room::open(), Instant::now());
    let Some(publisher) = room.publish(now, OFFERS[usize::from(*shape) % OFFERS.len()]) else { return };
    let viewer = room.watch(now);
    for peer in room.engine.peers.values_mut() {
        peer.connected = true;
    }
    let ssrcs = (usize::from(*shape) / OFFERS.len() % 2 == 0).then_some((1, Some(2)));
    let offered = Offered { ssrcs, mid: Some((4, "1".to_owned())), like: stream(0, None) };
    let mut receiving = Receiving::new(vec![offered]);
    let mut sending = Sending::new(&[stream(3, Some(4))], &Budget::default());
    let from = SocketAddr::from(([10, 0, 0, 1], 4_000));
    for chunk in chunks(rest) {
        let Some((kind, packet)) = chunk.split_first() else { continue };
        now += Duration::from_millis(u64::from(kind >> 2));
        let is_published = kind & 1 == 0;
        let resource = if is_published { publisher } else { viewer.unwrap_or(publisher) };
        let came = match parsed(kind & 2 == 0, packet) {
            Some(Packet::Rtp(packet)) if is_published => receiving.packet(now, packet).map(Packet::Rtp),
            Some(Packet::Rtp(packet)) => {
                sending.packet(now, packet, |_| {});
                None
            }
            Some(Packet::Rtcp(reports)) if is_published => receiving.heard(now, reports).map(Packet::Rtcp),
            Some(Packet::Rtcp(reports)) => sending.heard(now, from, reports, |_| {}).map(Packet::Rtcp),
            _ => None,
        };
        receiving.wake(now, |_| {});
        match came {
            Some(Packet::Rtp(packet)) => room.engine.rtp(now, resource, packet),
            Some(Packet::Rtcp(reports)) => {
                reports.iter().for_each(|report| room.engine.rtcp(now, resource, report.as_ref()));
            }
            _ => {}
        }
        room.engine.wake(now);
        room.engine.out.clear();
    }
    room.engine.end(now, publisher, EndedWhy::Closed);
    room.is_consistent();
}

/// A binding request with the right names, and whatever comes after them.
fn named(names: &str, attributes: &[u8]) -> Vec<u8> {
    let length = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let mut user = [&[0, 6], &length(names.len())[..], names.as_bytes()].concat();
    user.resize(user.len().next_multiple_of(4), 0);
    let all = length(user.len() + attributes.len());
    [&[0, 1], &all[..], &[0x21, 0x12, 0xa4, 0x42], &[7; 12], &user, attributes].concat()
}

fn parsed(is_rtp: bool, mut bytes: &[u8]) -> Option<Packet> {
    if is_rtp {
        return rtc::rtp::Packet::unmarshal(&mut bytes).ok().map(Packet::Rtp);
    }
    rtcp::packet::unmarshal(&mut bytes).ok().map(Packet::Rtcp)
}

fn stream(ssrc: u32, ssrc_rtx: Option<u32>) -> StreamInfo {
    let rtcp_feedback = vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }];
    StreamInfo { ssrc, ssrc_rtx, payload_type: 96, payload_type_rtx: Some(97), rtcp_feedback, ..StreamInfo::default() }
}

/// Each behind its length, in two bytes, as at the TCP port.
pub(crate) fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (chunk, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        bytes = rest;
        Some(chunk)
    })
}

/// An engine, and what it tells.
struct Room {
    engine: Engine,
    events: UnboundedReceiver<MediaEvent>,
}

impl Room {
    fn open() -> Self {
        let (engine, events) = bare::engine();
        Self { engine, events }
    }

    fn publish(&mut self, now: Instant, offer: &str) -> Option<ResourceId> {
        self.engine.publish(now, bare::publication(1), offer).ok().map(|answer| answer.resource)
    }

    fn watch(&mut self, now: Instant) -> Option<ResourceId> {
        let seat = bare::seat(2);
        let offer = OFFERS[0].replace("a=sendonly", "a=recvonly");
        let answer = self.engine.watch(now, seat, bare::participant(1), &offer);
        answer.ok().map(|answer| answer.resource)
    }

    /// What was recorded counts up and never runs backwards.
    fn is_consistent(&mut self) {
        let mut next = 0;
        while let Ok(event) = self.events.try_recv() {
            if let MediaEvent::Segment(segment) = event {
                assert_eq!(segment.seq, next, "segments count up");
                assert!(segment.starts_at <= segment.ends_at && !segment.bytes.is_empty());
                next += 1;
            }
        }
    }
}
