//! What control rooms have not answered, as figures. What happened (calls opened, transfers asked for) is counted where events are
//! published: `alcove.outbox.published`.

use chassis::{
    Shutdown,
    config::Telemetry,
    metrics::{self, FORCE, Found, Gauge, KeyValue},
};

use crate::store::{Store, StoreError};

const FAST_TRACKS: Gauge = Gauge {
    name: "alcove.fast_track.unacknowledged",
    unit: "{fast_track}",
    about: "Fast-tracks that nobody in the control room has taken on",
};
const RAISED_AGAIN: Gauge = Gauge {
    name: "alcove.fast_track.raised_again",
    unit: "{fast_track}",
    about: "Of these, those that nobody took on in time, so that they were raised again",
};
const MAIT: Gauge = Gauge {
    name: "alcove.mait.unsent",
    unit: "{message}",
    about: "Messages that control rooms which speak MAIT have not taken yet",
};

/// Keeps the figures until the shutdown.
pub async fn measure(store: Store, settings: Telemetry, shutdown: Shutdown) {
    metrics::look_up(&[FAST_TRACKS, RAISED_AGAIN, MAIT], settings, shutdown, || look(&store)).await;
}

async fn look(store: &Store) -> Result<Found, StoreError> {
    let mut found = Found::default();
    // Said also when there is none: an alert can then tell nothing to answer from nobody to ask.
    found.add(&FAST_TRACKS, 0.0, []);
    found.add(&RAISED_AGAIN, 0.0, []);
    for stand in store.unanswered().await? {
        found.add(&FAST_TRACKS, stand.fast_tracks as f64, [KeyValue::new(FORCE, stand.force.clone())]);
        found.add(&RAISED_AGAIN, stand.raised_again as f64, [KeyValue::new(FORCE, stand.force)]);
    }
    found.add(&MAIT, store.mait_unsent().await? as f64, []);
    Ok(found)
}
