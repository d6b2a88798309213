//! The documents as they are made of what was noted.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use uuid::Uuid;

use super::*;
use crate::{domain::Role, media::Counters};

const LEDGER: Document = Document::GapLedger { part: 1 };

fn owner() -> Owner {
    Owner::numbered(1)
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
        noted(1, What::Began { video: Some("vp8"), audio: Some("opus"), paused: false }),
        noted(2, What::Size { width: 640, height: 360 }),
        noted(3, What::Lost { medium: Medium::Video, first: 65_535, packets: 4 }),
        noted(9, What::Silent { medium: Medium::Audio, since: at(4) }),
        noted(10, What::Ended { why: EndedWhy::PeerGone, counters }),
    ];
    spool.note(owner().session, &notes.each_ref().map(line)).unwrap();
    let (caller, sergeant) = (Uuid::from_u128(3).into(), Uuid::from_u128(4).into());
    let who = |id, role, staff: Option<&str>| Participant {
        id,
        role,
        staff: staff.map(|staff| staff.parse().unwrap()),
        came_at: at(0),
        admitted_at: Some(at(1)),
        removed_at: staff.map(|_| at(8)),
        publications: 1,
        flowing: None,
        last_seen: None,
        watching: false,
    };
    let presence = |participant, with, ended| Presence {
        id: Uuid::from_u128(5),
        participant,
        with,
        began_at: at(1),
        ended: Some(ended),
    };
    let published = presence(caller, With::Track("caller-1".parse().unwrap()), Ended::At(at(10)));
    let watched = presence(sergeant, With::Watching(caller), Ended::By(at(9)));
    let people = [
        Person { who: who(caller, Role::Caller, None), stays: vec![Stay { presence: published, segments: 9 }] },
        Person {
            who: who(sergeant, Role::Observer, Some("s.one")),
            stays: vec![Stay { presence: watched, segments: 0 }],
        },
    ];
    leave(&spool, &owner(), &people, at(11)).unwrap();
    let read = |document| -> Value {
        let piece = spool.load_document(owner().session, document).unwrap();
        serde_json::from_slice(&piece.data).unwrap()
    };
    let ledger = read(LEDGER);
    assert_eq!(ledger["format"], "alcove-gap-ledger/1");
    let lost = json!({
        "at": "2026-11-24T12:00:03.000000Z", "first_rtp_sequence": "65535", "medium": "video", "packets": "4",
        "participant": "00000000-0000-0000-0000-000000000003", "track": "caller-1", "what": "lost",
    });
    assert_eq!((ledger["events"].as_array().unwrap().len(), &ledger["events"][2]), (5, &lost));
    let ended = &ledger["events"][4];
    assert_eq!((&ended["video_lost"], &ended["video_first_rtp_sequence"]), (&json!("4"), &json!("9")));
    assert_eq!(ended["audio_first_rtp_sequence"], Value::Null);
    let people = read(Document::Participants)["participants"].clone();
    let expected = json!({
        "track": "caller-1", "segments": "9", "gone_by": null,
        "joined_at": "2026-11-24T12:00:01.000000Z", "left_at": "2026-11-24T12:00:10.000000Z",
    });
    assert_eq!(people[0]["presences"], json!([expected]));
    let expected = json!({
        "participant": "00000000-0000-0000-0000-000000000004", "role": "observer", "officer": "s.one",
        "came_at": "2026-11-24T12:00:00.000000Z", "admitted_at": "2026-11-24T12:00:01.000000Z",
        "removed_at": "2026-11-24T12:00:08.000000Z",
        "presences": [{
            "watched": "00000000-0000-0000-0000-000000000003", "joined_at": "2026-11-24T12:00:01.000000Z",
            "left_at": null, "gone_by": "2026-11-24T12:00:09.000000Z",
        }],
    });
    assert_eq!(people[1], expected);

    // Made again, by a process that died before it could send: the bytes are the first ones.
    let before = spool.load_document(owner().session, LEDGER).unwrap();
    spool.note(owner().session, &[line(&noted(12, What::Disconnected))]).unwrap();
    leave(&spool, &owner(), &[], at(13)).unwrap();
    assert_eq!(spool.load_document(owner().session, LEDGER).unwrap(), before);
    let again = Spool::open(dir.path(), receipts.path(), None).unwrap();
    assert_eq!(again.documents_owed(owner().session).len(), 4);
    again.document_sent(owner().session, LEDGER);
    leave(&again, &owner(), &[], at(14)).unwrap();
    let again = Spool::open(dir.path(), receipts.path(), None).unwrap();
    assert_eq!(
        again.documents_owed(owner().session),
        [Document::Participants, Document::ChatTranscript { part: 1 }, Document::Chapters { part: 1 }].into()
    );
}
