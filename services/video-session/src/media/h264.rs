//! H.264 from RTP (RFC 6184): single units, STAP-A and FU-A, to length-prefixed units; and the `avcC` of the file's header.
//!
//! Parameter sets stay in the frames too: a change of resolution brings new ones, and the header can't change.

use bytes::{BufMut, Bytes, BytesMut};

use super::frames::Frame;

const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The newest parameter sets seen.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    sps: Option<Bytes>,
    pps: Option<Bytes>,
}

impl Parameters {
    /// The `AVCDecoderConfigurationRecord`. Without sets seen it names none, and decoders take those in the frames.
    pub(super) fn avcc(&self) -> Bytes {
        let mut out = BytesMut::new();
        let profile = self.sps.as_ref().and_then(|sps| sps.get(1..4)).unwrap_or(&[0x42, 0xe0, 0x1f]);
        out.put_u8(1);
        out.put_slice(profile);
        out.put_u8(0xff); // four-byte lengths
        for (unit, flags) in [(&self.sps, 0xe0), (&self.pps, 0x00)] {
            out.put_u8(flags | u8::from(unit.is_some()));
            if let Some(unit) = unit {
                put_length16(&mut out, unit);
            }
        }
        out.freeze()
    }
}

/// Whether this payload surely begins a frame: parameter sets and the like, or a slice of macroblock 0.
pub(super) fn starts_frame(payload: &Bytes) -> bool {
    let slice_of_first = |header: usize| payload.get(header).is_some_and(|byte| byte & 0x80 != 0);
    match kind(payload) {
        Some(1 | IDR) => slice_of_first(1),
        Some(6..=9 | STAP_A) => true,
        Some(FU_A) => payload.get(1).is_some_and(|fu| fu & 0x80 != 0) && slice_of_first(2),
        _ => false,
    }
}

/// Whether this payload begins a key frame: its parameter sets, or its first slice where they came before.
pub(super) fn starts_key_frame(payload: &Bytes) -> bool {
    let unit = |at: usize| payload.get(at).map(|header| header & 0x1f);
    match kind(payload) {
        Some(SPS) => true,
        Some(IDR) => starts_frame(payload),
        // Behind its own header and the first unit's length.
        Some(STAP_A) => unit(3) == Some(SPS),
        Some(FU_A) => unit(1) == Some(IDR) && starts_frame(payload),
        _ => false,
    }
}

/// A frame from all its payloads; `None` if one is malformed.
pub(super) fn frame(timestamp: u32, payloads: &[Bytes], parameters: &mut Parameters) -> Option<Frame> {
    let mut units: Vec<Bytes> = Vec::new();
    let mut fragments: Option<BytesMut> = None;
    for payload in payloads {
        match kind(payload)? {
            1..=23 => units.push(payload.clone()),
            STAP_A => split_aggregate(payload, &mut units)?,
            FU_A => {
                let (indicator, fu) = (*payload.first()?, *payload.get(1)?);
                if fu & 0x80 != 0 {
                    fragments = Some(BytesMut::from(&[indicator & 0xe0 | fu & 0x1f][..]));
                }
                fragments.as_mut()?.extend_from_slice(payload.get(2..)?);
                if fu & 0x40 != 0 {
                    units.push(fragments.take()?.freeze());
                }
            }
            _ => return None,
        }
    }
    if fragments.is_some() || units.is_empty() {
        return None;
    }
    let mut data = BytesMut::with_capacity(units.iter().map(|unit| unit.len() + 4).sum());
    let mut key = false;
    for unit in units {
        match kind(&unit) {
            Some(IDR) => key = true,
            Some(SPS) => parameters.sps = Some(unit.clone()),
            Some(PPS) => parameters.pps = Some(unit.clone()),
            _ => {}
        }
        data.put_u32(u32::try_from(unit.len()).ok()?);
        data.put_slice(&unit);
    }
    let size = if key { parameters.sps.as_ref().and_then(|sps| super::sps::size(sps)) } else { None };
    Some(Frame { timestamp, key, size, data: data.freeze() })
}

fn kind(unit: &Bytes) -> Option<u8> {
    unit.first().map(|header| header & 0x1f)
}

fn split_aggregate(payload: &Bytes, units: &mut Vec<Bytes>) -> Option<()> {
    let mut at = 1;
    while at < payload.len() {
        let [high, low] = *payload.get(at..at + 2)? else { return None };
        at += 2;
        let end = at + usize::from(u16::from_be_bytes([high, low]));
        payload.get(at..end)?;
        units.push(payload.slice(at..end));
        at = end;
    }
    Some(())
}

fn put_length16(out: &mut BytesMut, unit: &Bytes) {
    let length = u16::try_from(unit.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(&unit[..usize::from(length)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregate_and_fragments_make_one_key_frame() {
        let mut parameters = Parameters::default();
        let parts = [
            Bytes::from_static(&[24, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 0, 2, 0x68, 0xce]),
            Bytes::from_static(&[0x7c, 0x85, 0x88, 1]),
            Bytes::from_static(&[0x7c, 0x45, 2]),
        ];
        assert_eq!(parts.each_ref().map(starts_key_frame), [true, true, false]);
        let frame = frame(3, &parts, &mut parameters).unwrap();
        assert!(frame.key);
        let expected =
            [&[0, 0, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 2, 0x68, 0xce, 0, 0, 0, 4][..], &[0x65, 0x88, 1, 2]];
        assert_eq!(frame.data, expected.concat());
        assert_eq!(
            parameters.avcc(),
            [1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 1, 0, 2, 0x68, 0xce][..]
        );
    }

    #[test]
    fn malformed_payloads_are_refused_not_panicked_over() {
        for bad in [&[24, 0][..], &[24, 0, 9, 1], &[28, 0x05, 1], &[28], &[31, 1], &[28, 0x85, 1]] {
            assert_eq!(frame(0, &[Bytes::copy_from_slice(bad)], &mut Parameters::default()), None, "{bad:?}");
        }
    }

    #[test]
    fn only_the_first_slice_starts_a_frame() {
        assert!(starts_frame(&Bytes::from_static(&[0x41, 0x9a])));
        assert!(!starts_frame(&Bytes::from_static(&[0x41, 0x1a])));
        assert!(starts_frame(&Bytes::from_static(&[0x7c, 0x85, 0x88])));
        assert!(!starts_frame(&Bytes::from_static(&[0x7c, 0x05, 0x88])));
    }
}
