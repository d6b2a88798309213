//! The clip that the synthetic phone plays, over and over.

use std::{io::Cursor, time::Duration};

use rtc::media::io::{ivf_reader::IVFReader, ogg_reader::OggReader};
use tokio_util::bytes::Bytes;

use crate::Error;

const VIDEO: &[u8] = include_bytes!("../../clip/clip.ivf");
const AUDIO: &[u8] = include_bytes!("../../clip/clip.ogg");

/// One kind of media: encoded frames of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Reel {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) each: Duration,
}

/// VP8, 320x240, 15 a second, a key frame every second.
pub(crate) fn video() -> Result<Reel, Error> {
    let (mut ivf, header) = IVFReader::new(Cursor::new(VIDEO)).map_err(Error::phone("the clip"))?;
    let mut frames = Vec::new();
    while let Ok((frame, _)) = ivf.parse_next_frame() {
        frames.push(frame.freeze());
    }
    let each = Duration::from_secs(header.timebase_numerator.into()) / header.timebase_denominator;
    Ok(Reel { frames, each })
}

/// Opus, 20 ms a packet.
pub(crate) fn audio() -> Result<Reel, Error> {
    let (mut ogg, _) = OggReader::new(Cursor::new(AUDIO), true).map_err(Error::phone("the clip"))?;
    let mut frames = Vec::new();
    while let Ok((page, header)) = ogg.parse_next_page() {
        // The page of comments stands at no time.
        if header.granule_position > 0 {
            frames.push(page.freeze());
        }
    }
    Ok(Reel { frames, each: Duration::from_millis(20) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn sound_and_picture_are_equally_long() {
        let (video, audio) = (super::video().unwrap(), super::audio().unwrap());
        assert_eq!(video.frames.len(), 60);
        let ms = |reel: &super::Reel| reel.each.as_secs_f64() * 1000.0 * reel.frames.len() as f64;
        assert!((ms(&video) - ms(&audio)).abs() <= 40.0, "{} {}", ms(&video), ms(&audio));
    }
}
