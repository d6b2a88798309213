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
    packets: u64,
}

/// What the ledger says of the caller's track.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Sequence numbers that never came, in its order: sound, picture.
    lost: [Vec<u16>; 2],
    /// How many came.
    came: [u64; 2],
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
        let all: BTreeSet<_> = stream.passed.iter().chain(&lost).collect();
        let packets = all.len() as u64;
        Self { lost, packets }
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
                    ledger.came[at] = number(event, &format!("{medium}_packets"));
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
    /// lost, and the rest came; but for the very first packet, which may come before it can be read. In words, if it isn't so.
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
            let known = self.came[at] + self.lost[at].len() as u64;
            if known.abs_diff(sent.packets) > 1 {
                return Some(format!("{}: {known} packets are known of, {} were sent", MEDIA[at], sent.packets));
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
        let events = [event("lost", "audio", "65535", "2"), event("lost", "video", lost_video, "1"), ended];
        Ledger::read(&serde_json::json!({ "events": events }))
    }

    #[test]
    fn a_packet_too_many_or_too_few_is_found() {
        let sent = |passed: &[u16], lost: &[u16]| {
            Sent::until_the_cut(&Stream { passed: passed.to_vec(), lost: lost.to_vec(), ..Stream::default() })
        };
        let sound = sent(&[65_534, 1], &[65_535, 0, 2, 3]);
        let picture = sent(&[5, 6, 9], &[7, 8, 10]);
        assert_eq!(ledger("8", "4").disagrees(&sound, &picture), None);
        assert_eq!(ledger("8", "4").recovered(&picture), 0.5);
        assert!(ledger("6", "4").disagrees(&sound, &picture).is_some(), "not lost by the road");
        assert!(ledger("8", "2").disagrees(&sound, &picture).is_some(), "two are nowhere");
        assert!(
            ledger("8", "4").disagrees(&sent(&[65_534, 0, 1], &[65_535]), &picture).is_some(),
            "sound that did come"
        );
    }
}
