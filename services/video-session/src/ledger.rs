//! The documents that a session leaves in its exhibit beside the media. Pure, but for [`leave`], which keeps them.
//! `docs/session-items.md` explains every field. All are canonical JSON (RFC 8785) without numbers.

use std::{collections::BTreeMap, io};

use chrono::{DateTime, Utc};
use exhibit::{jcs, time};
use ids::{OfficerId, ParticipantId, TrackName};
use serde_json::{Map, Value, json};

use crate::{
    domain::Role,
    media::{EndedWhy, Medium, Noted, What},
    spool::{Document, Owner, Piece, Spool},
};

/// One person, as the database has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub participant: ParticipantId,
    /// As what.
    pub role: Role,
    /// Their staff id, for an officer.
    pub officer: Option<OfficerId>,
    /// What was recorded of them: tracks, and segments of each.
    pub tracks: BTreeMap<TrackName, u64>,
}

/// Makes a session's documents, once, and keeps them in the spool. Blocks on the disk.
///
/// # Errors
/// When the disk refuses.
pub fn leave(spool: &Spool, owner: &Owner, people: &[Person], now: DateTime<Utc>) -> io::Result<()> {
    let lines = spool.ledger(owner.session)?;
    for document in Document::ALL {
        let content = match document {
            Document::GapLedger => gap_ledger(owner, &lines),
            Document::Participants => participants(owner, people, &lines),
        };
        let bytes = jcs::to_vec(&content).map_err(io::Error::other)?;
        spool.keep_document(owner.session, document, &Piece::new(now, now, bytes.into()))?;
    }
    Ok(())
}

/// One line of the ledger: an event of the gap ledger.
#[must_use]
pub fn line(noted: &Noted) -> String {
    let mut event = match &noted.what {
        What::Began { video, audio } => json!({ "what": "began", "video": video, "audio": audio }),
        What::Lost { medium, first, packets } => json!({
            "what": "lost", "medium": medium_word(*medium),
            "first_rtp_sequence": first.to_string(), "packets": packets.to_string(),
        }),
        What::BrokenFrame => json!({ "what": "frame-left-out", "medium": "video" }),
        What::Silent { medium, since } => {
            json!({ "what": "silent", "medium": medium_word(*medium), "since": time::write(*since) })
        }
        What::Size { width, height } => {
            json!({ "what": "size", "width": width.to_string(), "height": height.to_string() })
        }
        What::Disconnected => json!({ "what": "disconnected" }),
        What::Connected => json!({ "what": "connected" }),
        What::Ended { why, counters } => json!({
            "what": "ended", "why": why_word(*why),
            "video_first_rtp_sequence": counters.video_first.map(|first| first.to_string()),
            "audio_first_rtp_sequence": counters.audio_first.map(|first| first.to_string()),
            "video_packets": counters.video_packets.to_string(), "video_lost": counters.video_lost.to_string(),
            "video_frames": counters.video_frames.to_string(),
            "video_frames_left_out": counters.video_frames_broken.to_string(),
            "audio_packets": counters.audio_packets.to_string(), "audio_lost": counters.audio_lost.to_string(),
            "audio_frames": counters.audio_frames.to_string(),
        }),
    };
    if let Some(event) = event.as_object_mut() {
        event.insert("at".to_owned(), time::write(noted.at).into());
        event.insert("track".to_owned(), noted.track.as_str().into());
        event.insert("participant".to_owned(), noted.participant.to_string().into());
    }
    // Strings only: there is nothing that JCS could refuse.
    jcs::to_vec(&event).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn events(lines: &[String]) -> Vec<Value> {
    let parsed = lines.iter().map(|line| match serde_json::from_str::<Value>(line) {
        Ok(event) => event,
        // Torn by a crash: said, and not hidden.
        Err(_) => json!({ "what": "unreadable", "text": line }),
    });
    parsed.collect()
}

fn head(owner: &Owner, format: &str) -> Map<String, Value> {
    let fields =
        [("format", format.to_owned()), ("session", owner.session.to_string()), ("call", owner.call.to_string())];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn gap_ledger(owner: &Owner, lines: &[String]) -> Value {
    let mut ledger = head(owner, "alcove-gap-ledger/1");
    ledger.insert("events".to_owned(), events(lines).into());
    ledger.into()
}

fn participants(owner: &Owner, people: &[Person], lines: &[String]) -> Value {
    let events = events(lines);
    let when = |track: &TrackName, what: &str| {
        let found = events.iter().find(|event| event["track"] == track.as_str() && event["what"] == what);
        found.map(|event| event["at"].clone()).unwrap_or_default()
    };
    let person = |person: &Person| {
        let track = |(track, segments): (&TrackName, &u64)| {
            json!({
                "track": track.as_str(), "segments": segments.to_string(),
                "joined_at": when(track, "began"), "left_at": when(track, "ended"),
            })
        };
        json!({
            "participant": person.participant.to_string(), "role": person.role.as_str(),
            "officer": person.officer.as_ref().map(ToString::to_string),
            "presences": person.tracks.iter().map(track).collect::<Vec<_>>(),
        })
    };
    let mut document = head(owner, "alcove-participants/1");
    document.insert("participants".to_owned(), people.iter().map(person).collect());
    document.into()
}

fn medium_word(medium: Medium) -> &'static str {
    match medium {
        Medium::Audio => "audio",
        Medium::Video => "video",
    }
}

fn why_word(why: EndedWhy) -> &'static str {
    match why {
        EndedWhy::Closed => "closed",
        EndedWhy::PeerGone => "peer-gone",
        EndedWhy::Failed => "failed",
        EndedWhy::ShuttingDown => "shutting-down",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use uuid::Uuid;

    use super::*;
    use crate::media::Counters;

    fn owner() -> Owner {
        Owner {
            session: Uuid::from_u128(1).into(),
            call: Uuid::from_u128(2).into(),
            force: "wmp".parse().unwrap(),
            incident: ids::IncidentRef::parse("2026-11-24", "1123").unwrap(),
            trace: String::new(),
        }
    }

    fn at(second: u32) -> DateTime<Utc> {
        format!("2026-11-24T12:00:{second:02}Z").parse().unwrap()
    }

    fn noted(second: u32, what: What) -> Noted {
        let track = "caller-1".parse().unwrap();
        Noted { session: owner().session, participant: Uuid::from_u128(3).into(), track, at: at(second), what }
    }

    #[test]
    fn the_documents_say_what_was_noted_and_stay_as_they_were_made() {
        let (dir, receipts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let spool = Spool::open(dir.path(), receipts.path(), None).unwrap();
        spool.prepare(&owner()).unwrap();
        let counters = Counters { video_first: Some(9), video_lost: 4, ..Counters::default() };
        let notes = [
            noted(1, What::Began { video: Some("vp8"), audio: Some("opus") }),
            noted(2, What::Size { width: 640, height: 360 }),
            noted(3, What::Lost { medium: Medium::Video, first: 65_535, packets: 4 }),
            noted(9, What::Silent { medium: Medium::Audio, since: at(4) }),
            noted(10, What::Ended { why: EndedWhy::PeerGone, counters }),
        ];
        spool.note(owner().session, &notes.each_ref().map(line)).unwrap();
        let person = Person {
            participant: Uuid::from_u128(3).into(),
            role: Role::Caller,
            officer: None,
            tracks: [("caller-1".parse().unwrap(), 9)].into(),
        };
        leave(&spool, &owner(), &[person], at(11)).unwrap();
        let read = |document| -> Value {
            let piece = spool.load_document(owner().session, document).unwrap();
            serde_json::from_slice(&piece.data).unwrap()
        };
        let ledger = read(Document::GapLedger);
        assert_eq!(ledger["format"], "alcove-gap-ledger/1");
        let lost = json!({
            "at": "2026-11-24T12:00:03.000000Z", "first_rtp_sequence": "65535", "medium": "video", "packets": "4",
            "participant": "00000000-0000-0000-0000-000000000003", "track": "caller-1", "what": "lost",
        });
        assert_eq!((ledger["events"].as_array().unwrap().len(), &ledger["events"][2]), (5, &lost));
        let ended = &ledger["events"][4];
        assert_eq!((&ended["video_lost"], &ended["video_first_rtp_sequence"]), (&json!("4"), &json!("9")));
        assert_eq!(ended["audio_first_rtp_sequence"], Value::Null);
        let there = &read(Document::Participants)["participants"][0]["presences"][0];
        let expected = json!({
            "track": "caller-1", "segments": "9",
            "joined_at": "2026-11-24T12:00:01.000000Z", "left_at": "2026-11-24T12:00:10.000000Z",
        });
        assert_eq!(there, &expected);

        // Made again, by a process that died before it could send: the bytes are the first ones.
        let before = spool.load_document(owner().session, Document::GapLedger).unwrap();
        spool.note(owner().session, &[line(&noted(12, What::Disconnected))]).unwrap();
        leave(&spool, &owner(), &[], at(13)).unwrap();
        assert_eq!(spool.load_document(owner().session, Document::GapLedger).unwrap(), before);
        let again = Spool::open(dir.path(), receipts.path(), None).unwrap();
        assert_eq!(again.documents_owed(owner().session).len(), 2);
        again.document_sent(owner().session, Document::GapLedger);
        leave(&again, &owner(), &[], at(14)).unwrap();
        let again = Spool::open(dir.path(), receipts.path(), None).unwrap();
        assert_eq!(again.documents_owed(owner().session), [Document::Participants].into());
    }
}
