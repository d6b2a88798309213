//! An offer, and what we take from it: one video codec, Opus, candidates that can be used.
//!
//! So the answer names one codec, payload types are the offerer's own, and nothing that we don't serve (simulcast, data
//! channels, redundancy) is ever half negotiated.

use std::{io::Cursor, net::IpAddr};

use rtc::sdp::description::{common::Attribute, media::MediaDescription, session::SessionDescription};

use super::{Kind, MediaError, section::Section};

pub(super) const MOST_CANDIDATES: usize = 16;
const LARGEST_OFFER: usize = 64 * 1024;

/// What we tell phones of Opus, whatever they asked for: with repair in band. A phone sends as the answer says. Not asked for is
/// to leave out silence (`usedtx`): an encoder takes for silence what is quiet, and in this room that may be evidence. A phone that
/// does so all the same is recorded right.
const OPUS: &str = "minptime=10;useinbandfec=1";

/// A video codec that we forward and record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VideoCodec {
    Vp8,
    H264,
}

/// One codec of the offer, with its own payload types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) payload_type: u8,
    pub(super) fmtp: String,
    /// The payload type of its retransmissions, if offered.
    pub(super) rtx: Option<u8>,
}

/// What to take from an offer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// Whatever the publisher likes best.
    Publish,
    /// Only what the publisher sends: its video codec and fmtp line, and whether it has sound.
    Watch { video: Option<(VideoCodec, &'a str)>, audio: bool },
}

/// What there is to answer.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) ufrag: String,
    pub(super) pwd: String,
    /// SHA-256 of the certificates with which the offerer may prove itself.
    pub(super) fingerprints: Vec<[u8; 32]>,
    /// The offerer insists on being the DTLS server.
    pub(super) passive: bool,
    /// It only waits for checks: ICE is ours to conduct.
    pub(super) lite: bool,
    /// It has a word for sections that share a transport.
    pub(super) bundled: bool,
    /// As `candidate:` values.
    pub(super) candidates: Vec<String>,
    pub(super) sections: Vec<Section>,
    pub(super) audio: Option<Payload>,
    pub(super) video: Option<(VideoCodec, Payload)>,
}

impl Offer {
    pub(super) fn parse(sdp: &str, wanted: Wanted<'_>) -> Result<Self, MediaError> {
        if sdp.len() > LARGEST_OFFER {
            return Err(malformed("too long"));
        }
        let session =
            SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes())).map_err(|_| malformed("not SDP"))?;
        let of_sections =
            |key| session.media_descriptions.iter().find_map(move |media| attribute(&media.attributes, key));
        let of =
            |key| attribute(&session.attributes, key).or_else(|| of_sections(key)).filter(|value| !value.is_empty());
        let ufrag = of("ice-ufrag").ok_or_else(|| malformed("no ice-ufrag"))?.to_owned();
        let pwd = of("ice-pwd").ok_or_else(|| malformed("no ice-pwd"))?.to_owned();
        let fingerprints = fingerprints(&session);
        if fingerprints.is_empty() {
            return Err(malformed("no sha-256 fingerprint"));
        }

        let (mut audio, mut video) = (None, None);
        let (mut sections, mut candidates) = (Vec::new(), Vec::new());
        for media in &session.media_descriptions {
            check_section(media, wanted)?;
            let (kind, chosen) = match media.media_name.media.as_str() {
                "audio" if audio.is_none() => {
                    let audio = audio.insert(choose_audio(media, wanted));
                    (Kind::Audio, audio.as_ref())
                }
                "video" if video.is_none() => {
                    let video = video.insert(choose_video(media, wanted));
                    (Kind::Video, video.as_ref().map(|(_, payload)| payload))
                }
                "audio" | "video" => return Err(malformed("more than one section of a kind")),
                _ => return Err(malformed("only audio and video are served")),
            };
            let mut section = Section::parse(kind, media)?;
            if let Some(Payload { payload_type, .. }) = chosen {
                section.choose_feedback(media, *payload_type);
            }
            sections.push(section);
            let usable = values(&media.attributes, "candidate").filter(|candidate| usable(candidate));
            candidates.extend(usable.take(MOST_CANDIDATES).map(ToOwned::to_owned));
        }
        // Never half a call in silence: whoever offers sound or picture gets it, or is told (RFC 9725, section 4.4.3).
        if video == Some(None) && !matches!(wanted, Wanted::Watch { video: None, .. })
            || audio == Some(None) && !matches!(wanted, Wanted::Watch { audio: false, .. })
        {
            return Err(MediaError::NoCommonCodec);
        }
        let (audio, video) = (audio.flatten(), video.flatten());
        if audio.is_none() && video.is_none() {
            return Err(MediaError::NoCommonCodec);
        }
        // What an offer doesn't name is told apart by it.
        if let (Wanted::Publish, Some(audio), Some((_, video))) = (wanted, &audio, &video)
            && [Some(video.payload_type), video.rtx].contains(&Some(audio.payload_type))
        {
            return Err(malformed("one payload type for sound and picture"));
        }
        let passive = of("setup") == Some("passive");
        let lite = session.has_attribute("ice-lite");
        let bundled = values(&session.attributes, "group").any(|group| group.starts_with("BUNDLE"));
        Ok(Self { ufrag, pwd, fingerprints, passive, lite, bundled, candidates, sections, audio, video })
    }
}

/// Of the session and its sections: all of them are the offerer's.
fn fingerprints(session: &SessionDescription) -> Vec<[u8; 32]> {
    let sections = session.media_descriptions.iter().map(|media| &media.attributes);
    let values = sections.chain([&session.attributes]).flat_map(|attributes| values(attributes, "fingerprint"));
    let fingerprint = |value: &str| {
        let (_, digits) = value.split_once(' ').filter(|(hash, _)| hash.eq_ignore_ascii_case("sha-256"))?;
        let bytes: Result<Vec<u8>, _> = digits.trim().split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
        bytes.ok()?.try_into().ok()
    };
    let mut all: Vec<[u8; 32]> = values.filter_map(fingerprint).collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub(super) fn malformed(reason: &str) -> MediaError {
    MediaError::MalformedSdp(reason.to_owned())
}

/// The first of an attribute's values.
pub(super) fn attribute<'a>(attributes: &'a [Attribute], key: &'a str) -> Option<&'a str> {
    values(attributes, key).next()
}

/// All of an attribute's values.
pub(super) fn values<'a>(attributes: &'a [Attribute], key: &'a str) -> impl Iterator<Item = &'a str> {
    attributes.iter().filter(move |attribute| attribute.key == key).filter_map(|attribute| attribute.value.as_deref())
}

fn check_section(media: &MediaDescription, wanted: Wanted<'_>) -> Result<(), MediaError> {
    if media.has_attribute("inactive") {
        return Err(malformed("an inactive section"));
    }
    match wanted {
        Wanted::Publish if media.has_attribute("recvonly") => Err(malformed("a publisher must send")),
        Wanted::Watch { .. } if media.has_attribute("sendonly") => Err(malformed("a viewer must receive")),
        _ => Ok(()),
    }
}

/// One line of `a=rtpmap` with what belongs to it.
struct Codec<'a> {
    payload_type: u8,
    name: &'a str,
    fmtp: &'a str,
}

/// In the offerer's order of preference.
fn codecs(media: &MediaDescription) -> Vec<Codec<'_>> {
    let of = |key: &str, format: &str| {
        let values = media.attributes.iter().filter(move |attribute| attribute.key == key);
        values
            .filter_map(|attribute| attribute.value.as_deref()?.split_once(' '))
            .find_map(|(payload_type, rest)| (payload_type == format).then_some(rest))
    };
    let formats = media.media_name.formats.iter();
    formats
        .filter_map(|format| {
            let name = of("rtpmap", format)?;
            Some(Codec { payload_type: format.parse().ok()?, name, fmtp: of("fmtp", format).unwrap_or_default() })
        })
        .collect()
}

fn choose_audio(media: &MediaDescription, wanted: Wanted<'_>) -> Option<Payload> {
    if matches!(wanted, Wanted::Watch { audio: false, .. }) {
        return None;
    }
    let codec = codecs(media).into_iter().find(|codec| codec.name.eq_ignore_ascii_case("opus/48000/2"))?;
    Some(Payload { payload_type: codec.payload_type, fmtp: OPUS.to_owned(), rtx: None })
}

fn choose_video(media: &MediaDescription, wanted: Wanted<'_>) -> Option<(VideoCodec, Payload)> {
    let codecs = codecs(media);
    let known = codecs.iter().filter_map(|codec| Some((video_codec(codec.name)?, codec)));
    let (video, codec) = match wanted {
        Wanted::Publish => {
            let first = known.clone().next().map(|(video, _)| video)?;
            let same = known.clone().filter(|(video, _)| *video == first);
            same.min_by_key(|(video, codec)| if *video == VideoCodec::H264 { reluctance(codec.fmtp) } else { 0 })?
        }
        Wanted::Watch { video, .. } => {
            let (video, fmtp) = video?;
            let same = known.clone().filter(|(offered, _)| *offered == video);
            same.min_by_key(|(_, codec)| if video == VideoCodec::H264 { distance(fmtp, codec.fmtp) } else { 0 })?
        }
    };
    let apt = format!("apt={}", codec.payload_type);
    let rtx = codecs.iter().find(|other| {
        other.name.eq_ignore_ascii_case("rtx/90000") && other.fmtp.split(';').any(|parameter| parameter.trim() == apt)
    });
    let payload = Payload {
        payload_type: codec.payload_type,
        fmtp: codec.fmtp.to_owned(),
        rtx: rtx.map(|codec| codec.payload_type),
    };
    Some((video, payload))
}

fn video_codec(name: &str) -> Option<VideoCodec> {
    [("VP8/90000", VideoCodec::Vp8), ("H264/90000", VideoCodec::H264)]
        .into_iter()
        .find_map(|(known, codec)| name.eq_ignore_ascii_case(known).then_some(codec))
}

fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn packetization_mode(fmtp: &str) -> &str {
    parameter(fmtp, "packetization-mode").unwrap_or("0")
}

/// How little we want an offered H.264. Some encoders send mode 0 when it is all that is offered; mode 1 is better wherever
/// there is a choice. An iPhone names High first, but everything plays constrained baseline: Firefox nothing else.
fn reluctance(fmtp: &str) -> u8 {
    let profile = profile(fmtp);
    let by_profile = if profile.starts_with("42e0") { 0 } else { 1 + u8::from(!profile.starts_with("42")) };
    4 * u8::from(packetization_mode(fmtp) != "1") + by_profile
}

fn profile(fmtp: &str) -> String {
    parameter(fmtp, "profile-level-id").unwrap_or("42e01f").to_ascii_lowercase()
}

/// How ill an offered H.264 suits what is sent: mode first, then profile, then its constraints.
fn distance(sent: &str, offered: &str) -> u8 {
    let (sent_profile, offered_profile) = (profile(sent), profile(offered));
    let differs = |digits: usize| u8::from(sent_profile.get(..digits) != offered_profile.get(..digits));
    4 * u8::from(packetization_mode(sent) != packetization_mode(offered)) + 2 * differs(2) + differs(4)
}

/// UDP, first component, a plain address that a phone can have. Names (mDNS) we neither can nor want to resolve: such a
/// phone is learned as peer-reflexive when its own check arrives.
pub(super) fn usable(candidate: &str) -> bool {
    let mut fields = candidate.split_ascii_whitespace().skip(1);
    let (component, protocol, _priority, address) = (fields.next(), fields.next(), fields.next(), fields.next());
    component == Some("1")
        && protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp"))
        && address.and_then(|address| address.parse::<IpAddr>().ok()).is_some_and(|address| match address {
            IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && !v4.is_broadcast(),
            IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        a=setup:actpass\r\n\
        a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
        a=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n\
        a=rtpmap:63 red/48000/2\r\na=ssrc:1 cname:x\r\n\
        a=candidate:1 1 udp 2122260223 192.0.2.7 4444 typ host\r\na=candidate:2 1 udp 2122260223 x.local 4444 typ host\r\n\
        a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 45 102 103 96 97 104\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n\
        a=rtpmap:45 AV1/90000\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=0;profile-level-id=42001f\r\n\
        a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\n\
        a=fmtp:97 apt=96\r\na=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=1;profile-level-id=42e01f\r\n\
        a=rtcp-fb:104 goog-remb\r\na=rtcp-fb:104 nack\r\na=rtcp-fb:* transport-cc\r\n\
        a=extmap:5/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
        a=ssrc-group:FID 2 3\r\na=ssrc:2 cname:x\r\na=rid:f send\r\na=simulcast:send f\r\n";

    #[test]
    fn the_publishers_first_known_codec_is_the_only_one_left() {
        let offer = Offer::parse(OFFER, Wanted::Publish).unwrap();
        let (codec, payload) = offer.video.unwrap();
        assert_eq!((codec, payload.payload_type, payload.rtx), (VideoCodec::H264, 104, None), "mode 1 before mode 0");
        assert_eq!(offer.audio, Some(Payload { payload_type: 111, fmtp: OPUS.to_owned(), rtx: None }));
        assert_eq!(offer.candidates, ["1 1 udp 2122260223 192.0.2.7 4444 typ host"]);
        assert_eq!(offer.fingerprints, [[0xab; 32]]);
        let [sound, picture] = &offer.sections[..] else { panic!("{:?}", offer.sections) };
        assert_eq!((sound.ssrcs, picture.ssrcs), (Some((1, None)), Some((2, Some(3)))));
        assert_eq!((sound.wide, picture.wide), (None, Some(5)));
        assert_eq!((sound.named, picture.named), (None, None), "its packets need not say whose they are");
        assert_eq!(picture.feedback, ["nack", "transport-cc"]);
        assert_eq!(offer.ufrag, "abcd");
    }

    #[test]
    fn a_publisher_need_not_name_what_it_sends() {
        let unnamed: String = OFFER.split_inclusive("\r\n").filter(|line| !line.starts_with("a=ssrc")).collect();
        let offer = Offer::parse(&unnamed, Wanted::Publish).unwrap();
        let [sound, picture] = &offer.sections[..] else { panic!("{:?}", offer.sections) };
        assert_eq!((sound.ssrcs, sound.named), (None, None));
        assert_eq!((picture.ssrcs, picture.named), (None, Some(4)));
    }

    #[test]
    fn a_viewer_gets_the_publishers_codec() {
        let offer = OFFER.replace("sendonly", "recvonly");
        let watch = |video, audio| Offer::parse(&offer, Wanted::Watch { video, audio });
        let (codec, payload) = watch(Some((VideoCodec::Vp8, "")), true).unwrap().video.unwrap();
        assert_eq!((codec, payload.payload_type, payload.rtx), (VideoCodec::Vp8, 96, Some(97)));
        let h264 = watch(Some((VideoCodec::H264, "packetization-mode=0;profile-level-id=42001f")), true).unwrap();
        assert_eq!(h264.video.unwrap().1.payload_type, 102);
        let sound = watch(None, true).unwrap();
        assert!(sound.video.is_none() && sound.audio.is_some());
        let offer = offer.replace("VP8", "VP9");
        let refused = Offer::parse(&offer, Wanted::Watch { video: Some((VideoCodec::Vp8, "")), audio: true });
        assert_eq!(refused.unwrap_err(), MediaError::NoCommonCodec);
    }

    #[test]
    fn what_we_cannot_answer_is_refused() {
        let no_codec = OFFER.replace("VP8", "VP9").replace("H264", "H265");
        assert_eq!(Offer::parse(&no_codec, Wanted::Publish).unwrap_err(), MediaError::NoCommonCodec);
        for bad in [
            String::new(),
            "hello".to_owned(),
            OFFER.replace("a=ice-ufrag:abcd\r\n", ""),
            OFFER.replace("a=mid:1\r\n", ""),
            OFFER.replace("111", "104"),
            OFFER.replace("a=ice-pwd", "a=x"),
            OFFER.replace("sha-256", "sha-1"),
            OFFER.replace("m=video", "m=application"),
            OFFER.replace("m=video", "m=audio"),
            OFFER.replace("sendonly", "recvonly"),
            "x".repeat(100_000),
        ] {
            assert!(matches!(Offer::parse(&bad, Wanted::Publish), Err(MediaError::MalformedSdp(_))), "{bad}");
        }
    }
}
