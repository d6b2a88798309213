//! Which journal files hold which exhibit, and which of them are in object storage.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ids::ExhibitId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, bigint, failed};
use crate::{archive::Archived, journal::core::Entry};

/// Notes which files hold records of which exhibits; those that aren't in the index are left out, like their records.
///
/// # Errors
/// The database is away.
pub async fn note_files(tx: &mut PgConnection, entries: &[Entry]) -> Result<(), StoreError> {
    let pairs: BTreeSet<(Uuid, i64)> =
        entries.iter().map(|entry| (entry.header.exhibit.uuid(), bigint(entry.place.file))).collect();
    let (exhibits, files): (Vec<Uuid>, Vec<i64>) = pairs.into_iter().unzip();
    sqlx::query!(
        "insert into evidence.exhibit_files (exhibit_id, file)
         select n.exhibit_id, n.file from unnest($1::uuid[], $2::bigint[]) as n (exhibit_id, file)
         join evidence.exhibits using (exhibit_id)
         on conflict do nothing",
        &exhibits,
        &files,
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

/// Does a sealed exhibit that isn't archived have records in this file?
///
/// # Errors
/// The database is away.
pub async fn sealed_waits_in(conn: &mut PgConnection, file: u64) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (
               select from evidence.exhibit_files f join evidence.exhibits e using (exhibit_id)
               where f.file = $1 and e.state = 'sealed'
                 and not exists (select from evidence.archived_exhibits a where a.exhibit_id = e.exhibit_id)
           ) as "waits!""#,
        bigint(file)
    )
    .fetch_one(conn)
    .await
    .map_err(failed("sealed_waits_in"))
}

/// Sealed exhibits of which nobody was told, and all of whose call's exhibits are sealed and archived: whoever hears of one
/// lets go of what the call's addenda may still need.
///
/// # Errors
/// The database is away.
pub async fn newly_archived(conn: &mut PgConnection) -> Result<Vec<ExhibitId>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select e.exhibit_id from evidence.exhibits e
         where e.state = 'sealed'
           and not exists (select from evidence.archived_exhibits a where a.exhibit_id = e.exhibit_id)
           and exists (select from evidence.exhibit_files f where f.exhibit_id = e.exhibit_id)
           and not exists (
               select from evidence.exhibits o where o.call_id = e.call_id
               and (o.state <> 'sealed'
                    or exists (select from evidence.exhibit_files f where f.exhibit_id = o.exhibit_id
                               and not exists (select from evidence.archived_files a where a.file = f.file))))
         order by e.exhibit_id"
    )
    .fetch_all(conn)
    .await
    .map_err(failed("newly_archived"))?;
    Ok(rows.into_iter().map(ExhibitId::from).collect())
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

/// Files archived by then that are indexed to their end and hold nothing of an exhibit that is still being made.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn droppable(conn: &mut PgConnection, archived_by: DateTime<Utc>) -> Result<BTreeSet<u64>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select a.file from evidence.archived_files a
         join evidence.journal_files j on j.file = a.file and j.through >= a.bytes
         where a.archived_at <= $1
           and not exists (select from evidence.exhibit_files f join evidence.exhibits e using (exhibit_id)
                           where f.file = a.file and e.state not in ('sealed', 'disposed'))",
        archived_by
    )
    .fetch_all(conn)
    .await
    .map_err(failed("droppable"))?;
    let file = |file: i64| At { table: "evidence.archived_files", row: &file }.count("file", file);
    rows.into_iter().map(file).collect()
}
