//! VP8 from RTP (RFC 7741): the descriptor in front of each payload, and what a key frame says of itself (RFC 6386, 9.1).

use bytes::{Bytes, BytesMut};

use super::frames::Frame;

/// Whether this payload begins a frame: start of partition, and the first partition.
pub(super) fn starts_frame(payload: &Bytes) -> bool {
    payload.first().is_some_and(|first| first & 0x10 != 0 && first & 0x07 == 0)
}

/// Whether this payload begins a key frame.
pub(super) fn starts_key_frame(payload: &Bytes) -> bool {
    let tag = descriptor_length(payload).and_then(|length| payload.get(length));
    starts_frame(payload) && tag.is_some_and(|tag| tag & 0x01 == 0)
}

/// A frame from all its payloads; `None` if one is malformed.
pub(super) fn frame(timestamp: u32, payloads: &[Bytes]) -> Option<Frame> {
    let mut data = BytesMut::with_capacity(payloads.iter().map(Bytes::len).sum());
    for payload in payloads {
        data.extend_from_slice(payload.get(descriptor_length(payload)?..)?);
    }
    let data = data.freeze();
    let key = data.first()? & 0x01 == 0;
    Some(Frame { timestamp, key, size: if key { Some(size(&data)?) } else { None }, data })
}

fn size(data: &Bytes) -> Option<(u16, u16)> {
    let [0x9d, 0x01, 0x2a, rest @ ..] = data.get(3..10)? else { return None };
    let [a, b, c, d] = *rest else { return None };
    Some((u16::from_le_bytes([a, b]) & 0x3fff, u16::from_le_bytes([c, d]) & 0x3fff))
}

fn descriptor_length(payload: &Bytes) -> Option<usize> {
    if payload.first()? & 0x80 == 0 {
        return Some(1);
    }
    let extension = *payload.get(1)?;
    let mut length = 2;
    if extension & 0x80 != 0 {
        length += if payload.get(length)? & 0x80 == 0 { 1 } else { 2 };
    }
    length += usize::from(extension & 0x40 != 0);
    length += usize::from(extension & 0x30 != 0);
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_descriptor() {
        for (descriptor, length) in [
            (&[0x10][..], 1),
            (&[0x90, 0x00], 2),
            (&[0x90, 0x80, 0x7f], 3),
            (&[0x90, 0x80, 0x81, 0x02], 4),
            (&[0x90, 0xe0, 0x81, 0x02, 0x03, 0x20], 6),
            (&[0x90, 0x10, 0x05], 3),
        ] {
            assert_eq!(descriptor_length(&Bytes::copy_from_slice(descriptor)), Some(length));
        }
        assert_eq!(descriptor_length(&Bytes::from_static(&[0x80])), None);
    }

    #[test]
    fn a_last_part_may_be_one_byte_long() {
        let parts = [Bytes::from_static(&[0x10, 0x11, 5]), Bytes::from_static(&[0x00, 6])];
        assert_eq!(frame(0, &parts).unwrap().data, Bytes::from_static(&[0x11, 5, 6]));
    }

    #[test]
    fn a_key_frame_without_its_start_code_is_malformed() {
        assert_eq!(frame(0, &[Bytes::from_static(&[0x10, 0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7])]), None);
    }
}
