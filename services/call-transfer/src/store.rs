//! Every SQL statement of the service but the wake-up's (`store::wake`). Whatever changes a desk first takes its lock.

mod rows;
mod wake;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId};
use sqlx::{PgConnection, PgPool, PgTransaction};

use crate::{
    domain::{Call, Officer, Settled, State},
    error::Error,
};

use rows::{CallRow, OfficerRow, state_words};
pub use wake::{Listener, Wake, Wakes};

/// A call with the trace it belongs to.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The call.
    pub call: Call,
    /// The trace of the request that brought it here.
    pub trace: Trace,
}

/// A named transaction.
pub async fn begin(pool: &PgPool, name: &'static str) -> Result<PgTransaction<'static>, Error> {
    tracing::trace!(transaction = name, "begin");
    Ok(pool.begin().await?)
}

/// Waits for the force's desk, and keeps it until the transaction ends: the queue and the officers then stand still.
pub async fn lock_desk(conn: &mut PgConnection, force: &ForceId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7102))", force.as_str()).execute(conn).await?;
    Ok(())
}

/// Tells every process, once this commits, that the desk changed.
pub async fn notify(conn: &mut PgConnection, force: &ForceId) -> Result<(), Error> {
    sqlx::query!("select pg_notify('transfer_desk', $1)", force.as_str()).execute(conn).await?;
    Ok(())
}

/// The trace of a call, to enter before anything else is done about it.
pub async fn trace_of(pool: &PgPool, force: &ForceId, id: CallId) -> Result<Option<Trace>, Error> {
    let text = sqlx::query_scalar!(
        "select trace from transfer.calls where call_id = $1 and force_id = $2",
        id.uuid(),
        force.as_str()
    )
    .fetch_optional(pool)
    .await?;
    Ok(text.map(|text| Trace::parse(&text)))
}

/// The force's call of that id. Another force's is none.
pub async fn call(conn: &mut PgConnection, force: &ForceId, id: CallId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as!(
        CallRow,
        "select * from transfer.calls where call_id = $1 and force_id = $2",
        id.uuid(),
        force.as_str()
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(with_passes(conn, row.into_iter().collect()).await?.pop())
}

/// All calls that no officer has yet.
pub async fn waiting(conn: &mut PgConnection, force: &ForceId) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query_as!(
        CallRow,
        "select * from transfer.calls where force_id = $1 and state in ('queued', 'offered')",
        force.as_str()
    )
    .fetch_all(&mut *conn)
    .await?;
    with_passes(conn, rows).await
}

/// The call that the officer has, or has on offer.
pub async fn call_of(conn: &mut PgConnection, force: &ForceId, officer: &OfficerId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as!(
        CallRow,
        "select * from transfer.calls where force_id = $1 and officer_id = $2 and state in ('offered', 'accepted')",
        force.as_str(),
        officer.as_str()
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(with_passes(conn, row.into_iter().collect()).await?.pop())
}

async fn with_passes(conn: &mut PgConnection, rows: Vec<CallRow>) -> Result<Vec<Kept>, Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.call_id).collect();
    let mut passes = Vec::new();
    if !ids.is_empty() {
        passes = sqlx::query!(
            "select call_id, officer_id, expired, again_from from transfer.passes where call_id = any($1)",
            &ids
        )
        .fetch_all(conn)
        .await?;
    }
    let mut calls = Vec::with_capacity(rows.len());
    for row in rows {
        let own = passes.iter().filter(|pass| pass.call_id == row.call_id);
        let own = own.map(|pass| rows::pass(&pass.officer_id, pass.expired, pass.again_from));
        let passes = own.collect::<Result<_, _>>()?;
        calls.push(row.into_kept(passes)?);
    }
    Ok(calls)
}

/// Keeps a call that came to the desk. False if it is here already.
pub async fn insert_call(conn: &mut PgConnection, call: &Call, trace: &Trace) -> Result<bool, Error> {
    let facts = &call.facts;
    let done = sqlx::query!(
        "insert into transfer.calls (call_id, force_id, incident_date, incident_number, risk, language, \
         children_present, route, recording_consented, stills_consented, covered_recording_consented, queued_at, \
         trace, state, offers) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'queued', 0) on conflict (call_id) do nothing",
        call.id.uuid(),
        call.force.as_str(),
        facts.incident.date.as_str(),
        facts.incident.number.as_str(),
        rows::risk_word(facts.risk),
        facts.language,
        facts.children_present,
        rows::route_word(facts.route),
        facts.recording_consented,
        facts.stills_consented,
        facts.covered_recording_consented,
        call.queued_at,
        trace.as_str()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps what the caller agrees to by now.
pub async fn save_consents(conn: &mut PgConnection, call: &Call) -> Result<(), Error> {
    let facts = &call.facts;
    sqlx::query!(
        "update transfer.calls set recording_consented = $2, stills_consented = $3, covered_recording_consented = $4 \
         where call_id = $1",
        call.id.uuid(),
        facts.recording_consented,
        facts.stills_consented,
        facts.covered_recording_consented
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what became of a call, and of the offer that this settled.
pub async fn save_call(
    conn: &mut PgConnection,
    call: &Call,
    settled: Option<&Settled>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if let Some(settled) = settled {
        sqlx::query!(
            "update transfer.offers set settled_at = $3, outcome = $4, reason = $5 where call_id = $1 and nth = $2",
            call.id.uuid(),
            rows::to_int(settled.nth),
            now,
            rows::outcome_word(settled.outcome),
            settled.reason
        )
        .execute(&mut *conn)
        .await?;
    }
    let (state, officer, expires_at, accepted_at) = state_words(&call.state);
    sqlx::query!(
        "update transfer.calls set state = $2, offers = $3, officer_id = $4, offer_expires_at = $5, \
         accepted_at = coalesce($6, accepted_at) where call_id = $1",
        call.id.uuid(),
        state,
        rows::to_int(call.offers),
        officer,
        expires_at,
        accepted_at
    )
    .execute(&mut *conn)
    .await?;
    if let State::Offered(offer) = &call.state {
        sqlx::query!(
            "insert into transfer.offers (call_id, nth, force_id, officer_id, offered_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6)",
            call.id.uuid(),
            rows::to_int(offer.nth),
            call.force.as_str(),
            offer.officer.as_str(),
            now,
            offer.expires_at
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!("delete from transfer.passes where call_id = $1", call.id.uuid()).execute(&mut *conn).await?;
    for pass in &call.passes {
        sqlx::query!(
            "insert into transfer.passes (call_id, officer_id, expired, again_from) values ($1, $2, $3, $4)",
            call.id.uuid(),
            pass.officer.as_str(),
            pass.expired,
            pass.again_from
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
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

/// The officers who have no call and none on offer.
pub async fn officers_without_call(conn: &mut PgConnection, force: &ForceId) -> Result<Vec<Officer>, Error> {
    let rows = sqlx::query_as!(
        OfficerRow,
        "select * from transfer.officers o where force_id = $1 and wish = 'free' and not gone and not exists \
         (select from transfer.calls c where c.force_id = o.force_id and c.officer_id = o.officer_id \
          and c.state in ('offered', 'accepted'))",
        force.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OfficerRow::into_officer).collect()
}

/// Keeps an officer.
pub async fn save_officer(conn: &mut PgConnection, officer: &Officer) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.officers (force_id, officer_id, wish, free_since, expires_at, gone) \
         values ($1, $2, $3, $4, $5, $6) on conflict (force_id, officer_id) do update set wish = excluded.wish, \
         free_since = excluded.free_since, expires_at = excluded.expires_at, gone = excluded.gone",
        officer.force.as_str(),
        officer.id.as_str(),
        rows::wish_word(officer.wish),
        officer.free_since,
        officer.expires_at,
        officer.gone
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
    let until = sqlx::query_scalar!(
        "update transfer.officers set expires_at = greatest(expires_at, $4) \
         where force_id = $1 and officer_id = $2 and not gone and expires_at > $3 returning expires_at",
        force.as_str(),
        officer.as_str(),
        now,
        until
    )
    .fetch_optional(pool)
    .await?;
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

/// The forces for which time brought something since `seen`: an offer or a presence ran out, a pause is over.
pub async fn due(pool: &PgPool, seen: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<ForceId>, Error> {
    let forces = sqlx::query_scalar!(
        r#"select force_id as "force_id!" from transfer.calls where state = 'offered' and offer_expires_at <= $2
        union select force_id from transfer.officers where not gone and expires_at <= $2
        union select force_id from transfer.passes p join transfer.calls c using (call_id)
              where c.state = 'queued' and p.again_from > $1 and p.again_from <= $2"#,
        seen,
        now
    )
    .fetch_all(pool)
    .await?;
    forces.into_iter().map(|force| rows::force(&force)).collect()
}

/// When time next brings something.
pub async fn next_deadline(pool: &PgPool, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
    let next = sqlx::query_scalar!(
        "select least(\
         (select min(offer_expires_at) from transfer.calls where state = 'offered'), \
         (select min(expires_at) from transfer.officers where not gone), \
         (select min(again_from) from transfer.passes p join transfer.calls c using (call_id) \
          where c.state = 'queued' and p.again_from > $1))",
        now
    )
    .fetch_one(pool)
    .await?;
    Ok(next)
}
