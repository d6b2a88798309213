//! WatchForce: all of a force's calls, once, in order, however many write at once and however often it breaks.

use std::collections::{BTreeMap, HashMap};

use crate::support::*;
use api::intake::v1::{
    CancelTransferRequest, ConsentKind, OpenCallRequest, WatchForceRequest, WatchForceResponse, force_update::Kind,
};
use futures::future::join_all;
use intake::domain::ForceUpdate;
use testkit::until;
use tonic::{Code, Streaming};

/// How many write at once.
const WRITERS: usize = 8;
/// Calls of each writer.
const CALLS: usize = 6;

async fn watch(client: &Client, force: &str, after_sequence: u64) -> Streaming<WatchForceResponse> {
    let request = WatchForceRequest { force_id: force.into(), after_sequence };
    client.clone().watch_force(request).await.unwrap().into_inner()
}

async fn heard(watch: &mut Streaming<WatchForceResponse>) -> WatchForceResponse {
    let told = tokio::time::timeout(PATIENCE, watch.message()).await.expect("an update comes").unwrap();
    told.expect("a force's watch has no end")
}

fn name(told: &WatchForceResponse) -> &'static str {
    match told.update.as_ref().unwrap().kind.as_ref().unwrap() {
        Kind::Opened(_) => "opened",
        Kind::Duress(duress) if duress.acknowledged => "help is seen",
        Kind::Duress(_) => "help",
        Kind::FastTrack(_) => "fast-track",
        Kind::Returned(_) => "returned",
        Kind::Abandoned(_) => "abandoned",
        Kind::Cancelled(_) => "cancelled",
        Kind::Ended(_) => "ended",
        Kind::Sealed(_) => "sealed",
    }
}

/// Two updates of a call: opened and cancelled.
async fn open_and_cancel(mut client: Client, force: &str, number: String) {
    let opening = OpenCallRequest { force_id: force.into(), ..opening(&number) };
    let call_id = client.open_call(opening).await.unwrap().into_inner().call_id;
    let force_id = || force.to_owned();
    client
        .record_triage(api::intake::v1::RecordTriageRequest { force_id: force_id(), ..triage(&call_id) })
        .await
        .unwrap();
    let agreed = consent(&call_id, &[ConsentKind::Video]);
    client.record_consent(api::intake::v1::RecordConsentRequest { force_id: force_id(), ..agreed }).await.unwrap();
    let ask = transfer_of(&call_id);
    client.request_transfer(api::intake::v1::RequestTransferRequest { force_id: force_id(), ..ask }).await.unwrap();
    client.cancel_transfer(CancelTransferRequest { request_id: fresh(), force_id: force_id(), call_id }).await.unwrap();
}

#[tokio::test]
async fn whoever_is_cut_and_comes_back_sees_all_once_in_order_while_eight_write() {
    let room = Room::open().await;
    let total = 2 * WRITERS * CALLS;
    let writers = join_all((0..WRITERS).map(|writer| {
        let client = room.client.clone();
        async move {
            for call in 0..CALLS {
                open_and_cancel(client.clone(), FORCE, format!("{writer}-{call}")).await;
                // Another force writes between: none of it is seen here, and its numbers are its own.
                open_and_cancel(client.clone(), "kent", format!("{writer}-{call}")).await;
            }
        }
    }));
    // Each is cut after another number of updates, the last never, and begins where it was.
    let watchers = join_all([1, 2, 3, 7, total].map(|cut_after| {
        let client = room.client.clone();
        async move {
            let mut seen: Vec<WatchForceResponse> = vec![];
            while seen.len() < total {
                let after = seen.last().map_or(0, |told| told.sequence);
                let mut watch = watch(&client, FORCE, after).await;
                for _ in 0..cut_after.min(total - seen.len()) {
                    seen.push(heard(&mut watch).await);
                }
            }
            seen
        }
    }));
    // And one who never reads: nobody waits for it.
    let _idle = watch(&room.client, FORCE, 0).await;
    let (_, watched) = tokio::join!(writers, watchers);

    let mut opened = HashMap::new();
    for (n, told) in watched[0].iter().enumerate() {
        assert_eq!(told.sequence, n as u64 + 1, "a gap, or out of order");
        let happened: &mut Vec<_> = opened.entry(told.call_id.clone()).or_default();
        happened.push(name(told));
    }
    assert_eq!(opened.len(), WRITERS * CALLS);
    assert!(opened.values().all(|happened| *happened == ["opened", "cancelled"]), "{opened:?}");
    for others in &watched[1..] {
        assert_eq!(others, &watched[0], "two watchers saw different things");
    }
    let mut theirs = watch(&room.client, "kent", 0).await;
    for n in 1..=total as u64 {
        let told = heard(&mut theirs).await;
        assert!(told.sequence == n && !opened.contains_key(&told.call_id));
    }
}

#[tokio::test]
async fn a_number_is_seen_only_after_every_smaller_one() {
    let room = Room::open().await;
    let call = room.call("1").await;
    let mut watch = watch(&room.client, FORCE, 1).await;
    let pool = room.db.pool();
    let (force, id) = (FORCE.parse().unwrap(), call.parse().unwrap());
    for (number, commits) in [("2", true), ("3", false)] {
        // One has taken its number and is slow to commit: the next waits for it.
        let mut slow = pool.begin().await.unwrap();
        let now = chassis::Clock::system().now();
        intake::store::insert_force_updates(&mut slow, &force, id, &[ForceUpdate::Cancelled], now).await.unwrap();
        let next = tokio::spawn({
            let mut client = room.client.clone();
            async move { client.open_call(opening(number)).await.unwrap().into_inner().call_id }
        });
        let waiting =
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%intake.forces%'";
        until("the next waits", async || sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.unwrap() == 1)
            .await;
        if commits { slow.commit().await } else { slow.rollback().await }.unwrap();
        let next = next.await.unwrap();
        if commits {
            let told = heard(&mut watch).await;
            assert_eq!((told.sequence, name(&told), told.call_id), (2, "cancelled", call.clone()));
        }
        // What was rolled back leaves no gap.
        let told = heard(&mut watch).await;
        assert_eq!((told.sequence, told.call_id), (if commits { 3 } else { 4 }, next));
    }
}

#[tokio::test]
async fn a_force_hears_of_its_calls_without_knowing_of_them() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let mut watch = watch(&room.client, FORCE, 0).await;
    let first = room.waiting_call("1").await;
    let told = heard(&mut watch).await;
    assert_eq!((told.sequence, name(&told), &told.call_id), (1, "opened", &first));
    assert_eq!(told.incident, opening("1").incident);
    assert!(told.at.is_some());

    others.accepted(&first).await;
    let at = others.asked_for_help(&first).await;
    for expected in ["help", "help is seen"] {
        let told = heard(&mut watch).await;
        assert_eq!((name(&told), &told.call_id), (expected, &first));
        let Some(Kind::Duress(duress)) = told.update.unwrap().kind else { panic!("no duress") };
        assert_eq!(duress.raised_at, Some(at));
    }
    others.ended(&first).await;
    others.sealed(&first).await;
    let told = [heard(&mut watch).await, heard(&mut watch).await];
    assert_eq!(told.each_ref().map(name), ["ended", "sealed"]);
    let Some(Kind::Sealed(sealed)) = &told[1].update.as_ref().unwrap().kind else { panic!("not sealed") };
    assert_eq!((sealed.exhibit_id.clone(), sealed.exhibit_reference.as_str()), (exhibit(), "WMP/1"));

    // One that the desk gives back, and one that is taken back and let go.
    let (back, cancelled) = (room.waiting_call("2").await, room.waiting_call("3").await);
    let request = CancelTransferRequest { request_id: fresh(), force_id: FORCE.into(), call_id: cancelled.clone() };
    room.client.clone().cancel_transfer(request).await.unwrap();
    others.abandoned(&back).await;
    others.abandoned(&cancelled).await;
    let mut happened: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for _ in 0..5 {
        let told = heard(&mut watch).await;
        happened.entry(told.call_id.clone()).or_default().push(name(&told));
    }
    assert_eq!(happened[&back], ["opened", "returned"]);
    assert_eq!(happened[&cancelled], ["opened", "cancelled", "abandoned"]);
}

#[tokio::test]
async fn a_force_s_watch_ends_when_intake_stops_or_postgres_is_away_and_goes_on_afterwards() {
    let mut room = Room::open().await;
    let call = room.call("1").await;
    let mut broken = watch(&room.client, FORCE, 0).await;
    assert_eq!(heard(&mut broken).await.call_id, call);
    room.db.stop().await.unwrap();
    let status = tokio::time::timeout(PATIENCE, broken.message()).await.unwrap().unwrap_err();
    assert_eq!(chassis::status::reason_of(&status).as_deref(), Some("DATABASE_UNAVAILABLE"));
    room.db.start().await.unwrap();
    room.client.clone().open_call(opening("2")).await.unwrap();
    let mut again = watch(&room.client, FORCE, 1).await;
    assert_eq!(heard(&mut again).await.sequence, 2);
    let (stopped, ended) = tokio::join!(room.service.terminate(), tokio::time::timeout(PATIENCE, again.message()));
    assert!(stopped.unwrap().success());
    assert_eq!(ended.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_force_that_is_none_is_named() {
    let room = Room::open().await;
    let request = WatchForceRequest { force_id: "WMP".into(), after_sequence: 0 };
    refused(room.client.clone().watch_force(request).await, Code::InvalidArgument, "INVALID_FORCE");
}
