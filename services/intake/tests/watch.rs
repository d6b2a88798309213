//! WatchCall: everything, in order, once; however often it breaks, and whatever comes late.

use crate::support::*;
use api::intake::v1::{CancelTransferRequest, DuressHow, call_update::Kind};

#[tokio::test]
async fn a_broken_watch_is_taken_up_without_gap_or_repeat() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("1").await;
    others.queued(&call).await;
    others.offered(&call).await;

    let mut watch = room.watch(&call, 0).await;
    assert!(matches!(next(&mut watch).await, Some((1, Kind::Queued(_)))));
    drop(watch);
    others.accepted(&call).await;
    assert!(matches!(next(&mut room.watch(&call, 2).await).await, Some((3, Kind::Accepted(_)))));
    others.invited(&call).await;
    let mut watch = room.watch(&call, 1).await;
    assert!(matches!(next(&mut watch).await, Some((2, Kind::Offered(_)))));
    // A second watcher from the beginning, and a third who never reads: neither holds up the others.
    let mut from_start = room.watch(&call, 0).await;
    let _idle = room.watch(&call, 0).await;
    others.joined(&call).await;
    others.ended(&call).await;
    others.sealed(&call).await;
    let rest = ["accepted", "invitation ready", "caller joined", "ended", "sealed"];
    assert_eq!(all(&mut watch, 3).await, rest);
    assert_eq!(all(&mut from_start, 1).await[2..], rest);
    // After the end: the tail, or nothing, and the end.
    assert_eq!(all(&mut room.watch(&call, 6).await, 7).await, ["sealed"]);
    assert_eq!(all(&mut room.watch(&call, 7).await, 8).await, [""; 0]);
}

#[tokio::test]
async fn streams_that_overtake_one_another_do_no_harm() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("2").await;
    let mut watch = room.watch(&call, 0).await;
    // The session is heard of before the accept, the seal before the end, and twice.
    others.invited(&call).await;
    assert!(matches!(next(&mut watch).await, Some((1, Kind::InvitationReady(_)))));
    others.sealed(&call).await;
    others.sealed(&call).await;
    others.accepted(&call).await;
    assert!(matches!(next(&mut watch).await, Some((2, Kind::Accepted(_)))));
    others.ended(&call).await;
    assert_eq!(all(&mut watch, 3).await, ["ended", "sealed"]);
    let parked: i64 =
        sqlx::query_scalar("select count(*) from outbox.parked").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(parked, 0, "late is not poison");
}

#[tokio::test]
async fn a_cancelled_call_s_watch_ends_when_the_desk_has_let_go() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("3").await;
    let mut watch = room.watch(&call, 0).await;
    let cancel = CancelTransferRequest { request_id: fresh(), force_id: FORCE.into(), call_id: call.clone() };
    room.client.clone().cancel_transfer(cancel).await.unwrap();
    assert!(matches!(next(&mut watch).await, Some((1, Kind::Cancelled(_)))));
    others.abandoned(&call).await;
    assert_eq!(all(&mut watch, 2).await, ["abandoned"]);
}

#[tokio::test]
async fn the_control_room_hears_that_the_caller_asks_for_help_and_that_it_is_seen() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("4").await;
    others.accepted(&call).await;
    let mut watch = room.watch(&call, 0).await;
    assert!(matches!(next(&mut watch).await, Some((1, Kind::Accepted(_)))));
    let at = others.asked_for_help(&call).await;
    // Whoever takes the watch up again hears the same.
    for mut watch in [watch, room.watch(&call, 1).await] {
        for (sequence, acknowledged) in [(2, false), (3, true)] {
            let Some((told, Kind::Duress(duress))) = next(&mut watch).await else { panic!("something else was told") };
            assert_eq!((told, duress.how(), duress.raised_at), (sequence, DuressHow::Corner, Some(at)));
            assert_eq!(duress.acknowledged, acknowledged);
        }
    }
}

#[tokio::test]
async fn a_changed_place_is_told_and_a_call_that_comes_back_with_what_to_do_instead() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("9").await;
    let mut watch = room.watch(&call, 0).await;
    others.queued(&call).await;
    let Some((1, Kind::Queued(first))) = next(&mut watch).await else { panic!("not queued") };
    assert_eq!((first.position, first.expected_wait_s), (1, None), "nobody can tell");
    others.moved(&call, 2, 600).await;
    let Some((2, Kind::Queued(moved))) = next(&mut watch).await else { panic!("not moved") };
    assert_eq!((moved.position, moved.expected_wait_s), (2, Some(600)));
    others.returned(&call, "WAIT_LIMIT").await;
    let Some((3, Kind::Returned(returned))) = next(&mut watch).await else { panic!("not returned") };
    assert_eq!(returned.reason, "WAIT_LIMIT");
    assert!(returned.instead.contains("in person"), "{}", returned.instead);
    assert!(next(&mut watch).await.is_none(), "it is the control room's");

    // Once an officer has it: told, and the end and the sealing follow.
    let call = room.waiting_call("10").await;
    others.accepted(&call).await;
    others.returned(&call, "RETURNED_BY_DESK").await;
    let mut watch = room.watch(&call, 0).await;
    for expected in ["accepted", "returned"] {
        assert_eq!(name(&next(&mut watch).await.unwrap().1), expected);
    }
    others.ended(&call).await;
    others.sealed(&call).await;
    assert_eq!(all(&mut watch, 3).await, ["ended", "sealed"]);
    let told: Vec<serde_json::Value> = sqlx::query_scalar(
        "select body from intake.force_updates where body ->> 'kind' = 'returned' order by sequence",
    )
    .fetch_all(&room.db.pool())
    .await
    .unwrap();
    let why: Vec<_> = told.iter().map(|body| body["why"].as_str().unwrap()).collect();
    assert_eq!(why, ["WAIT_LIMIT", "RETURNED_BY_DESK"], "the whole force is told");
}

#[tokio::test]
async fn a_call_that_another_officer_takes_over_is_told_as_accepted_by_them() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("11").await;
    others.accepted(&call).await;
    others.reassigned(&call, "PC2").await;
    let mut watch = room.watch(&call, 0).await;
    for (sequence, officer) in [(1, "PC1"), (2, "PC2")] {
        let Some((nth, Kind::Accepted(accepted))) = next(&mut watch).await else { panic!("not accepted") };
        assert_eq!((nth, accepted.officer_id.as_str()), (sequence, officer));
    }
}
