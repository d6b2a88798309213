//! The memory of those who have nothing to gain: services keep the newest checkpoint of evidence-store's log in their own
//! databases, and show it in a JetStream key-value bucket. A store that was put back to an earlier day, with its own database,
//! tiles and journal, is told so by all of them.
//!
//! Nothing is checked here but the order: the log's signature is checked by whoever reads the bucket.

use std::time::Duration;

use api::evidence::v1::CheckpointPublished;
use async_nats::{
    connection::State,
    jetstream::{
        Context,
        kv::{self, Operation},
    },
};
use chassis::{Clock, Shutdown, chain};
use futures::{StreamExt, TryStreamExt};
use ring::digest::{SHA256, digest};
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::{Consumer, Delivery, Error, Failure, Handler, Poison, Tx};

/// The bucket. Keys are `<keeper>.<hash of the origin>`, values signed notes.
const BUCKET: &str = "ALCOVE_CHECKPOINTS";
/// The event.
const NAME: &str = "checkpoint_published";
/// How often the database and the bucket are compared: also for a bucket that was lost, or put back.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps and shows. Each service that does spawns one.
#[derive(Debug, Clone)]
pub struct CheckpointKeeper {
    pool: PgPool,
    jetstream: Context,
    keeper: &'static str,
    clock: Clock,
    replicas: usize,
}

impl CheckpointKeeper {
    /// A keeper in this database. `keeper` is its durable consumer's name and the bucket's key: `intake-checkpoints`.
    #[must_use]
    pub fn new(pool: PgPool, jetstream: Context, keeper: &'static str, clock: Clock) -> Self {
        Self { pool, jetstream, keeper, clock, replicas: 1 }
    }

    /// Copies of the bucket: `nats.stream_replicas`.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Keeps and shows until the shutdown, through every loss of the database and of NATS.
    pub async fn run(self, shutdown: Shutdown) {
        let Self { pool, jetstream, keeper, clock, .. } = self.clone();
        let consumer = Consumer::new(pool, jetstream, keeper, "evidence", &[NAME], clock.clone());
        tokio::join!(consumer.run(shutdown.clone(), Keep(clock)), self.show(&shutdown));
    }

    async fn show(&self, shutdown: &Shutdown) {
        loop {
            if let Some(Err(error)) = shutdown.or(self.show_once()).await {
                tracing::debug!(error = chain(&error), "the kept checkpoint can't be shown yet");
            }
            if shutdown.or(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
                return;
            }
        }
    }

    /// Shows what the database has, where the bucket has something else.
    async fn show_once(&self) -> Result<(), Error> {
        let rows = sqlx::query!("select origin, note from outbox.checkpoints").fetch_all(&self.pool).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let bucket = bucket(&self.jetstream, self.replicas).await?;
        let failed = Error::nats("show a checkpoint");
        for row in rows {
            let key = format!("{}.{}", self.keeper, short(&row.origin));
            let shown = bucket.get(&key).await.map_err(|error| failed(error.into()))?;
            if shown.as_deref() != Some(row.note.as_bytes()) {
                bucket.put(&key, row.note.into()).await.map_err(|error| failed(error.into()))?;
            }
        }
        Ok(())
    }
}

/// Takes a checkpoint in, if it is larger than the one that is kept.
struct Keep(Clock);

impl Handler for Keep {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        let CheckpointPublished { origin, size, root, note, .. } = delivery.decode()?;
        let size = i64::try_from(size).ok().filter(|size| *size > 0 && root.len() == 32 && !origin.is_empty());
        let size = size.ok_or_else(|| Poison("not a checkpoint".to_owned()))?;
        sqlx::query!(
            "insert into outbox.checkpoints as kept (origin, size, root, note, heard_at) values ($1, $2, $3, $4, $5)
             on conflict (origin) do update set size = $2, root = $3, note = $4, heard_at = $5 where kept.size < $2",
            origin,
            size,
            root,
            note,
            self.0.now(),
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// What is shown: the keeper's key and the signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Who shows it.
    pub keeper: String,
    /// The signed note, unchecked.
    pub note: String,
}

/// All that is shown now.
///
/// # Errors
/// NATS is away.
pub async fn shown_checkpoints(jetstream: &Context) -> Result<Vec<Shown>, Error> {
    let failed = Error::nats("read the kept checkpoints");
    let Some(bucket) = existing(jetstream).await? else { return Ok(Vec::new()) };
    let keys = bucket.keys().await.map_err(|error| failed(error.into()))?;
    let keys: Vec<String> = keys.try_collect().await.map_err(|error| failed(error.into()))?;
    let mut shown = Vec::new();
    for key in keys {
        if let Some(note) = bucket.get(&key).await.map_err(|error| failed(error.into()))? {
            shown.push(read(key, &note));
        }
    }
    Ok(shown)
}

/// Hands on everything that is shown from now on (and what is shown already), until the shutdown.
pub async fn watch_checkpoints(jetstream: Context, seen: mpsc::Sender<Shown>, shutdown: Shutdown) {
    loop {
        let watching = async {
            let failed = Error::nats("watch the kept checkpoints");
            let Some(bucket) = existing(&jetstream).await? else { return Ok(()) };
            let mut changes = bucket.watch_with_history(">").await.map_err(|error| failed(error.into()))?;
            while let Some(change) = changes.next().await {
                let change = change.map_err(|error| failed(error.into()))?;
                if change.operation == Operation::Put {
                    // Nobody listens any more only when all is over.
                    let _ = seen.send(read(change.key, &change.value)).await;
                }
            }
            Ok::<_, Error>(())
        };
        match shutdown.or(watching).await {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(error = chain(&error), "the kept checkpoints can't be watched yet"),
        }
        if shutdown.or(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
            return;
        }
    }
}

fn read(key: String, note: &[u8]) -> Shown {
    Shown { keeper: key, note: String::from_utf8_lossy(note).into_owned() }
}

/// The bucket, if a keeper has made it.
async fn existing(jetstream: &Context) -> Result<Option<kv::Store>, Error> {
    match jetstream.get_key_value(BUCKET).await {
        Ok(bucket) => Ok(Some(bucket)),
        // NATS says no, or says nothing: only the first is an answer.
        Err(_) if jetstream.client().connection_state() == State::Connected => Ok(None),
        Err(error) => Err(Error::nats("find the bucket of checkpoints")(error.into())),
    }
}

async fn bucket(jetstream: &Context, num_replicas: usize) -> Result<kv::Store, Error> {
    // Asked for first: making it again with another number of copies would be refused.
    if let Some(bucket) = existing(jetstream).await? {
        return Ok(bucket);
    }
    let failed = Error::nats("make the bucket of checkpoints");
    let config = kv::Config { bucket: BUCKET.to_owned(), history: 1, num_replicas, ..kv::Config::default() };
    jetstream.create_key_value(config).await.map_err(|error| failed(error.into()))
}

/// Sixteen hex digits for an origin, which may have characters that a key can't.
fn short(origin: &str) -> String {
    digest(&SHA256, origin.as_bytes()).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
