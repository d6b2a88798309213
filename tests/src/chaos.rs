//! Calls with media while what they depend on is killed, frozen, cut off or filled up; and then what must hold all the same, with its
//! evidence. `make chaos` runs it for a quarter of an hour, `make test` for half a minute. docs/faults.md says what it promises.

mod again;
mod call;
mod check;
mod control;
mod disk;
mod film;
mod inject;
mod left;
mod packages;
mod place;
pub mod plan;
pub mod report;

use std::{path::PathBuf, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use self::{control::Control, inject::Injector, place::Place, plan::Plan, report::Report};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// For everything to come to its end once the last fault is over: a sealing alone may wait two minutes for what is owed.
const SETTLES_WITHIN: Duration = Duration::from_secs(240);

/// How it is run.
#[derive(Debug)]
pub struct Settings {
    /// What goes wrong, and who calls.
    pub plan: Plan,
    /// Where everything of it is kept; emptied first.
    pub folder: PathBuf,
    /// Whether progress is told on standard error.
    pub is_told: bool,
}

/// Plays the plan to its end, waits until nothing is under way any more, and looks at what is left.
///
/// # Errors
/// When the stack doesn't come up, or what is to be looked at can't be. What doesn't hold is in the report.
pub async fn run(settings: Settings) -> Outcome<Report> {
    let Settings { plan, folder, is_told } = settings;
    let mut place = Place::open(&folder, &plan).await?;
    let control = Control::open(&place);
    let mut people = JoinSet::new();
    for hands in place.officers.clone() {
        people.spawn(call::work(hands, control.calls()));
    }
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for planned in plan.calls.clone() {
        calls.spawn(control.clone().follow(planned, began));
    }
    let injected = Injector::new(&mut place, began, is_told).play(&plan).await;
    let mut unsettled = 0_usize;
    let settled = async { while calls.join_next().await.is_some() {} };
    if tokio::time::timeout(SETTLES_WITHIN, settled).await.is_err() {
        unsettled = calls.len();
    }
    people.abort_all();
    calls.abort_all();
    let report = check::everything(&place, &control, &plan, &injected, unsettled).await?;
    place.close().await?;
    Ok(report)
}
