//! The officer presses; the control room has it, and takes it on only after it was raised again; the officer sees that, and the whole
//! trail is in the package that verifies.

use alcove_tests::desk::{AcceptedCall, Desk};
use api::{
    intake::v1::{FastTrackState, call_update},
    session::v1::SessionState,
};
use call_update::Kind;
use serde_json::Value;
use testkit::{StackOptions, key, phone::Phone};

fn fast_track(kind: Kind) -> call_update::FastTrack {
    let Kind::FastTrack(told) = kind else { unreachable!("it was waited for") };
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_asked_for_raised_again_sent_and_kept() {
    let soon = (key("intake", "fast_track__again_after_ms"), "700".to_owned());
    let desk = Desk::open(StackOptions { env: vec![soon], ..StackOptions::default() }).await.unwrap();
    let mut accepted = desk.accepted_call("3101", "pc.fast").await.unwrap();
    let call_id = accepted.call.call_id.clone();
    let officers = accepted.officers_phone().await.unwrap();
    let code = accepted.officer.invite(&call_id).await.unwrap().code;
    let mut caller = Phone::new(testkit::phone::join(&desk.stack.caller_page(), &code).await.unwrap());
    caller.publish().await.unwrap();
    let AcceptedCall { officer, watch, .. } = &mut accepted;
    officer.session_until(&call_id, |session| session.state() == SessionState::Live).await.unwrap();

    let id = officer.ask_for_unit(&call_id).await.unwrap();
    let of_it = |kind: &Kind| matches!(kind, Kind::FastTrack(_));
    let told = fast_track(watch.until(of_it).await.unwrap());
    assert_eq!((told.state(), &told.fast_track_id, &*told.reason), (FastTrackState::Raised, &id, "OFFENDER_BACK"));
    assert_eq!(fast_track(watch.until(of_it).await.unwrap()).state(), FastTrackState::RaisedAgain);
    desk.control_room.send_unit(&call_id, &id).await.unwrap();
    let is_sent = |kind: &Kind| matches!(kind, Kind::FastTrack(told) if told.state() == FastTrackState::Acknowledged);
    let sent = fast_track(watch.until(is_sent).await.unwrap());
    assert_eq!((&*sent.taken_by, &*sent.unit), ("CH-0417", "Alpha 12"));
    let is_seen = |one: &api::session::v1::FastTrack| one.state() == FastTrackState::Acknowledged;
    let session = officer.session_until(&call_id, |session| session.fast_tracks.iter().any(is_seen)).await.unwrap();
    assert_eq!(session.fast_tracks[0].unit, "Alpha 12");
    assert_eq!(session.fast_tracks[0].times_raised, sent.times_raised);

    officer.end(&call_id).await.unwrap();
    drop((caller, officers));
    accepted.sealed().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
    let ledger = std::fs::read_to_string(package.join("bag/data/items/gap-ledger/gap-ledger/1.json")).unwrap();
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    let is_of_it = |event: &&Value| event["fast_track"] == *id;
    let trail: Vec<_> = ledger["events"].as_array().unwrap().iter().filter(is_of_it).collect();
    let what: Vec<_> = trail.iter().map(|event| event["what"].as_str().unwrap()).collect();
    let (first, rest) = what.split_first().unwrap();
    let (last, again) = rest.split_last().unwrap();
    assert_eq!((*first, *last), ("fast-track", "fast-track-taken"));
    assert!(!again.is_empty() && again.iter().all(|what| *what == "fast-track-again"), "{what:?}");
    assert_eq!(again.len() + 1, usize::try_from(sent.times_raised).unwrap());
    assert_eq!((&trail[0]["officer"], &trail[trail.len() - 1]["unit"]), (&"pc.fast".into(), &"Alpha 12".into()));
}
