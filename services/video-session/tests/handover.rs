//! The desk gives a call to another officer, in the middle of it.

use crate::rig::{FORCE, OFFICER, PATIENCE, Rig, Time, pass, reason};
use crate::stand_in::Moody;
use api::session::v1::{EndSessionRequest, Participant, ParticipantRemoved, Role, Session, Standing};
use ids::CallId;
use serde_json::Value;
use testkit::phone::Phone;

const OTHER: &str = "o.two";

fn one(session: &Session, who: &str) -> Participant {
    session.participants.iter().find(|one| one.participant_id == who).cloned().unwrap_or_default()
}

fn id(phone: &Phone) -> &str {
    &phone.pass().participant_id
}

async fn sees_and_hears(phone: &Phone, whom: &str) {
    phone.wait_for(whom, PATIENCE, |got| got.video_frames > 10 && got.audio_packets > 10).await.unwrap();
}

async fn end_by(rig: &Rig, call: CallId, officer: &str) -> Result<(), tonic::Status> {
    let request = EndSessionRequest {
        request_id: rig.request(),
        force_id: FORCE.to_owned(),
        officer_id: officer.to_owned(),
        call_id: call.to_string(),
    };
    rig.desk.clone().end_session(request).await.map(drop)
}

#[tokio::test]
async fn the_officer_stays_with_the_caller_until_the_one_whom_the_desk_gave_the_call_to_has_come() {
    let moody = Moody::default();
    let mut rig = Rig::start(Time::Real, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let (officer, mut caller) = rig.both(call).await;
    let first = id(&officer).to_owned();
    let stranger = rig.join_as(call, OTHER, Role::Officer).await.err().unwrap();
    assert_eq!(reason(&stranger), "NOT_YOUR_CALL");

    rig.say_reassigned(2, call, OTHER).await;
    let given = rig.watched(call, |session| session.successor_officer_id == OTHER).await;
    assert_eq!((one(&given, &first).standing(), one(&given, &first).connected), (Standing::In, true));
    // It is theirs to command as long as nobody else has come.
    assert_eq!(reason(&end_by(&rig, call, OTHER).await.unwrap_err()), "NOT_YOUR_CALL");
    rig.admit(call, &first).await.unwrap();

    let mut other = Phone::new(pass(rig.join_as(call, OTHER, Role::Officer).await.unwrap()));
    let second = id(&other).to_owned();
    assert_ne!(second, first);
    let removed: ParticipantRemoved = rig.event("participant_removed", call).await;
    assert_eq!((removed.participant_id.as_str(), removed.role()), (first.as_str(), Role::Officer));
    other.publish().await.unwrap();
    caller.watch(&second).await.unwrap();
    sees_and_hears(&caller, &second).await;
    other.watch(id(&caller)).await.unwrap();
    sees_and_hears(&other, id(&caller)).await;
    let taken = rig.watched(call, |session| !one(session, &first).connected && one(session, &second).connected).await;
    assert_eq!(taken.successor_officer_id, "");
    assert_eq!(one(&taken, &first).standing(), Standing::Removed);
    let refused = end_by(&rig, call, OFFICER).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_YOUR_CALL");
    assert_eq!(reason(&rig.join_as(call, OFFICER, Role::Officer).await.err().unwrap()), "NOT_YOUR_CALL");
    end_by(&rig, call, OTHER).await.unwrap();

    // Who was there, from when to when, is in the exhibit, and each one's recording.
    let ended = rig.ended(call).await;
    let tracks: Vec<_> = ended.tracks.iter().map(|track| track.track.as_str()).collect();
    assert_eq!(tracks, ["caller-1", "officer-1", "officer-2"]);
    let document: Value = serde_json::from_slice(&moody.0.lock().unwrap().items["participants"].1).unwrap();
    let officers = document["participants"].as_array().unwrap().iter().filter(|one| one["role"] == "officer");
    let officers: Vec<_> = officers.map(|one| (one["officer"].as_str(), one["removed_at"].is_null())).collect();
    assert_eq!(officers, [(Some(OFFICER), false), (Some(OTHER), true)]);
    rig.stop().await;
}
