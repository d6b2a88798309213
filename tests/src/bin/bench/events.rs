//! From the commit that writes an event to the commit of its effect at a consumer: `crates/outbox` itself between a
//! durable Postgres and a NATS of its own, and the bare stream as its peer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, Context};
use chassis::{Clock, Entropy, Shutdown, Trace, config};
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use ids::{CallId, ForceId, Secret};
use outbox::{Consumer, NewEvent, Relay};
use sqlx::PgPool;
use testkit::{Durability, Postgres, TestNats};
use tokio::task::JoinHandle;

use self::journal::Journal;
use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

mod journal;

const SERVICE: &str = "intake";
const EVENT: &str = "call_opened";
/// About what an event of ours weighs.
const PAYLOAD: usize = 200;
/// Events a second in the measurement of latency: some fifteen times what 1,000 concurrent calls make.
const RATE: f64 = 200.0;
/// Each transaction of a backlog writes an event of so many calls.
const TOGETHER: usize = 50;
const PATIENCE: Duration = Duration::from_secs(40);

/// Measures latency at a steady pace, the drain of a backlog, and writing and draining at once.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let room = Room::open().await?;
    let (paced, calls, busy) = if quick { (200, 100, 1) } else { (2_000, 2_000, 6) };

    let raw = room.raw_latency(paced).await?;
    let steady = room.steady(paced).await?;
    let note = format!(
        "write_in_tx's commit to the commit of the consumer's effect, {RATE}/s, one event a transaction, {} events; p50 \
         {:.1} ms, max {:.0} ms; fsync on, one Postgres for both; peer: JetStream publish + ack, one at a time at the same \
         pace, p99 (p50 {:.2} ms)",
        steady.count(),
        steady.median(),
        steady.max(),
        raw.median(),
    );
    let figure = Figure::new("event_p99_ms", steady.percentile(99.0), "ms", Target::AtMost(25.0), note);
    figures.add(figure.beside(raw.percentile(99.0)));

    let raw = room.raw_rate(calls * 10).await?;
    let drained = room.backlog(calls, 10).await?;
    let note = format!(
        "a backlog of {} committed events of {calls} calls through relay and consumer, rate over the middle 80%; each \
         effect is a durable transaction of its own with its inbox row; peer: JetStream publish + ack, 500 under way",
        calls * 10,
    );
    figures.add(Figure::new("events_per_s", drained, "/s", Target::AtLeast(5_000.0), note).beside(raw));
    let (written, had) = room.both(Duration::from_secs(busy)).await?;
    let note = format!(
        "effects a second while 8 writers commit one event a transaction as fast as they can ({written:.0}/s) on the same \
         Postgres, for {busy} s; beyond the DESIGN's list",
    );
    figures.add(Figure::new("events_with_writers_per_s", had, "/s", Target::None, note));
    Ok(())
}

/// Postgres, NATS and the tables.
struct Room {
    pool: PgPool,
    jetstream: Context,
    clock: Clock,
    entropy: Entropy,
    force: ForceId,
    // In the order in which they end.
    _servers: (TestNats, Postgres),
}

impl Room {
    async fn open() -> Result<Self, Failure> {
        let (postgres, nats) = tokio::try_join!(Postgres::launch(Durability::On), TestNats::launch())?;
        let database = config::Database { url: Secret::new(postgres.url("postgres")), max_connections: 30 };
        let pool = outbox::pg_pool(&database, config::Profile::Dev).await?;
        outbox::migrate(&pool).await?;
        sqlx::raw_sql("create table effects (call uuid, version bigint, payload bytea)").execute(&pool).await?;
        let settings = config::Nats { url: nats.url().to_owned(), stream_replicas: 1 };
        let (_, jetstream) = outbox::nats(SERVICE, &settings, None).await?;
        outbox::ensure_stream(&jetstream, SERVICE).await?;
        let raw = jetstream::stream::Config {
            name: "RAW".into(),
            subjects: vec!["raw.>".into()],
            storage: jetstream::stream::StorageType::File,
            ..Default::default()
        };
        jetstream.create_stream(raw).await?;
        Ok(Self {
            pool,
            jetstream,
            clock: Clock::system(),
            entropy: Entropy::os(),
            force: "wmp".parse()?,
            _servers: (nats, postgres),
        })
    }

    fn calls(&self, count: usize) -> Vec<CallId> {
        (0..count).map(|_| self.entropy.id(self.clock.now())).collect()
    }

    /// A relay and a consumer whose effects go into the journal.
    fn at_work(&self, journal: &Arc<Journal>) -> Workers {
        let (stop, shutdown) = Shutdown::manual();
        let relay = Relay::new(self.pool.clone(), self.jetstream.clone(), SERVICE);
        let clock = self.clock.clone();
        let consumer = Consumer::new(self.pool.clone(), self.jetstream.clone(), "bench", SERVICE, &[EVENT], clock);
        let consumer = consumer.probe(journal.probe());
        let tasks = [
            tokio::spawn(relay.run(shutdown.clone())),
            tokio::spawn(consumer.run(shutdown, journal::Effect(Arc::clone(journal)))),
        ];
        Workers { stop, tasks }
    }

    /// One transaction with an event of each of these calls, numbered from `first`; answers when it was committed.
    async fn write(&self, calls: &[CallId], first: usize) -> Result<Instant, Failure> {
        let mut tx = self.pool.begin().await?;
        let events = calls.iter().enumerate().map(|(place, call)| NewEvent {
            name: EVENT,
            call: *call,
            force: self.force.clone(),
            payload: journal::payload(first + place, PAYLOAD),
            trace: Trace::none(),
        });
        outbox::write_in_tx(&mut tx, &self.entropy, self.clock.now(), events).await?;
        tx.commit().await?;
        Ok(Instant::now())
    }

    /// Milliseconds from commit to effect, at the steady rate.
    async fn steady(&self, count: usize) -> Result<Samples, Failure> {
        let journal = Journal::new(count);
        let workers = self.at_work(&journal);
        let calls = self.calls(64);
        // Leader and subscription are there before the clock runs.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        let writes = (0..count).map(|number| {
            let call = [calls[number % calls.len()]];
            async move {
                tokio::time::sleep_until((began + Duration::from_secs_f64(number as f64 / RATE)).into()).await;
                self.write(&call, number).await
            }
        });
        let committed = try_join_all(writes).await?;
        journal.full(PATIENCE).await?;
        workers.end().await?;
        let effects = journal.effects();
        Ok(committed
            .iter()
            .zip(effects)
            .map(|(from, to)| (to.saturating_duration_since(*from)).as_secs_f64() * 1e3)
            .collect())
    }

    /// Effects a second out of what was committed before.
    async fn backlog(&self, calls: usize, each: usize) -> Result<f64, Failure> {
        let journal = Journal::new(calls * each);
        let calls = self.calls(calls);
        for round in 0..each {
            let groups = calls.chunks(TOGETHER).enumerate();
            let writes = groups.map(|(n, group)| self.write(group, round * calls.len() + n * TOGETHER));
            stream::iter(writes).buffer_unordered(4).try_collect::<Vec<_>>().await?;
        }
        let workers = self.at_work(&journal);
        journal.full(PATIENCE).await?;
        workers.end().await?;
        Ok(middle_rate(journal.effects()))
    }

    /// Transactions and effects a second, with writers and consumer at work at once.
    async fn both(&self, time: Duration) -> Result<(f64, f64), Failure> {
        let most = 10_000 * usize::try_from(time.as_secs())?;
        let journal = Journal::new(most);
        let workers = self.at_work(&journal);
        let until = Instant::now() + time;
        let number = std::sync::atomic::AtomicUsize::new(0);
        let writer = || async {
            let calls = self.calls(50);
            for call in calls.iter().cycle() {
                let mine = number.fetch_add(1, Ordering::Relaxed);
                if Instant::now() > until || mine >= most {
                    break;
                }
                self.write(&[*call], mine).await?;
            }
            Ok::<_, Failure>(())
        };
        try_join_all((0..8).map(|_| writer())).await?;
        let had = journal.count();
        workers.end().await?;
        let written = (number.into_inner() - 8) as f64;
        Ok((written / time.as_secs_f64(), had as f64 / time.as_secs_f64()))
    }

    async fn raw_publish(&self) -> Result<(), Failure> {
        let ack = self.jetstream.publish("raw.call_opened.wmp", journal::payload(0, PAYLOAD).into()).await?;
        ack.await?;
        Ok(())
    }

    /// Milliseconds of single publishes to the bare stream, at the steady rate.
    async fn raw_latency(&self, count: usize) -> Result<Samples, Failure> {
        let mut samples = Samples::default();
        let mut beat = tokio::time::interval(Duration::from_secs_f64(1.0 / RATE));
        for _ in 0..count {
            beat.tick().await;
            let began = Instant::now();
            self.raw_publish().await?;
            samples.add(began.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(samples)
    }

    /// Publishes a second to the bare stream, with as many under way as the relay has.
    async fn raw_rate(&self, count: usize) -> Result<f64, Failure> {
        let began = Instant::now();
        let publishes = stream::iter((0..count).map(|_| self.raw_publish()));
        publishes.buffer_unordered(500).try_collect::<Vec<_>>().await?;
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }
}

/// A running relay and consumer.
struct Workers {
    stop: chassis::ShutdownTrigger,
    tasks: [JoinHandle<()>; 2],
}

impl Workers {
    async fn end(self) -> Result<(), Failure> {
        self.stop.request();
        try_join_all(self.tasks).await?;
        Ok(())
    }
}

/// The rate between the first and the last tenth: without start and end.
fn middle_rate(mut times: Vec<Instant>) -> f64 {
    times.sort();
    let tenth = times.len() / 10;
    match times.get(tenth).zip(times.get(times.len().saturating_sub(tenth + 1))) {
        Some((from, to)) if to > from => (times.len() - 2 * tenth - 1) as f64 / (*to - *from).as_secs_f64(),
        _ => 0.0,
    }
}
