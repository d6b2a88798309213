//! The little of Matroska (RFC 9559) that a recording needs: a header, then clusters of simple blocks.
//!
//! The segment's size is unknown and every cluster's is known, so a file cut anywhere plays to its last whole cluster.

use bytes::{BufMut, Bytes, BytesMut};

/// The picture's track, when there is one.
pub(super) const VIDEO: u8 = 1;
/// The sound's track.
pub(super) const AUDIO: u8 = 2;

/// An element that says nothing, for where a segment of the file is missing: players pass over it.
pub const VOID: &[u8] = &[0xec, 0x80];

/// Opus' look-ahead at 48 kHz: what a decoder must leave out before the first sample that was really captured.
const PRE_SKIP: u16 = 312;

/// What a picture is encoded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Picture {
    /// VP8.
    Vp8,
    /// H.264 with its `avcC`.
    H264(Bytes),
}

/// A frame or an Opus packet, `at` milliseconds after the beginning of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) track: u8,
    pub(super) at: u64,
    pub(super) key: bool,
    pub(super) data: Bytes,
}

/// EBML header, segment, info and tracks. `began` is the wall clock of millisecond 0, in microseconds since 1970.
pub(super) fn header(began: i64, picture: Option<(&Picture, (u16, u16))>, sound: bool) -> Bytes {
    let mut tracks = BytesMut::new();
    if let Some((codec, (width, height))) = picture {
        let mut size = BytesMut::new();
        unsigned(&mut size, 0xb0, width.into());
        unsigned(&mut size, 0xba, height.into());
        let mut entry = track_entry(VIDEO, 1);
        match codec {
            Picture::Vp8 => element(&mut entry, 0x86, b"V_VP8"),
            Picture::H264(avcc) => {
                element(&mut entry, 0x86, b"V_MPEG4/ISO/AVC");
                element(&mut entry, 0x63a2, avcc);
            }
        }
        element(&mut entry, 0xe0, &size);
        element(&mut tracks, 0xae, &entry);
    }
    if sound {
        let mut kind = BytesMut::new();
        element(&mut kind, 0xb5, &48_000_f64.to_be_bytes());
        unsigned(&mut kind, 0x9f, 2);
        let mut entry = track_entry(AUDIO, 2);
        element(&mut entry, 0x86, b"A_OPUS");
        element(&mut entry, 0x63a2, &opus_head());
        unsigned(&mut entry, 0x56aa, u64::from(PRE_SKIP) * 1_000_000_000 / 48_000);
        unsigned(&mut entry, 0x56bb, 80_000_000);
        element(&mut entry, 0xe1, &kind);
        element(&mut tracks, 0xae, &entry);
    }

    let mut ebml = BytesMut::new();
    for (id, value) in [(0x4286, 1), (0x42f7, 1), (0x42f2, 4), (0x42f3, 8)] {
        unsigned(&mut ebml, id, value);
    }
    element(&mut ebml, 0x4282, b"matroska");
    unsigned(&mut ebml, 0x4287, 4);
    unsigned(&mut ebml, 0x4285, 2);

    let mut info = BytesMut::new();
    unsigned(&mut info, 0x2a_d7b1, 1_000_000);
    element(&mut info, 0x4461, &date(began).to_be_bytes());
    element(&mut info, 0x4d80, b"alcove");
    element(&mut info, 0x5741, b"alcove");

    let mut out = BytesMut::new();
    element(&mut out, 0x1a45_dfa3, &ebml);
    put_id(&mut out, 0x1853_8067);
    out.put_u64(0x01ff_ffff_ffff_ffff); // unknown size
    element(&mut out, 0x1549_a966, &info);
    element(&mut out, 0x1654_ae6b, &tracks);
    out.freeze()
}

/// One cluster. Its blocks are in order of time and span less than 32 s.
pub(super) fn cluster(blocks: &[Block]) -> Bytes {
    let began = blocks.first().map_or(0, |block| block.at);
    let mut body = BytesMut::with_capacity(blocks.iter().map(|block| block.data.len() + 16).sum());
    unsigned(&mut body, 0xe7, began);
    for block in blocks {
        put_id(&mut body, 0xa3);
        put_size(&mut body, block.data.len() + 4);
        body.put_u8(0x80 | block.track);
        body.put_i16(i16::try_from(block.at.saturating_sub(began)).unwrap_or(i16::MAX));
        body.put_u8(if block.key { 0x80 } else { 0 });
        body.put_slice(&block.data);
    }
    let mut out = BytesMut::with_capacity(body.len() + 12);
    element(&mut out, 0x1f43_b675, &body);
    out.freeze()
}

fn track_entry(number: u8, kind: u64) -> BytesMut {
    let mut entry = BytesMut::new();
    unsigned(&mut entry, 0xd7, number.into());
    unsigned(&mut entry, 0x73c5, number.into());
    unsigned(&mut entry, 0x83, kind);
    unsigned(&mut entry, 0x9c, 0); // no lacing
    element(&mut entry, 0x22_b59c, b"und");
    entry
}

fn opus_head() -> BytesMut {
    let mut head = BytesMut::from(&b"OpusHead\x01\x02"[..]);
    head.put_u16_le(PRE_SKIP);
    head.put_u32_le(48_000);
    head.put_slice(&[0, 0, 0]);
    head
}

/// Matroska counts nanoseconds since 2001-01-01.
fn date(unix_micros: i64) -> i64 {
    (unix_micros - 978_307_200_000_000).saturating_mul(1_000)
}

fn unsigned(out: &mut BytesMut, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    element(out, id, &bytes[zeros..]);
}

fn element(out: &mut BytesMut, id: u32, body: &[u8]) {
    put_id(out, id);
    put_size(out, body.len());
    out.put_slice(body);
}

/// Ids carry their own length.
fn put_id(out: &mut BytesMut, id: u32) {
    let bytes = id.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    out.put_slice(&bytes[zeros..]);
}

/// The shortest form; all ones would mean "unknown", so such a value takes the next longer.
fn put_size(out: &mut BytesMut, size: usize) {
    let size = size as u64;
    let length = (1..8).find(|length| size < (1 << (7 * length)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * length);
    out.put_slice(&marked.to_be_bytes()[8 - length..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(size: usize) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_size(&mut out, size);
        out.to_vec()
    }

    #[test]
    fn sizes_are_shortest_and_never_unknown() {
        assert_eq!(size(0), [0x80]);
        assert_eq!(size(126), [0xfe]);
        assert_eq!(size(127), [0x40, 0x7f]);
        assert_eq!(size(16_382), [0x7f, 0xfe]);
        assert_eq!(size(16_383), [0x20, 0x3f, 0xff]);
        assert_eq!(size(2_097_151), [0x10, 0x1f, 0xff, 0xff]);
    }

    #[test]
    fn numbers_are_shortest_but_not_empty() {
        let mut out = BytesMut::new();
        unsigned(&mut out, 0xd7, 0);
        unsigned(&mut out, 0x2a_d7b1, 1_000_000);
        assert_eq!(out[..], [0xd7, 0x81, 0, 0x2a, 0xd7, 0xb1, 0x83, 0x0f, 0x42, 0x40]);
    }

    #[test]
    fn a_cluster_byte_for_byte() {
        let block = |track, at, key, data| Block { track, at, key, data: Bytes::from_static(data) };
        let out = cluster(&[
            block(VIDEO, 1_000, true, b"v"),
            block(AUDIO, 1_020, true, b"a"),
            block(VIDEO, 1_033, false, b"w"),
        ]);
        let expected = [
            &[0x1f, 0x43, 0xb6, 0x75, 0x80 | 25, 0xe7, 0x82, 0x03, 0xe8][..],
            &[0xa3, 0x85, 0x81, 0, 0, 0x80, b'v'],
            &[0xa3, 0x85, 0x82, 0, 20, 0x80, b'a'],
            &[0xa3, 0x85, 0x81, 0, 33, 0x00, b'w'],
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn the_date_is_counted_from_2001() {
        assert_eq!(date(978_307_200_000_000), 0);
        assert_eq!(date(978_307_201_000_000), 1_000_000_000);
    }

    #[test]
    fn a_header_names_only_the_tracks_there_are() {
        let contains = |header: &Bytes, what: &[u8]| header.windows(what.len()).any(|window| window == what);
        let sound = header(0, None, true);
        assert!(contains(&sound, b"OpusHead") && !contains(&sound, b"V_VP8"));
        let picture = header(0, Some((&Picture::Vp8, (640, 360))), false);
        assert!(
            !contains(&picture, b"OpusHead") && contains(&picture, &[0xb0, 0x82, 0x02, 0x80, 0xba, 0x82, 0x01, 0x68])
        );
        assert_eq!(picture[..4], [0x1a, 0x45, 0xdf, 0xa3]);
    }
}
