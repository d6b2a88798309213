//! Officers who have been at the desk.

use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};
use outbox::Scope;
use sqlx::{PgConnection, PgPool};

use super::rows::{self, OfficerRow};
use crate::{domain::Officer, error::Error};

/// The officers who are at the desk: without a call, and with one.
#[derive(Debug, Clone, Default)]
pub struct Presences {
    /// No call, and none on offer.
    pub idle: Vec<Officer>,
    /// One of these.
    pub busy: Vec<Officer>,
}

/// An officer who has been at the desk, held so that a heartbeat waits rather than is overwritten.
pub async fn officer(conn: &mut PgConnection, force: &ForceId, id: &OfficerId) -> Result<Option<Officer>, Error> {
    let row = sqlx::query_as!(
        OfficerRow,
        "select * from transfer.officers where force_id = $1 and officer_id = $2 for update",
        force.as_str(),
        id.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(OfficerRow::into_officer).transpose()
}

/// The same, to look at only.
pub async fn officer_seen(conn: &mut PgConnection, force: &ForceId, id: &OfficerId) -> Result<Option<Officer>, Error> {
    let row = sqlx::query_as!(
        OfficerRow,
        "select * from transfer.officers where force_id = $1 and officer_id = $2",
        force.as_str(),
        id.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(OfficerRow::into_officer).transpose()
}

/// The officers at the desk: those who are free for a call, and those who have one, or have one on offer.
pub async fn present(conn: &mut PgConnection, force: &ForceId) -> Result<Presences, Error> {
    let rows = sqlx::query!(
        r#"select o.force_id, o.officer_id, o.wish, o.free_since, o.expires_at, o.gone, o.languages, o.child_trained,
               o.gender, c.call_id is not null as "busy!"
        from transfer.officers o left join transfer.calls c
             on c.force_id = o.force_id and c.officer_id = o.officer_id and c.state in ('offered', 'accepted')
        where o.force_id = $1 and not o.gone and (o.wish = 'free' or c.call_id is not null)"#,
        force.as_str()
    )
    .fetch_all(conn)
    .await?;
    let mut present = Presences::default();
    for row in rows {
        let officer = OfficerRow {
            force_id: row.force_id,
            officer_id: row.officer_id,
            wish: row.wish,
            free_since: row.free_since,
            expires_at: row.expires_at,
            gone: row.gone,
            languages: row.languages,
            child_trained: row.child_trained,
            gender: row.gender,
        };
        let whose = if row.busy { &mut present.busy } else { &mut present.idle };
        whose.push(officer.into_officer()?);
    }
    Ok(present)
}

/// Keeps an officer.
pub async fn save_officer(conn: &mut PgConnection, officer: &Officer) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.officers (force_id, officer_id, wish, free_since, expires_at, gone, languages, \
         child_trained, gender) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (force_id, officer_id) do update set wish = excluded.wish, free_since = excluded.free_since, \
         expires_at = excluded.expires_at, gone = excluded.gone, languages = excluded.languages, \
         child_trained = excluded.child_trained, gender = excluded.gender",
        officer.force.as_str(),
        officer.id.as_str(),
        rows::wish_word(officer.wish),
        officer.free_since,
        officer.expires_at,
        officer.gone,
        &officer.skills.languages,
        officer.skills.child_trained,
        officer.skills.gender.map(rows::gender_word)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A sign of life from an officer who is there: nothing else changes, so it needs no lock. `None` for one who is not.
pub async fn extend_presence(
    pool: &PgPool,
    (force, officer): (&ForceId, &OfficerId),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let mut tx = outbox::begin(pool, Scope::Force(force)).await?;
    let until = sqlx::query_scalar!(
        "update transfer.officers set expires_at = greatest(expires_at, $4) \
         where force_id = $1 and officer_id = $2 and not gone and expires_at > $3 returning expires_at",
        force.as_str(),
        officer.as_str(),
        now,
        until
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(until)
}

/// Officers who were not heard from by `now`.
pub async fn lapsed(conn: &mut PgConnection, force: &ForceId, now: DateTime<Utc>) -> Result<Vec<Officer>, Error> {
    let rows = sqlx::query_as!(
        OfficerRow,
        "select * from transfer.officers where force_id = $1 and not gone and expires_at <= $2 for update",
        force.as_str(),
        now
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OfficerRow::into_officer).collect()
}
