//! 10,000 open clocks: how late what falls due is told, at a steady pace, and how long so many take that fall due at once. referral as a
//! process, on a durable Postgres and a NATS of its own; the clocks are rows that this process puts there.

use std::{collections::HashMap, time::Duration};

use async_nats::jetstream::consumer::pull;
use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use sqlx::PgPool;
use testkit::{Durability, Postgres, Service, TestNats, key};
use uuid::Uuid;

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

const SERVICE: &str = "referral";
/// Deadlines a second at the steady pace: some thousand times what the country's calls make.
const PACE: i64 = 100;
/// Until the first is due: the rows are there by then.
const AHEAD: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(120);

/// Clocks, each of a call of its own; of the first `$2` one falls due every `$3`-th second from `$4` on, of the rest tomorrow. Each is
/// near two seconds before.
const OPEN: &str = "
    with calls as (
        insert into referral.packages (call_id, force_id, facts, trace)
        select gen_random_uuid(), 'wmp', '{}', '' from generate_series(1, $1) returning call_id),
    numbered as (select call_id, row_number() over () - 1 as n from calls),
    due as (select call_id, case when n < $2 then $4 + n * interval '1 second' / $3 else $4 + interval '1 day' end as at
            from numbered)
    insert into referral.clocks
        (id, call_id, force_id, key, title, source, ends_with, started_at, near_at, due_at)
    select gen_random_uuid(), call_id, 'wmp', 'acknowledgement', 'Bench', 'bench', 'acknowledged', $4 - interval '1 hour',
           at - interval '2 seconds', at from due
    returning call_id, due_at";
const WAKE: &str = "select pg_notify('referral_due', '*')";

/// Measures how late deadline_missed is on the bus.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (open, paced) = if quick { (500, 100) } else { (10_000, 3_000) };
    let mut room = Room::open().await?;
    let late = room.paced(open, paced).await?;
    let note = format!(
        "from the moment it is due to deadline_missed on the bus: {open} clocks open, {paced} of them due at {PACE}/s, each near two \
         seconds before (told too); p50 {:.1} ms, max {:.0} ms",
        late.median(),
        late.max(),
    );
    figures.add(Figure::new("clock_late_p99_ms", late.percentile(99.0), "ms", Target::AtMost(1_000.0), note));
    let took = room.at_once(open).await?;
    let note =
        format!("{open} clocks near and due at the same moment: from then to the last deadline_missed on the bus");
    figures.add(Figure::new("clocks_at_once_s", took, "s", Target::None, note));
    Ok(())
}

/// The service, and what it tells.
struct Room {
    pool: PgPool,
    told: pull::Ordered,
    // In the order in which they end.
    _service: Service,
    _nats: TestNats,
    _postgres: Postgres,
}

impl Room {
    async fn open() -> Result<Self, Failure> {
        let (postgres, nats) = tokio::try_join!(Postgres::launch(Durability::On), TestNats::launch())?;
        postgres.create_database(SERVICE).await?;
        let env = [
            (key(SERVICE, "database__url"), postgres.url(SERVICE)),
            (key(SERVICE, "nats__url"), nats.url().to_owned()),
        ];
        let env = env.each_ref().map(|(key, value)| (key.as_str(), value.as_str()));
        Service::migrate(SERVICE, &env).await?;
        let service = Service::start(SERVICE, &env).await?;
        service.ready().await?;
        let jetstream = nats.jetstream().await?;
        outbox::ensure_stream(&jetstream, SERVICE).await?;
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await?;
        let config = pull::OrderedConfig {
            filter_subject: "alcove.referral.v1.deadline_missed.*".to_owned(),
            ..Default::default()
        };
        let told = stream.create_consumer(config).await?.messages().await?;
        let pool = PgPool::connect(&postgres.url_of_all(SERVICE)).await?;
        Ok(Self { pool, told, _service: service, _nats: nats, _postgres: postgres })
    }

    /// Milliseconds by which each that falls due is late.
    async fn paced(&mut self, open: i64, paced: i64) -> Result<Samples, Failure> {
        let first = Clock::system().now() + TimeDelta::from_std(AHEAD)?;
        let due = self.add(open, paced, PACE, first).await?;
        let mut late = Samples::default();
        self.hear(&due, paced, |at, due| late.add((at - due).as_seconds_f64() * 1e3)).await?;
        Ok(late)
    }

    /// Seconds until the last of so many is told that are due at once.
    async fn at_once(&mut self, count: i64) -> Result<f64, Failure> {
        let moment = Clock::system().now() + TimeDelta::from_std(AHEAD)?;
        let due = self.add(count, count, 1_000_000_000, moment).await?;
        let mut last = moment;
        self.hear(&due, count, |at, _| last = at).await?;
        Ok((last - moment).as_seconds_f64())
    }

    /// Opens clocks; when each call's is due.
    async fn add(
        &self,
        open: i64,
        soon: i64,
        pace: i64,
        first: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, DateTime<Utc>>, Failure> {
        let rows =
            sqlx::query_as(OPEN).bind(open).bind(soon).bind(pace as f64).bind(first).fetch_all(&self.pool).await?;
        sqlx::query(WAKE).execute(&self.pool).await?;
        if Clock::system().now() > first - TimeDelta::seconds(2) {
            return Err("the clocks took too long to put there".into());
        }
        Ok(rows.into_iter().collect())
    }

    /// Takes note of so many as they are told: when, and when it was due.
    async fn hear(
        &mut self,
        due: &HashMap<Uuid, DateTime<Utc>>,
        count: i64,
        mut note: impl FnMut(DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), Failure> {
        for _ in 0..count {
            let told = tokio::time::timeout(PATIENCE, self.told.next()).await.map_err(|_| "a clock was not told of")?;
            let message = told.ok_or("the stream ended")??;
            let now = Clock::system().now();
            let call = message.headers.as_ref().and_then(|headers| headers.get("ce-subject")).ok_or("no call")?;
            let call: Uuid = call.as_str().parse()?;
            note(now, *due.get(&call).ok_or("an unknown call")?);
        }
        Ok(())
    }
}
