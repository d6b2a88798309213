//! Stills: pictures of the master that the officer asked for during the call. What is in the exhibit says which frame it is, by its
//! time in the track's file; ffmpeg takes that very frame out of the sealed file. Whoever has the master can do the same, and gets
//! the same bytes: so still and master prove each other.

use std::path::Path;

use ids::TrackName;
use serde::Deserialize;

use super::{
    Failed, Tools,
    tools::{run, words},
};

/// What an item of kind `still` and type JSON says, as far as it is needed here: `docs/session-items.md`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wanted {
    /// The track.
    pub track: TrackName,
    /// The frame's time in the track's file, in milliseconds: digits.
    file_ms: String,
}

impl Wanted {
    /// Reads an item.
    ///
    /// # Errors
    /// It is none that says which frame.
    pub fn parse(item: &[u8]) -> Result<Self, serde_json::Error> {
        let wanted: Self = serde_json::from_slice(item)?;
        if wanted.file_ms.is_empty() || !wanted.file_ms.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(serde::de::Error::custom("file_ms is not digits"));
        }
        Ok(wanted)
    }

    /// As the item has it.
    #[must_use]
    pub fn file_ms(&self) -> &str {
        &self.file_ms
    }
}

/// The name of a still's picture among an exhibit's derived files, by the item that asks for it: its name, the part of the call's exhibit that
/// it is in (1 for its own, 2, 3 ... for addenda, which count versions anew), and its version.
#[must_use]
pub fn picture(item: &str, part: u32, version: u64) -> String {
    if part == 1 { format!("{item}.{version}.png") } else { format!("{item}.{part}-{version}.png") }
}

/// Is it such a name?
#[must_use]
pub fn is_picture(name: &str) -> bool {
    let parts = name.strip_suffix(".png").and_then(|stem| stem.split_once('.'));
    parts.is_some_and(|(item, version)| {
        let (part, version) = version.split_once('-').unwrap_or(("1", version));
        item.parse::<TrackName>().is_ok() && part.parse::<u32>().is_ok() && version.parse::<u64>().is_ok()
    })
}

impl Tools {
    /// Takes a frame out of a track's file in that folder, as a PNG beside it.
    ///
    /// # Errors
    /// ffmpeg fails, or there is no frame at that time.
    pub async fn still(&self, folder: &Path, wanted: &Wanted, picture: &str) -> Result<(), Failed> {
        // The file's own times, from its own beginning; and nothing that differs from one processor to the next.
        let mut arguments =
            words("-hide_banner -nostdin -loglevel error -y -protocol_whitelist file -f matroska -copyts -i");
        arguments.push(wanted.track.to_string());
        arguments.extend(words("-map 0:v:0 -fps_mode passthrough -frames:v 1 -map_metadata -1 -vf"));
        arguments.push(format!("select='eq(pts,{})'", wanted.file_ms));
        arguments.extend(words(
            "-sws_flags accurate_rnd+full_chroma_int+bitexact -fflags +bitexact -flags:v +bitexact -c:v png -pix_fmt rgb24 -f image2 -update 1",
        ));
        arguments.push(picture.to_owned());
        run(&self.ffmpeg, folder, arguments).await?;
        if folder.join(picture).exists() {
            return Ok(());
        }
        Err(Failed::Run { tool: "ffmpeg".to_owned(), words: "there is no frame at that time".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_still_of_a_frame_is_one() {
        let parse = |item: &str| Wanted::parse(item.as_bytes());
        assert!(
            parse(r#"{"track":"caller-1","file_ms":"1200","more":"x"}"#).is_ok_and(|wanted| wanted.file_ms() == "1200")
        );
        for bad in [
            r#"{"track":"caller-1"}"#,
            r#"{"track":"../x","file_ms":"1"}"#,
            r#"{"track":"caller-1","file_ms":"1)+gt(1,0"}"#,
            "x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_picture_has_a_name_of_its_own() {
        assert_eq!(
            (picture("still-3", 1, 1), picture("still-3", 2, 1)),
            ("still-3.1.png".into(), "still-3.2-1.png".into())
        );
        assert!(is_picture("still-3.1.png") && is_picture("still-3.2-1.png"));
        for other in [
            "still-3.png",
            "../still-3.1.png",
            "a/b.1.png",
            ".1.png",
            "still-3.1-.png",
            "still-3.1.jpg",
            "still-3.1/../x.png",
        ] {
            assert!(!is_picture(other), "{other}");
        }
    }
}
