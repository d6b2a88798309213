//! How far each journal file is indexed, and the index emptied to be made again.

use std::collections::BTreeMap;

use ids::{ExhibitId, TrackName};
use sqlx::PgConnection;

use super::{At, StoreError, bigint, failed};
use crate::journal::{core::Entry, recovery::Indexed};

/// How far each journal file is indexed.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn journal_files(conn: &mut PgConnection) -> Result<BTreeMap<u64, Indexed>, StoreError> {
    let rows = sqlx::query!("select file, through, last, last_check from evidence.journal_files")
        .fetch_all(conn)
        .await
        .map_err(failed("journal_files"))?;
    let mut files = BTreeMap::new();
    for row in rows {
        let at = At { table: "evidence.journal_files", row: &row.file };
        let (through, last) = (at.count("through", row.through)?, at.count("last", row.last)?);
        let check = at.digest("last_check", &row.last_check)?;
        files.insert(at.count("file", row.file)?, Indexed { through, last, check });
    }
    Ok(files)
}

/// Notes that a journal file is indexed through this record.
///
/// # Errors
/// The database is away.
pub async fn set_through(tx: &mut PgConnection, entry: &Entry) -> Result<(), StoreError> {
    let check = entry.header.check();
    sqlx::query!(
        "insert into evidence.journal_files as f (file, through, last, last_check) values ($1, $2, $3, $4)
         on conflict (file) do update
         set through = excluded.through, last = excluded.last, last_check = excluded.last_check
         where f.through < excluded.through",
        bigint(entry.place.file),
        bigint(entry.end()),
        bigint(entry.place.at),
        check.as_bytes().as_slice(),
    )
    .execute(tx)
    .await
    .map_err(failed("set_through"))?;
    Ok(())
}

/// Empties the index of the journal. Gives every fence's marks, which the journal doesn't have before the seal.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn empty_index(tx: &mut PgConnection) -> Result<Vec<(ExhibitId, TrackName, u64)>, StoreError> {
    let marks = sqlx::query!(
        r#"select exhibit_id, track, fence as "fence!" from evidence.tracks where fence is not null
           order by exhibit_id, track"#
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(failed("empty_index"))?;
    sqlx::query!(
        "truncate evidence.segments, evidence.tracks, evidence.items, evidence.conflicts, evidence.journal_files"
    )
    .execute(tx)
    .await
    .map_err(failed("empty_index"))?;
    let mark = |id: uuid::Uuid, track: String, fence: i64| {
        let at = At { table: "evidence.tracks", row: &id };
        Ok((id.into(), at.parse("track", &track)?, at.count("fence", fence)?))
    };
    marks.into_iter().map(|row| mark(row.exhibit_id, row.track, row.fence)).collect()
}

/// Puts the marks back.
///
/// # Errors
/// The database is away.
pub async fn restore_marks(tx: &mut PgConnection, marks: &[(ExhibitId, TrackName, u64)]) -> Result<(), StoreError> {
    for (id, track, mark) in marks {
        sqlx::query!(
            "update evidence.tracks set fence = $3 where exhibit_id = $1 and track = $2 and fence is null",
            id.uuid(),
            track.as_str(),
            bigint(*mark),
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("restore_marks"))?;
    }
    Ok(())
}
