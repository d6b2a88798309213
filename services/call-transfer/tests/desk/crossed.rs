//! Two forces lend an officer to each other, who go from desk to desk as they like while calls come to both, at two
//! replicas: whatever happens, nobody has two calls, no call has two officers, and every call is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    loans,
    support::{Officer, TestDesk, clock, reason},
};
use api::transfer::v1::Presence;
use chassis::{Entropy, ManualClock};
use ids::CallId;
use tokio::{sync::watch, task::JoinSet};

const CALLS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);
/// The desks, and at which of them who is called what.
const PEOPLE: [[(&str, &str); 2]; 2] =
    [[("kent", "pc-1"), ("surrey", "pc-1@kent")], [("surrey", "pc-1"), ("kent", "pc-1@surrey")]];

/// Who has which call, as the officers themselves see it.
#[derive(Default)]
struct Had {
    now: BTreeMap<CallId, usize>,
    served: BTreeSet<CallId>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_from_desk_to_desk_never_has_two_calls_nor_shares_one() {
    let settings = [("DESK__OFFER_TIMEOUT_MS", "250"), ("DESK__DECLINE_PAUSE_MS", "50")];
    let clock = clock();
    let desk = Arc::new(TestDesk::start(clock.clone().into(), 2, &settings).await);
    for (from, to) in [("kent", "surrey"), ("surrey", "kent")] {
        let loan = loans::offer(&mut desk.officer(0, from, "sgt-1"), to, &["pc-1"], (0, 86_400)).await.unwrap();
        loans::agree(&mut desk.officer(1, to, "sgt-1"), &loan).await.unwrap();
    }
    let had = Arc::new(watch::Sender::new(Had::default()));
    let mut life = JoinSet::new();
    for (n, names) in PEOPLE.iter().enumerate() {
        // Each desk is another replica to them.
        let pages = [0, 1].map(|at| desk.officer(at, names[at].0, names[at].1));
        for page in pages.clone() {
            life.spawn(serve(desk.clone(), page, n, had.clone()));
        }
        life.spawn(wander(desk.clone(), pages, n as u64));
    }
    life.spawn(turn(clock, desk.officer(0, "wmp", "pc-away")));
    let mut calls = BTreeSet::new();
    for n in 0..CALLS {
        calls.insert(desk.call_at(["kent", "surrey"][n % 2]).await);
    }
    let mut seen = had.subscribe();
    let over = async { seen.wait_for(|had| had.served == calls).await.map(drop) };
    tokio::select! {
        over = tokio::time::timeout(PATIENCE, over) => {
            let left: Vec<_> = calls.difference(&had.borrow().served).copied().collect();
            assert!(over.is_ok(), "never served: {left:?}");
        }
        Some(failed) = life.join_next() => panic!("life stops: {failed:?}"),
    }
    life.shutdown().await;
    let counts = [
        "select count(*) from transfer.calls where state in ('queued', 'offered', 'accepted')",
        "select count(*) from
         (select from transfer.offers where outcome = 'accepted' group by call_id having count(*) > 1) twice",
        "select count(*) from transfer.officers o where not gone and at_force is not null",
        "select deadlocks from pg_stat_database where datname = current_database()",
    ];
    for count in counts {
        let counted: i64 = sqlx::query_scalar(count).fetch_one(&desk.pool).await.unwrap();
        assert_eq!(counted, 0, "{count}");
    }
    Arc::into_inner(desk).expect("nobody else is at the desk").stop().await;
}

/// Lets time pass as the desk answers.
async fn turn(clock: ManualClock, mut officer: Officer) {
    officer.presence(Presence::Away).await.unwrap();
    loop {
        officer.heartbeat().await.unwrap();
        clock.advance(Duration::from_millis(10));
    }
}

/// Goes to one desk or the other, at times to the one where they are; heartbeats of the page that they left go on.
async fn wander(desk: Arc<TestDesk>, mut pages: [Officer; 2], seed: u64) {
    let dice = Entropy::seeded(seed);
    loop {
        let to = usize::from(dice.bytes::<1>()[0] % 2);
        let goes = pages[to].presence(Presence::Free).await;
        if goes.is_err() {
            assert_eq!(reason(goes), "OFFICER_IN_CALL");
        }
        let beats = pages[1 - to].heartbeat().await;
        if beats.is_err() {
            assert_eq!(reason(beats), "UNKNOWN_OFFICER");
        }
        desk.clock.sleep(Duration::from_millis(120)).await;
    }
}

/// Takes what is on offer at one of the desks.
async fn serve(desk: Arc<TestDesk>, mut page: Officer, person: usize, had: Arc<watch::Sender<Had>>) {
    let mut watch = page.watch().await;
    loop {
        let seen = watch.until(|desk| desk.offer.is_some()).await;
        let call: CallId = seen.offer.unwrap().call_id.parse().unwrap();
        let takes = page.accept(call).await;
        if takes.is_err() {
            let reason = reason(takes);
            assert!(["NOT_OFFERED_TO_YOU", "OFFER_EXPIRED", "CALL_NOT_WAITING"].contains(&reason.as_str()), "{reason}");
            continue;
        }
        had.send_modify(|had| {
            assert!(!had.now.values().any(|who| *who == person), "a second call");
            assert_eq!(had.now.insert(call, person), None, "two officers have the call");
        });
        watch.until(|desk| desk.current_call_id == call.to_string()).await;
        desk.clock.sleep(Duration::from_millis(150)).await;
        had.send_modify(|had| {
            had.now.remove(&call);
        });
        desk.end_at(&page.force, call).await;
        watch.until(|desk| desk.current_call_id != call.to_string()).await;
        had.send_modify(|had| assert!(had.served.insert(call), "served twice"));
    }
}
