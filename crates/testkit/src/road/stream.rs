//! What went by: each RTP stream with the packets that were lost and those that were not.

use std::collections::BTreeMap;

use super::{
    Way,
    link::{Fate, Loss},
};

/// An RTP stream, one way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    /// Whose.
    pub ssrc: u32,
    /// Of its first packet.
    pub payload_type: u8,
    /// Sequence numbers of what was let through, in the order in which they were sent.
    pub passed: Vec<u16>,
    /// Sequence numbers of what was lost, in the order in which they were sent.
    pub lost: Vec<u16>,
    /// Bytes that were sent, RTP headers included, lost or not.
    pub bytes: u64,
    /// Sender reports that were let through.
    pub reports: u64,
}

/// All streams one way.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: BTreeMap<u32, Stream>,
    fates: BTreeMap<u8, Fate>,
}

/// Is it RTP or RTCP (RFC 7983)?
pub(super) fn is_media(datagram: &[u8]) -> bool {
    datagram.len() >= 8 && datagram[0] & 0xc0 == 0x80
}

/// RTCP's packet types are where RTP's payload types never are (RFC 5761).
fn is_rtcp(datagram: &[u8]) -> bool {
    (192..=223).contains(&datagram[1])
}

const SENDER_REPORT: u8 = 200;

impl Streams {
    /// Whether this packet is lost. Each payload type has a fate of its own, and so has RTCP: what is lost of a stream does not
    /// hang on how it meets the others.
    pub(super) fn loses(&mut self, loss: Loss, seed: u64, way: Way, datagram: &[u8]) -> bool {
        let of = match (is_rtcp(datagram), loss) {
            (true, Loss::Media) => return false,
            (true, _) => u8::MAX,
            (false, _) => datagram[1] & 0x7f,
        };
        let seed = seed ^ u64::from(of) << 8 ^ (way as u64) << 16;
        self.fates.entry(of).or_insert_with(|| Fate::new(seed)).loses(loss)
    }

    pub(super) fn note(&mut self, datagram: &[u8], passed: bool) {
        if !is_media(datagram) {
            return;
        }
        let word = |at: usize| datagram.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes);
        if is_rtcp(datagram) {
            if datagram[1] == SENDER_REPORT
                && passed
                && let Some(stream) = word(4).and_then(|ssrc| self.streams.get_mut(&ssrc))
            {
                stream.reports += 1;
            }
            return;
        }
        let Some(ssrc) = word(8) else { return };
        let payload_type = datagram[1] & 0x7f;
        let new = || Stream { ssrc, payload_type, ..Stream::default() };
        let stream = self.streams.entry(ssrc).or_insert_with(new);
        stream.bytes += datagram.len() as u64;
        let sequence = u16::from_be_bytes([datagram[2], datagram[3]]);
        let list = if passed { &mut stream.passed } else { &mut stream.lost };
        list.push(sequence);
    }

    pub(super) fn all(&self) -> Vec<Stream> {
        self.streams.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_rtp_from_rtcp_and_from_the_rest() {
        let mut streams = Streams::default();
        let rtp = |sequence: u8| [0x80, 0x80 | 96, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2];
        streams.note(&rtp(1), true);
        streams.note(&rtp(2), false);
        streams.note(&[0x80, SENDER_REPORT, 0, 6, 0, 0, 0, 9], true);
        streams.note(&[0x80, 201, 0, 1, 0, 0, 0, 9], true);
        let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        assert!(!is_media(&stun) && !is_media(&[22, 254, 253, 0, 0, 0, 0, 0]));
        let expected = Stream { ssrc: 9, payload_type: 96, passed: vec![1], lost: vec![2], bytes: 28, reports: 1 };
        assert_eq!(streams.all(), [expected]);
    }
}
