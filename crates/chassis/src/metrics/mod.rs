//! What is measured beside the traces: by OpenTelemetry's names where it has one, else `alcove.*`, all listed in `docs/metrics.md`.
//!
//! A figure of how things stand is never set and forgotten: it is read when it is exported, so what is gone is gone from the next
//! export, and what can't be known is not exported. No attribute is a person's, a call's or an officer's.

mod http;
mod process;
mod rpc;

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
pub use opentelemetry::KeyValue;
use opentelemetry::global;

pub(crate) use self::{
    http::request_took,
    process::measure_process,
    rpc::{Measured, code_name, is_error},
};
use crate::{Shutdown, chain, config::Telemetry};

/// The scope of all our instruments.
const METER: &str = "alcove";

/// The attribute that says which force's desk or case it is. Forces are few.
pub const FORCE: &str = "alcove.force";

/// The boundaries that OpenTelemetry's conventions give for durations, in seconds.
const DURATIONS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// A figure of how things stand, as it is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// `alcove.session.live`
    pub name: &'static str,
    /// By UCUM: `s`, `By`; what is only counted is in braces, `{call}`.
    pub unit: &'static str,
    /// What it says, for people.
    pub about: &'static str,
}

/// A value, and what it is of.
pub type Reading = (f64, Vec<KeyValue>);

/// A counter of ours.
#[must_use]
pub fn counter(name: &'static str, unit: &'static str, about: &'static str) -> opentelemetry::metrics::Counter<u64> {
    global::meter(METER).u64_counter(name).with_unit(unit).with_description(about).build()
}

/// A histogram of durations in seconds.
#[must_use]
pub fn durations(name: &'static str, about: &'static str) -> opentelemetry::metrics::Histogram<f64> {
    global::meter(METER)
        .f64_histogram(name)
        .with_unit("s")
        .with_description(about)
        .with_boundaries(DURATIONS.to_vec())
        .build()
}

/// Has a gauge read whenever metrics are exported. Reading must be quick: it holds up the export.
pub fn observe(gauge: Gauge, read: impl Fn() -> Vec<Reading> + Send + Sync + 'static) {
    global::meter(METER)
        .f64_observable_gauge(gauge.name)
        .with_unit(gauge.unit)
        .with_description(gauge.about)
        .with_callback(move |observer| {
            for (value, attributes) in read() {
                observer.observe(value, &attributes);
            }
        })
        .build();
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Found(BTreeMap<&'static str, Vec<Reading>>);

impl Found {
    /// Adds a value of a gauge.
    pub fn add(&mut self, gauge: &Gauge, value: f64, attributes: impl IntoIterator<Item = KeyValue>) {
        self.0.entry(gauge.name).or_default().push((value, attributes.into_iter().collect()));
    }
}

/// Keeps gauges that have to be asked of a database: it is asked once a period of export, however often they are read, and not at all
/// when nothing is exported. While it can't be asked they are not exported. Each replica says the same, so whoever adds up takes `max`.
pub async fn look_up<F, E>(gauges: &[Gauge], settings: Telemetry, shutdown: Shutdown, look: impl Fn() -> F)
where
    F: Future<Output = Result<Found, E>>,
    E: Error + 'static,
{
    if settings.otlp_endpoint.is_none() {
        return;
    }
    let newest = Arc::new(Mutex::new(Found::default()));
    for gauge in gauges {
        let (newest, name) = (Arc::clone(&newest), gauge.name);
        observe(*gauge, move || {
            newest.lock().unwrap_or_else(PoisonError::into_inner).0.get(name).cloned().unwrap_or_default()
        });
    }
    loop {
        let Some(found) = shutdown.or(look()).await else { return };
        let found = found.unwrap_or_else(|error| {
            tracing::debug!(error = chain(&error), "figures can't be looked up");
            Found::default()
        });
        *newest.lock().unwrap_or_else(PoisonError::into_inner) = found;
        if shutdown.or(tokio::time::sleep(settings.metrics_every())).await.is_none() {
            return;
        }
    }
}

/// Seconds since then; 0 for nothing, and never less: clocks differ.
#[must_use]
pub fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0))
}
