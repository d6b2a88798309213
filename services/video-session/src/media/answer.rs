//! The answer to an offer, written from what was taken of it.

use std::fmt::Write;

use rtc::ice::{Credentials, candidate::Candidate};

use super::{
    Kind,
    negotiate::{Offer, Payload, VideoCodec},
    section::{MID, Section, TWCC},
};

/// A stream of ours towards a viewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing {
    pub(super) kind: Kind,
    pub(super) ssrc: u32,
    /// Of what is sent again.
    pub(super) rtx: Option<u32>,
}

/// Who we are, for one connection.
pub(super) struct Ours<'a> {
    /// Any number: the session's.
    pub(super) number: u64,
    pub(super) credentials: &'a Credentials,
    /// SHA-256 of our certificate.
    pub(super) fingerprint: &'a str,
    pub(super) candidates: &'a [Candidate],
    /// What we send, under one name, so that a browser plays it in step.
    pub(super) sends: &'a [Outgoing],
    pub(super) stream: &'a str,
}

/// Writes an answer.
pub(super) fn write(offer: &Offer, ours: &Ours<'_>) -> String {
    let mut sdp = Lines::default();
    // The first number must fit 63 bits (RFC 8829, section 5.2.1).
    sdp.line(format_args!("v=0\r\no=- {} 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0", ours.number >> 1));
    sdp.line(format_args!("a=msid-semantic:WMS *\r\na=fingerprint:sha-256 {}", ours.fingerprint));
    sdp.line("a=extmap-allow-mixed");
    let taken = || offer.sections.iter().filter(|section| payload(offer, section).is_some());
    if offer.bundled {
        let mids: String = taken().map(|section| format!(" {}", section.mid)).collect();
        sdp.line(format_args!("a=group:BUNDLE{mids}"));
    }
    let mut candidates = ours.candidates;
    for section in &offer.sections {
        match payload(offer, section) {
            Some((name, payload)) => {
                sdp.section(offer, section, (&name, payload), ours);
                // They are everybody's: all that is taken shares one transport.
                if !candidates.is_empty() {
                    candidates.iter().for_each(|ours| sdp.line(format_args!("a=candidate:{}", ours.marshal())));
                    sdp.line("a=end-of-candidates");
                    candidates = &[];
                }
            }
            None => sdp.refusal(section),
        }
    }
    sdp.0
}

/// What was chosen for a section, and its name in `a=rtpmap`.
fn payload<'a>(offer: &'a Offer, section: &Section) -> Option<(String, &'a Payload)> {
    match section.kind {
        Kind::Audio => offer.audio.as_ref().map(|payload| ("opus/48000/2".to_owned(), payload)),
        Kind::Video => offer.video.as_ref().map(|(codec, payload)| {
            let name = match codec {
                VideoCodec::Vp8 => "VP8",
                VideoCodec::H264 => "H264",
            };
            (format!("{name}/90000"), payload)
        }),
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: impl std::fmt::Display) {
        // A String takes all that is written to it.
        let _ = write!(self.0, "{line}\r\n");
    }

    fn section(&mut self, offer: &Offer, section: &Section, (name, payload): (&str, &Payload), ours: &Ours<'_>) {
        let Section { kind, mid, protocol, .. } = section;
        let Payload { payload_type, fmtp, rtx } = payload;
        let repairs = rtx.map(|rtx| format!(" {rtx}")).unwrap_or_default();
        self.line(format_args!("m={} 9 {protocol} {payload_type}{repairs}\r\nc=IN IP4 0.0.0.0", kind.name()));
        self.line(format_args!("a=setup:{}\r\na=mid:{mid}", if offer.passive { "active" } else { "passive" }));
        let Credentials { ufrag, pwd } = ours.credentials;
        self.line(format_args!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}"));
        // RTCP never has a way of its own: required of every bundled section (RFC 9725, section 4.4.1).
        self.line("a=rtcp-mux\r\na=rtcp-mux-only\r\na=rtcp-rsize");
        self.line(format_args!("a=rtpmap:{payload_type} {name}"));
        if !fmtp.is_empty() {
            self.line(format_args!("a=fmtp:{payload_type} {fmtp}"));
        }
        for feedback in &section.feedback {
            self.line(format_args!("a=rtcp-fb:{payload_type} {feedback}"));
        }
        if let Some(rtx) = rtx {
            self.line(format_args!("a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={payload_type}"));
        }
        if let Some(wide) = section.wide {
            self.line(format_args!("a=extmap:{wide} {TWCC}"));
        }
        match ours.sends.iter().find(|sent| sent.kind == *kind) {
            Some(sent) => self.stream(sent, ours.stream),
            None => self.awaited(section),
        }
    }

    fn awaited(&mut self, section: &Section) {
        if let Some(named) = section.named {
            self.line(format_args!("a=extmap:{named} {MID}"));
        }
        self.line("a=recvonly");
    }

    fn stream(&mut self, Outgoing { kind, ssrc, rtx }: &Outgoing, stream: &str) {
        self.line(format_args!("a=msid:{stream} {}", kind.name()));
        if let Some(rtx) = rtx {
            self.line(format_args!("a=ssrc-group:FID {ssrc} {rtx}"));
        }
        for ssrc in [Some(*ssrc), *rtx].into_iter().flatten() {
            self.line(format_args!("a=ssrc:{ssrc} cname:{stream}\r\na=ssrc:{ssrc} msid:{stream} {}", kind.name()));
        }
        self.line("a=sendonly");
    }

    fn refusal(&mut self, Section { kind, mid, protocol, format, .. }: &Section) {
        self.line(format_args!("m={} 0 {protocol} {format}\r\nc=IN IP4 0.0.0.0", kind.name()));
        self.line(format_args!("a=inactive\r\na=mid:{mid}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::{endpoint::Endpoint, negotiate::Wanted};

    const CHROMIUM: &str = include_str!("../../tests/media_support/chromium.sdp");

    #[test]
    fn a_section_that_is_turned_down_is_no_part_of_the_transport() {
        let offer = CHROMIUM.replace("a=sendonly", "a=recvonly");
        let offer = Offer::parse(&offer, Wanted::Watch { video: Some((VideoCodec::Vp8, "")), audio: false }).unwrap();
        let credentials = Credentials { ufrag: "ours".to_owned(), pwd: "secret".to_owned() };
        let candidates = [Endpoint::udp("192.0.2.1:7403".parse().unwrap()).candidate().unwrap()];
        let sends = [Outgoing { kind: Kind::Video, ssrc: 7, rtx: Some(8) }];
        let sdp = write(
            &offer,
            &Ours {
                number: u64::MAX,
                credentials: &credentials,
                fingerprint: "AB:CD",
                candidates: &candidates,
                sends: &sends,
                stream: "caller",
            },
        );
        let head = "v=0\r\no=- 9223372036854775807 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
        assert!(sdp.starts_with(head) && sdp.contains("\r\na=group:BUNDLE 1\r\n"), "{sdp}");
        let [sound, picture] =
            ["m=audio", "m=video"].map(|name| sdp.split("\r\nm=").find(|s| name.ends_with(&s[..5])).unwrap());
        assert_eq!(sound, "audio 0 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:0");
        assert_eq!(picture.lines().next(), Some("video 9 UDP/TLS/RTP/SAVPF 96 97"));
        for line in
            ["192.0.2.1 7403 typ host\r\na=end-of-candidates", "a=ssrc-group:FID 7 8", "a=fmtp:97 apt=96", "a=sendonly"]
        {
            assert!(picture.contains(line), "{line} in {sdp}");
        }
    }
}
