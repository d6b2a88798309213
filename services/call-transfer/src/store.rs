//! Every SQL statement of the service. Here: the desk's lock, its wake-up and its deadlines. Whatever changes a desk
//! first takes its lock.

mod alerts;
mod callbacks;
mod calls;
mod figures;
mod gauges;
mod loans;
mod officers;
mod reassignments;
mod rows;
mod shifts;
mod wake;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ids::ForceId;
use outbox::Scope;
use sqlx::{PgConnection, PgPool, PgTransaction};

use crate::error::Error;

pub use alerts::{Raised, acknowledge, alerts, close_fast_track, keep_fast_track, raise, raise_once};
pub use callbacks::{
    Private, callback, callbacks, called_back, due_callbacks, insert_callback, is_at_desk_with_another, keep_canceller,
    look, open_callback, open_callbacks, rings_another, save_callback,
};
pub use calls::{
    Kept, call, call_of, insert_call, keep_return, recent_calls, save_call, save_consents, save_told, trace_of,
    waiting, was_offered,
};
pub use figures::{Callbacks, Figures, Now, figures, now};
pub use gauges::{Stand, stands};
pub use loans::{is_lent, loan, loans, may_go_to, save_loan};
pub use officers::{
    AtDesk, Presences, at_desk, extend_presence, lapsed, lock_officer, officer, officer_seen, present, save_officer,
};
pub use reassignments::{Reassignment, is_back, keep_reassignment};
pub use shifts::{cancel_shift, save_shift, shift, shift_end, shifts};
pub use wake::{Listener, Wake, Wakes};

/// A named transaction among one force's rows, or all.
pub async fn begin(pool: &PgPool, name: &'static str, scope: Scope<'_>) -> Result<PgTransaction<'static>, Error> {
    tracing::trace!(transaction = name, "begin");
    Ok(outbox::begin(pool, scope).await?)
}

/// Waits for the force's desk, and keeps it until the transaction ends: the queue and the officers then stand still.
pub async fn lock_desk(conn: &mut PgConnection, force: &ForceId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7102))", force.as_str()).execute(conn).await?;
    Ok(())
}

/// The same for several desks, in the order of their names: whoever waits for one holds none that comes after it.
pub async fn lock_desks(conn: &mut PgConnection, forces: &BTreeSet<&ForceId>) -> Result<(), Error> {
    for force in forces {
        lock_desk(conn, force).await?;
    }
    Ok(())
}

/// Tells every process, once this commits, that the desk changed.
pub async fn notify(conn: &mut PgConnection, force: &ForceId) -> Result<(), Error> {
    sqlx::query!("select pg_notify('transfer_desk', $1)", force.as_str()).execute(conn).await?;
    Ok(())
}

/// The forces for which time brought something since `seen`: an offer or a presence ran out, a pause is over, a call
/// has waited for so long that something follows, a call-back is due or over, a shift or a loan begins or ends.
pub async fn due(pool: &PgPool, seen: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<ForceId>, Error> {
    let mut tx = outbox::begin(pool, Scope::All).await?;
    let forces = sqlx::query_scalar!(
        r#"select force_id as "force_id!" from transfer.calls where state = 'offered' and offer_expires_at <= $2
        union select force_id from transfer.calls where state = 'queued'
              and (wait_until <= $2 or softens_at > $1 and softens_at <= $2)
        union select force_id from transfer.calls where state in ('queued', 'offered') and long_at > $1 and long_at <= $2
        union select force_id from transfer.officers where not gone and expires_at <= $2
        union select c.force_id from transfer.passes p join transfer.calls c using (call_id)
              where c.state = 'queued' and p.again_from > $1 and p.again_from <= $2
        union select force_id from transfer.callbacks where over_at is null and (state = 'agreed' and from_at <= $2
              or state <> 'taken' and until_at <= $2 or alert_at <= $2 or taken_until <= $2)
        union select force_id from transfer.shifts where cancelled_by is null
              and (from_at > $1 and from_at <= $2 or until_at > $1 and until_at <= $2)
        union select force_id from transfer.loans where agreed_by is not null and ended_by is null
              and (from_at > $1 and from_at <= $2 or until_at > $1 and until_at <= $2)"#,
        seen,
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    forces.into_iter().map(|force| rows::force(&force)).collect()
}

/// When time next brings something.
pub async fn next_deadline(pool: &PgPool, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
    let mut tx = outbox::begin(pool, Scope::All).await?;
    let next = sqlx::query_scalar!(
        "select least(\
         (select min(offer_expires_at) from transfer.calls where state = 'offered'), \
         (select min(wait_until) from transfer.calls where state = 'queued'), \
         (select min(softens_at) from transfer.calls where state = 'queued' and softens_at > $1), \
         (select min(long_at) from transfer.calls where state in ('queued', 'offered') and long_at > $1), \
         (select min(expires_at) from transfer.officers where not gone), \
         (select min(again_from) from transfer.passes p join transfer.calls c using (call_id) \
          where c.state = 'queued' and p.again_from > $1), \
         (select min(from_at) from transfer.callbacks where over_at is null and state = 'agreed'), \
         (select min(least(alert_at, until_at)) from transfer.callbacks where over_at is null and state <> 'taken'), \
         (select min(taken_until) from transfer.callbacks where over_at is null), \
         (select min(from_at) from transfer.shifts where cancelled_by is null and from_at > $1), \
         (select min(until_at) from transfer.shifts where cancelled_by is null and until_at > $1), \
         (select min(from_at) from transfer.loans where agreed_by is not null and ended_by is null and from_at > $1), \
         (select min(until_at) from transfer.loans where agreed_by is not null and ended_by is null and until_at > $1))",
        now
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(next)
}
