//! Stills: the picture that the officer has just seen, found again in the recording by its timestamp, and kept for the exhibit.

use crate::rig::{FORCE, OFFICER, PATIENCE, Rig, evidence::Evidence, reason};
use api::{
    intake::v1::ConsentKind,
    session::v1::{CaptureStillRequest, CaptureStillResponse, RecordingAction, StillCaptured},
};
use chrono::{DateTime, Utc};
use ids::CallId;
use serde_json::Value;
use testkit::{Proxy, phone::Phone, until};
use tonic::{Code, Response, Status};

impl Rig {
    fn capturing(&self, call: CallId, whom: &str, rtp_timestamp: u32) -> CaptureStillRequest {
        CaptureStillRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            participant_id: whom.to_owned(),
            rtp_timestamp,
        }
    }

    async fn capture(&self, request: CaptureStillRequest) -> Result<CaptureStillResponse, Status> {
        self.desk.clone().capture_still(request).await.map(Response::into_inner)
    }
}

/// What the officer sees now, once they have seen so many pictures more.
async fn sees(officer: &mut Phone, whom: &str, more: u64) -> u32 {
    let then = officer.received(whom).video_frames;
    let seen = officer.wait_for(whom, PATIENCE, |now| now.video_frames >= then + more).await.unwrap();
    seen.video_timestamp
}

#[tokio::test]
async fn the_picture_that_was_seen_is_found_in_the_recording() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let (mut officer, caller) = rig.both(call).await;
    let whom = caller.pass().participant_id.clone();
    officer.watch(&whom).await.unwrap();
    let first = sees(&mut officer, &whom, 20).await;
    let refused = rig.capture(rig.capturing(call, &whom, first)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::PermissionDenied, "NO_STILLS_CONSENT".to_owned()));
    rig.say_consent(call, ConsentKind::Stills, true).await;
    rig.watched(call, |session| session.stills).await;

    let request = rig.capturing(call, &whom, first);
    let one = rig.capture(request.clone()).await.unwrap();
    assert_eq!((one.number, one.track.as_str(), one.rtp_timestamp), (1, "caller-1", first));
    assert_eq!(rig.capture(request).await.unwrap(), one, "the same request");
    let second = sees(&mut officer, &whom, 20).await;
    // Between two pictures: the one before.
    let two = rig.capture(rig.capturing(call, &whom, second.wrapping_add(90))).await.unwrap();
    assert_eq!((two.number, two.rtp_timestamp), (2, second));
    // A stream is led to its sender's clock by a tenth of the time that passes at most.
    let (apart, stamped) = ((two.file_ms - one.file_ms) as f64, f64::from(second.wrapping_sub(first)) / 90.0);
    assert!((apart - stamped).abs() <= stamped / 10.0 + 1.0, "{apart} ms in the file, {stamped} ms by the phone");
    let gone = rig.capture(rig.capturing(call, &whom, first.wrapping_sub(90_000 * 60))).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone)), (Code::NotFound, "NO_SUCH_FRAME".to_owned()));
    let nobody = rig.capture(rig.capturing(call, &rig.request(), first)).await.unwrap_err();
    assert_eq!(reason(&nobody), "UNKNOWN_PARTICIPANT");
    assert_eq!(rig.watched(call, |session| session.stills_taken == 2).await.stills_taken, 2);
    let event: StillCaptured = rig.event("still_captured", call).await;
    assert_eq!((event.number, event.item_name.as_str()), (1, "still-1"));

    // Its consent goes with the recording's.
    rig.order(rig.ordering(call, RecordingAction::Stop)).await.unwrap();
    let late = rig.capture(rig.capturing(call, &whom, second)).await.unwrap_err();
    assert_eq!((late.code(), reason(&late)), (Code::FailedPrecondition, "RECORDING_STOPPED".to_owned()));
    until("the items", async || evidence.items(call).await.len() == 2).await;
    assert_eq!(evidence.items(call).await, ["items/still/still-1/1.json", "items/still/still-2/1.json"]);
    let item: Value = serde_json::from_slice(&evidence.read(call, "items/still/still-2/1.json").await).unwrap();
    let said = |name: &str| item[name].as_str().unwrap().to_owned();
    assert_eq!([said("format"), said("track"), said("officer")], ["alcove-still/1", "caller-1", OFFICER]);
    assert_eq!([said("number"), said("rtp_timestamp")], ["2".to_owned(), second.to_string()]);
    assert_eq!((said("file_ms"), said("participant")), (two.file_ms.to_string(), whom));
    drop((officer, caller));
    rig.stop().await;
    let ledger = rig.kept();
    let stills: Vec<_> = ledger.iter().filter(|line| line["what"] == "still").collect();
    assert_eq!(stills.len(), 2);
    for name in ["number", "track", "rtp_timestamp", "file_ms", "segment", "officer"] {
        assert_eq!(stills[1][name], item[name], "{name}");
    }
    // It is in the segment that it says, and shown when it says.
    let segment = rig.segment("caller-1", said("segment").parse().unwrap());
    let shown_at: DateTime<Utc> = said("shown_at").parse().unwrap();
    assert!(segment.starts_at <= shown_at && shown_at <= segment.ends_at, "{segment:?} {shown_at}");
}

#[tokio::test]
async fn a_still_survives_a_kill_and_reaches_evidence_store_later() {
    let evidence = Evidence::start().await;
    let proxy = Proxy::start(evidence.service.address("grpc")).await.unwrap();
    let (rig, mut service) = Rig::as_process(&[("evidence__url", format!("http://{}", proxy.address()))]).await;
    let call = rig.accepted(true).await;
    rig.say_consent(call, ConsentKind::Stills, true).await;
    let (mut officer, caller) = rig.both(call).await;
    let whom = caller.pass().participant_id.clone();
    officer.watch(&whom).await.unwrap();
    let seen = sees(&mut officer, &whom, 20).await;
    rig.watched(call, |session| session.stills).await;
    proxy.cut();
    let still = rig.capture(rig.capturing(call, &whom, seen)).await.unwrap();
    service.kill().await.unwrap();
    assert!(evidence.items(call).await.is_empty());
    proxy.heal();
    service.restart().await.unwrap();
    until("the item", async || evidence.items(call).await == ["items/still/still-1/1.json"]).await;
    let item: Value = serde_json::from_slice(&evidence.read(call, "items/still/still-1/1.json").await).unwrap();
    assert_eq!(item["file_ms"], still.file_ms.to_string());
    drop((officer, caller));
    assert!(service.terminate().await.unwrap().success());
}
