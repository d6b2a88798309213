//! Chapters: who may mark them, what is refused, and that each marked one is in the exhibit once.

use std::time::Duration;

use crate::rig::{Rig, Time, reason};
use crate::stand_in::Moody;
use api::session::v1::{ChapterKind, MarkChapterRequest, MarkChapterResponse};
use serde_json::{Value, json};
use tonic::Status;

async fn mark(rig: &Rig, request: &MarkChapterRequest) -> Result<MarkChapterResponse, Status> {
    Ok(rig.desk.clone().mark_chapter(request.clone()).await?.into_inner())
}

#[tokio::test]
async fn a_chapter_is_marked_once_and_is_in_the_exhibit() {
    let moody = Moody::default();
    let rig = Rig::start(Time::Manual, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let consent = rig.marking(call, ChapterKind::Consent, "");
    assert_eq!(reason(&mark(&rig, &consent).await.unwrap_err()), "UNKNOWN_PARTICIPANT", "not before they are there");
    rig.join(call).await;
    let first = mark(&rig, &consent).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!((first.number, mark(&rig, &consent).await.unwrap()), (1, first));
    let injuries = rig.marking(call, ChapterKind::Injuries, "left arm");
    assert_eq!(mark(&rig, &injuries).await.unwrap().number, 2);
    for (request, wanted) in [
        (MarkChapterRequest { note: "right arm".to_owned(), ..injuries.clone() }, "REQUEST_ID_REUSED"),
        (rig.marking(call, ChapterKind::Unspecified, ""), "INVALID_CHAPTER"),
        (MarkChapterRequest { kind: 99, ..rig.marking(call, ChapterKind::Other, "") }, "INVALID_CHAPTER"),
        (rig.marking(call, ChapterKind::Other, &"é".repeat(201)), "INVALID_NOTE"),
        (rig.marking(call, ChapterKind::Other, "two\nlines"), "INVALID_NOTE"),
        (MarkChapterRequest { officer_id: "o.two".to_owned(), ..consent.clone() }, "NOT_YOUR_CALL"),
        (MarkChapterRequest { force_id: "kent".to_owned(), ..consent.clone() }, "UNKNOWN_SESSION"),
        (MarkChapterRequest { request_id: "1".to_owned(), ..consent.clone() }, "MALFORMED_ID"),
    ] {
        assert_eq!(reason(&mark(&rig, &request).await.unwrap_err()), wanted);
    }
    rig.end(call).await;
    let late = rig.marking(call, ChapterKind::Break, "");
    assert_eq!(reason(&mark(&rig, &late).await.unwrap_err()), "SESSION_ENDED");

    let sent = async || moody.0.lock().unwrap().items.get("chapters").map(|(_, bytes)| bytes.clone());
    let document = testkit::eventually("the document", sent).await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let expected = json!([
        { "number": "1", "at": "2026-11-24T12:00:00.000000Z", "kind": "consent", "note": "", "tracks": [] },
        { "number": "2", "at": "2026-11-24T12:00:05.000000Z", "kind": "injuries", "note": "left arm", "tracks": [] },
    ]);
    assert_eq!((&document["format"], &document["chapters"]), (&json!("alcove-chapters/1"), &expected));
}

#[tokio::test]
async fn a_call_that_is_not_recorded_has_no_chapters() {
    let rig = Rig::alone().await;
    let call = rig.accepted(false).await;
    rig.join(call).await;
    let refused = mark(&rig, &rig.marking(call, ChapterKind::Account, "")).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_RECORDED");
}
