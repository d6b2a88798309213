//! The log's tables: what waits for its place, what has one, and every checkpoint that was signed.

use chrono::{DateTime, Utc};
use exhibit::{
    Digest,
    tlog::{Entry, Frontier, note::SignedNote},
};
use ids::ExhibitId;
use sqlx::PgConnection;

use super::{At, StoreError, Wake, bigint, failed, wake};

const CHECKPOINTS: &str = "evidence.log_checkpoints";
const ENTRIES: &str = "evidence.log_entries";

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// The tree's right edge: its size and root are in it.
    pub frontier: Frontier,
    /// As the log signed it.
    pub note: SignedNote,
    /// With the witness's cosignature, if it was given.
    pub cosigned: Option<SignedNote>,
}

/// An entry that waits for its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its place in the queue.
    pub id: i64,
    /// Its leaf hash.
    pub leaf: Digest,
    /// The leaf, byte for byte.
    pub entry: Vec<u8>,
    /// Whom it is about.
    pub exhibit: ExhibitId,
}

/// Puts a fact into the log, in the transaction that makes it one: it gets its place when that has committed. What is in the log,
/// or on its way, stays there once.
///
/// # Errors
/// The database is away.
pub async fn queue_log_entry(tx: &mut PgConnection, entry: &Entry, exhibit: ExhibitId) -> Result<(), StoreError> {
    let leaf = entry.leaf_hash();
    let done = sqlx::query!(
        "insert into evidence.log_queue (leaf_sha256, entry, exhibit_id)
         select $1, $2, $3 where not exists (select from evidence.log_entries where leaf_sha256 = $1)
         on conflict do nothing",
        leaf.as_bytes().as_slice(),
        entry.to_bytes(),
        exhibit.uuid(),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("queue_log_entry"))?;
    if done.rows_affected() == 1 { wake(tx, Wake::Log).await } else { Ok(()) }
}

/// What waits longest. What got its place meanwhile, by a race, is among it too: see [`place_entries`].
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn queued_entries(tx: &mut PgConnection, limit: i64) -> Result<Vec<Queued>, StoreError> {
    let rows = sqlx::query!(
        "select queue_id, leaf_sha256, entry, exhibit_id from evidence.log_queue order by queue_id limit $1",
        limit
    )
    .fetch_all(tx)
    .await
    .map_err(failed("queued_entries"))?;
    let queued = |id: i64, leaf: Vec<u8>, entry, exhibit: uuid::Uuid| {
        let at = At { table: "evidence.log_queue", row: &id };
        Ok(Queued { id, leaf: at.digest("leaf_sha256", &leaf)?, entry, exhibit: exhibit.into() })
    };
    rows.into_iter().map(|r| queued(r.queue_id, r.leaf_sha256, r.entry, r.exhibit_id)).collect()
}

/// Which of these leaves have a place already.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn placed(tx: &mut PgConnection, leaves: &[Digest]) -> Result<Vec<Digest>, StoreError> {
    let leaves: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.as_bytes().to_vec()).collect();
    let rows = sqlx::query_scalar!("select leaf_sha256 from evidence.log_entries where leaf_sha256 = any($1)", &leaves)
        .fetch_all(tx)
        .await
        .map_err(failed("placed"))?;
    let at = At { table: ENTRIES, row: &"by leaf" };
    rows.iter().map(|leaf| at.digest("leaf_sha256", leaf)).collect()
}

/// Gives entries their places, from `first` on.
///
/// # Errors
/// The database is away, or a place is taken.
pub async fn place_entries(tx: &mut PgConnection, first: u64, entries: &[Queued]) -> Result<(), StoreError> {
    let places: Vec<i64> = (first..).take(entries.len()).map(bigint).collect();
    let leaves: Vec<Vec<u8>> = entries.iter().map(|e| e.leaf.as_bytes().to_vec()).collect();
    let texts: Vec<Vec<u8>> = entries.iter().map(|e| e.entry.clone()).collect();
    let exhibits: Vec<uuid::Uuid> = entries.iter().map(|e| e.exhibit.uuid()).collect();
    sqlx::query!(
        "insert into evidence.log_entries (log_index, leaf_sha256, entry, exhibit_id)
         select * from unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::uuid[])",
        &places,
        &leaves,
        &texts,
        &exhibits,
    )
    .execute(tx)
    .await
    .map_err(failed("place_entries"))?;
    Ok(())
}

/// Takes entries out of the queue: they have their places.
///
/// # Errors
/// The database is away.
pub async fn unqueue(tx: &mut PgConnection, ids: &[i64]) -> Result<(), StoreError> {
    sqlx::query!("delete from evidence.log_queue where queue_id = any($1)", ids)
        .execute(tx)
        .await
        .map_err(failed("unqueue"))?;
    Ok(())
}

/// Keeps a checkpoint, before anybody else sees it.
///
/// # Errors
/// The database is away, or one of that size exists.
pub async fn insert_checkpoint(
    tx: &mut PgConnection,
    frontier: &Frontier,
    note: &SignedNote,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let root = frontier.root();
    sqlx::query!(
        "insert into evidence.log_checkpoints (size, root, peaks, note, signed_at) values ($1, $2, $3, $4, $5)",
        bigint(frontier.size()),
        root.as_bytes().as_slice(),
        exhibit::tlog::tile::encode_hashes(frontier.peaks()),
        note.to_text(),
        now,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_checkpoint"))?;
    Ok(())
}

/// Keeps the witness's word on a checkpoint, and wakes those whose seals it covers; false if it was there.
///
/// # Errors
/// The database is away.
pub async fn save_cosigned(
    tx: &mut PgConnection,
    size: u64,
    cosigned: &SignedNote,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update evidence.log_checkpoints set cosigned = $2, cosigned_at = $3 where size = $1 and cosigned is null",
        bigint(size),
        cosigned.to_text(),
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("save_cosigned"))?;
    Ok(done.rows_affected() == 1)
}

struct Row {
    size: i64,
    root: Vec<u8>,
    peaks: Vec<u8>,
    note: String,
    cosigned: Option<String>,
}

impl TryFrom<Row> for CheckpointRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let at = At { table: CHECKPOINTS, row: &row.size };
        let peaks = exhibit::tlog::tile::decode_hashes(&row.peaks).map_err(|_| at.corrupt("peaks"))?;
        let size = at.count("size", row.size)?;
        let frontier = Frontier::from_peaks(size, peaks).map_err(|_| at.corrupt("peaks"))?;
        if frontier.root() != at.digest("root", &row.root)? {
            return Err(at.corrupt("root"));
        }
        let note = SignedNote::parse(row.note).map_err(|_| at.corrupt("note"))?;
        let cosigned = row.cosigned.map(SignedNote::parse).transpose().map_err(|_| at.corrupt("cosigned"))?;
        Ok(Self { frontier, note, cosigned })
    }
}

/// The newest checkpoint; with `cosigned` the newest that the witness has cosigned.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn newest_checkpoint(conn: &mut PgConnection, cosigned: bool) -> Result<Option<CheckpointRow>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select size, root, peaks, note, cosigned from evidence.log_checkpoints
         where cosigned is not null or not $1 order by size desc limit 1",
        cosigned
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("newest_checkpoint"))?;
    row.map(CheckpointRow::try_from).transpose()
}

/// The root that was signed at a size, if a checkpoint was signed there.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn signed_root(conn: &mut PgConnection, size: u64) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query_scalar!("select root from evidence.log_checkpoints where size = $1", bigint(size))
        .fetch_optional(conn)
        .await
        .map_err(failed("signed_root"))?;
    let at = At { table: CHECKPOINTS, row: &size };
    row.map(|root| at.digest("root", &root)).transpose()
}

/// Where a leaf is in the log, if it has its place.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn log_index(conn: &mut PgConnection, leaf: Digest) -> Result<Option<u64>, StoreError> {
    let leaf = leaf.as_bytes().as_slice();
    let row = sqlx::query_scalar!("select log_index from evidence.log_entries where leaf_sha256 = $1", leaf)
        .fetch_optional(conn)
        .await
        .map_err(failed("log_index"))?;
    row.map(|index| At { table: ENTRIES, row: &index }.count("log_index", index)).transpose()
}

/// The entries from one place to before another, with their leaf hashes.
///
/// # Errors
/// The database is away, or a row is impossible, or one is missing.
pub async fn entries(conn: &mut PgConnection, from: u64, until: u64) -> Result<Vec<(Digest, Vec<u8>)>, StoreError> {
    let rows = sqlx::query!(
        "select log_index, leaf_sha256, entry from evidence.log_entries
         where log_index >= $1 and log_index < $2 order by log_index",
        bigint(from),
        bigint(until),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("entries"))?;
    let at = At { table: ENTRIES, row: &from };
    if rows.len() as u64 != until.saturating_sub(from) {
        return Err(at.corrupt("log_index"));
    }
    rows.into_iter().map(|r| Ok((at.digest("leaf_sha256", &r.leaf_sha256)?, r.entry))).collect()
}

/// Queues an `alcove heads v1` entry for each open exhibit whose chains have grown since its last one.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn queue_heads(tx: &mut PgConnection) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        "select t.exhibit_id, t.track, t.segments, t.head
         from evidence.tracks t join evidence.exhibits e using (exhibit_id)
         where e.state = 'open' and t.segments > 0 order by t.exhibit_id, t.track"
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(failed("queue_heads"))?;
    for exhibit in rows.chunk_by(|a, b| a.exhibit_id == b.exhibit_id) {
        let id = exhibit[0].exhibit_id;
        let at = At { table: "evidence.tracks", row: &id };
        let head = |track: &str, segments, head: &[u8]| {
            Ok((at.parse("track", track)?, at.count("segments", segments)?, at.digest("head", head)?))
        };
        let heads = exhibit.iter().map(|r| head(&r.track, r.segments, &r.head)).collect::<Result<_, StoreError>>()?;
        // The same heads are the same leaf, which is there once.
        queue_log_entry(tx, &Entry::Heads { exhibit: id.into(), heads }, id.into()).await?;
    }
    Ok(())
}
