//! A small world for the outbox: a database, a NATS, a relay and consumers that can die and come back, and a table of
//! effects to count.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream;
use chassis::{Clock, Entropy, Shutdown, ShutdownTrigger, Trace};
use ids::{CallId, ForceId};
use outbox::{
    Consumer, Delivery, Failure, Handler, NewEvent, Relay, Tx,
    probe::{Probe, Step},
};
use sqlx::{PgPool, Row};
use testkit::{TestDatabase, TestNats, until};
use tokio::{sync::Notify, task::JoinHandle};

pub const PATIENCE: Duration = Duration::from_secs(60);
pub const SOURCE: &str = "intake";

pub struct World {
    pub database: TestDatabase,
    pub nats: TestNats,
    pub pool: PgPool,
    pub jetstream: jetstream::Context,
    pub entropy: Entropy,
    pub clock: Clock,
}

impl World {
    pub async fn new() -> Self {
        let (database, nats) = tokio::join!(testkit::database_durable(), testkit::nats());
        let pool = database.pool();
        outbox::migrate(&pool).await.unwrap();
        sqlx::raw_sql("create table effects (id bigserial, consumer text, call uuid, version bigint, name text)")
            .execute(&pool)
            .await
            .unwrap();
        let settings = chassis::config::Nats { url: nats.url().to_owned(), stream_replicas: 1 };
        let (_, jetstream) = outbox::nats("outbox", &settings, None).await.unwrap();
        Self { database, nats, pool, jetstream, entropy: Entropy::os(), clock: Clock::system() }
    }

    pub fn call(&self) -> CallId {
        self.entropy.id(self.clock.now())
    }

    /// One transaction with these events of a call.
    pub async fn write(&self, call: CallId, names: &[&'static str]) -> Result<(), outbox::Error> {
        write(&self.pool, &self.entropy, &self.clock, call, names, true).await
    }

    pub fn relay(&self) -> Relay {
        Relay::new(self.pool.clone(), self.jetstream.clone(), SOURCE)
    }

    pub fn consumer(&self, durable: &'static str, names: &'static [&'static str]) -> Consumer {
        Consumer::new(self.pool.clone(), self.jetstream.clone(), durable, SOURCE, names, self.clock.clone())
            .ack_wait(Duration::from_millis(600))
    }

    /// A consumer's effects: for each call the versions, in the order in which they had their effect.
    pub async fn effects(&self, consumer: &str) -> BTreeMap<CallId, Vec<i64>> {
        let mut effects = BTreeMap::<_, Vec<_>>::new();
        let rows = sqlx::query("select call, version from effects where consumer = $1 order by id")
            .bind(consumer)
            .fetch_all(&self.pool)
            .await
            .unwrap();
        for row in rows {
            effects.entry(CallId::from(row.get::<uuid::Uuid, _>(0))).or_default().push(row.get(1));
        }
        effects
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(&self.pool).await.unwrap().get(0)
    }

    /// Waits until the consumer owes nothing: all delivered, all acknowledged.
    pub async fn settled(&self, durable: &str) {
        until(&format!("{durable} to settle"), async || {
            let consumer = self
                .jetstream
                .get_consumer_from_stream::<jetstream::consumer::pull::Config, _, _>(durable, "ALCOVE_INTAKE")
                .await;
            consumer.is_ok_and(|consumer| {
                let info = consumer.cached_info();
                info.num_pending == 0 && info.num_ack_pending == 0
            })
        })
        .await;
    }
}

pub async fn write(
    pool: &PgPool,
    entropy: &Entropy,
    clock: &Clock,
    call: CallId,
    names: &[&'static str],
    commit: bool,
) -> Result<(), outbox::Error> {
    let force: ForceId = "wmp".parse().unwrap();
    let mut tx = pool.begin().await?;
    let events = names.iter().map(|name| NewEvent {
        name,
        call,
        force: force.clone(),
        payload: name.as_bytes().to_vec(),
        trace: Trace::none(),
    });
    outbox::write_in_tx(&mut tx, entropy, clock.now(), events).await?;
    if commit {
        tx.commit().await?
    } else {
        tx.rollback().await?
    }
    Ok(())
}

/// The effect of an event: one row.
#[derive(Clone)]
pub struct Effect(pub &'static str);

impl Handler for Effect {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        effect(self.0, tx, delivery).await
    }
}

/// Begins, and has its effect when it is let go on.
#[derive(Clone, Default)]
pub struct Slow {
    pub started: Arc<Notify>,
    pub go_on: Arc<Notify>,
}

impl Handler for Slow {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        self.started.notify_one();
        self.go_on.notified().await;
        effect("slow", tx, delivery).await
    }
}

pub async fn effect(consumer: &str, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
    assert_eq!(delivery.payload, delivery.name.as_bytes());
    sqlx::query("insert into effects (consumer, call, version, name) values ($1, $2, $3, $4)")
        .bind(consumer)
        .bind(delivery.call.uuid())
        .bind(i64::try_from(delivery.version).unwrap())
        .bind(&delivery.name)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A process that dies at the step that is next on its list, and is started again at once.
pub struct Mortal {
    deaths: Arc<Mutex<Vec<Step>>>,
    trigger: ShutdownTrigger,
    supervisor: JoinHandle<()>,
}

impl Mortal {
    pub fn start<F>(run: impl Fn(Probe, Shutdown) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let deaths = Arc::new(Mutex::new(Vec::<Step>::new()));
        let (trigger, shutdown) = Shutdown::manual();
        let supervisor = tokio::spawn({
            let deaths = deaths.clone();
            async move {
                loop {
                    let died = Arc::new(Notify::new());
                    let probe = Probe::new({
                        let (deaths, died) = (deaths.clone(), died.clone());
                        move |step| {
                            let mut deaths = deaths.lock().unwrap();
                            let dies = deaths.first() == Some(&step);
                            if dies {
                                deaths.remove(0);
                                died.notify_one();
                            }
                            dies
                        }
                    });
                    let mut life = tokio::spawn(run(probe, shutdown.clone()));
                    tokio::select! {
                        () = died.notified() => {
                            life.abort();
                            let _ = life.await;
                        }
                        ended = &mut life => return ended.unwrap(),
                    }
                }
            }
        });
        Self { deaths, trigger, supervisor }
    }

    pub fn dies_at(&self, step: Step) {
        self.deaths.lock().unwrap().push(step);
    }

    pub async fn stop(self) {
        self.trigger.request();
        tokio::time::timeout(PATIENCE, self.supervisor).await.expect("ends").unwrap();
    }
}
