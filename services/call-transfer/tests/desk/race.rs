//! Two replicas, officers who accept, decline, sleep through and fall silent as they like, calls that are cancelled:
//! whatever happens, no call has two officers and no officer two calls, and every call that isn't cancelled is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{Officer, TestDesk, within};
use api::{intake::v1::RiskGrade, transfer::v1::Presence};
use chassis::{Clock, Entropy};
use ids::CallId;
use tokio::sync::watch;

const CALLS: usize = 24;
const OFFICERS: usize = 5;

/// Who has which call, as the officers themselves see it.
#[derive(Default)]
struct Had {
    now: BTreeMap<CallId, String>,
    served: BTreeSet<CallId>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_two_officers_for_a_call_nor_two_calls_for_an_officer() {
    let settings =
        [("DESK__OFFER_TIMEOUT_MS", "250"), ("DESK__PRESENCE_TIMEOUT_MS", "600"), ("DESK__DECLINE_PAUSE_MS", "50")];
    let desk = Arc::new(TestDesk::start(Clock::system(), 2, &settings).await);
    let had = Arc::new(Mutex::new(Had::default()));
    let (over, ended) = watch::channel(false);
    let mut officers = Vec::new();
    for n in 0..OFFICERS {
        let officer = desk.officer(n % 2, "wmp", &format!("pc-{n}"));
        officers.push(tokio::spawn(work(desk.clone(), officer, had.clone(), ended.clone(), n as u64)));
    }
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
    let open = "select count(*) from transfer.calls where state in ('queued', 'offered', 'accepted')";
    let all = "select count(*) from transfer.calls";
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let left: i64 = sqlx::query_scalar(open).fetch_one(&desk.pool).await.unwrap();
        let came: i64 = sqlx::query_scalar(all).fetch_one(&desk.pool).await.unwrap();
        if left == 0 && came == CALLS as i64 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{left} calls were left of {came}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    over.send_replace(true);
    for officer in officers {
        within("an officer", officer).await.unwrap();
    }
    let served = std::mem::take(&mut had.lock().unwrap().served);
    let mut missed: Vec<_> = calls.difference(&served).collect();
    missed.retain(|call| !cancelled.contains(call));
    assert!(missed.is_empty(), "never served: {missed:?}");
    let twice: i64 = sqlx::query_scalar(
        "select count(*) from (select from transfer.offers where outcome = 'accepted' group by call_id having count(*) > 1) t",
    )
    .fetch_one(&desk.pool)
    .await
    .unwrap();
    assert_eq!(twice, 0);
}

/// An officer at work until it is over.
async fn work(
    desk: Arc<TestDesk>,
    officer: Officer,
    had: Arc<Mutex<Had>>,
    mut ended: watch::Receiver<bool>,
    seed: u64,
) {
    let dice = Entropy::seeded(seed);
    tokio::select! {
        _ = ended.wait_for(|over| *over) => {}
        () = serve(&desk, officer, &had, &dice) => {}
    }
}

async fn serve(desk: &TestDesk, mut officer: Officer, had: &Mutex<Had>, dice: &Entropy) {
    officer.presence(Presence::Free).await.unwrap();
    let mut beats = officer.clone();
    let pulse = Entropy::seeded(dice.bytes::<1>()[0].into());
    tokio::spawn(async move {
        // It falls silent at times, and an offer to it is freed; an officer in a call keeps the call.
        while beats.heartbeat().await.is_ok() {
            let silent = pulse.bytes::<1>()[0].is_multiple_of(6);
            tokio::time::sleep(Duration::from_millis(if silent { 900 } else { 200 })).await;
        }
    });
    let mut watch = officer.watch().await;
    loop {
        let seen = watch.until(|desk| desk.offer.is_some()).await;
        let call: CallId = seen.offer.unwrap().call_id.parse().unwrap();
        assert!(!had.lock().unwrap().now.values().any(|who| *who == officer.id), "offered a second call");
        match dice.bytes::<1>()[0] % 8 {
            0 => drop(officer.decline(call, "not now").await),
            1 => tokio::time::sleep(Duration::from_millis(300)).await,
            2 => {
                drop(officer.presence(Presence::Away).await);
                officer.presence(Presence::Free).await.unwrap();
            }
            _ if officer.accept(call).await.is_ok() => {
                let before = had.lock().unwrap().now.insert(call, officer.id.clone());
                assert_eq!(before, None, "two officers have the call");
                tokio::time::sleep(Duration::from_millis(20)).await;
                {
                    let mut had = had.lock().unwrap();
                    had.now.remove(&call);
                    assert!(had.served.insert(call), "served twice");
                }
                desk.end(call).await;
                watch.until(|desk| desk.current_call_id != call.to_string()).await;
            }
            _ => {}
        }
    }
}
