//! A recording beside what its phone played: every phone plays the same clip over and over, so each frame of the recording is known by its
//! bytes, and what is missing between two of them can be counted without asking the server. That is what its gap ledger must say.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use serde_json::Value;

use super::Outcome;
use crate::media_probe;

/// The two streams of a track: as the ledger and ffprobe call them, and seconds from frame to frame.
const STREAMS: [(&str, &str, f64); 2] = [("video", "v:0", 1.0 / 15.0), ("audio", "a:0", 0.02)];

/// The clip: where in it each frame is, by the frame's hash, and how many there are; picture, sound.
pub(super) struct Clip([(HashMap<String, Vec<u64>>, u64); 2]);

/// What of all recordings was compared.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Compared {
    /// Tracks.
    pub(super) tracks: usize,
    /// Frames, of which every one is of the clip.
    pub(super) frames: u64,
    /// Frames that are missing between two that are there.
    pub(super) missing: u64,
}

/// What the ledgers of a call say of one track.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Packets that never came, picture and sound.
    lost: [u64; 2],
    /// Of these, packets before the first that came or after the last.
    outside: [u64; 2],
    /// Frames that came in part, or could not be decoded from their beginning.
    left_out: [u64; 2],
    /// Segments that the spool's disk did not take.
    not_kept: u64,
    /// The publication was ended in order.
    ended: bool,
}

impl Clip {
    /// As the phones play it.
    pub(super) fn read() -> Outcome<Self> {
        let places = |frames: Vec<bytes::Bytes>| {
            let mut places: HashMap<String, Vec<u64>> = HashMap::new();
            for (at, frame) in (0..).zip(&frames) {
                let hash = hex::encode(ring::digest::digest(&ring::digest::SHA256, frame));
                places.entry(hash).or_default().push(at);
            }
            (places, frames.len() as u64)
        };
        Ok(Self(testkit::phone::plays()?.map(places)))
    }

    /// Compares one track's file with the clip and with its ledger: in words, whatever doesn't agree.
    pub(super) fn compare(&self, file: &Path, said: &Said, compared: &mut Compared) -> Outcome<Vec<String>> {
        compared.tracks += 1;
        let mut wrong = Vec::new();
        for (which, (medium, stream, each)) in STREAMS.iter().enumerate() {
            let Some((places, length)) = self.0.get(which) else { continue };
            let frames = media_probe::frames(file, stream)?;
            let mut missing = 0;
            let mut before: Option<(f64, &Vec<u64>)> = None;
            for (at, hash) in &frames {
                let Some(place) = places.get(hash) else {
                    wrong.push(format!("{medium} at {at:.3} s is no frame of the clip"));
                    before = None;
                    continue;
                };
                if let Some((then, from)) = before {
                    missing += between(from, place, *length, (at - then) / each);
                }
                before = Some((*at, place));
            }
            compared.frames += frames.len() as u64;
            compared.missing += missing;
            wrong.extend(said.disagrees(which, medium, missing));
        }
        Ok(wrong)
    }
}

/// How many frames of the clip, which has `length`, are missing between one and the next, which are so many frames' time apart. The bytes
/// say so up to whole turns of the clip; the times, which follow the sender's reports and may be a second out, say how many turns.
fn between(from: &[u64], to: &[u64], length: u64, apart: f64) -> u64 {
    let steps = from.iter().flat_map(|from| to.iter().map(move |to| (to + length - from - 1) % length));
    let by_time = apart - 1.0;
    let near = |step: u64| {
        let turns = ((by_time - step as f64) / length as f64).round().max(0.0) as u64;
        step + turns * length
    };
    let far = |count: &u64| (by_time - *count as f64).abs();
    steps.map(near).min_by(|one, other| far(one).total_cmp(&far(other))).unwrap_or_default()
}

impl Said {
    /// Sound is one packet a frame: what is missing is what was lost, to the packet, if the track came to its end in order. A picture is one
    /// packet or more: at least one was lost of each that is missing, or it was left out.
    fn disagrees(&self, which: usize, medium: &str, missing: u64) -> Option<String> {
        let (lost, outside, left_out) = (self.lost[which], self.outside[which], self.left_out[which]);
        if self.not_kept > 0 {
            // What a full disk did not take is known by its times, not by its frames.
            return None;
        }
        if missing > lost + left_out {
            return Some(format!(
                "{missing} frames of {medium} are missing, the ledger knows of {lost} packets lost and {left_out} frames left out"
            ));
        }
        let is_sound = which == 1;
        if is_sound && self.ended && missing + outside + left_out < lost {
            return Some(format!(
                "the ledger says that {lost} packets of {medium} were lost ({outside} at its ends), {missing} frames are missing"
            ));
        }
        None
    }
}

/// What these ledgers say of each track.
pub(super) fn said(ledgers: &[Value]) -> BTreeMap<String, Said> {
    let mut all: BTreeMap<String, Said> = BTreeMap::new();
    let mut lost: BTreeMap<(String, usize), BTreeSet<(u64, u64)>> = BTreeMap::new();
    let events = || ledgers.iter().flat_map(|ledger| ledger["events"].as_array().into_iter().flatten());
    for event in events() {
        let Some(track) = event["track"].as_str() else { continue };
        let number = |field: &str| event[field].as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
        let which = usize::from(event["medium"] == "audio");
        let said = all.entry(track.to_owned()).or_default();
        match event["what"].as_str() {
            Some("lost") => {
                said.lost[which] += number("packets");
                let range = (number("first_rtp_sequence"), number("packets"));
                lost.entry((track.to_owned(), which)).or_default().insert(range);
            }
            Some("frame-left-out") => said.left_out[which] += 1,
            Some("no-key-frame") => said.left_out[which] += number("frames"),
            Some("not-kept") => said.not_kept += number("segments"),
            Some("ended") => said.ended = true,
            _ => {}
        }
    }
    for event in events().filter(|event| event["what"] == "ended") {
        let Some(track) = event["track"].as_str() else { continue };
        for (which, medium) in ["video", "audio"].iter().enumerate() {
            let number =
                |field: &str| event[format!("{medium}_{field}")].as_str().and_then(|text| text.parse::<u64>().ok());
            let (Some(first), Some(came)) = (number("first_rtp_sequence"), number("packets")) else { continue };
            let (mut outside, mut end) = (0, first + came);
            for (from, packets) in lost.get(&(track.to_owned(), which)).into_iter().flatten() {
                if *from < first || *from >= end { outside += packets } else { end += packets }
            }
            if let Some(said) = all.get_mut(track) {
                said.outside[which] = outside;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(lost: u64, ended: bool) -> Said {
        Said { lost: [0, lost], ended, ..Said::default() }
    }

    #[test]
    fn a_gap_too_many_or_too_few_is_found() {
        assert_eq!(sound(3, true).disagrees(1, "audio", 3), None);
        assert!(sound(3, true).disagrees(1, "audio", 4).is_some(), "one is missing that nobody noted");
        assert!(sound(3, true).disagrees(1, "audio", 2).is_some(), "one is noted that isn't missing");
        assert_eq!(sound(3, false).disagrees(1, "audio", 2), None, "cut off, with the rest of its film");
        assert!(Said::default().disagrees(0, "video", 1).is_some(), "a picture that nobody noted");
    }

    #[test]
    fn frames_are_counted_by_their_bytes_and_whole_turns_by_their_times() {
        assert_eq!(between(&[58], &[1], 60, 3.0), 2);
        assert_eq!(between(&[58], &[1], 60, 17.0), 2, "a clock that was put right is no gap");
        assert_eq!(between(&[58], &[1], 60, 63.0), 62);
        assert_eq!(between(&[5], &[6, 9], 60, 1.0), 0, "the same bytes twice in a clip");
        assert_eq!(between(&[5], &[4], 60, 1.0), 58, "backwards");
    }

    #[test]
    fn what_was_lost_at_the_ends_is_told_from_what_was_lost_between() {
        let event = |what: &str, first: &str, packets: &str| serde_json::json!({"track": "caller-1", "what": what, "medium": "audio", "first_rtp_sequence": first, "packets": packets});
        let mut ended = event("ended", "", "");
        (ended["audio_first_rtp_sequence"], ended["audio_packets"]) = ("10".into(), "3".into());
        let events = [event("lost", "8", "2"), event("lost", "11", "1"), event("lost", "14", "2"), ended];
        let said = said(&[serde_json::json!({"events": events})]);
        let of = said.get("caller-1").unwrap();
        assert_eq!((of.lost[1], of.outside[1], of.ended), (5, 4, true));
    }
}
