//! The instances' leases, and which of them carries a session. Every time here is Postgres' own.

use std::time::Duration;

use ids::{InstanceId, SessionId};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{StoreError, corrupt};
use crate::domain::{Address, Footing, Instance, Lease, Ownership};

/// An instance is here: whoever had its name before is over.
pub async fn register(
    connection: &mut PgConnection,
    own: &Instance,
    grpc_url: &str,
    lease: Duration,
) -> Result<(), StoreError> {
    let mut tx = connection.begin().await?;
    sqlx::query!(
        "delete from session.instances where name = $1 or lease_until < clock_timestamp() - interval '1 day'",
        own.name.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into session.instances (instance_id, name, grpc_url, since, lease_until)
         values ($1, $2, $3, clock_timestamp(), clock_timestamp() + make_interval(secs => $4))",
        own.id.uuid(),
        own.name.as_str(),
        grpc_url,
        lease.as_secs_f64(),
    )
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

/// An instance lives on. False: another of its name has taken its place.
pub async fn renew(connection: &mut PgConnection, own: InstanceId, lease: Duration) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update session.instances
         set since = case when lease_until > clock_timestamp() then since else clock_timestamp() end,
             lease_until = clock_timestamp() + make_interval(secs => $2)
         where instance_id = $1",
        own.uuid(),
        lease.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An instance is about to end: others need not wait until its lease has run out.
pub async fn release(connection: &mut PgConnection, own: InstanceId) -> Result<(), StoreError> {
    sqlx::query!("update session.instances set lease_until = clock_timestamp() where instance_id = $1", own.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

/// Who carries a session, and what our own lease is worth. `None`: no such session.
pub async fn ownership(
    connection: &mut PgConnection,
    session: SessionId,
    own: InstanceId,
    lease: Duration,
) -> Result<Option<(Ownership, Footing)>, StoreError> {
    let row = sqlx::query!(
        r#"select s.owner, s.epoch, o.name as "name?", o.grpc_url as "grpc_url?",
             o.lease_until > clock_timestamp() as "good?",
             u.lease_until > clock_timestamp() as "standing?",
             u.since <= clock_timestamp() - make_interval(secs => $3) as "firm?",
             u.since > o.lease_until as "unseen?"
         from session.sessions s
         left join session.instances o on o.instance_id = s.owner
         left join session.instances u on u.instance_id = $2
         where s.session_id = $1"#,
        session.uuid(),
        own.uuid(),
        lease.as_secs_f64(),
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let bad = |column| corrupt("session.instances", column, session);
    let lease = match (row.name.zip(row.grpc_url), row.good) {
        (Some((name, grpc_url)), Some(true)) => {
            Lease::Good(Address { name: name.parse().map_err(|_| bad("name"))?, grpc_url })
        }
        (Some(_), _) => Lease::Lapsed { unseen: row.unseen == Some(true) },
        (None, _) => Lease::Gone,
    };
    let footing = match (row.standing, row.firm) {
        (Some(true), Some(true)) => Footing::Firm,
        (Some(true), _) => Footing::Fresh,
        _ => Footing::None,
    };
    let epoch = row.epoch.try_into().map_err(|_| corrupt("session.sessions", "epoch", session))?;
    Ok(Some((Ownership { owner: row.owner.map(|owner| (owner.into(), lease)), epoch }, footing)))
}

/// A session is carried by this instance from here on. Its row is locked.
pub async fn take(tx: &mut PgConnection, session: SessionId, own: InstanceId, epoch: u64) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.sessions set owner = $2, epoch = $3 where session_id = $1",
        session.uuid(),
        own.uuid(),
        i64::try_from(epoch).unwrap_or(i64::MAX),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Which of these sessions this instance doesn't carry.
pub async fn not_owned(
    connection: &mut PgConnection,
    sessions: &[SessionId],
    own: InstanceId,
) -> Result<Vec<SessionId>, StoreError> {
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.uuid()).collect();
    let rows = sqlx::query_scalar!(
        "select session_id from session.sessions where session_id = any($1) and owner is distinct from $2",
        &ids,
        own.uuid(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(SessionId::from).collect())
}
