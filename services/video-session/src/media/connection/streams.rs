//! What is known of each stream before its first packet, in the words of `rtc`'s interceptors.

use rtc::interceptor::{RTCPFeedback, RTPHeaderExtension, StreamInfo};

use super::latch::Offered;
use crate::media::{
    Kind,
    answer::Outgoing,
    negotiate::{Offer, Payload},
    section::{Section, TWCC},
};

/// What the offerer sends.
pub(super) fn received(offer: &Offer) -> Vec<Offered> {
    let of = |section: &Section| {
        let like = described(offer, section)?;
        let is_repaired = like.payload_type_rtx.is_some();
        let ssrcs = section.ssrcs.map(|(ssrc, repairs)| (ssrc, repairs.filter(|_| is_repaired)));
        let mid = section.named.map(|number| (number, section.mid.clone()));
        Some(Offered { ssrcs, mid, like })
    };
    offer.sections.iter().filter_map(of).collect()
}

/// What we send.
pub(super) fn sent(offer: &Offer, sends: &[Outgoing]) -> Vec<StreamInfo> {
    let of = |section: &Section| {
        let Outgoing { ssrc, rtx, .. } = *sends.iter().find(|sent| sent.kind == section.kind)?;
        Some(StreamInfo { ssrc, ssrc_rtx: rtx, ..described(offer, section)? })
    };
    offer.sections.iter().filter_map(of).collect()
}

/// The same stream's retransmissions: a stream of their own, which is never repaired itself.
pub(super) fn repairs(of: &StreamInfo) -> Option<StreamInfo> {
    let (ssrc, payload_type) = (of.ssrc_rtx?, of.payload_type_rtx?);
    Some(StreamInfo {
        ssrc,
        ssrc_rtx: None,
        payload_type,
        payload_type_rtx: None,
        rtcp_feedback: Vec::new(),
        ..of.clone()
    })
}

/// All but the SSRCs.
fn described(offer: &Offer, section: &Section) -> Option<StreamInfo> {
    let (payload, clock_rate): (&Payload, u32) = match section.kind {
        Kind::Audio => (offer.audio.as_ref()?, 48_000),
        Kind::Video => (&offer.video.as_ref()?.1, 90_000),
    };
    let feedback = section.feedback.iter().map(|feedback| {
        let (typ, parameter) = feedback.split_once(' ').unwrap_or((feedback, ""));
        RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() }
    });
    let extension = section.wide.map(|id| RTPHeaderExtension { uri: TWCC.to_owned(), id: id.into() });
    Some(StreamInfo {
        payload_type: payload.payload_type,
        payload_type_rtx: payload.rtx,
        rtp_header_extensions: extension.into_iter().collect(),
        clock_rate,
        rtcp_feedback: feedback.collect(),
        ..StreamInfo::default()
    })
}
