//! Officers who have been at the desk.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId};
use outbox::Scope;
use sqlx::{PgConnection, PgPool};

use super::rows::{self, OfficerRow};
use crate::{
    domain::{Officer, Wish},
    error::Error,
};

/// The officers who are at the desk: without a call, and with one.
#[derive(Debug, Clone, Default)]
pub struct Presences {
    /// No call, none on offer, and ringing nobody back.
    pub idle: Vec<Officer>,
    /// One of these.
    pub busy: Vec<Officer>,
}

/// An officer who has been at the desk, held so that a heartbeat waits rather than is overwritten.
pub async fn officer(conn: &mut PgConnection, force: &ForceId, id: &OfficerId) -> Result<Option<Officer>, Error> {
    let row = sqlx::query_as!(
        OfficerRow,
        "select force_id, officer_id, wish, free_since, expires_at, gone, languages, child_trained, gender, at_force \
         from transfer.officers where force_id = $1 and officer_id = $2 for update",
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
        "select force_id, officer_id, wish, free_since, expires_at, gone, languages, child_trained, gender, at_force \
         from transfer.officers where force_id = $1 and officer_id = $2",
        force.as_str(),
        id.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(OfficerRow::into_officer).transpose()
}

/// The officers at the desk: those who are free for a call, and those who have one, or have one on offer. Without those who
/// have shifts and are on none; whose last one is a week ago has none any more. Whom another force lends is there as long as a
/// loan is in force, or they have a call.
pub async fn present(conn: &mut PgConnection, force: &ForceId, now: DateTime<Utc>) -> Result<Presences, Error> {
    let rows = sqlx::query!(
        r#"select o.force_id as "force_id!", o.officer_id as "officer_id!", o.wish as "wish!", o.free_since as "free_since!",
               o.expires_at as "expires_at!", o.gone as "gone!", o.languages as "languages!",
               o.child_trained as "child_trained!", o.gender, o.at_force,
               (c.call_id is not null or b.callback_id is not null) as "busy!"
        from transfer.officers o left join transfer.calls c
             on c.force_id = o.force_id and c.officer_id = o.officer_id and c.state in ('offered', 'accepted')
             left join transfer.callbacks b
             on b.force_id = o.force_id and b.taken_by = o.officer_id and b.state = 'taken'
        where o.force_id = $1 and not o.gone and (o.wish = 'free' or c.call_id is not null)
              and (position('@' in o.officer_id) = 0 or c.call_id is not null
                   or exists (select from transfer.loans l where l.force_id = o.force_id and l.to_force = o.force_id
                              and l.from_force = split_part(o.officer_id, '@', 2)
                              and split_part(o.officer_id, '@', 1) = any(l.officers)
                              and l.agreed_by is not null and l.ended_by is null
                              and l.from_at <= $2 and l.until_at > $2))
              and (not exists (select from transfer.shifts s where s.force_id = o.force_id
                               and s.officer_id = o.officer_id and s.cancelled_by is null
                               and s.until_at > $2::timestamptz - interval '7 days')
                   or exists (select from transfer.shifts s where s.force_id = o.force_id
                              and s.officer_id = o.officer_id and s.cancelled_by is null
                              and s.from_at <= $2 and s.until_at > $2))"#,
        force.as_str(),
        now
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
            at_force: row.at_force,
        };
        let whose = if row.busy { &mut present.busy } else { &mut present.idle };
        whose.push(officer.into_officer()?);
    }
    Ok(present)
}

/// An officer at the desk, as a sergeant sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtDesk {
    /// Who.
    pub officer: OfficerId,
    /// What they count as.
    pub presence: Wish,
    /// What they have, and whether it is on offer only.
    pub call: Option<(CallId, bool)>,
}

/// Whoever was heard from, and whoever has a call, by their ids.
pub async fn at_desk(conn: &mut PgConnection, force: &ForceId, now: DateTime<Utc>) -> Result<Vec<AtDesk>, Error> {
    let rows = sqlx::query!(
        r#"select o.officer_id, o.wish = 'free' and not o.gone and o.expires_at > $2 as "is_free!", c.call_id as "call_id?",
               c.state as "state?"
        from transfer.officers o left join transfer.calls c
             on c.force_id = o.force_id and c.officer_id = o.officer_id and c.state in ('offered', 'accepted')
        where o.force_id = $1 and (not o.gone and o.expires_at > $2 or c.call_id is not null)
        order by o.officer_id"#,
        force.as_str(),
        now
    )
    .fetch_all(conn)
    .await?;
    let at_desk = rows.into_iter().map(|row| {
        let presence = if row.is_free { Wish::Free } else { Wish::Away };
        let call = row.call_id.map(|call| (call.into(), row.state.as_deref() == Some("offered")));
        Ok(AtDesk { officer: rows::officer_id(&row.officer_id)?, presence, call })
    });
    at_desk.collect()
}

/// Waits for the officer, by their own force and their id there, and keeps them until the transaction ends: they go nowhere
/// meanwhile. Never asked for while a desk is held.
pub async fn lock_officer(conn: &mut PgConnection, home: &ForceId, id: &OfficerId) -> Result<(), Error> {
    let name = format!("{id}@{home}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7103))", name).execute(conn).await?;
    Ok(())
}

/// Keeps an officer.
pub async fn save_officer(conn: &mut PgConnection, officer: &Officer) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.officers (force_id, officer_id, wish, free_since, expires_at, gone, languages, \
         child_trained, gender, at_force) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         on conflict (force_id, officer_id) do update set wish = excluded.wish, free_since = excluded.free_since, \
         expires_at = excluded.expires_at, gone = excluded.gone, languages = excluded.languages, \
         child_trained = excluded.child_trained, gender = excluded.gender, at_force = excluded.at_force",
        officer.force.as_str(),
        officer.id.as_str(),
        rows::wish_word(officer.wish),
        officer.free_since,
        officer.expires_at,
        officer.gone,
        &officer.skills.languages,
        officer.skills.child_trained,
        officer.skills.gender.map(rows::gender_word),
        officer.elsewhere.as_ref().map(ForceId::as_str)
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
        "select force_id, officer_id, wish, free_since, expires_at, gone, languages, child_trained, gender, at_force \
         from transfer.officers where force_id = $1 and not gone and expires_at <= $2 for update",
        force.as_str(),
        now
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OfficerRow::into_officer).collect()
}
