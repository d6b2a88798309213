//! What sergeants see of how the desk does, against a plain count of what was done to it.

use std::{collections::BTreeMap, time::Duration};

use crate::callbacks::{agree_now, take, tried};
use crate::support::{Officer, TestDesk, asked, clock, reason};
use api::{
    intake::v1::{CallbackOutcome, RiskGrade},
    transfer::v1::{
        CallAbandoned, CallReturned, DeskFigures, GetDeskFiguresRequest, GetDeskFiguresResponse, WatchFiguresRequest,
    },
};
use chassis::{Entropy, ManualClock};
use prost_types::Timestamp;
use tonic::Status;

/// Presences outlive the test's turns of the clock.
const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");
const CALLS: usize = 40;

/// What became of one call.
struct Outcome {
    came: i64,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Served(i64),
    Unserved,
    /// Rung back, and reached or not.
    RungBack(bool),
    Abandoned,
    Waits,
}

fn seconds(at: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: at, nanos: 0 })
}

async fn figures(officer: &mut Officer, from: i64, until: i64) -> Result<GetDeskFiguresResponse, Status> {
    let (force_id, officer_id) = (officer.force.clone(), officer.id.clone());
    let request = GetDeskFiguresRequest { force_id, officer_id, from: seconds(from), until: seconds(until) };
    Ok(officer.client.get_desk_figures(request).await?.into_inner())
}

/// The same, counted as one would by hand.
fn count(hour: Option<i64>, outcomes: &[&Outcome]) -> DeskFigures {
    let many = |is: fn(What) -> bool| outcomes.iter().filter(|one| is(one.what)).count().try_into().unwrap();
    let mut waits: Vec<i64> =
        outcomes.iter().filter_map(|one| if let What::Served(wait) = one.what { Some(wait) } else { None }).collect();
    waits.sort_unstable();
    // The first that so many of a hundred are no longer than.
    let of_100 =
        |n: usize| waits.get((waits.len() * n).div_ceil(100).max(1) - 1).map(|wait| (*wait).try_into().unwrap());
    DeskFigures {
        hour: hour.and_then(seconds),
        came: outcomes.len().try_into().unwrap(),
        served: many(|what| matches!(what, What::Served(_))),
        unserved: many(|what| matches!(what, What::Unserved | What::RungBack(_))),
        abandoned: many(|what| what == What::Abandoned),
        answer_p50_s: of_100(50),
        answer_p95_s: of_100(95),
        callbacks_agreed: many(|what| matches!(what, What::RungBack(_))),
        callbacks_kept: many(|what| what == What::RungBack(true)),
        callbacks_missed: many(|what| what == What::RungBack(false)),
    }
}

#[tokio::test]
async fn the_figures_are_what_was_done() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let dice = Entropy::seeded(40);
    let start = desk.clock.now().timestamp();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for n in 0..CALLS {
        let [gap, wait, what] = dice.bytes::<3>();
        clock.advance(Duration::from_secs(u64::from(gap) * 2));
        let came = desk.clock.now().timestamp();
        let call = desk.call_as(asked(RiskGrade::High)).await;
        one.offered(call).await;
        clock.advance(Duration::from_secs(u64::from(wait % 19)));
        let waited = desk.clock.now().timestamp() - came;
        let what = match what % 7 {
            _ if n + 1 == CALLS => What::Waits,
            0 => {
                desk.cancel(call).await;
                desk.event::<CallAbandoned>("call_abandoned").await;
                What::Abandoned
            }
            1 => {
                one.give_back(call, "no").await.unwrap();
                desk.event::<CallReturned>("call_returned").await;
                What::Unserved
            }
            rung @ (5 | 6) => {
                let is_reached = rung == 5;
                let id = agree_now(&mut one, call, desk.clock.now().timestamp()).await;
                desk.event::<CallReturned>("call_returned").await;
                take(&mut one, &id).await.unwrap();
                let outcome = if is_reached { CallbackOutcome::Reached } else { CallbackOutcome::NotSafe };
                tried(&mut one, &id, outcome).await.unwrap();
                if is_reached {
                    desk.end(call).await;
                    one.watch().await.until(|desk| desk.current_call_id.is_empty()).await;
                }
                What::RungBack(is_reached)
            }
            other => {
                one.accept(call).await.unwrap();
                if other == 2 {
                    one.give_back(call, "no").await.unwrap();
                } else {
                    desk.end(call).await;
                }
                let seen = |desk: &api::transfer::v1::WatchDeskResponse| desk.current_call_id.is_empty();
                one.watch().await.until(seen).await;
                What::Served(waited)
            }
        };
        outcomes.push(Outcome { came, what });
    }
    let now = desk.clock.now().timestamp();
    let told = figures(&mut one, start, now + 1).await.unwrap();
    let all: Vec<_> = outcomes.iter().collect();
    assert_eq!(told.whole.unwrap(), count(None, &all));
    let mut hours: BTreeMap<i64, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &outcomes {
        hours.entry(outcome.came - outcome.came.rem_euclid(3600)).or_default().push(outcome);
    }
    let counted: Vec<_> = hours.iter().map(|(hour, outcomes)| count(Some(*hour), outcomes)).collect();
    assert!(counted.len() > 1, "more than an hour of it");
    assert_eq!(told.hours, counted);
    let desk_now = told.now.unwrap();
    assert_eq!((desk_now.waiting, desk_now.in_call, desk_now.free), (1, 0, 0));
    assert_eq!(desk_now.waiting_since, seconds(outcomes.last().unwrap().came));

    // Of a part of it, of nothing, of another force, and of what is no window.
    let (from, until) = (outcomes[5].came, outcomes[25].came);
    let part: Vec<_> = outcomes.iter().filter(|one| (from..until).contains(&one.came)).collect();
    assert_eq!(figures(&mut one, from, until).await.unwrap().whole.unwrap(), count(None, &part));
    for nothing in [
        figures(&mut one, start - 100, start - 1).await,
        figures(&mut desk.officer(0, "kent", "sgt-1"), start, now).await,
    ] {
        let nothing = nothing.unwrap();
        assert_eq!((nothing.whole.unwrap(), nothing.hours), (DeskFigures::default(), vec![]));
    }
    for (from, until) in [(now, now), (now, start), (now - 32 * 86_400, now)] {
        assert_eq!(reason(figures(&mut one, from, until).await), "INVALID_WINDOW");
    }
    desk.stop().await;
}

/// Lets seconds pass until it has come.
async fn turned<T>(clock: &ManualClock, officer: &mut Officer, coming: impl Future<Output = T>) -> T {
    let turn = async {
        loop {
            clock.advance(Duration::from_secs(1));
            officer.look().await.unwrap();
        }
    };
    let turned: T = tokio::select! {
        came = coming => came,
        () = turn => unreachable!("time goes on"),
    };
    turned
}

#[tokio::test]
async fn figures_are_live_and_counted_once_a_second_at_most() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let request = WatchFiguresRequest { force_id: "wmp".to_owned(), officer_id: "sgt-1".to_owned() };
    let mut watch = sergeant.client.watch_figures(request).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!((first.now.unwrap().waiting, first.whole.unwrap().came), (0, 0));
    // Three calls, and only then a second that passes: one counting.
    let mut desk_watch = sergeant.watch().await;
    for n in 1..=3 {
        desk.call(RiskGrade::Standard).await;
        desk_watch.until(|desk| desk.queue.len() == n).await;
    }
    let next = turned(&clock, &mut sergeant, watch.message()).await.unwrap().unwrap();
    assert_eq!((next.now.unwrap().waiting, next.whole.unwrap().came), (3, 3));
    assert_eq!(next.now.unwrap().waiting_since, seconds(1_800_000_000));
    assert_eq!(next.hours.len(), 1);
    let mut one = desk.free("pc-1").await;
    let call = one.watch().await.until(|desk| desk.offer.is_some()).await.offer.unwrap().call_id;
    one.accept(call.parse().unwrap()).await.unwrap();
    let so = async {
        loop {
            let seen = watch.message().await.unwrap().unwrap();
            if seen.now.unwrap().in_call == 1 {
                return seen;
            }
        }
    };
    let seen = turned(&clock, &mut sergeant, so).await;
    assert_eq!((seen.now.unwrap().waiting, seen.whole.unwrap().served), (2, 1));
    desk.stop().await;
}
