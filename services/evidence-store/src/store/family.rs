//! A call's exhibit and its addenda, together: they are one matter in several parts.

use std::collections::BTreeMap;

use exhibit::Digest;
use ids::{CallId, ExhibitId, TrackName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, ItemRow, Key, Located, StoreError, bigint, exhibit, failed, items};
use crate::journal::ledger::Held;

/// What one part of a call's exhibit holds for a segment's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldByPart {
    /// The part.
    pub exhibit: ExhibitId,
    /// What it holds.
    pub held: Held,
    /// The chain head before the place.
    pub prev: Digest,
    /// How many conflicts about this part were kept.
    pub conflicts: u32,
    /// The bytes that were asked about are one of these.
    pub kept: bool,
}

/// Locks every part of a call's exhibit until the transaction ends: nothing is opened, held or disposed of meanwhile. Rows that
/// refer to them may still be added: who looks holds the access log and needs that, while a disposal that has this lock
/// waits for the access log.
///
/// # Errors
/// The database is away.
pub async fn lock_family(tx: &mut PgConnection, call: CallId) -> Result<(), StoreError> {
    sqlx::query!(
        "select exhibit_id from evidence.exhibits where call_id = $1 order by part for no key update",
        call.uuid()
    )
    .fetch_all(tx)
    .await
    .map_err(failed("lock_family"))?;
    Ok(())
}

/// The last part of a call's exhibit: what comes late goes there, if it is open.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn newest_part(conn: &mut PgConnection, call: CallId) -> Result<Option<Located>, StoreError> {
    let newest = sqlx::query_scalar!(
        "select exhibit_id from evidence.exhibits where call_id = $1 order by part desc limit 1",
        call.uuid()
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed("newest_part"))?;
    match newest {
        Some(id) => exhibit(conn, Key::Exhibit(id.into())).await,
        None => Ok(None),
    }
}

/// An exhibit's addenda, oldest first.
///
/// # Errors
/// The database is away.
pub async fn addenda(conn: &mut PgConnection, parent: ExhibitId) -> Result<Vec<ExhibitId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select exhibit_id from evidence.exhibits where parent_exhibit_id = $1 order by part",
        parent.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("addenda"))?;
    Ok(ids.into_iter().map(ExhibitId::from).collect())
}

/// Is any addendum of this exhibit not sealed yet?
///
/// # Errors
/// The database is away.
pub async fn addendum_open(conn: &mut PgConnection, parent: ExhibitId) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (select from evidence.exhibits where parent_exhibit_id = $1 and state <> 'sealed') as "open!""#,
        parent.uuid()
    )
    .fetch_one(conn)
    .await
    .map_err(failed("addendum_open"))
}

/// Does a hold stand on any part of a call's exhibit?
///
/// # Errors
/// The database is away.
pub async fn family_on_hold(conn: &mut PgConnection, call: CallId) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (
               select from evidence.holds h join evidence.exhibits e using (exhibit_id)
               where e.call_id = $1
                 and not exists (select from evidence.hold_releases r where r.hold_id = h.hold_id)) as "held!""#,
        call.uuid()
    )
    .fetch_one(conn)
    .await
    .map_err(failed("family_on_hold"))
}

/// Where each track has come over all parts: the next part starts there. Right once all parts are fenced.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn family_marks(conn: &mut PgConnection, call: CallId) -> Result<BTreeMap<TrackName, u64>, StoreError> {
    let rows = sqlx::query!(
        r#"select track, max(first + segments) as "mark!"
           from evidence.tracks join evidence.exhibits using (exhibit_id)
           where call_id = $1 and track <> 'items' group by track"#,
        call.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("family_marks"))?;
    let at = At { table: "evidence.tracks", row: &call };
    rows.into_iter().map(|r| Ok((at.parse("track", &r.track)?, at.count("segments", r.mark)?))).collect()
}

/// What any part holds for a segment's place, for whoever was sent bytes of this hash for it.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn held_by_call(
    conn: &mut PgConnection,
    call: CallId,
    track: &TrackName,
    seq: u64,
    sha256: Digest,
) -> Result<Option<HeldByPart>, StoreError> {
    let row = sqlx::query!(
        r#"select exhibit_id, sha256, chain, prev,
               (select count(*) from evidence.conflicts c where c.exhibit_id = s.exhibit_id) as "conflicts!",
               exists (select from evidence.conflicts c where (c.exhibit_id, c.track, c.seq, c.sha256)
                       = (s.exhibit_id, s.track, s.seq, $4)) as "kept!"
           from evidence.segments s join evidence.exhibits using (exhibit_id)
           where call_id = $1 and track = $2 and seq = $3"#,
        call.uuid(),
        track.as_str(),
        bigint(seq),
        sha256.as_bytes().as_slice(),
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("held_by_call"))?;
    let at = At { table: "evidence.segments", row: &call };
    row.map(|r| {
        Ok(HeldByPart {
            exhibit: r.exhibit_id.into(),
            held: Held { sha256: at.digest("sha256", &r.sha256)?, chain: at.digest("chain", &r.chain)? },
            prev: at.digest("prev", &r.prev)?,
            conflicts: u32::try_from(r.conflicts).unwrap_or(u32::MAX),
            kept: r.kept,
        })
    })
    .transpose()
}

/// The item that a request brought, in whichever part it is.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn item_by_id(
    conn: &mut PgConnection,
    call: CallId,
    id: Uuid,
) -> Result<Option<(ExhibitId, ItemRow)>, StoreError> {
    let found = sqlx::query_scalar!(
        "select exhibit_id from evidence.items join evidence.exhibits using (exhibit_id)
         where call_id = $1 and item_id = $2",
        call.uuid(),
        id,
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed("item_by_id"))?;
    let Some(exhibit) = found.map(ExhibitId::from) else { return Ok(None) };
    let rows = items(conn, exhibit).await?;
    Ok(rows.into_iter().find(|row| row.id == id).map(|row| (exhibit, row)))
}
