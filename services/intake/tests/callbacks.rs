//! The desk is closed, and rings the caller back.

use crate::support::*;
use api::{
    intake::v1::{CallState, CallbackOutcome, CallbackState, GetCallRequest, GetReachRequest, call_update::Kind},
    transfer::v1::{CallAccepted, CallReturned, CallbackChanged},
};
use prost_types::Timestamp;

const OPENS: Timestamp = Timestamp { seconds: 1_800_003_600, nanos: 0 };

async fn state(room: &Room, call: &str) -> CallState {
    let request = GetCallRequest { force_id: FORCE.into(), call_id: call.to_owned() };
    room.client.clone().get_call(request).await.unwrap().into_inner().state()
}

/// The desk gives the call back.
pub async fn returns(others: &Others, call: &str, reason: &str, desk_opens_at: Option<Timestamp>) {
    let (call_id, force_id, reason) = (call.to_owned(), FORCE.to_owned(), reason.to_owned());
    let returned = CallReturned { call_id, force_id, reason, desk_opens_at, ..Default::default() };
    others.desk_says(call, "call_returned", &returned).await;
}

/// A call-back stands so.
async fn rings(others: &Others, call: &str, state: CallbackState) {
    let changed = CallbackChanged {
        call_id: call.to_owned(),
        force_id: FORCE.to_owned(),
        callback_id: "0190c7e4-0000-7000-8000-00000000cb01".to_owned(),
        state: state.into(),
        from: Some(OPENS),
        until: Some(OPENS),
        attempts: 1,
        last_outcome: CallbackOutcome::NoAnswer.into(),
        ..Default::default()
    };
    others.desk_says(call, "callback_changed", &changed).await;
}

/// Whether a text message may be sent, and to whom.
async fn reach(room: &Room, call: &str) -> (bool, String) {
    let asked = GetReachRequest { force_id: FORCE.to_owned(), call_id: call.to_owned() };
    let reach = room.client.clone().get_reach(asked).await.unwrap().into_inner();
    (reach.sms_allowed, reach.caller_number)
}

#[tokio::test]
async fn a_closed_desk_is_told_with_when_it_opens_and_what_to_do_instead() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("76").await;
    let mut watch = room.watch(&call, 0).await;
    returns(&others, &call, "DESK_CLOSED", Some(OPENS)).await;
    let Some((1, Kind::Returned(returned))) = next(&mut watch).await else { panic!("not returned") };
    assert_eq!((returned.reason.as_str(), returned.desk_opens_at), ("DESK_CLOSED", Some(OPENS)));
    assert!(returned.instead.contains("call back"), "{}", returned.instead);
    assert!(next(&mut watch).await.is_none(), "nothing more is agreed");
}

#[tokio::test]
async fn a_caller_who_is_rung_back_is_with_the_desk_though_the_incident_was_opened_anew() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("77").await;
    let mut watch = room.watch(&call, 0).await;
    assert_ne!(reach(&room, &call).await.1, "", "the phone that they called from");
    let nobody_knows = (false, String::new());
    returns(&others, &call, "CALL_BACK_AGREED", None).await;
    assert!(matches!(next(&mut watch).await, Some((1, Kind::Returned(_)))));
    // The session may be there before we hear that they were reached.
    assert_eq!(reach(&room, &call).await, nobody_knows);
    // The incident is opened anew, and that call waits too.
    let anew = room.waiting_call("77").await;
    assert_ne!(anew, call);
    rings(&others, &call, CallbackState::Due).await;
    let Some((2, Kind::Callback(due))) = next(&mut watch).await else { panic!("no call-back") };
    assert_eq!((due.state(), due.from, due.attempts), (CallbackState::Due, Some(OPENS), 1));
    assert_eq!(due.last_outcome(), CallbackOutcome::NoAnswer);
    assert_eq!(state(&room, &call).await, CallState::Returned);
    let (call_id, force_id, officer_id) = (call.clone(), FORCE.to_owned(), "PC1".to_owned());
    let accepted = CallAccepted { call_id, force_id, officer_id, called_back: true, ..Default::default() };
    others.desk_says(&call, "call_accepted", &accepted).await;
    assert!(matches!(next(&mut watch).await, Some((3, Kind::Accepted(_)))));
    assert_eq!(state(&room, &call).await, CallState::WithDesk);
    rings(&others, &call, CallbackState::Kept).await;
    assert!(matches!(next(&mut watch).await, Some((4, Kind::Callback(_)))));
    // What is known of their phone is of the one that they called from: only a code may be read out to them.
    assert_eq!(reach(&room, &call).await, nobody_knows);
    // The new call is the incident's, and goes its own way.
    assert_eq!(room.call("77").await, anew);
    assert_eq!(state(&room, &anew).await, CallState::TransferRequested);
    others.ended(&call).await;
    others.sealed(&call).await;
    assert_eq!(all(&mut watch, 5).await, ["ended", "sealed"]);
    assert_eq!(reach(&room, &call).await, nobody_knows, "over as well");
    let parked: i64 =
        sqlx::query_scalar("select count(*) from outbox.parked").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(parked, 0);
}
