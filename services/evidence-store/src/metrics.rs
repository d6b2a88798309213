//! How the evidence stands, as figures: what waits to be sealed and for how long, whether the log grows, whether anything is amiss.

use std::sync::LazyLock;

use chassis::{
    Clock, Shutdown,
    config::Telemetry,
    metrics::{self, Found, Gauge, KeyValue, counter, durations},
};
use chrono::TimeDelta;
use opentelemetry::{
    global,
    metrics::{Counter, Gauge as SetGauge, Histogram},
};
use outbox::Scope;

use crate::{
    app::Unreadable,
    log::Log,
    store::{self, Store, StoreError},
};

const EXHIBITS: Gauge = Gauge {
    name: "alcove.evidence.exhibits",
    unit: "{exhibit}",
    about: "Exhibits that are not sealed: of calls that go on (live), else by how far their sealing is",
};
const OLDEST: Gauge = Gauge {
    name: "alcove.evidence.exhibits.age",
    unit: "s",
    about: "How long the exhibit that waits longest in a stage of sealing has waited since its call ended",
};
const ALARMS: Gauge = Gauge {
    name: "alcove.evidence.alarms",
    unit: "{alarm}",
    about: "Integrity alarms of the last day: something is not as it was acknowledged",
};
const CHECKPOINT_AGE: Gauge = Gauge {
    name: "alcove.evidence.log.checkpoint.age",
    unit: "s",
    about: "How long ago the log was last signed; not exported before the first time",
};
const UNWITNESSED_AGE: Gauge = Gauge {
    name: "alcove.evidence.log.unwitnessed.age",
    unit: "s",
    about: "How long the log's newest entries have waited for the witness; 0 when none do, or there is no witness",
};

/// What waits in which stage; each is said also when none does.
const STAGES: [&str; 6] = ["open", "fenced", "manifested", "signed", "timestamped", "logged"];

const BEHIND: Gauge = Gauge {
    name: "alcove.evidence.log.behind",
    unit: "{process}",
    about: "1 when the database is not the newest there was: nothing is served until a person has looked",
};

const UNREADABLE: Gauge = Gauge {
    name: "alcove.evidence.unreadable",
    unit: "{exhibit}",
    about: "Exhibits whose rows could not be read when this process started, and still can't: nothing of theirs is taken or sealed",
};

static LOG_SIZE: LazyLock<SetGauge<u64>> = LazyLock::new(|| {
    global::meter("alcove")
        .u64_gauge("alcove.evidence.log.size")
        .with_unit("{entry}")
        .with_description("Entries that the log has published")
        .build()
});
static SEALING_WAITS: LazyLock<SetGauge<u64>> = LazyLock::new(|| {
    global::meter("alcove")
        .u64_gauge("alcove.evidence.sealing_waits")
        .with_unit("{exhibit}")
        .with_description("Exhibits whose sealing waits, by what for")
        .build()
});
static SKEW: LazyLock<SetGauge<f64>> = LazyLock::new(|| {
    global::meter("alcove")
        .f64_gauge("alcove.evidence.timestamp_skew")
        .with_unit("s")
        .with_description("Our clock less the timestamp authority's, at its last token")
        .build()
});
static APPENDED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("alcove.evidence.appended", "By", "Bytes of segments that were acknowledged"));
static APPENDS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    durations("alcove.evidence.append.duration", "How long a segment took from its arrival to its acknowledgement")
});

/// A segment was acknowledged.
pub(crate) fn appended(bytes: usize, took: std::time::Duration) {
    APPENDED.add(bytes as u64, &[]);
    APPENDS.record(took.as_secs_f64(), &[]);
}

/// The log has published so many entries.
pub(crate) fn log_has(entries: u64) {
    LOG_SIZE.record(entries, &[]);
}

/// So many exhibits wait for this.
pub(crate) fn sealing_waits(what: &'static str, exhibits: u64) {
    SEALING_WAITS.record(exhibits, &[KeyValue::new("alcove.waits_for", what)]);
}

/// Our clock is so many seconds ahead of the authority's.
pub(crate) fn skewed(seconds: f64) {
    SKEW.record(seconds, &[]);
}

/// Keeps the figures until the shutdown.
pub async fn measure(
    store: Store,
    clock: Clock,
    (log, unreadable): (Log, Unreadable),
    settings: Telemetry,
    shutdown: Shutdown,
) {
    let (standing, witnessed) = (log.standing().clone(), log.is_witnessed());
    metrics::observe(BEHIND, move || vec![(f64::from(u8::from(standing.is_lost())), Vec::new())]);
    metrics::observe(UNREADABLE, move || vec![(unreadable.count() as f64, Vec::new())]);
    let gauges = [EXHIBITS, OLDEST, ALARMS, CHECKPOINT_AGE, UNWITNESSED_AGE];
    metrics::look_up(&gauges, settings, shutdown, || look(&store, &clock, witnessed)).await;
}

async fn look(store: &Store, clock: &Clock, witnessed: bool) -> Result<Found, StoreError> {
    let (mut found, now) = (Found::default(), clock.now());
    let mut tx = store.begin("figures", Scope::All).await?;
    let stage = |stage: &'static str| [KeyValue::new("alcove.stage", stage)];
    found.add(&EXHIBITS, store::open_exhibits(&mut tx).await? as f64, stage("live"));
    let stages = store::stages(&mut tx).await?;
    for name in STAGES {
        let there = stages.iter().find(|stage| stage.state == name);
        found.add(&EXHIBITS, there.map_or(0, |there| there.exhibits) as f64, stage(name));
        found.add(&OLDEST, metrics::age(there.and_then(|there| there.oldest), now), stage(name));
    }
    found.add(&ALARMS, store::alarms_since(&mut tx, now - TimeDelta::days(1)).await? as f64, []);
    let log = store::checkpoints(&mut tx).await?;
    if log.newest.is_some() {
        found.add(&CHECKPOINT_AGE, metrics::age(log.newest, now), []);
    }
    found.add(&UNWITNESSED_AGE, metrics::age(log.unwitnessed.filter(|_| witnessed), now), []);
    Ok(found)
}
