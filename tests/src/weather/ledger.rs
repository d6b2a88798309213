//! The gap ledger of a call beside what the road knows it lost.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::road::Stream;

/// The caller's track.
const TRACK: &str = "caller-1";

/// What the road did to one stream: packets by their sequence numbers, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    lost: Vec<u16>,
    all: BTreeSet<u16>,
}

/// What the ledger says of the caller's track.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Sequence numbers that never came, in its order: sound, picture.
    lost: [Vec<u16>; 2],
    /// The first that came, and how many came.
    came: [(u16, u64); 2],
}

const MEDIA: [&str; 2] = ["audio", "video"];

impl Sent {
    /// Once the road is cut nothing counts any more.
    pub(super) fn until_the_cut(stream: &Stream) -> Self {
        let mut lost = stream.lost.clone();
        if let Some(newest) = stream.passed.last() {
            while lost.last().is_some_and(|last| last.wrapping_sub(*newest).cast_signed() > 0) {
                lost.pop();
            }
        }
        let all = stream.passed.iter().chain(&lost).copied().collect();
        Self { lost, all }
    }

    /// How many there were from this one on.
    fn since(&self, first: u16) -> u64 {
        self.all.iter().filter(|one| one.wrapping_sub(first).cast_signed() >= 0).count() as u64
    }

    /// How many were lost.
    pub(super) fn lost(&self) -> usize {
        self.lost.len()
    }
}

impl Ledger {
    /// From `alcove-gap-ledger/1`.
    pub(super) fn read(document: &Value) -> Self {
        let mut ledger = Self::default();
        let number = |event: &Value, field: &str| {
            event[field].as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
        };
        for event in document["events"].as_array().into_iter().flatten().filter(|event| event["track"] == TRACK) {
            for (at, medium) in MEDIA.iter().enumerate() {
                if event["what"] == "lost" && event["medium"] == *medium {
                    let first = number(event, "first_rtp_sequence");
                    // The low 16 bits are what was on the wire.
                    let lost = (first..first + number(event, "packets")).map(|n| (n & 0xffff) as u16);
                    ledger.lost[at].extend(lost);
                }
                if event["what"] == "ended" {
                    let first = number(event, &format!("{medium}_first_rtp_sequence"));
                    ledger.came[at] = ((first & 0xffff) as u16, number(event, &format!("{medium}_packets")));
                }
            }
        }
        ledger
    }

    /// Of what was lost of the picture, how much is in the recording after all.
    pub(super) fn recovered(&self, picture: &Sent) -> f64 {
        if picture.lost.is_empty() {
            return 1.0;
        }
        1.0 - self.lost[1].len() as f64 / picture.lost.len() as f64
    }

    /// Sound is sent once: what the road lost is what the ledger has. Pictures are sent again: what the ledger has the road
    /// lost, and the rest came, from the first that came. In words, if it isn't so.
    pub(super) fn disagrees(&self, sound: &Sent, picture: &Sent) -> Option<String> {
        let [heard, seen] = &self.lost;
        if *heard != sound.lost {
            return Some(format!("sound: the ledger has {heard:?}, the road lost {:?}", sound.lost));
        }
        let lost: BTreeSet<_> = picture.lost.iter().collect();
        if let Some(never) = seen.iter().find(|one| !lost.contains(one)) {
            return Some(format!("picture: the ledger has {never}, which the road let through"));
        }
        for (at, sent) in [sound, picture].into_iter().enumerate() {
            let (first, came) = self.came[at];
            let (known, sent) = (came + self.lost[at].len() as u64, sent.since(first));
            if known != sent {
                return Some(format!("{}: {known} packets are known of, {sent} were sent", MEDIA[at]));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lost_video: &str, video_packets: &str) -> Ledger {
        let event = |what, medium, first, packets| serde_json::json!({ "track": TRACK, "what": what, "medium": medium, "first_rtp_sequence": first, "packets": packets });
        let mut ended = event("ended", "", "", "");
        (ended["audio_packets"], ended["video_packets"]) = ("2".into(), video_packets.into());
        (ended["audio_first_rtp_sequence"], ended["video_first_rtp_sequence"]) = ("65534".into(), "5".into());
        let events = [event("lost", "audio", "65535", "2"), event("lost", "video", lost_video, "1"), ended];
        Ledger::read(&serde_json::json!({ "events": events }))
    }

    #[test]
    fn a_packet_too_many_or_too_few_is_found() {
        let sent = |passed: &[u16], lost: &[u16]| {
            Sent::until_the_cut(&Stream { passed: passed.to_vec(), lost: lost.to_vec(), ..Stream::default() })
        };
        let sound = sent(&[65_534, 1], &[65_535, 0, 2, 3]);
        // The one before the first that came is nobody's.
        let picture = sent(&[4, 5, 6, 9], &[7, 8, 10]);
        assert_eq!(ledger("8", "4").disagrees(&sound, &picture), None);
        assert_eq!(ledger("8", "4").recovered(&picture), 0.5);
        assert!(ledger("6", "4").disagrees(&sound, &picture).is_some(), "not lost by the road");
        assert!(ledger("8", "3").disagrees(&sound, &picture).is_some(), "one is nowhere");
        assert!(
            ledger("8", "4").disagrees(&sent(&[65_534, 0, 1], &[65_535]), &picture).is_some(),
            "sound that did come"
        );
    }
}
