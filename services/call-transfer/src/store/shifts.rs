//! Officers' shifts.

use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId, ShiftId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows;
use crate::{domain::Shift, error::Error};

struct Row {
    shift_id: Uuid,
    force_id: String,
    officer_id: String,
    from_at: DateTime<Utc>,
    until_at: DateTime<Utc>,
}

impl Row {
    fn into_shift(self) -> Result<Shift, Error> {
        Ok(Shift {
            id: self.shift_id.into(),
            force: rows::force(&self.force_id)?,
            officer: rows::officer_id(&self.officer_id)?,
            from: self.from_at,
            until: self.until_at,
        })
    }
}

/// The force's shift of that id, unless it was cancelled.
pub async fn shift(conn: &mut PgConnection, force: &ForceId, id: ShiftId) -> Result<Option<Shift>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select shift_id, force_id, officer_id, from_at, until_at from transfer.shifts \
         where force_id = $1 and shift_id = $2 and cancelled_by is null",
        force.as_str(),
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_shift).transpose()
}

/// The shifts that lie in a window, or partly: an officer's, or everybody's.
pub async fn shifts(
    conn: &mut PgConnection,
    force: &ForceId,
    officer: Option<&OfficerId>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Shift>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select shift_id, force_id, officer_id, from_at, until_at from transfer.shifts \
         where force_id = $1 and ($2::text is null or officer_id = $2) and cancelled_by is null \
         and from_at < $4 and until_at > $3 order by from_at, officer_id, shift_id",
        force.as_str(),
        officer.map(OfficerId::as_str),
        from,
        until
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_shift).collect()
}

/// When the shift ends that an officer is on.
pub async fn shift_end(
    conn: &mut PgConnection,
    (force, officer): (&ForceId, &OfficerId),
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let end = sqlx::query_scalar!(
        "select max(until_at) from transfer.shifts where force_id = $1 and officer_id = $2 and cancelled_by is null \
         and from_at <= $3 and until_at > $3",
        force.as_str(),
        officer.as_str(),
        now
    );
    Ok(end.fetch_one(conn).await?)
}

/// Keeps a shift, or its new time.
pub async fn save_shift(conn: &mut PgConnection, shift: &Shift, by: &OfficerId) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.shifts (shift_id, force_id, officer_id, from_at, until_at, set_by) \
         values ($1, $2, $3, $4, $5, $6) on conflict (shift_id) \
         do update set from_at = excluded.from_at, until_at = excluded.until_at, set_by = excluded.set_by",
        shift.id.uuid(),
        shift.force.as_str(),
        shift.officer.as_str(),
        shift.from,
        shift.until,
        by.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The shift is none.
pub async fn cancel_shift(conn: &mut PgConnection, id: ShiftId, by: &OfficerId) -> Result<(), Error> {
    sqlx::query!("update transfer.shifts set cancelled_by = $2 where shift_id = $1", id.uuid(), by.as_str())
        .execute(conn)
        .await?;
    Ok(())
}
