//! What sealing keeps beside an exhibit's state: the signature until the package is made, what it waits for; and who leads the log.

use std::time::Duration;

use ids::ExhibitId;
use outbox::Scope;
use sqlx::{Connection, PgConnection, PgPool, PgTransaction};

use super::{StoreError, failed};

/// The advisory lock of whoever gives entries their places: "log" in ASCII. Locks are per database, and so are logs.
const LOCK: i64 = 0x006c_6f67;
/// How often the others look whether the place is free.
const POLL: Duration = Duration::from_secs(1);

/// Keeps the detached signature with the state that says it is made.
///
/// # Errors
/// The database is away.
pub async fn save_signature(tx: &mut PgConnection, id: ExhibitId, signature: &[u8]) -> Result<(), StoreError> {
    sqlx::query!("update evidence.exhibits set signature = $2 where exhibit_id = $1", id.uuid(), signature)
        .execute(tx)
        .await
        .map_err(failed("save_signature"))?;
    Ok(())
}

/// The detached signature, once it is made.
///
/// # Errors
/// The database is away.
pub async fn signature(conn: &mut PgConnection, id: ExhibitId) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar!("select signature from evidence.exhibits where exhibit_id = $1", id.uuid())
        .fetch_optional(conn)
        .await
        .map(Option::flatten)
        .map_err(failed("signature"))
}

/// Says in plain words what an exhibit waits for. The next step that is done takes it away.
///
/// # Errors
/// The database is away.
pub async fn set_waits_for(conn: &mut PgConnection, id: ExhibitId, what: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "update evidence.exhibits set waits_for = $2
         where exhibit_id = $1 and state in ('open', 'fenced', 'manifested', 'signed', 'timestamped', 'logged')
             and waits_for is distinct from $2",
        id.uuid(),
        what,
    )
    .execute(conn)
    .await
    .map_err(failed("set_waits_for"))?;
    Ok(())
}

/// Says of all exhibits that wait for the log what the log waits for.
///
/// # Errors
/// The database is away.
pub async fn set_log_waits_for(conn: &mut PgConnection, what: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "update evidence.exhibits set waits_for = $1 where state = 'timestamped' and waits_for is distinct from $1",
        what,
    )
    .execute(conn)
    .await
    .map_err(failed("set_log_waits_for"))?;
    Ok(())
}

/// What an exhibit waits for, in plain words; empty if for nothing but its turn.
///
/// # Errors
/// The database is away.
pub async fn waits_for(conn: &mut PgConnection, id: ExhibitId) -> Result<String, StoreError> {
    let what = sqlx::query_scalar!("select waits_for from evidence.exhibits where exhibit_id = $1", id.uuid())
        .fetch_optional(conn)
        .await
        .map_err(failed("waits_for"))?;
    Ok(what.flatten().unwrap_or_default())
}

/// The one that gives entries their places. The lock is on the very connection that it writes with: if that dies the lock
/// goes, and so does the lead.
#[derive(Debug)]
pub struct Lead(PgConnection);

impl Lead {
    /// Waits until nobody else leads.
    ///
    /// # Errors
    /// The database is away.
    pub async fn wait(pool: &PgPool) -> Result<Self, StoreError> {
        // Server-side keep-alives: the lock of a leader whose host is gone is free within some ten seconds.
        let keepalives =
            [("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3")];
        let options = pool.connect_options().as_ref().clone().application_name("log-sequencer").options(keepalives);
        let mut connection = PgConnection::connect_with(&options).await.map_err(failed("lead"))?;
        loop {
            let led = sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "led!""#, LOCK);
            if led.fetch_one(&mut connection).await.map_err(failed("lead"))? {
                return Ok(Self(connection));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Begins a transaction for all forces, which can only be committed while the lead is held.
    ///
    /// # Errors
    /// The database is away: the lead is lost.
    pub async fn begin(&mut self, name: &'static str) -> Result<PgTransaction<'_>, StoreError> {
        outbox::begin_on(&mut self.0, Scope::All).await.map_err(failed(name))
    }
}
