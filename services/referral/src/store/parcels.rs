//! Parcels. One is claimed for a while, and what is sent meanwhile is sent outside of any transaction: a partner who doesn't answer
//! holds no lock and no connection.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, ReferralId};
use outbox::{Scope, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, json};
use crate::domain::delivery::{Parcel, ParcelId, Problem, Progress, Standing, What};

/// Where it is told that a parcel may go, or has gone.
pub const NEWS: &str = "referral_parcel";
const TABLE: &str = "referral.parcels";
/// When a row that can't be read is looked at again: it may be a newer version's, in the midst of an upgrade.
const UNREADABLE: TimeDelta = TimeDelta::hours(1);

/// A parcel that this process has in hand.
#[derive(Debug)]
pub struct Claimed {
    /// Its id.
    pub id: ParcelId,
    /// What goes where.
    pub parcel: Parcel,
    /// How it fares, this attempt counted.
    pub progress: Progress,
    /// By this.
    pub claim: Uuid,
}

/// A parcel's progress, under its row's lock, and who has it in hand.
#[derive(Debug)]
pub struct Held {
    /// Its id.
    pub id: ParcelId,
    /// How it fares.
    pub progress: Progress,
    /// Whose claim it is.
    pub claim: Option<Uuid>,
    /// Until when.
    pub claimed_until: Option<DateTime<Utc>>,
}

/// The columns of a row's progress.
struct Row {
    id: Uuid,
    referral_id: Uuid,
    made_at: DateTime<Utc>,
    state: String,
    settled_at: Option<DateTime<Utc>>,
    attempts: i32,
    last_attempt_at: Option<DateTime<Utc>>,
    next_at: Option<DateTime<Utc>>,
    problem: Option<String>,
    claim: Option<Uuid>,
    claimed_until: Option<DateTime<Utc>>,
}

/// A row whose turn it is: it waits, and what it holds is to go.
struct Due {
    id: Uuid,
    force_id: String,
    call_id: Uuid,
    referral_id: Uuid,
    kind: String,
    partner_id: String,
    what: String,
    body: serde_json::Value,
    made_at: DateTime<Utc>,
    attempts: i32,
    last_attempt_at: Option<DateTime<Utc>>,
    next_at: DateTime<Utc>,
    problem: Option<String>,
}

/// Writes a parcel down, and wakes the workers.
///
/// # Errors
/// The database is away.
pub async fn add(tx: &mut Tx, id: ParcelId, parcel: &Parcel, progress: &Progress) -> Result<(), StoreError> {
    let Standing::Waiting(next_at) = progress.standing else { return Ok(()) };
    sqlx::query!(
        "with added as (
             insert into referral.parcels
                 (id, force_id, call_id, referral_id, kind, partner_id, what, body, made_at, state, attempts, next_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', 0, $10)
             on conflict (referral_id, what) do nothing returning 1)
         select pg_notify($11, '') from added",
        id.uuid(),
        parcel.force.as_str(),
        parcel.call.uuid(),
        parcel.referral.uuid(),
        parcel.kind,
        parcel.partner,
        parcel.what.word(),
        json(&parcel.body),
        progress.made_at,
        next_at,
        NEWS,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(|error| StoreError::Database("parcels::add", error))?;
    Ok(())
}

/// Locks what was sent of a referral.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_of(
    tx: &mut PgConnection,
    force: &ForceId,
    referral: ReferralId,
    what: What,
) -> Result<Option<Held>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, referral_id, made_at, state, settled_at, attempts, last_attempt_at, next_at, problem, claim, claimed_until
         from referral.parcels where force_id = $1 and referral_id = $2 and what = $3 for update",
        force.as_str(),
        referral.uuid(),
        what.word(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::lock_of", error))?;
    row.map(Held::try_from).transpose()
}

/// Locks a parcel.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock(tx: &mut PgConnection, force: &ForceId, id: ParcelId) -> Result<Option<Held>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, referral_id, made_at, state, settled_at, attempts, last_attempt_at, next_at, problem, claim, claimed_until
         from referral.parcels where force_id = $1 and id = $2 for update",
        force.as_str(),
        id.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::lock", error))?;
    row.map(Held::try_from).transpose()
}

/// Keeps how a locked parcel fares, lets go of it, and wakes the workers: its partner may have others waiting.
///
/// # Errors
/// The database is away.
pub async fn save(tx: &mut PgConnection, id: ParcelId, progress: &Progress) -> Result<(), StoreError> {
    let (state, next_at, settled_at) = match progress.standing {
        Standing::Waiting(next) => ("waiting", Some(next), None),
        Standing::Delivered(at) => ("delivered", None, Some(at)),
        Standing::Failed(at) => ("failed", None, Some(at)),
        Standing::Stopped(at) => ("stopped", None, Some(at)),
    };
    sqlx::query!(
        "with saved as (
             update referral.parcels
             set state = $2, next_at = $3, settled_at = $4, problem = $5, claim = null, claimed_until = null
             where id = $1 returning 1)
         select pg_notify($6, '') from saved",
        id.uuid(),
        state,
        next_at,
        settled_at,
        progress.problem.map(Problem::code),
        NEWS,
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::save", error))?;
    Ok(())
}

/// The attempt that a withdrawal waited for is over: it may go now.
///
/// # Errors
/// The database is away.
pub async fn bring_withdrawal_forward(
    tx: &mut PgConnection,
    (force, referral): (&ForceId, ReferralId),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with forward as (
             update referral.parcels set next_at = $3
             where force_id = $1 and referral_id = $2 and what = 'withdrawal' and state = 'waiting' and attempts = 0
                 and next_at > $3
             returning 1)
         select pg_notify($4, '') from forward",
        force.as_str(),
        referral.uuid(),
        now,
        NEWS,
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::bring_withdrawal_forward", error))?;
    Ok(())
}

/// Writes down how an attempt went: once it is written, it stays.
///
/// # Errors
/// The database is away.
pub async fn log(
    tx: &mut PgConnection,
    claimed: &Claimed,
    problem: Option<Problem>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.attempts (parcel_id, number, begun_at, ended_at, problem) values ($1, $2, $3, $4, $5)",
        claimed.id.uuid(),
        i32::try_from(claimed.progress.attempts).unwrap_or(i32::MAX),
        claimed.progress.last_attempt_at.unwrap_or(now),
        now,
        problem.map(Problem::code),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::log", error))?;
    Ok(())
}

/// The latest of what was sent of each of a call's referrals.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn of_call(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
) -> Result<Vec<(ReferralId, Progress)>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select distinct on (referral_id)
             id, referral_id, made_at, state, settled_at, attempts, last_attempt_at, next_at, problem, claim, claimed_until
         from referral.parcels where force_id = $1 and call_id = $2
         order by referral_id, made_at desc, what desc",
        force.as_str(),
        call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("parcels::of_call", error))?;
    rows.into_iter().map(|row| Ok((row.referral_id.into(), Held::try_from(row)?.progress))).collect()
}

impl Store {
    /// Takes the parcel whose turn it is in hand until then; none if none is due. A partner is sent one at a time, by whichever replica:
    /// one that doesn't answer holds up its own only. So does one that can't be read: it comes back in an hour.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn claim_parcel(
        &self,
        claim: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Claimed>, StoreError> {
        let failed = |error| StoreError::Database("claim_parcel", error);
        let mut tx = outbox::begin(&self.pool, Scope::All).await.map_err(failed)?;
        // One claim after another: two at once would each see a partner whom nobody sends anything.
        sqlx::query!("select pg_advisory_xact_lock(7105)").execute(&mut *tx).await.map_err(failed)?;
        let due = sqlx::query_as!(
            Due,
            r#"select id, force_id, call_id, referral_id, kind, partner_id, what, body,
                 made_at, attempts, last_attempt_at, next_at as "next_at!", problem
             from referral.parcels p
             where state = 'waiting' and next_at <= $1 and (claimed_until is null or claimed_until <= $1)
                 and not exists (
                     select from referral.parcels o
                     where o.force_id = p.force_id and o.partner_id = p.partner_id and o.state = 'waiting'
                         and o.claimed_until > $1)
             order by next_at limit 1 for update skip locked"#,
            now,
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed)?;
        let Some(due) = due else { return Ok(None) };
        let id = due.id;
        let (parcel, progress) = match due.read() {
            Ok(read) => read,
            Err(unreadable) => {
                sqlx::query!("update referral.parcels set next_at = $2 where id = $1", id, now + UNREADABLE)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed)?;
                tx.commit().await.map_err(failed)?;
                return Err(unreadable);
            }
        };
        let progress = progress.begun(now);
        sqlx::query!(
            "update referral.parcels set attempts = $2, last_attempt_at = $3, claim = $4, claimed_until = $5 where id = $1",
            id,
            i32::try_from(progress.attempts).unwrap_or(i32::MAX),
            progress.last_attempt_at,
            claim,
            until,
        )
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(Some(Claimed { id: id.into(), parcel, progress, claim }))
    }

    /// When the next parcel may go, so far as is known now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn next_parcel(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let failed = |error| StoreError::Database("next_parcel", error);
        let mut tx = outbox::begin(&self.pool, Scope::All).await.map_err(failed)?;
        sqlx::query_scalar!(
            "with busy as (
                 select force_id, partner_id, max(claimed_until) as until from referral.parcels
                 where state = 'waiting' and claimed_until > $1 group by 1, 2)
             select min(greatest(p.next_at, busy.until)) from referral.parcels p
             left join busy using (force_id, partner_id) where p.state = 'waiting'",
            now,
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)
    }
}

impl Due {
    /// What goes where, and how it fares.
    fn read(self) -> Result<(Parcel, Progress), StoreError> {
        let corrupt = |column| StoreError::Corrupt { table: TABLE, column, row: self.id.to_string() };
        let parcel = Parcel {
            referral: self.referral_id.into(),
            call: self.call_id.into(),
            force: self.force_id.parse().map_err(|_| corrupt("force_id"))?,
            kind: self.kind,
            partner: self.partner_id,
            what: What::of(&self.what).ok_or_else(|| corrupt("what"))?,
            body: serde_json::from_value(self.body).map_err(|_| corrupt("body"))?,
        };
        let progress = Progress {
            made_at: self.made_at,
            standing: Standing::Waiting(self.next_at),
            attempts: u32::try_from(self.attempts).map_err(|_| corrupt("attempts"))?,
            last_attempt_at: self.last_attempt_at,
            problem: self.problem.as_deref().and_then(Problem::of),
        };
        Ok((parcel, progress))
    }
}

impl TryFrom<Row> for Held {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt { table: TABLE, column, row: row.id.to_string() };
        let standing = match (row.state.as_str(), row.next_at, row.settled_at) {
            ("waiting", Some(next), None) => Standing::Waiting(next),
            ("delivered", None, Some(at)) => Standing::Delivered(at),
            ("failed", None, Some(at)) => Standing::Failed(at),
            ("stopped", None, Some(at)) => Standing::Stopped(at),
            _ => return Err(corrupt("state")),
        };
        let problem = row.problem.as_deref().and_then(Problem::of);
        let progress = Progress {
            made_at: row.made_at,
            standing,
            attempts: u32::try_from(row.attempts).map_err(|_| corrupt("attempts"))?,
            last_attempt_at: row.last_attempt_at,
            problem,
        };
        Ok(Self { id: row.id.into(), progress, claim: row.claim, claimed_until: row.claimed_until })
    }
}
