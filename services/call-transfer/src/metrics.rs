//! How the desks stand, as figures: who waits, for how long, and who is there. What happened at them (offers, calls abandoned or given
//! back) is counted where events are published: `alcove.outbox.published`.

use chassis::{
    Clock, Shutdown,
    config::Telemetry,
    metrics::{self, FORCE, Found, Gauge, KeyValue},
};
use sqlx::PgPool;

use crate::{error::Error, store};

const WAITING: Gauge = Gauge {
    name: "alcove.desk.waiting",
    unit: "{call}",
    about: "Calls that no officer has yet, offered ones included",
};
const OLDEST: Gauge = Gauge {
    name: "alcove.desk.waiting.age",
    unit: "s",
    about: "How long the call that waits longest has waited; 0 when none does",
};
const OFFERED: Gauge =
    Gauge { name: "alcove.desk.offered", unit: "{call}", about: "Calls that an officer is being asked to take" };
const IN_CALL: Gauge = Gauge { name: "alcove.desk.in_call", unit: "{call}", about: "Calls that an officer has" };
const OFFICERS: Gauge =
    Gauge { name: "alcove.desk.officers", unit: "{officer}", about: "Officers at the desk, with a call or without" };
const CALLBACKS: Gauge = Gauge {
    name: "alcove.desk.callbacks.due",
    unit: "{callback}",
    about: "Call-backs whose time has come and that nobody has made yet",
};

/// Keeps the figures until the shutdown.
pub async fn measure(pool: PgPool, clock: Clock, settings: Telemetry, shutdown: Shutdown) {
    let gauges = [WAITING, OLDEST, OFFERED, IN_CALL, OFFICERS, CALLBACKS];
    metrics::look_up(&gauges, settings, shutdown, || look(&pool, &clock)).await;
}

async fn look(pool: &PgPool, clock: &Clock) -> Result<Found, Error> {
    let (mut found, stands) = (Found::default(), store::stands(pool).await?);
    let now = clock.now();
    for stand in stands {
        let of = || [KeyValue::new(FORCE, stand.force.clone())];
        found.add(&WAITING, stand.waiting as f64, of());
        found.add(&OLDEST, metrics::age(stand.waiting_since, now), of());
        found.add(&OFFERED, stand.offered as f64, of());
        found.add(&IN_CALL, stand.in_call as f64, of());
        found.add(&OFFICERS, stand.officers as f64, of());
        found.add(&CALLBACKS, stand.callbacks_due as f64, of());
    }
    Ok(found)
}
