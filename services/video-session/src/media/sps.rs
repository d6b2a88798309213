//! The picture's size out of an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1).

/// Width and height after cropping.
pub(super) fn size(sps: &[u8]) -> Option<(u16, u16)> {
    let profile = *sps.get(1)?;
    let mut bits = Bits { bytes: unescape(sps.get(4..)?), at: 0 };
    bits.unsigned()?; // seq_parameter_set_id
    let mut chroma_format = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128) {
        chroma_format = bits.unsigned()?;
        if chroma_format == 3 {
            bits.take(1)?;
        }
        bits.unsigned()?; // luma depth
        bits.unsigned()?; // chroma depth
        bits.take(1)?;
        if bits.take(1)? == 1 {
            return None; // scaling lists: no phone sends them
        }
    }
    bits.unsigned()?; // log2_max_frame_num
    match bits.unsigned()? {
        0 => _ = bits.unsigned()?,
        1 => {
            bits.take(1)?;
            bits.unsigned()?;
            bits.unsigned()?;
            for _ in 0..bits.unsigned()?.min(255) {
                bits.unsigned()?;
            }
        }
        _ => {}
    }
    bits.unsigned()?; // max_num_ref_frames
    bits.take(1)?;
    let width = (bits.unsigned()? + 1).checked_mul(16)?;
    let map_units = bits.unsigned()? + 1;
    let frames_only = bits.take(1)?;
    if frames_only == 0 {
        bits.take(1)?;
    }
    let height = map_units.checked_mul(16 * (2 - frames_only))?;
    bits.take(1)?;
    let (mut across, mut down) = (0, 0);
    if bits.take(1)? == 1 {
        across = bits.unsigned()?.checked_add(bits.unsigned()?)?;
        down = bits.unsigned()?.checked_add(bits.unsigned()?)?;
    }
    let unit_across = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
    let unit_down = if chroma_format == 1 { 2 } else { 1 } * (2 - frames_only);
    let width = width.checked_sub(across.checked_mul(unit_across)?)?;
    let height = height.checked_sub(down.checked_mul(unit_down)?)?;
    Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?))
}

struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// Exp-Golomb, below 2^16 only: nothing here is larger.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 16 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}

fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == 3 && out.ends_with(&[0, 0]) {
            // An emulation prevention byte: what follows begins afresh.
            continue;
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_real_parameter_sets() {
        let openh264_640x480 = [0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a];
        assert_eq!(size(&openh264_640x480), Some((640, 480)));
        let x264_1920x1080 = [
            0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04,
            0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
        ];
        assert_eq!(size(&x264_1920x1080), Some((1920, 1080)));
    }

    #[test]
    fn rubbish_has_no_size() {
        for bad in [&[][..], &[0x67], &[0x67, 0x42, 0, 0, 0, 0, 0], &[0x67, 0x42, 0xc0, 0x1e, 0xff]] {
            assert_eq!(size(bad), None);
        }
    }
}
