//! Calls at the desk: their rows, their offers, and who passed on them.

use std::time::Duration;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId};
use outbox::Scope;
use sqlx::{PgConnection, PgPool};

use super::rows::{self, CallRow, state_words};
use crate::{
    domain::{Call, Settled, Standing, State},
    error::Error,
};

/// A call with the trace it belongs to.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The call.
    pub call: Call,
    /// The trace of the request that brought it here.
    pub trace: Trace,
    /// Where the control room was last told that it stands.
    pub told: Option<Standing>,
}

/// The trace of a call, to enter before anything else is done about it.
pub async fn trace_of(pool: &PgPool, force: &ForceId, id: CallId) -> Result<Option<Trace>, Error> {
    let mut tx = outbox::begin(pool, Scope::Force(force)).await?;
    let text = sqlx::query_scalar!(
        "select trace from transfer.calls where call_id = $1 and force_id = $2",
        id.uuid(),
        force.as_str()
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(text.map(|text| Trace::parse(&text)))
}

/// The force's call of that id. Another force's is none.
pub async fn call(conn: &mut PgConnection, force: &ForceId, id: CallId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as!(
        CallRow,
        "select call_id, force_id, incident_date, incident_number, risk, language, children_present, route, \
         recording_consented, stills_consented, covered_recording_consented, queued_at, trace, state, offers, \
         officer_id, offer_expires_at, accepted_at, vulnerability, child_may_speak, officer_asked_for, softens_at, \
         long_at, wait_until, told_position, told_wait_s, returned_why, silent_caller, \
         follow_up_of, for_officer from transfer.calls \
         where call_id = $1 and force_id = $2",
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
        "select call_id, force_id, incident_date, incident_number, risk, language, children_present, route, \
         recording_consented, stills_consented, covered_recording_consented, queued_at, trace, state, offers, \
         officer_id, offer_expires_at, accepted_at, vulnerability, child_may_speak, officer_asked_for, softens_at, \
         long_at, wait_until, told_position, told_wait_s, returned_why, silent_caller, \
         follow_up_of, for_officer from transfer.calls \
         where force_id = $1 and state in ('queued', 'offered')",
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
        "select call_id, force_id, incident_date, incident_number, risk, language, children_present, route, \
         recording_consented, stills_consented, covered_recording_consented, queued_at, trace, state, offers, \
         officer_id, offer_expires_at, accepted_at, vulnerability, child_may_speak, officer_asked_for, softens_at, \
         long_at, wait_until, told_position, told_wait_s, returned_why, silent_caller, \
         follow_up_of, for_officer from transfer.calls \
         where force_id = $1 and officer_id = $2 and state in ('offered', 'accepted')",
        force.as_str(),
        officer.as_str()
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(with_passes(conn, row.into_iter().collect()).await?.pop())
}

/// Whether the call was ever on offer to this officer.
pub async fn was_offered(
    conn: &mut PgConnection,
    (force, officer): (&ForceId, &OfficerId),
    call: CallId,
) -> Result<bool, Error> {
    let was = sqlx::query_scalar!(
        r#"select exists (select from transfer.offers where call_id = $1 and force_id = $2 and officer_id = $3) as "was!""#,
        call.uuid(),
        force.as_str(),
        officer.as_str()
    );
    Ok(was.fetch_one(conn).await?)
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
         trace, vulnerability, child_may_speak, officer_asked_for, softens_at, long_at, wait_until, \
         silent_caller, follow_up_of, for_officer, state, offers) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         'queued', 0) \
         on conflict (call_id) do nothing",
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
        trace.as_str(),
        rows::vulnerability_word(facts.vulnerability),
        facts.child_may_speak,
        facts.officer_asked_for.map(rows::gender_word),
        call.waits.softens_at,
        call.waits.long_at,
        call.waits.until,
        facts.silent.map(rows::silent_word),
        facts.follow_up.as_ref().map(|follow_up| follow_up.of.uuid()),
        facts.follow_up.as_ref().map(|follow_up| follow_up.officer.as_str())
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
    let words = state_words(&call.state);
    sqlx::query!(
        "update transfer.calls set state = $2, offers = $3, officer_id = $4, offer_expires_at = $5, \
         accepted_at = coalesce($6, accepted_at), returned_why = $7, over_at = case when $8 then $9::timestamptz end \
         where call_id = $1",
        call.id.uuid(),
        words.state,
        rows::to_int(call.offers),
        words.officer,
        words.offer_expires_at,
        words.accepted_at,
        words.returned_why,
        call.is_over(),
        now
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

/// Keeps who gave a call back, and in what words.
pub async fn keep_return(conn: &mut PgConnection, call: &Call, by: &OfficerId, reason: &str) -> Result<(), Error> {
    sqlx::query!(
        "update transfer.calls set returned_by = $2, returned_reason = $3 where call_id = $1",
        call.id.uuid(),
        by.as_str(),
        reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what the control room is told of where calls stand.
pub async fn save_told(conn: &mut PgConnection, told: &[(CallId, Standing)]) -> Result<(), Error> {
    let ids: Vec<_> = told.iter().map(|(id, _)| id.uuid()).collect();
    let positions: Vec<_> = told.iter().map(|(_, standing)| rows::to_int(standing.position)).collect();
    let waits: Vec<_> = told.iter().map(|(_, standing)| standing.wait.map(rows::to_seconds)).collect();
    sqlx::query!(
        "update transfer.calls c set told_position = t.position, told_wait_s = t.wait \
         from unnest($1::uuid[], $2::integer[], $3::integer[]) as t (call_id, position, wait) \
         where c.call_id = t.call_id",
        &ids,
        &positions,
        &waits as &[Option<i32>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How long the newest calls of a desk took, from the accepting to the end.
pub async fn recent_calls(conn: &mut PgConnection, force: &ForceId) -> Result<Vec<Duration>, Error> {
    let seconds = sqlx::query_scalar!(
        r#"select extract(epoch from over_at - accepted_at)::bigint as "seconds!" from transfer.calls
        where force_id = $1 and state = 'ended' and over_at is not null and accepted_at is not null
        order by over_at desc limit 20"#,
        force.as_str()
    )
    .fetch_all(conn)
    .await?;
    Ok(seconds.into_iter().map(|seconds| Duration::from_secs(seconds.try_into().unwrap_or_default())).collect())
}
