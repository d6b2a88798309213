//! What the crowd's phones offer and answer, in the shape of a browser's, and what they need of the server's own description.

use std::{fmt::Write, net::SocketAddr};

use super::line::Identity;
use crate::Failure;

/// The payload types of an offer of ours: sound, picture, and the picture's repairs.
pub const SOUND: u8 = 111;
/// See [`SOUND`].
pub const PICTURE: u8 = 96;
const REPAIRS: u8 = 97;
/// The number of the extension that numbers packets transport-wide.
const WIDE: u8 = 3;
/// The name of that extension.
pub const WIDE_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// An ICE user name and its password.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub name: String,
    pub password: String,
}

/// Where a server is, and who it is.
#[derive(Debug, Clone)]
pub struct Remote {
    pub credentials: Credentials,
    pub address: SocketAddr,
    /// The extension that numbers packets transport-wide, if both sides want it.
    pub wide: Option<u8>,
}

/// Who describes itself.
pub struct Me<'a> {
    pub identity: &'a Identity,
    pub ours: &'a Credentials,
    pub local: SocketAddr,
}

impl Remote {
    /// Reads an answer or an offer.
    pub fn read(sdp: &str) -> Result<Self, Failure> {
        let value = |name: &str| sdp.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let candidates = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
        let address = candidates
            .map(|candidate| candidate.split(' ').collect::<Vec<_>>())
            .filter(|parts| parts.get(2).is_some_and(|transport| transport.eq_ignore_ascii_case("udp")))
            .find_map(|parts| Some(SocketAddr::new(parts.get(4)?.parse().ok()?, parts.get(5)?.parse().ok()?)));
        let extensions = sdp.lines().filter_map(|line| line.strip_prefix("a=extmap:"));
        let wide = extensions
            .filter(|line| line.contains(WIDE_URI))
            .find_map(|line| line.split(['/', ' ']).next()?.parse().ok());
        Ok(Self {
            credentials: Credentials {
                name: value("a=ice-ufrag:").ok_or("a description without a user name")?,
                password: value("a=ice-pwd:").ok_or("a description without a password")?,
            },
            address: address.ok_or("a description without an address")?,
            wide,
        })
    }
}

impl Me<'_> {
    /// An offer to send: SSRCs of sound, picture and repairs.
    pub fn publish(&self, [sound, picture, repairs]: [u32; 3]) -> String {
        let mut sdp = self.head();
        self.section(&mut sdp, "audio", 0, "sendonly");
        let _ = write!(sdp, "a=msid:crowd sound\r\na=ssrc:{sound} cname:crowd\r\n");
        self.section(&mut sdp, "video", 1, "sendonly");
        let _ = write!(sdp, "a=msid:crowd picture\r\na=ssrc-group:FID {picture} {repairs}\r\n");
        let _ = write!(sdp, "a=ssrc:{picture} cname:crowd\r\na=ssrc:{repairs} cname:crowd\r\n");
        sdp
    }

    /// An offer to watch.
    pub fn watch(&self) -> String {
        let mut sdp = self.head();
        self.section(&mut sdp, "audio", 0, "recvonly");
        self.section(&mut sdp, "video", 1, "recvonly");
        sdp
    }

    /// The answer to an offer of what there is to watch: all of it, please.
    pub fn accept(&self, offer: &str) -> String {
        let mut sdp = self.head();
        let kept = ["a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:"];
        for line in offer.lines() {
            if line.starts_with("m=") {
                let _ = write!(sdp, "{line}\r\n");
                self.common(&mut sdp, "recvonly");
            } else if kept.iter().any(|name| line.starts_with(name)) {
                let _ = write!(sdp, "{line}\r\n");
            }
        }
        sdp
    }

    fn head(&self) -> String {
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic: WMS *\r\n".to_owned()
    }

    fn section(&self, sdp: &mut String, kind: &str, mid: u8, direction: &str) {
        let formats = if kind == "audio" { format!("{SOUND}") } else { format!("{PICTURE} {REPAIRS}") };
        let _ = write!(sdp, "m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\r\n");
        self.common(sdp, direction);
        let _ = write!(sdp, "a=mid:{mid}\r\na=extmap:{WIDE} {WIDE_URI}\r\n");
        if kind == "audio" {
            let _ = write!(sdp, "a=rtpmap:{SOUND} opus/48000/2\r\na=rtcp-fb:{SOUND} transport-cc\r\n");
            let _ = write!(sdp, "a=fmtp:{SOUND} minptime=10;useinbandfec=1\r\n");
            return;
        }
        let _ = write!(sdp, "a=rtpmap:{PICTURE} VP8/90000\r\na=rtpmap:{REPAIRS} rtx/90000\r\n");
        let _ = write!(sdp, "a=fmtp:{REPAIRS} apt={PICTURE}\r\n");
        for feedback in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
            let _ = write!(sdp, "a=rtcp-fb:{PICTURE} {feedback}\r\n");
        }
    }

    /// We are always the one who begins the handshake: a server may then stay passive.
    fn common(&self, sdp: &mut String, direction: &str) {
        let (ip, port) = (self.local.ip(), self.local.port());
        let _ = write!(sdp, "c=IN IP4 {ip}\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=setup:active\r\na={direction}\r\n");
        let _ = write!(sdp, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", self.ours.name, self.ours.password);
        let _ = write!(sdp, "a=fingerprint:sha-256 {}\r\n", self.identity.fingerprint);
        let _ = write!(sdp, "a=candidate:1 1 udp 2122260223 {ip} {port} typ host\r\n");
    }
}
