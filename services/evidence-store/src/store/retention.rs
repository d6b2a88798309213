//! Holds, reviews and disposals: what decides about an exhibit's keeping.

use chrono::{DateTime, Utc};
use exhibit::{Digest, tlog::Entry};
use ids::ExhibitId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, failed};
use crate::domain::{
    Exhibit, State,
    retention::{Classes, Disposal, Hold, Retention, Review},
};

/// What was left of an exhibit when its key was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// What it says, as JSON (RFC 8785).
    pub json: Vec<u8>,
    /// The CMS signature over that.
    pub signature: Vec<u8>,
    /// The authority's answer about the signature; `None`: no authority configured.
    pub token: Option<Vec<u8>>,
}

impl Tombstone {
    /// What is put into the log.
    #[must_use]
    pub fn entry(&self, exhibit: ExhibitId) -> Entry {
        let timestamp = self.token.as_deref().map(Digest::of);
        Entry::Tombstone { exhibit, signature: Digest::of(&self.signature), timestamp }
    }
}

/// All that decides about an exhibit's keeping.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn retention(conn: &mut PgConnection, exhibit: &Exhibit, classes: &Classes) -> Result<Retention, StoreError> {
    let sealed_at = match &exhibit.state {
        State::Sealed(sealed) => Some(sealed.at),
        _ => None,
    };
    let mut retention = Retention::of_new(classes, sealed_at);
    let id = exhibit.id.uuid();
    retention.holds = sqlx::query_as!(
        Hold,
        "select hold_id as id, placed_by, h.reason, placed_at, released_at as \"released_at?\"
         from evidence.holds h left join evidence.hold_releases r using (hold_id)
         where exhibit_id = $1 order by placed_at, hold_id",
        id,
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(failed("retention"))?;
    let reviews = sqlx::query!(
        "select who, decision, reason, at, class, due_at from evidence.reviews where exhibit_id = $1 order by n",
        id,
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(failed("retention"))?;
    for row in reviews {
        retention.class = row.class;
        retention.due_at = Some(row.due_at);
        match row.decision.as_str() {
            "retain" => retention.reviews.clear(),
            _ => retention.reviews.push(Review { who: row.who, reason: row.reason, at: row.at }),
        }
    }
    let row =
        sqlx::query!("select begun_at, signature, destroyed_at from evidence.disposals where exhibit_id = $1", id)
            .fetch_optional(conn)
            .await
            .map_err(failed("retention"))?;
    retention.disposal = row.map(|row| Disposal {
        tombstone: Digest::of(&row.signature),
        begun_at: row.begun_at,
        destroyed_at: row.destroyed_at,
    });
    Ok(retention)
}

/// Keeps a hold.
///
/// # Errors
/// The database is away.
pub async fn insert_hold(tx: &mut PgConnection, id: ExhibitId, hold: &Hold) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.holds (hold_id, exhibit_id, placed_by, reason, placed_at) values ($1, $2, $3, $4, $5)",
        hold.id,
        id.uuid(),
        hold.placed_by,
        hold.reason,
        hold.placed_at,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_hold"))?;
    Ok(())
}

/// Keeps a hold's end.
///
/// # Errors
/// The database is away.
pub async fn insert_release(
    tx: &mut PgConnection,
    hold: Uuid,
    released_by: &str,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.hold_releases (hold_id, released_by, reason, released_at) values ($1, $2, $3, $4)",
        hold,
        released_by,
        reason,
        at,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_release"))?;
    Ok(())
}

/// Keeps a review, with what it came to.
///
/// # Errors
/// The database is away, or nothing can be due yet.
pub async fn insert_review(
    tx: &mut PgConnection,
    id: ExhibitId,
    review: &Review,
    decision: &'static str,
    after: &Retention,
) -> Result<(), StoreError> {
    let at = At { table: "evidence.reviews", row: &id };
    sqlx::query!(
        "insert into evidence.reviews (exhibit_id, n, who, decision, reason, at, class, due_at)
         select $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5, $6, $7 from evidence.reviews where exhibit_id = $1",
        id.uuid(),
        review.who,
        decision,
        review.reason,
        review.at,
        after.class,
        at.present("due_at", after.due_at)?,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_review"))?;
    Ok(())
}

/// From here on nobody reads the exhibit.
///
/// # Errors
/// The database is away.
pub async fn insert_disposal(
    tx: &mut PgConnection,
    id: ExhibitId,
    tombstone: &Tombstone,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.disposals (exhibit_id, begun_at, tombstone, signature, token) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        now,
        tombstone.json,
        tombstone.signature,
        tombstone.token,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_disposal"))?;
    Ok(())
}

/// Notes that the key is destroyed; false if that was noted before.
///
/// # Errors
/// The database is away.
pub async fn mark_destroyed(tx: &mut PgConnection, id: ExhibitId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update evidence.disposals set destroyed_at = $2 where exhibit_id = $1 and destroyed_at is null",
        id.uuid(),
        now,
    )
    .execute(tx)
    .await
    .map_err(failed("mark_destroyed"))?;
    Ok(done.rows_affected() == 1)
}

/// Exhibits whose disposal has begun and whose key may still be there.
///
/// # Errors
/// The database is away.
pub async fn unfinished_disposals(conn: &mut PgConnection) -> Result<Vec<ExhibitId>, StoreError> {
    let ids = sqlx::query_scalar!("select exhibit_id from evidence.disposals where destroyed_at is null")
        .fetch_all(conn)
        .await
        .map_err(failed("unfinished_disposals"))?;
    Ok(ids.into_iter().map(ExhibitId::from).collect())
}

/// What was left of an exhibit.
///
/// # Errors
/// The database is away.
pub async fn tombstone(conn: &mut PgConnection, id: ExhibitId) -> Result<Option<Tombstone>, StoreError> {
    sqlx::query_as!(
        Tombstone,
        "select tombstone as json, signature, token from evidence.disposals where exhibit_id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("tombstone"))
}
