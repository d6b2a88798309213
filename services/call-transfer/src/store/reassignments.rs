//! Which sergeant gave which call to whom, and in what words.

use chrono::{DateTime, Utc};
use ids::OfficerId;
use sqlx::PgConnection;

use super::rows;
use crate::{
    domain::{Call, State},
    error::Error,
};

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment<'a> {
    /// Who had the call, or had it on offer.
    pub from: Option<&'a OfficerId>,
    /// Who is to have it.
    pub to: &'a OfficerId,
    /// The sergeant.
    pub by: &'a OfficerId,
    /// In their words.
    pub reason: &'a str,
}

/// Whether this officer had the call, in mid-call, before it was last given to another, and may have it back: they are heard from,
/// if away, and have no other call, none on offer, and ring nobody.
pub async fn is_back(
    conn: &mut PgConnection,
    call: &Call,
    officer: &OfficerId,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let is = sqlx::query_scalar!(
        r#"select exists (select from transfer.reassignments r
             join transfer.offers o on o.call_id = r.call_id and o.nth = r.nth - 1 and o.outcome = 'handed_on'
             join transfer.officers f on f.force_id = r.force_id and f.officer_id = r.from_officer_id
             where r.call_id = $1 and r.nth = $2 and r.from_officer_id = $3 and not f.gone and f.expires_at > $4
               and not exists (select from transfer.calls c where c.force_id = f.force_id
                               and c.officer_id = f.officer_id and c.state in ('offered', 'accepted'))
               and not exists (select from transfer.callbacks b where b.force_id = f.force_id
                               and b.taken_by = f.officer_id and b.state = 'taken')) as "is!""#,
        call.id.uuid(),
        rows::to_int(call.offers),
        officer.as_str(),
        now
    );
    Ok(is.fetch_one(conn).await?)
}

/// Keeps it, after the call. In mid-call nobody is asked: the offer of it counts as taken.
pub async fn keep_reassignment(
    conn: &mut PgConnection,
    call: &Call,
    reassignment: &Reassignment<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Reassignment { from, to, by, reason } = reassignment;
    let nth = rows::to_int(call.offers);
    if matches!(call.state, State::Accepted { .. }) {
        sqlx::query!(
            "insert into transfer.offers (call_id, nth, force_id, officer_id, offered_at, expires_at, settled_at, outcome) \
             values ($1, $2, $3, $4, $5, $5, $5, 'accepted')",
            call.id.uuid(),
            nth,
            call.force.as_str(),
            to.as_str(),
            now
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!(
        "insert into transfer.reassignments (call_id, nth, force_id, from_officer_id, to_officer_id, by_officer_id, reason, at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        call.id.uuid(),
        nth,
        call.force.as_str(),
        from.map(OfficerId::as_str),
        to.as_str(),
        by.as_str(),
        *reason,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}
