//! How the outbox does: what is unsent and for how long, what was published and handled, what waits for a person, and the pool.

use std::{sync::LazyLock, time::Duration};

use chassis::{
    Clock, Shutdown,
    config::Telemetry,
    metrics::{self, FORCE, Found, Gauge, KeyValue, counter, durations},
};
use opentelemetry::metrics::{Counter, Histogram};
use sqlx::PgPool;

use crate::event::Unpublished;

const UNSENT: Gauge =
    Gauge { name: "alcove.outbox.unsent", unit: "{event}", about: "Events that the stream does not have yet" };
const UNSENT_AGE: Gauge = Gauge {
    name: "alcove.outbox.unsent.age",
    unit: "s",
    about: "How long the oldest unsent event has waited; 0 when none does",
};
const PARKED: Gauge = Gauge {
    name: "alcove.outbox.parked",
    unit: "{event}",
    about: "Events that a consumer could not handle, set aside for a person",
};
const CONNECTIONS: Gauge = Gauge {
    name: "db.client.connection.count",
    unit: "{connection}",
    about: "Connections to Postgres that the pool has",
};

const MOST_CONNECTIONS: Gauge = Gauge {
    name: "db.client.connection.max",
    unit: "{connection}",
    about: "Connections to Postgres that the pool may have",
};

static PUBLISHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("alcove.outbox.published", "{event}", "Events that the stream has acknowledged: what happened, by its name")
});
static REDELIVERED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("alcove.outbox.redelivered", "{event}", "Deliveries of events that had been delivered before")
});
static HANDLED: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    durations("messaging.process.duration", "How long handling an event took, its transaction included")
});

/// Keeps the figures of the outbox and the pool until the shutdown, if metrics are exported at all.
pub async fn measure(pool: PgPool, clock: Clock, settings: Telemetry, shutdown: Shutdown) {
    let observed = pool.clone();
    metrics::observe(CONNECTIONS, move || {
        let (all, idle) = (f64::from(observed.size()), observed.num_idle() as f64);
        let of = |state| vec![KeyValue::new("db.client.connection.state", state)];
        vec![(idle, of("idle")), ((all - idle).max(0.0), of("used"))]
    });
    let most = f64::from(pool.options().get_max_connections());
    metrics::observe(MOST_CONNECTIONS, move || vec![(most, Vec::new())]);
    metrics::look_up(&[UNSENT, UNSENT_AGE, PARKED], settings, shutdown, || look(&pool, &clock)).await;
}

async fn look(pool: &PgPool, clock: &Clock) -> Result<Found, sqlx::Error> {
    let unsent = sqlx::query!(
        r#"select count(*) as "events!", min(occurred_at) as oldest from outbox.events where published_at is null"#
    )
    .fetch_one(pool)
    .await?;
    let parked = sqlx::query!(r#"select consumer, count(*) as "events!" from outbox.parked group by consumer"#)
        .fetch_all(pool)
        .await?;
    let mut found = Found::default();
    found.add(&UNSENT, unsent.events as f64, []);
    found.add(&UNSENT_AGE, metrics::age(unsent.oldest, clock.now()), []);
    found.add(&PARKED, 0.0, []);
    for row in parked {
        found.add(&PARKED, row.events as f64, consumer(&row.consumer));
    }
    Ok(found)
}

/// The stream has it.
pub(crate) fn published(service: &'static str, event: &Unpublished) {
    let name = KeyValue::new("alcove.event", event.name.clone());
    PUBLISHED.add(1, &[KeyValue::new("alcove.source", service), name, KeyValue::new(FORCE, event.force.clone())]);
}

/// A consumer is given so many events once more; 0 when it begins, so that the first can be told from none.
pub(crate) fn redelivered(durable: &'static str, events: u64) {
    REDELIVERED.add(events, &consumer(durable));
}

/// A try to handle an event has ended, and how.
pub(crate) fn handled(durable: &'static str, took: Duration, error: Option<&'static str>) {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "nats"),
        KeyValue::new("messaging.operation.name", "process"),
        KeyValue::new("messaging.consumer.group.name", durable),
    ];
    attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
    HANDLED.record(took.as_secs_f64(), &attributes);
}

fn consumer(durable: &str) -> [KeyValue; 1] {
    [KeyValue::new("messaging.consumer.group.name", durable.to_owned())]
}
