//! The officer asks the control room for somebody to be sent, sees how that fares, and the exhibit has all of it, whoever carries the
//! session and whatever order it comes in.

use crate::rig::{FORCE, OFFICER, Rig, Time, reason};
use api::{
    intake::v1::{FastTrackState, RiskGrade},
    session::v1::{FastTrackRequested, RequestFastTrackRequest},
};
use serde_json::{Value, json};
use testkit::{phone::Phone, until};
use tonic::Code;

/// What the ledger has of it.
fn trail(ledger: &[Value]) -> Vec<&Value> {
    ledger.iter().filter(|line| line["what"].as_str().unwrap().starts_with("fast-track")).collect()
}

fn words(trail: &[&Value]) -> Vec<String> {
    trail.iter().map(|line| line["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_officer_sees_how_it_fares_and_the_ledger_has_every_step() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    let request = rig.asking_for_unit(call, "OFFENDER_BACK");
    let asked = rig.ask_for_unit(request.clone()).await.unwrap();
    assert_eq!(rig.ask_for_unit(request).await.unwrap(), asked, "the same request");
    assert_eq!(rig.ask_for_unit(rig.asking_for_unit(call, "OFFENDER_BACK")).await.unwrap(), asked, "a frightened hand");
    let [one] = &rig.units(call, 1, |_| true).await[..] else { panic!("one") };
    assert_eq!((one.state(), one.times_raised, one.risk()), (FastTrackState::Raised, 1, RiskGrade::High));
    assert_eq!((&one.fast_track_id, one.requested_at), (&asked.fast_track_id, asked.requested_at));
    let told: FastTrackRequested = rig.event("fast_track_requested", call).await;
    assert_eq!((&told.fast_track_id, told.occurred_at), (&asked.fast_track_id, asked.requested_at));
    assert_eq!((&*told.reason, told.risk(), &*told.officer_id), ("OFFENDER_BACK", RiskGrade::High, OFFICER));
    assert_eq!((&*told.still_item, &*told.force_id), ("", FORCE));

    // Twice, then taken on, then what comes late; and one of another call.
    let id = &*asked.fast_track_id;
    rig.say_escalated(1, call, id, 2).await;
    rig.units(call, 1, |one| one.state() == FastTrackState::RaisedAgain && one.times_raised == 2).await;
    rig.say_escalated(2, call, id, 2).await;
    rig.say_taken(3, call, id, "CH4411").await;
    let taken = rig.units(call, 1, |one| one.state() == FastTrackState::Acknowledged).await;
    assert_eq!((taken[0].times_raised, &*taken[0].taken_by, &*taken[0].unit), (2, "CH4411", "Alpha 12"));
    rig.say_escalated(4, call, id, 3).await;
    rig.say_taken(5, call, id, "CH9").await;
    // The same again is another one now. Nobody takes it on before the end.
    let second = rig.ask_for_unit(rig.asking_for_unit(call, "OFFENDER_BACK")).await.unwrap();
    assert_ne!(second.fast_track_id, asked.fast_track_id);
    let both = rig.units(call, 2, |one| one.state() == FastTrackState::Raised).await;
    assert_eq!((both[0].times_raised, &*both[0].taken_by), (2, "CH4411"), "what came late changed nothing");
    until("its line", async || rig.ledger().contains(&second.fast_track_id)).await;
    rig.end(call).await;
    rig.units(call, 2, |one| one.state() == FastTrackState::Raised).await;
    let late = rig.ask_for_unit(rig.asking_for_unit(call, "DANGER")).await.unwrap_err();
    assert_eq!((late.code(), reason(&late)), (Code::FailedPrecondition, "SESSION_ENDED".to_owned()));
    drop(phones);
    rig.stop().await;

    let ledger = rig.kept();
    let trail = trail(&ledger);
    assert_eq!(words(&trail), ["fast-track", "fast-track-again", "fast-track-taken", "fast-track"]);
    assert!(trail.iter().all(|line| line["track"].is_null() && line["participant"].is_null()));
    assert_eq!(trail[0]["officer"], OFFICER);
    assert_eq!(
        (&trail[0]["risk"], &trail[0]["reason"], &trail[0]["still"]),
        (&json!("high"), &json!("OFFENDER_BACK"), &json!(null))
    );
    assert_eq!((&trail[1]["times"], &trail[1]["fast_track"]), (&json!("2"), &json!(id)));
    assert_eq!((&trail[2]["by"], &trail[2]["unit"]), (&json!("CH4411"), &json!("Alpha 12")));
    assert_eq!(trail[1]["at"], "2027-01-15T08:00:01.000000Z");
}

#[tokio::test]
async fn what_there_was_no_ledger_for_is_written_once_there_is_one() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    // Nobody publishes yet.
    let asked = rig.ask_for_unit(rig.asking_for_unit(call, "MEDICAL")).await.unwrap();
    rig.say_escalated(1, call, &asked.fast_track_id, 2).await;
    rig.units(call, 1, |one| one.times_raised == 2).await;
    let phones: (Phone, Phone) = rig.both(call).await;
    until("both lines", async || rig.ledger().contains("fast-track-again")).await;
    rig.say_taken(2, call, &asked.fast_track_id, "CH4411").await;
    until("the third", async || rig.ledger().contains("fast-track-taken")).await;
    drop(phones);
    rig.stop().await;
    let ledger = rig.kept();
    assert_eq!(words(&trail(&ledger)), ["fast-track", "fast-track-again", "fast-track-taken"], "each once");
}

#[tokio::test]
async fn it_is_the_officers_with_a_word_of_the_list() {
    let rig = Rig::start(Time::Real, &[]).await;
    let (call, refused) = (rig.accepted(true).await, rig.accepted(false).await);
    let wrong = |request: RequestFastTrackRequest| async { reason(&rig.ask_for_unit(request).await.unwrap_err()) };
    let base = || rig.asking_for_unit(call, "DANGER");
    assert_eq!(wrong(RequestFastTrackRequest { officer_id: "o.two".into(), ..base() }).await, "NOT_YOUR_CALL");
    assert_eq!(wrong(RequestFastTrackRequest { force_id: "kent".into(), ..base() }).await, "UNKNOWN_SESSION");
    assert_eq!(wrong(RequestFastTrackRequest { reason: "he is at the door".into(), ..base() }).await, "INVALID_REASON");
    assert_eq!(wrong(RequestFastTrackRequest { reason: String::new(), ..base() }).await, "INVALID_REASON");
    assert_eq!(wrong(RequestFastTrackRequest { risk: 0, ..base() }).await, "INVALID_RISK");
    assert!(rig.watched(call, |_| true).await.fast_tracks.is_empty());
    // Where nothing is recorded, too.
    rig.ask_for_unit(rig.asking_for_unit(refused, "CHILD")).await.unwrap();
    assert_eq!(rig.units(refused, 1, |_| true).await[0].reason, "CHILD");
    let told: FastTrackRequested = rig.event("fast_track_requested", refused).await;
    assert_eq!(told.reason, "CHILD");
}
