//! Whose an SSRC is that the offer didn't name: RFC 9725 doesn't ask for `a=ssrc`, and RFC 9143, section 9.2, says how to do without. It
//! is learned from the first packet, once for a stream and once for its repairs, and stays so; what comes under a third one is
//! nobody's. Packets have been authenticated by then.

use rtc::{interceptor::StreamInfo, rtp::Header};

/// A section's stream, as it was offered, and as far as it has been learned since.
pub(in crate::media) struct Offered {
    /// The SSRC, and that of its repairs, as far as they are known: the second is not learned before the first.
    pub(in crate::media) ssrcs: Option<(u32, Option<u32>)>,
    /// The number under which packets name their section, and its name.
    pub(in crate::media) mid: Option<(u8, String)>,
    /// All the rest of it.
    pub(in crate::media) like: StreamInfo,
}

impl Offered {
    /// The stream, once its SSRC is known.
    pub(super) fn stream(&self) -> Option<StreamInfo> {
        let (ssrc, ssrc_rtx) = self.ssrcs?;
        Some(StreamInfo { ssrc, ssrc_rtx, ..self.like.clone() })
    }

    /// Takes a packet's SSRC, known to be nobody's, if it can only be this stream's: the stream as it is known then.
    pub(super) fn learn(&mut self, header: &Header) -> Option<StreamInfo> {
        let named = self.mid.as_ref().and_then(|(number, mid)| Some((header.get_extension(*number)?, mid)));
        if named.is_some_and(|(named, mid)| named != mid.as_bytes()) {
            return None;
        }
        // No two sections of an offer share one.
        let payload_type = header.payload_type;
        match &mut self.ssrcs {
            None if payload_type == self.like.payload_type => self.ssrcs = Some((header.ssrc, None)),
            Some((_, repairs @ None)) if Some(payload_type) == self.like.payload_type_rtx => {
                *repairs = Some(header.ssrc);
            }
            _ => return None,
        }
        self.stream()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;

    use super::*;

    const MID: u8 = 4;

    fn video(ssrcs: Option<(u32, Option<u32>)>) -> Offered {
        let like = StreamInfo { payload_type: 96, payload_type_rtx: Some(97), ..StreamInfo::default() };
        Offered { ssrcs, mid: Some((MID, "1".to_owned())), like }
    }

    fn header(ssrc: u32, payload_type: u8) -> Header {
        Header { ssrc, payload_type, ..Header::default() }
    }

    fn named(ssrc: u32, payload_type: u8, mid: &'static str) -> Header {
        let mut header = header(ssrc, payload_type);
        header.set_extension(MID, Bytes::from_static(mid.as_bytes())).unwrap();
        header
    }

    fn learned(stream: Option<StreamInfo>) -> Option<(u32, Option<u32>)> {
        stream.map(|stream| (stream.ssrc, stream.ssrc_rtx))
    }

    #[test]
    fn a_stream_and_then_its_repairs_are_known_by_their_payload_types() {
        let mut video = video(None);
        assert!(video.stream().is_none());
        assert_eq!(learned(video.learn(&header(1, 111))), None);
        assert_eq!(learned(video.learn(&header(2, 97))), None, "there is nothing to repair yet");
        assert_eq!(learned(video.learn(&header(3, 96))), Some((3, None)));
        assert_eq!(learned(video.learn(&header(4, 111))), None);
        assert_eq!(learned(video.learn(&header(5, 97))), Some((3, Some(5))));
        assert_eq!(learned(video.stream()), Some((3, Some(5))));
    }

    #[test]
    fn what_is_known_stays_so() {
        let mut declared = video(Some((1, Some(2))));
        assert_eq!(learned(declared.stream()), Some((1, Some(2))));
        let mut learns = video(None);
        assert!(learns.learn(&header(1, 96)).is_some() && learns.learn(&header(2, 97)).is_some());
        for video in [&mut declared, &mut learns] {
            for other in [header(3, 96), header(3, 97), named(3, 96, "1"), named(3, 97, "1")] {
                assert_eq!(learned(video.learn(&other)), None);
            }
            assert_eq!(learned(video.stream()), Some((1, Some(2))));
        }
    }

    #[test]
    fn repairs_that_were_not_declared_are_learned_too() {
        let mut video = video(Some((1, None)));
        assert_eq!(learned(video.learn(&header(3, 96))), None, "the stream itself was");
        assert_eq!(learned(video.learn(&header(2, 97))), Some((1, Some(2))));
    }

    #[test]
    fn a_packet_of_another_section_is_not_taken_whatever_its_payload_type() {
        let mut video = video(None);
        for other in ["0", "", "11"] {
            assert_eq!(learned(video.learn(&named(1, 96, other))), None, "{other}");
        }
        assert_eq!(learned(video.learn(&named(1, 111, "1"))), None, "nobody agreed to this one");
        assert_eq!(learned(video.learn(&named(1, 96, "1"))), Some((1, None)));
        assert_eq!(learned(video.learn(&named(2, 97, "0"))), None);
        assert_eq!(learned(video.learn(&named(2, 97, "1"))), Some((1, Some(2))));
    }
}
