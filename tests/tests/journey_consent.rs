//! A caller changes her mind on the phone line while her call waits: what she takes back is so for whoever accepts it.

use std::time::Duration;

use alcove_tests::desk::{AcceptedCall, Desk};
use api::{
    intake::v1::{ConsentKind, call_update::Kind},
    session::v1::{RecordingState, SessionState},
};
use testkit::{StackOptions, phone::Phone, until};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_taken_back_while_the_call_waits_never_begins() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let room = &desk.control_room;
    let call = room.hand_over("2901").await.unwrap();
    let watch = room.watch(&call.call_id, 0).await.unwrap();
    let officer = desk.officer("pc.consent").unwrap();
    officer.go_free().await.unwrap();
    assert_eq!(officer.next_offer().await.unwrap().call_id, call.call_id);
    // At once: which of the two the desk hears first, and which the session, is nobody's to say.
    room.withdraw(&call.call_id, ConsentKind::Recording).await.unwrap();
    officer.accept(&call.call_id).await.unwrap();
    until("the session to know", async || {
        let session = officer.session_until(&call.call_id, |_| true).await.unwrap();
        session.recording_state() == RecordingState::Refused
    })
    .await;

    // Help goes on without it.
    let mut accepted = AcceptedCall { call, officer, watch };
    let call_id = accepted.call.call_id.clone();
    let mut officers = accepted.officers_phone().await.unwrap();
    let code = accepted.officer.invite(&call_id).await.unwrap().code;
    let mut caller = Phone::new(testkit::phone::join(&desk.stack.caller_page(), &code).await.unwrap());
    caller.publish().await.unwrap();
    accepted.officer.session_until(&call_id, |session| session.state() == SessionState::Live).await.unwrap();
    let whom = caller.pass().participant_id.clone();
    officers.watch(&whom).await.unwrap();
    officers.wait_for(&whom, PATIENCE, |now| now.video_frames > 60 && now.audio_packets > 100).await.unwrap();
    accepted.officer.end(&call_id).await.unwrap();
    accepted.sealed().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
    let data = package.join("bag/data");
    assert!(!data.join("tracks").exists(), "something of what was seen and said");
    assert!(data.join("items").exists(), "what she agreed to and took back");

    // Nor does she wait in vain for a video call that she no longer wants.
    let call = room.hand_over("2902").await.unwrap();
    let mut watch = room.watch(&call.call_id, 0).await.unwrap();
    room.withdraw(&call.call_id, ConsentKind::Video).await.unwrap();
    let Kind::Abandoned(told) = watch.until(|kind| matches!(kind, Kind::Abandoned(_))).await.unwrap() else {
        unreachable!()
    };
    assert_eq!(told.reason, "VIDEO_CONSENT_WITHDRAWN");
}
