//! RTP payloads to whole video frames. A frame with a part missing is never written: it is counted, and a key frame asked.

use bytes::Bytes;

use super::{h264, matroska::Picture, negotiate::VideoCodec, vp8};

/// One whole frame, as the codec's Matroska mapping wants it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) timestamp: u32,
    pub(super) key: bool,
    /// Width and height, when the frame says (key frames do).
    pub(super) size: Option<(u16, u16)>,
    pub(super) data: Bytes,
}

/// What a packet completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Assembled {
    /// A whole frame.
    Frame(Frame),
    /// The frame that just ended has a part missing.
    Broken,
}

/// Whether this payload begins a key frame: where a viewer can begin.
pub(super) fn starts_key_frame(codec: VideoCodec, payload: &Bytes) -> bool {
    match codec {
        VideoCodec::Vp8 => vp8::starts_key_frame(payload),
        VideoCodec::H264 => h264::starts_key_frame(payload),
    }
}

/// Collects the packets of one frame at a time. Packets come in order; `gap` is called where some are missing.
#[derive(Debug)]
pub(super) struct Assembler {
    codec: VideoCodec,
    parts: Vec<Bytes>,
    timestamp: Option<u32>,
    broken: bool,
    after_gap: bool,
    /// H.264's parameter sets, for the file's header.
    parameters: h264::Parameters,
}

impl Assembler {
    pub(super) fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            parts: Vec::new(),
            timestamp: None,
            broken: false,
            after_gap: false,
            parameters: h264::Parameters::default(),
        }
    }

    /// What the recording's header says of the picture.
    pub(super) fn picture(&self) -> Picture {
        match self.codec {
            VideoCodec::Vp8 => Picture::Vp8,
            VideoCodec::H264 => Picture::H264(self.parameters.avcc()),
        }
    }

    /// Packets are missing here.
    pub(super) fn gap(&mut self) {
        self.broken |= self.timestamp.is_some();
        self.after_gap = true;
    }

    /// The next packet. Without a marker bit a frame ends where the next timestamp begins, so two can end at once.
    pub(super) fn push(&mut self, timestamp: u32, marker: bool, payload: &Bytes, out: &mut Vec<Assembled>) {
        if payload.is_empty() {
            return; // padding
        }
        if self.timestamp.is_some_and(|current| current != timestamp) {
            self.end(out);
        }
        let first = self.timestamp.is_none();
        self.timestamp = Some(timestamp);
        if first && self.after_gap && !self.starts_frame(payload) || first && self.lacks_start(payload) {
            self.broken = true;
        }
        self.after_gap = false;
        self.parts.push(payload.clone());
        if marker {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Assembled>) {
        let parts = std::mem::take(&mut self.parts);
        let broken = std::mem::take(&mut self.broken);
        let Some(timestamp) = self.timestamp.take() else { return };
        let frame = match self.codec {
            _ if broken => None,
            VideoCodec::Vp8 => vp8::frame(timestamp, &parts),
            VideoCodec::H264 => h264::frame(timestamp, &parts, &mut self.parameters),
        };
        out.push(frame.map_or(Assembled::Broken, Assembled::Frame));
    }

    fn starts_frame(&self, payload: &Bytes) -> bool {
        match self.codec {
            VideoCodec::Vp8 => vp8::starts_frame(payload),
            VideoCodec::H264 => h264::starts_frame(payload),
        }
    }

    /// VP8 marks a frame's first packet always, so its absence shows even without a gap (joined mid-frame).
    fn lacks_start(&self, payload: &Bytes) -> bool {
        self.codec == VideoCodec::Vp8 && !vp8::starts_frame(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(data: &[u8]) -> Bytes {
        [&[0x10], data].concat().into()
    }

    fn tail(data: &[u8]) -> Bytes {
        [&[0x00], data].concat().into()
    }

    const KEY: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];

    fn run(steps: &[Option<(u32, bool, Bytes)>]) -> Vec<Assembled> {
        let (mut assembler, mut out) = (Assembler::new(VideoCodec::Vp8), Vec::new());
        for step in steps {
            match step {
                Some((timestamp, marker, payload)) => assembler.push(*timestamp, *marker, payload, &mut out),
                None => assembler.gap(),
            }
        }
        out
    }

    #[test]
    fn a_key_frame_in_two_packets() {
        let out = run(&[Some((9, false, head(&KEY))), Some((9, true, tail(&[7]))), Some((9, false, Bytes::new()))]);
        let data = Bytes::from([&KEY[..], &[7]].concat());
        assert_eq!(out, [Assembled::Frame(Frame { timestamp: 9, key: true, size: Some((640, 360)), data })]);
    }

    #[test]
    fn a_frame_with_a_part_missing_is_broken_and_the_next_is_not() {
        let delta = |timestamp| Some((timestamp, true, head(&[0x11, 1, 2])));
        for (steps, broken) in [
            (vec![Some((1, false, head(&KEY))), None, Some((1, true, tail(&[7]))), delta(2)], 1),
            (vec![Some((1, false, head(&KEY))), None, delta(2)], 1),
            (vec![delta(1), None, Some((2, true, tail(&[7]))), delta(3)], 1),
            (vec![delta(1), None, delta(3)], 0),
        ] {
            let out = run(&steps);
            assert_eq!(out.iter().filter(|one| **one == Assembled::Broken).count(), broken, "{out:?}");
            assert!(matches!(out.last(), Some(Assembled::Frame(_))), "{out:?}");
        }
    }

    #[test]
    fn a_frame_without_a_marker_ends_at_the_next() {
        let out = run(&[Some((1, false, head(&[0x11, 1, 2]))), Some((2, true, head(&[0x11, 3, 4])))]);
        assert_eq!(out.len(), 2);
        assert!(out.iter().all(|one| matches!(one, Assembled::Frame(_))));
    }
}
