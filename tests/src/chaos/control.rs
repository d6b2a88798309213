//! The control room: opens the calls of the plan, follows each to its end over every break of its streams, and takes on each fast-track
//! as it is raised.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use api::intake::v1::{
    CallUpdate, FastTrackState, ForceUpdate, WatchCallResponse, WatchForceResponse, call_update, force_update,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{again::again, place::Place, plan};
use crate::control_room::{ControlRoom, OpenedCall};

/// For one thing that is asked for again and again.
const PATIENCE: Duration = Duration::from_secs(90);
/// A stream on which nothing comes for so long is taken up anew: nobody says that the other end is frozen.
const SILENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

/// The control room's side; cheap to clone.
#[derive(Clone)]
pub(super) struct Control {
    room: ControlRoom,
    calls: Calls,
    force: Arc<Mutex<Force>>,
    _watching: Arc<AbortOnDropHandle<()>>,
}

/// What is known of each call, by its id. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<HashMap<String, Known>>>);

/// What is known of one call.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// As planned.
    pub(super) plan: plan::Call,
    /// All that WatchCall told, over all its streams.
    pub(super) told: Vec<WatchCallResponse>,
    /// WatchCall has ended by itself: nothing more is to come.
    pub(super) is_over: bool,
    /// Officers whom it was answered to that they have it.
    pub(super) accepted_by: Vec<String>,
    /// What its officer did.
    pub(super) done: Done,
}

/// What an officer did in a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Done {
    /// Both phones were in it.
    pub(super) joined: bool,
    /// The id that RequestFastTrack answered.
    pub(super) fast_track: Option<String>,
    /// SendReferral answered.
    pub(super) referral_sent: bool,
    /// EndSession answered.
    pub(super) ended: bool,
    /// What wasn't to be had.
    pub(super) refused: Vec<String>,
}

/// All that WatchForce told, over all its streams.
#[derive(Debug, Default)]
pub(super) struct Force {
    /// In order.
    pub(super) told: Vec<WatchForceResponse>,
}

impl Calls {
    pub(super) fn all(&self) -> BTreeMap<String, Known> {
        self.lock().iter().map(|(id, known)| (id.clone(), known.clone())).collect()
    }

    pub(super) fn plan_of(&self, call: &str) -> Option<plan::Call> {
        self.lock().get(call).map(|known| known.plan)
    }

    pub(super) fn change(&self, call: &str, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.lock().get_mut(call) {
            change(known);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Begins to watch the force.
    pub(super) fn open(place: &Place) -> Self {
        let room = place.desk.control_room.clone();
        let force = Arc::new(Mutex::new(Force::default()));
        let watching = tokio::spawn(watch_force(room.clone(), Arc::clone(&force)));
        Self { room, calls: Calls::default(), force, _watching: Arc::new(AbortOnDropHandle::new(watching)) }
    }

    pub(super) fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// What WatchForce told.
    pub(super) fn force(&self) -> Vec<WatchForceResponse> {
        self.force.lock().unwrap_or_else(PoisonError::into_inner).told.clone()
    }

    /// Opens a call when its time has come, hands it over, and watches it until nothing more is to come.
    pub(super) async fn follow(self, planned: plan::Call, began: Instant) {
        sleep_until(began + Duration::from_millis(planned.opens_ms)).await;
        let number = planned.number.to_string();
        let room = self.room.insisting();
        let Ok(OpenedCall { call_id, .. }) = again(PATIENCE, || room.open(&number)).await else { return };
        let (told, accepted_by, done) = (Vec::new(), Vec::new(), Done::default());
        let known = Known { plan: planned, told, is_over: false, accepted_by, done };
        self.calls.lock().insert(call_id.clone(), known);
        if let Err(refusal) = self.hand_over(&call_id).await {
            self.calls.change(&call_id, |known| known.done.refused.push(format!("handing over: {refusal}")));
        }
        loop {
            let seen =
                self.calls.lock().get(&call_id).and_then(|known| known.told.last()).map_or(0, |last| last.sequence);
            if self.watch(&call_id, seen).await {
                return self.calls.change(&call_id, |known| known.is_over = true);
            }
            sleep(PAUSE).await;
        }
    }

    async fn hand_over(&self, call: &str) -> Result<(), tonic::Status> {
        let room = self.room.insisting();
        again(PATIENCE, || room.triage(call)).await?;
        let room = self.room.insisting();
        again(PATIENCE, || room.consent(call)).await?;
        let room = self.room.insisting();
        again(PATIENCE, || room.transfer(call)).await
    }

    /// One stream, until it breaks; true: it ended by itself.
    async fn watch(&self, call: &str, after: u64) -> bool {
        let Ok(Ok(mut watch)) = timeout(SILENCE, self.room.watch(call, after)).await else { return false };
        loop {
            match timeout(SILENCE, watch.next()).await {
                Ok(Ok(Some(_))) => {
                    let last = watch.seen().last().cloned();
                    self.calls.change(call, |known| known.told.extend(last));
                }
                Ok(Ok(None)) => return true,
                Ok(Err(_)) | Err(_) => return false,
            }
        }
    }
}

impl Known {
    /// The updates of a call.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &call_update::Kind> {
        let kind = |update: &'_ CallUpdate| update.kind.is_some();
        self.told.iter().filter_map(move |told| told.update.as_ref().filter(|update| kind(update))?.kind.as_ref())
    }
}

async fn watch_force(room: ControlRoom, force: Arc<Mutex<Force>>) {
    let lock = || force.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let seen = lock().told.last().map_or(0, |last| last.sequence);
        if let Ok(Ok(mut stream)) = timeout(SILENCE, room.watch_force(seen)).await {
            while let Ok(Ok(Some(told))) = timeout(SILENCE, stream.message()).await {
                if let Some((call, fast_track)) = to_take(&told) {
                    tokio::spawn(take(room.insisting(), call, fast_track));
                }
                lock().told.push(told);
            }
        }
        sleep(PAUSE).await;
    }
}

/// A fast-track that nobody has taken on.
fn to_take(told: &WatchForceResponse) -> Option<(String, String)> {
    let Some(ForceUpdate { kind: Some(force_update::Kind::FastTrack(asked)) }) = &told.update else { return None };
    let is_open = asked.state() != FastTrackState::Acknowledged;
    is_open.then(|| (told.call_id.clone(), asked.fast_track_id.clone()))
}

async fn take(room: ControlRoom, call: String, fast_track: String) {
    // It is raised again for as long as this fails.
    let _ = again(PATIENCE, || room.send_unit(&call, &fast_track)).await;
}
