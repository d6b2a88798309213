//! One section of an offer ("m="), as far as its answer depends on it.

use rtc::sdp::description::media::MediaDescription;

use super::{
    Kind, MediaError,
    negotiate::{attribute, malformed, values},
};

/// Transport-wide sequence numbers.
pub(super) const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// The name of a packet's section.
pub(super) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// The feedback that we give or heed, in the words of `a=rtcp-fb`.
const FEEDBACK: [&str; 4] = ["nack", "nack pli", "ccm fir", "transport-cc"];

/// What is kept of a section.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) kind: Kind,
    pub(super) mid: String,
    /// As in "UDP/TLS/RTP/SAVPF".
    pub(super) protocol: String,
    /// The first payload type, for a section that is turned down: some must be named.
    pub(super) format: String,
    /// Of what was chosen: the feedback that both sides know.
    pub(super) feedback: Vec<&'static str>,
    /// The number under which packets say their transport-wide one.
    pub(super) wide: Option<u8>,
    /// The number under which packets name this section, where nothing but what they say tells whose they are.
    pub(super) named: Option<u8>,
    /// What the offerer sends, if it says so: the SSRC, and that of its retransmissions.
    pub(super) ssrcs: Option<(u32, Option<u32>)>,
}

impl Section {
    /// Without feedback: that is known once a codec is chosen.
    pub(super) fn parse(kind: Kind, media: &MediaDescription) -> Result<Self, MediaError> {
        let ssrcs = ssrcs(media);
        let mid = attribute(&media.attributes, "mid").filter(|mid| !mid.is_empty());
        Ok(Self {
            kind,
            mid: mid.ok_or_else(|| malformed("a section without a mid"))?.to_owned(),
            protocol: media.media_name.protos.join("/"),
            format: media.media_name.formats.first().cloned().unwrap_or_default(),
            feedback: Vec::new(),
            wide: extension(media, TWCC),
            named: extension(media, MID).filter(|_| ssrcs.is_none()),
            ssrcs,
        })
    }

    /// The feedback for a payload type that both sides know. Of sound, nothing is ever sent again.
    pub(super) fn choose_feedback(&mut self, media: &MediaDescription, payload_type: u8) {
        let payload_type = payload_type.to_string();
        let offered = |wanted: &&str| {
            values(&media.attributes, "rtcp-fb")
                .filter_map(|value| value.split_once(' '))
                .any(|(format, feedback)| (format == payload_type || format == "*") && feedback.trim_end() == *wanted)
        };
        let heard = FEEDBACK.iter().filter(|feedback| self.kind == Kind::Video || **feedback == "transport-cc");
        self.feedback = heard.copied().filter(offered).collect();
    }
}

/// A header extension's number in the one-byte form, which has room for 14.
fn extension(media: &MediaDescription, wanted: &str) -> Option<u8> {
    let (id, _) = values(&media.attributes, "extmap")
        .filter_map(|value| value.split_once(' '))
        .find(|(_, uri)| uri.split(' ').next() == Some(wanted))?;
    id.split('/').next()?.parse().ok().filter(|id| (1..=14).contains(id))
}

fn ssrcs(media: &MediaDescription) -> Option<(u32, Option<u32>)> {
    let pair = values(&media.attributes, "ssrc-group").find_map(|group| {
        let mut fields = group.strip_prefix("FID ")?.split_ascii_whitespace().map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()))
    });
    let first = values(&media.attributes, "ssrc").next();
    let single = || Some((first?.split(' ').next()?.parse().ok()?, None));
    pair.or_else(single)
}
