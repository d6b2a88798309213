//! Which journal files hold which exhibit, and which of them are in object storage.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, TrackName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, bigint, failed};
use crate::{
    archive::Archived,
    journal::{core::Entry, record::Kind},
};

/// Notes which files hold records of which exhibits; those that aren't in the index are left out, like their records.
///
/// # Errors
/// The database is away.
pub async fn note_files(tx: &mut PgConnection, entries: &[Entry]) -> Result<(), StoreError> {
    let holds = |entry: &Entry| {
        let kind = entry.header.kind;
        (entry.header.exhibit.uuid(), bigint(entry.place.file), kind == Kind::Seal, kind == Kind::Tombstone)
    };
    let notes: BTreeSet<(Uuid, i64, bool, bool)> = entries.iter().map(holds).collect();
    let exhibits: Vec<Uuid> = notes.iter().map(|note| note.0).collect();
    let files: Vec<i64> = notes.iter().map(|note| note.1).collect();
    let seals: Vec<bool> = notes.iter().map(|note| note.2).collect();
    let tombstones: Vec<bool> = notes.iter().map(|note| note.3).collect();
    sqlx::query!(
        "insert into evidence.exhibit_files as held (exhibit_id, file, seal, tombstone)
         select n.exhibit_id, n.file, bool_or(n.seal), bool_or(n.tombstone)
         from unnest($1::uuid[], $2::bigint[], $3::bool[], $4::bool[]) as n (exhibit_id, file, seal, tombstone)
         join evidence.exhibits using (exhibit_id) group by n.exhibit_id, n.file
         on conflict (exhibit_id, file) do update
         set seal = held.seal or excluded.seal, tombstone = held.tombstone or excluded.tombstone
         where (excluded.seal and not held.seal) or (excluded.tombstone and not held.tombstone)",
        &exhibits,
        &files,
        &seals,
        &tombstones,
    )
    .execute(tx)
    .await
    .map_err(failed("note_files"))?;
    Ok(())
}

/// Every archived file, and what its copy must be.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn archived_files(conn: &mut PgConnection) -> Result<BTreeMap<u64, Archived>, StoreError> {
    let rows = sqlx::query!("select file, sha256, bytes from evidence.archived_files")
        .fetch_all(conn)
        .await
        .map_err(failed("archived_files"))?;
    let row = |file: i64, sha256: Vec<u8>, bytes| {
        let at = At { table: "evidence.archived_files", row: &file };
        let archived = Archived { sha256: at.digest("sha256", &sha256)?, bytes: at.count("bytes", bytes)? };
        Ok((at.count("file", file)?, archived))
    };
    rows.into_iter().map(|r| row(r.file, r.sha256, r.bytes)).collect()
}

/// Which of these files are archived.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn archived_among(conn: &mut PgConnection, local: &[u64]) -> Result<BTreeSet<u64>, StoreError> {
    let rows = sqlx::query_scalar!("select file from evidence.archived_files where file = any($1)", &bigints(local))
        .fetch_all(conn)
        .await
        .map_err(failed("archived_among"))?;
    rows.into_iter().map(archived_file).collect()
}

fn bigints(files: &[u64]) -> Vec<i64> {
    files.iter().copied().map(bigint).collect()
}

fn archived_file(file: i64) -> Result<u64, StoreError> {
    At { table: "evidence.archived_files", row: &file }.count("file", file)
}

/// Notes that a file's copy was read back.
///
/// # Errors
/// The database is away.
pub async fn insert_archived_file(
    tx: &mut PgConnection,
    file: u64,
    archived: Archived,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.archived_files (file, sha256, bytes, archived_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        bigint(file),
        archived.sha256.as_bytes().as_slice(),
        bigint(archived.bytes),
        now,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_archived_file"))?;
    Ok(())
}

/// Does this file hold what is to be archived soon: records of a sealed exhibit that isn't archived, or a tombstone?
///
/// # Errors
/// The database is away.
pub async fn waits_in(conn: &mut PgConnection, file: u64) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (
               select from evidence.exhibit_files f join evidence.exhibits e using (exhibit_id)
               where f.file = $1 and (f.tombstone or e.state = 'sealed'
                 and not exists (select from evidence.archived_exhibits a where a.exhibit_id = e.exhibit_id))
           ) as "waits!""#,
        bigint(file)
    )
    .fetch_one(conn)
    .await
    .map_err(failed("waits_in"))
}

/// Sealed exhibits of which nobody was told, and which are archived whole: every file with a record of theirs, the seal's
/// own among them.
///
/// # Errors
/// The database is away.
pub async fn newly_archived(conn: &mut PgConnection) -> Result<Vec<ExhibitId>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select e.exhibit_id from evidence.exhibits e
         where e.state = 'sealed' and not e.archived
           and exists (select from evidence.exhibit_files f where f.exhibit_id = e.exhibit_id and f.seal)
           and not exists (select from evidence.exhibit_files f where f.exhibit_id = e.exhibit_id
                           and not exists (select from evidence.archived_files a where a.file = f.file))
         order by e.exhibit_id"
    )
    .fetch_all(conn)
    .await
    .map_err(failed("newly_archived"))?;
    Ok(rows.into_iter().map(ExhibitId::from).collect())
}

/// How much of each track of a call is archived: the number behind the last segment of the last part before the first
/// that isn't archived.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn archived_marks(conn: &mut PgConnection, call: CallId) -> Result<BTreeMap<TrackName, u64>, StoreError> {
    let rows = sqlx::query!(
        r#"select track, max(first + segments) as "mark!"
           from evidence.tracks join evidence.exhibits e using (exhibit_id)
           where call_id = $1 and track <> 'items'
             and not exists (
                 select from evidence.exhibits p where p.call_id = $1 and p.part <= e.part
                 and not exists (select from evidence.archived_exhibits a where a.exhibit_id = p.exhibit_id))
           group by track order by track"#,
        call.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("archived_marks"))?;
    let at = At { table: "evidence.tracks", row: &call };
    rows.into_iter().map(|r| Ok((at.parse("track", &r.track)?, at.count("segments", r.mark)?))).collect()
}

/// Were all who keep copies of an exhibit told that they may drop them?
///
/// # Errors
/// The database is away.
pub async fn copies_called_back(conn: &mut PgConnection, id: ExhibitId) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (select from evidence.archived_exhibits where exhibit_id = $1) as "told!""#,
        id.uuid()
    )
    .fetch_one(conn)
    .await
    .map_err(failed("copies_called_back"))
}

/// Whether the journal has an exhibit's tombstone, as far as the index knows.
///
/// # Errors
/// The database is away.
pub async fn has_tombstone_record(conn: &mut PgConnection, id: ExhibitId) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (select from evidence.exhibit_files where exhibit_id = $1 and tombstone) as "there!""#,
        id.uuid()
    )
    .fetch_one(conn)
    .await
    .map_err(failed("has_tombstone_record"))
}

/// Notes that an exhibit is archived; false if it was noted before.
///
/// # Errors
/// The database is away.
pub async fn insert_archived_exhibit(
    tx: &mut PgConnection,
    id: ExhibitId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into evidence.archived_exhibits (exhibit_id, archived_at) values ($1, $2) on conflict do nothing",
        id.uuid(),
        now
    )
    .execute(tx)
    .await
    .map_err(failed("insert_archived_exhibit"))?;
    Ok(done.rows_affected() == 1)
}

/// Which of these files, archived by then, are indexed to their end and hold nothing of an exhibit that is still being made.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn droppable(
    conn: &mut PgConnection,
    local: &[u64],
    archived_by: DateTime<Utc>,
) -> Result<BTreeSet<u64>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select a.file from evidence.archived_files a
         join evidence.journal_files j on j.file = a.file and j.through >= a.bytes
         where a.file = any($1) and a.archived_at <= $2
           and not exists (select from evidence.exhibit_files f join evidence.exhibits e using (exhibit_id)
                           where f.file = a.file and e.state <> 'sealed')",
        &bigints(local),
        archived_by
    )
    .fetch_all(conn)
    .await
    .map_err(failed("droppable"))?;
    rows.into_iter().map(archived_file).collect()
}
