//! Two replicas as processes, real Postgres that syncs what it commits, and kill -9 whenever it happens to come: in the
//! middle of an accept, of a matching, of a publication. Officers whose request was lost send it again, to the other one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::support::{Officer, TestDesk, request_id};
use api::{
    intake::v1::RiskGrade,
    transfer::v1::{CallAccepted, Presence},
};
use chassis::{Clock, Entropy};
use futures::StreamExt;
use ids::CallId;
use prost::Message;
use testkit::Durability;
use tokio::{sync::watch, task::JoinSet};
use tonic::{Code, Status};

/// How often a replica is killed, unless `ALCOVE_DESK_KILLS` says.
const KILLS: u32 = 30;
const OFFICERS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(240);

/// What the officers have seen.
#[derive(Default)]
struct Seen {
    /// Answers that came: the killer counts them.
    answers: u64,
    now: BTreeMap<CallId, String>,
    served: BTreeSet<CallId>,
}

type Shared = Arc<watch::Sender<Seen>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_two_officers_for_a_call_nor_two_calls_for_an_officer_though_replicas_are_killed() {
    let kills: u32 = std::env::var("ALCOVE_DESK_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let settings =
        [("DESK__OFFER_TIMEOUT_MS", "2000"), ("DESK__PRESENCE_TIMEOUT_MS", "4000"), ("DESK__DECLINE_PAUSE_MS", "50")];
    let desk = Arc::new(TestDesk::start_on(Durability::On, Clock::system(), 0, &settings).await);
    let mut replicas = [desk.process().await, desk.process().await];
    let seen: Shared = Arc::new(watch::Sender::new(Seen::default()));
    let accepted = desk.nats.client().await.unwrap().subscribe("alcove.transfer.v1.call_accepted.>").await.unwrap();
    let mut life = JoinSet::new();
    life.spawn(one_officer_a_call(accepted));
    for n in 0..OFFICERS {
        let at = |replica: usize| Officer::at(&replicas[replica].url("grpc"), "wmp", &format!("pc-{n}"));
        life.spawn(work(desk.clone(), [at(n % 2), at((n + 1) % 2)], seen.clone(), n as u64));
    }
    let dice = Entropy::seeded(7);
    let risks = [RiskGrade::Standard, RiskGrade::Medium, RiskGrade::High];
    let mut calls = BTreeSet::new();
    for kill in 0..kills {
        // Always more than there are officers.
        while calls.len() < seen.borrow().served.len() + OFFICERS + 2 {
            calls.insert(desk.call(risks[kill as usize % 3]).await);
        }
        let [more, which] = dice.bytes::<2>();
        let enough = seen.borrow().answers + u64::from(more % 12);
        let mut answers = seen.subscribe();
        tokio::select! {
            waited = tokio::time::timeout(PATIENCE, answers.wait_for(|seen| seen.answers >= enough)) => {
                waited.expect("the desk answers").unwrap();
            }
            Some(failed) = life.join_next() => panic!("life stops: {failed:?}"),
        }
        let replica = &mut replicas[usize::from(which % 2)];
        replica.kill().await.unwrap();
        replica.restart().await.unwrap();
    }
    let mut over = seen.subscribe();
    tokio::select! {
        over = tokio::time::timeout(PATIENCE, over.wait_for(|seen| seen.served == calls)) => {
            let left: Vec<_> = calls.difference(&seen.borrow().served).copied().collect();
            assert!(over.is_ok(), "never served: {left:?}");
        }
        Some(failed) = life.join_next() => panic!("life stops: {failed:?}"),
    }
    life.shutdown().await;
    for count in [
        "select count(*) from transfer.calls where state <> 'ended'",
        "select count(*) from (select from transfer.offers where outcome = 'accepted'
             group by call_id having count(*) <> 1) twice",
        "select count(*) from transfer.calls a join transfer.calls b using (force_id, officer_id)
             where a.call_id <> b.call_id and a.accepted_at < b.over_at and b.accepted_at < a.over_at",
    ] {
        let counted: i64 = sqlx::query_scalar(count).fetch_one(&desk.pool).await.unwrap();
        assert_eq!(counted, 0, "{count}");
    }
    drop(replicas);
    Arc::into_inner(desk).expect("nobody else is at the desk").stop().await;
}

/// However often an event is published, a call is accepted by one officer.
async fn one_officer_a_call(mut accepted: async_nats::Subscriber) {
    let mut whose = BTreeMap::new();
    while let Some(message) = accepted.next().await {
        let CallAccepted { call_id, officer_id, .. } = CallAccepted::decode(message.payload).unwrap();
        let first = whose.entry(call_id).or_insert_with(|| officer_id.clone());
        assert_eq!(*first, officer_id, "two officers were told of");
    }
}

/// Neither the desk's refusal nor its answer: the replica is gone, or has lost its database on the way out.
fn is_lost(status: &Status) -> bool {
    chassis::status::reason_of(status).is_none() || status.code() == Code::Unavailable
}

/// An officer at work, whose console goes to the other replica when one does not answer.
async fn work(desk: Arc<TestDesk>, mut doors: [Officer; 2], seen: Shared, seed: u64) {
    let dice = Entropy::seeded(seed);
    loop {
        doors.swap(0, 1);
        let officer = &mut doors[0];
        if let Err(lost) = officer.presence(Presence::Free).await {
            let in_call = chassis::status::reason_of(&lost).as_deref() == Some("OFFICER_IN_CALL");
            assert!(is_lost(&lost) || in_call, "{lost:?}");
        }
        let Ok(Some(view)) = officer.look().await else {
            desk.clock.sleep(Duration::from_millis(20)).await;
            continue;
        };
        seen.send_modify(|seen| seen.answers += 1);
        if let Some(offer) = view.offer {
            let call: CallId = offer.call_id.parse().unwrap();
            if dice.bytes::<1>()[0].is_multiple_of(8) {
                drop(officer.decline(call, "not now").await);
            } else {
                take(&desk, &mut doors, call, &seen).await;
            }
        } else {
            desk.clock.sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Says that they take the call until somebody answers: the same request, so the answer is the first one's.
async fn take(desk: &TestDesk, doors: &mut [Officer; 2], call: CallId, seen: &Shared) {
    let id = request_id();
    let me = doors[0].id.clone();
    loop {
        let answer = doors[0].accept_as(id.clone(), call).await;
        match answer {
            Ok(()) => break,
            Err(lost) if is_lost(&lost) => {
                doors.swap(0, 1);
                desk.clock.sleep(Duration::from_millis(10)).await;
            }
            Err(_) => return,
        }
    }
    seen.send_modify(|seen| {
        seen.answers += 1;
        assert!(!seen.now.values().any(|who| *who == me), "two calls for {me}");
        let before = seen.now.insert(call, me.clone());
        assert_eq!(before, None, "two officers for {call}");
        assert!(!seen.served.contains(&call), "served twice");
    });
    // The desk hears of the end once there is a replica to hear it; until then the call is the officer's.
    desk.end(call).await;
    is_free_of(desk, doors, call).await;
    seen.send_modify(|seen| {
        seen.now.remove(&call);
        seen.served.insert(call);
    });
}

/// Waits until the desk says that they don't have the call any more: by a watch, taken up again at the other replica when its own
/// is killed.
async fn is_free_of(desk: &TestDesk, doors: &mut [Officer; 2], call: CallId) {
    let call = call.to_string();
    loop {
        if let Ok(mut views) = doors[0].views(false).await {
            while let Ok(Some(view)) = views.message().await {
                if view.current_call_id != call {
                    return;
                }
            }
        }
        doors.swap(0, 1);
        desk.clock.sleep(Duration::from_millis(10)).await;
    }
}
