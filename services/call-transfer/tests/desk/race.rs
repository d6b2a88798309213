//! Two replicas, officers who accept, decline, sleep through and fall silent as they like, calls that are cancelled:
//! whatever happens, no call has two officers and no officer two calls, and every call that isn't cancelled is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::support::{Officer, TestDesk, clock};
use api::{
    intake::v1::RiskGrade,
    transfer::v1::{CallAbandoned, Presence},
};
use chassis::{Entropy, ManualClock};
use futures::StreamExt;
use ids::CallId;
use prost::Message;
use tokio::{sync::watch, task::JoinSet};

const CALLS: usize = 24;
const OFFICERS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);

/// Who has which call, as the officers themselves see it.
#[derive(Default)]
struct Had {
    now: BTreeMap<CallId, String>,
    served: BTreeSet<CallId>,
    /// Served, or abandoned.
    over: BTreeSet<CallId>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_two_officers_for_a_call_nor_two_calls_for_an_officer() {
    let settings =
        [("DESK__OFFER_TIMEOUT_MS", "250"), ("DESK__PRESENCE_TIMEOUT_MS", "600"), ("DESK__DECLINE_PAUSE_MS", "50")];
    let clock = clock();
    let desk = Arc::new(TestDesk::start(clock.clone().into(), 2, &settings).await);
    let had = Arc::new(watch::Sender::new(Had::default()));
    let mut life = JoinSet::new();
    let abandoned = desk.nats.client().await.unwrap().subscribe("alcove.transfer.v1.call_abandoned.>").await.unwrap();
    life.spawn(hear(abandoned, had.clone()));
    for n in 0..OFFICERS {
        let officer = desk.officer(n % 2, "wmp", &format!("pc-{n}"));
        life.spawn(work(desk.clone(), officer, had.clone(), n as u64));
    }
    life.spawn(turn(clock, desk.officer(0, "wmp", "pc-away")));
    let risks = [RiskGrade::Standard, RiskGrade::Medium, RiskGrade::High];
    let mut cancelled = BTreeSet::new();
    let mut calls = BTreeSet::new();
    for n in 0..CALLS {
        let call = desk.call(risks[n % 3]).await;
        calls.insert(call);
        if n % 6 == 5 {
            desk.cancel(call).await;
            cancelled.insert(call);
        }
    }
    let mut seen = had.subscribe();
    let over = async { seen.wait_for(|had| had.over == calls).await.map(drop) };
    tokio::select! {
        over = tokio::time::timeout(PATIENCE, over) => {
            let left: Vec<_> = calls.difference(&had.borrow().over).copied().collect();
            assert!(over.is_ok(), "never over: {left:?}");
        }
        Some(failed) = life.join_next() => panic!("life stops: {failed:?}"),
    }
    life.shutdown().await;
    let mut missed: Vec<_> = calls.difference(&had.borrow().served).copied().collect();
    missed.retain(|call| !cancelled.contains(call));
    assert!(missed.is_empty(), "never served: {missed:?}");
    let counts = [
        ("select count(*) from transfer.calls", CALLS as i64),
        ("select count(*) from transfer.calls where state in ('queued', 'offered', 'accepted')", 0),
        (
            "select count(*) from
             (select from transfer.offers where outcome = 'accepted' group by call_id having count(*) > 1) twice",
            0,
        ),
    ];
    for (count, expected) in counts {
        let counted: i64 = sqlx::query_scalar(count).fetch_one(&desk.pool).await.unwrap();
        assert_eq!(counted, expected, "{count}");
    }
    Arc::into_inner(desk).expect("nobody else is at the desk").stop().await;
}

/// Lets time pass as the desk answers: an offer lives for as many answers on a slow machine as on a fast one.
async fn turn(clock: ManualClock, mut officer: Officer) {
    officer.presence(Presence::Away).await.unwrap();
    loop {
        officer.heartbeat().await.unwrap();
        clock.advance(Duration::from_millis(10));
    }
}

/// Keeps which calls the desk says nobody had.
async fn hear(mut abandoned: async_nats::Subscriber, had: Arc<watch::Sender<Had>>) {
    while let Some(message) = abandoned.next().await {
        let call: CallId = CallAbandoned::decode(message.payload).unwrap().call_id.parse().unwrap();
        had.send_modify(|had| assert!(had.over.insert(call), "abandoned, and over before"));
    }
}

/// An officer at work.
async fn work(desk: Arc<TestDesk>, mut officer: Officer, had: Arc<watch::Sender<Had>>, seed: u64) {
    let dice = Entropy::seeded(seed);
    officer.presence(Presence::Free).await.unwrap();
    tokio::join!(beat(&desk, officer.clone(), &dice), serve(&desk, officer, &had, &dice));
}

/// It falls silent at times, and an offer to it is freed; an officer in a call keeps the call.
async fn beat(desk: &TestDesk, mut officer: Officer, dice: &Entropy) {
    let pulse = Entropy::seeded(dice.bytes::<1>()[0].into());
    loop {
        officer.heartbeat().await.unwrap();
        let silent = pulse.bytes::<1>()[0].is_multiple_of(6);
        desk.clock.sleep(Duration::from_millis(if silent { 900 } else { 200 })).await;
    }
}

async fn serve(desk: &TestDesk, mut officer: Officer, had: &watch::Sender<Had>, dice: &Entropy) {
    let mut watch = officer.watch().await;
    loop {
        let seen = watch.until(|desk| desk.offer.is_some()).await;
        let call: CallId = seen.offer.unwrap().call_id.parse().unwrap();
        assert!(!had.borrow().now.values().any(|who| *who == officer.id), "offered a second call");
        match dice.bytes::<1>()[0] % 8 {
            0 => drop(officer.decline(call, "not now").await),
            1 => desk.clock.sleep(Duration::from_millis(300)).await,
            2 => {
                drop(officer.presence(Presence::Away).await);
                officer.presence(Presence::Free).await.unwrap();
            }
            _ if officer.accept(call).await.is_ok() => {
                had.send_modify(|had| {
                    let before = had.now.insert(call, officer.id.clone());
                    assert_eq!(before, None, "two officers have the call");
                });
                // What was seen before the acceptance must not pass for the end of the call.
                watch.until(|desk| desk.current_call_id == call.to_string()).await;
                desk.clock.sleep(Duration::from_millis(20)).await;
                had.send_modify(|had| {
                    had.now.remove(&call);
                    assert!(had.served.insert(call), "served twice");
                });
                desk.end(call).await;
                watch.until(|desk| desk.current_call_id != call.to_string()).await;
                had.send_modify(|had| assert!(had.over.insert(call), "served, and over before"));
            }
            _ => {}
        }
    }
}
