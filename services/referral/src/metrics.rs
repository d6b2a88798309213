//! What has not reached partners, and which clocks run out, as figures.

use chassis::{
    Clock, Shutdown,
    config::Telemetry,
    metrics::{self, FORCE, Found, Gauge, KeyValue},
};
use chrono::TimeDelta;

use crate::store::{Store, StoreError};

const PARCELS: Gauge = Gauge {
    name: "alcove.referral.parcels",
    unit: "{parcel}",
    about: "Parcels to partners, by state: waiting to be sent, or failed in the last day",
};
const OLDEST: Gauge = Gauge {
    name: "alcove.referral.parcels.age",
    unit: "s",
    about: "How long the oldest waiting parcel has waited; 0 when none does",
};
const CLOCKS: Gauge = Gauge {
    name: "alcove.referral.clocks",
    unit: "{clock}",
    about: "Statutory clocks that run, by state: near their end, or missed",
};

/// Keeps the figures until the shutdown.
pub async fn measure(store: Store, clock: Clock, settings: Telemetry, shutdown: Shutdown) {
    metrics::look_up(&[PARCELS, OLDEST, CLOCKS], settings, shutdown, || look(&store, &clock)).await;
}

async fn look(store: &Store, clock: &Clock) -> Result<Found, StoreError> {
    let (mut found, now) = (Found::default(), clock.now());
    let state = |state| KeyValue::new("alcove.state", state);
    // Said also when there is none: an alert can then tell nothing to send from nobody to ask.
    for none in ["waiting", "failed"] {
        found.add(&PARCELS, 0.0, [state(none)]);
    }
    found.add(&OLDEST, 0.0, []);
    for none in ["near", "missed"] {
        found.add(&CLOCKS, 0.0, [state(none)]);
    }
    for of in store.undelivered(now - TimeDelta::days(1)).await? {
        let force = KeyValue::new(FORCE, of.force);
        found.add(&PARCELS, of.waiting as f64, [state("waiting"), force.clone()]);
        found.add(&PARCELS, of.failed as f64, [state("failed"), force.clone()]);
        found.add(&OLDEST, metrics::age(of.oldest, now), [force]);
    }
    for of in store.running_clocks().await? {
        let force = KeyValue::new(FORCE, of.force);
        found.add(&CLOCKS, of.near as f64, [state("near"), force.clone()]);
        found.add(&CLOCKS, of.missed as f64, [state("missed"), force]);
    }
    Ok(found)
}
