//! Packages on their way into an addendum. One is claimed for a while, and what is brought meanwhile is brought outside of any
//! transaction. The head of migration 0015 says that documents are kept here byte for byte: until they are sealed. Then their bytes
//! go, and the addendum alone has them.

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId};
use outbox::{Scope, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    app::On,
    domain::{
        documents::{Document, DocumentKind},
        sealing::{Addendum, Sealing, SealingState},
    },
};

/// Where it is told that a package may be brought.
pub const NEWS: &str = "referral_sealing";
const TABLE: &str = "referral.sealings";

/// A sealing that this process has in hand, with its documents.
pub struct Claimed {
    /// Which, and how far it has come.
    pub sealing: Sealing,
    /// Each with its id and digest.
    pub documents: Vec<(Uuid, [u8; 32], Document)>,
    /// Attempts, this one counted.
    pub attempts: u32,
    /// When it was due: another time now means that something has happened meanwhile.
    pub next_at: DateTime<Utc>,
    /// By this.
    pub claim: Uuid,
}

/// A sealing under its row's lock.
pub struct Held {
    /// How far it has come.
    pub sealing: Sealing,
    /// Whose claim it is.
    pub claim: Option<Uuid>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
}

struct Row {
    id: Uuid,
    force_id: String,
    call_id: Uuid,
    number: i32,
    asked_by: String,
    asked_at: DateTime<Utc>,
    reason: String,
    score: i32,
    parent_id: Uuid,
    state: String,
    exhibits: Vec<Uuid>,
    reference: String,
    sealed_at: Option<DateTime<Utc>>,
    problem: Option<String>,
    attempts: i32,
    claim: Option<Uuid>,
    next_at: Option<DateTime<Utc>>,
}

/// A call's sealings, the newest first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn of_call(tx: &mut PgConnection, on: &On) -> Result<Vec<Sealing>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select id, force_id, call_id, number, asked_by, asked_at, reason, score, parent_id, state, exhibits, reference,
             sealed_at, problem, attempts, claim, next_at
         from referral.sealings where force_id = $1 and call_id = $2 order by number desc",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("sealings::of_call", error))?;
    rows.into_iter().map(Sealing::try_from).collect()
}

/// Writes a new one down with its documents, and wakes the workers. The case is locked.
///
/// # Errors
/// The database is away.
pub async fn add(tx: &mut Tx, sealing: &Sealing, documents: &[(Uuid, [u8; 32], Document)]) -> Result<(), StoreError> {
    let failed = |error| StoreError::Database("sealings::add", error);
    sqlx::query!(
        "with added as (
             insert into referral.sealings (id, force_id, call_id, number, asked_by, asked_at, reason, score, parent_id,
                 state, exhibits, reference, attempts, next_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', '{}', '', 0, $6) returning 1)
         select pg_notify($10, '') from added",
        sealing.id,
        sealing.force.as_str(),
        sealing.call.uuid(),
        signed(sealing.number),
        sealing.by.as_str(),
        sealing.at,
        sealing.reason,
        signed(sealing.score_percent),
        sealing.parent.uuid(),
        NEWS,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    for (position, (id, sha256, document)) in (0..).zip(documents) {
        sqlx::query!(
            "insert into referral.sealing_documents (id, sealing_id, position, name, kind, media_type, sha256, body)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            id,
            sealing.id,
            position,
            document.name,
            document.kind.word(),
            document.media_type,
            &sha256[..],
            document.body,
        )
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// Something has happened that a call's sealing may have waited for: it is tried now.
///
/// # Errors
/// The database is away.
pub async fn stir(tx: &mut PgConnection, on: &On, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "with stirred as (
             update referral.sealings set next_at = $3
             where force_id = $1 and call_id = $2 and next_at is not null returning 1)
         select pg_notify($4, '') from stirred",
        on.force.as_str(),
        on.call.uuid(),
        now,
        NEWS,
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("sealings::stir", error))?;
    Ok(())
}

/// Locks one.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock(tx: &mut PgConnection, on: &On, id: Uuid) -> Result<Option<Held>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, force_id, call_id, number, asked_by, asked_at, reason, score, parent_id, state, exhibits, reference,
             sealed_at, problem, attempts, claim, next_at
         from referral.sealings where force_id = $1 and id = $2 for update",
        on.force.as_str(),
        id,
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("sealings::lock", error))?;
    let Some(row) = row else { return Ok(None) };
    let (claim, next_at) = (row.claim, row.next_at);
    Ok(Some(Held { sealing: row.try_into()?, claim, next_at }))
}

/// Keeps how far a locked one has come, and lets go of it. `next_at` is of one that isn't over.
///
/// # Errors
/// The database is away.
pub async fn save(
    tx: &mut PgConnection,
    sealing: &Sealing,
    next_at: DateTime<Utc>,
    problem: Option<&str>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::Database("sealings::save", error);
    let (state, addendum, sealed_at) = match &sealing.state {
        SealingState::Waiting => ("waiting", None, None),
        SealingState::Added(addendum) => ("added", Some(addendum), None),
        SealingState::Sealed(addendum, at) => ("sealed", Some(addendum), Some(*at)),
        SealingState::Failed(addendum) => ("failed", addendum.as_ref(), None),
    };
    let exhibits: Vec<Uuid> = addendum.iter().flat_map(|one| &one.exhibits).map(|exhibit| exhibit.uuid()).collect();
    sqlx::query!(
        "update referral.sealings set state = $2, exhibits = $3, reference = $4, sealed_at = $5, next_at = $6, problem = $7,
             claim = null, claimed_until = null
         where id = $1",
        sealing.id,
        state,
        &exhibits,
        addendum.map(|one| one.reference.as_str()).unwrap_or_default(),
        sealed_at,
        Some(next_at).filter(|_| !sealing.is_over()),
        problem,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed)?;
    if state == "sealed" {
        // The addendum has them. Here they would outlive it.
        sqlx::query!("update referral.sealing_documents set body = null where sealing_id = $1", sealing.id)
            .execute(tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

impl Store {
    /// Takes the one whose turn it is in hand until then; none if none is due.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn claim_sealing(
        &self,
        claim: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Claimed>, StoreError> {
        let failed = |error| StoreError::Database("claim_sealing", error);
        let mut tx = self.begin("claim_sealing", Scope::All).await?;
        let row = sqlx::query_as!(
            Row,
            "update referral.sealings set attempts = attempts + 1, claim = $2, claimed_until = $3
               where id = (
                   select id from referral.sealings
                   where next_at <= $1 and (claimed_until is null or claimed_until <= $1)
                   order by next_at limit 1 for update skip locked)
               returning id, force_id, call_id, number, asked_by, asked_at, reason, score, parent_id, state, exhibits, reference,
                   sealed_at, problem, attempts, claim, next_at",
            now,
            claim,
            until,
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let rows = sqlx::query!(
            r#"select id, name, kind, media_type, sha256, body as "body!" from referral.sealing_documents
               where sealing_id = $1 order by position"#,
            row.id,
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(failed)?;
        // What can't be read stays claimed, and is tried again when the claim ends: it holds up no other.
        super::commit(tx).await?;
        let attempts = row.attempts.unsigned_abs();
        let corrupt = |column| StoreError::Corrupt { table: TABLE, column, row: row.id.to_string() };
        let next_at = row.next_at.ok_or_else(|| corrupt("next_at"))?;
        let sealing = Sealing::try_from(row)?;
        let documents = rows.into_iter().map(|row| {
            let corrupt =
                |column| StoreError::Corrupt { table: "referral.sealing_documents", column, row: row.id.to_string() };
            let sha256 = row.sha256.try_into().map_err(|_| corrupt("sha256"))?;
            let kind = DocumentKind::read(&row.kind).ok_or_else(|| corrupt("kind"))?;
            Ok((row.id, sha256, Document { name: row.name, kind, media_type: row.media_type, body: row.body }))
        });
        let documents = documents.collect::<Result<_, StoreError>>()?;
        Ok(Some(Claimed { sealing, documents, attempts, next_at, claim }))
    }

    /// When the next one may be tried, so far as is known now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn next_sealing(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut tx = self.begin("next_sealing", Scope::All).await?;
        sqlx::query_scalar!(
            "select min(greatest(next_at, claimed_until)) from referral.sealings where next_at is not null"
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("next_sealing", error))
    }
}

impl TryFrom<Row> for Sealing {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let key = row.id.to_string();
        let corrupt = |column| StoreError::Corrupt { table: TABLE, column, row: key.clone() };
        let addendum = || {
            let exhibits: Vec<ExhibitId> = row.exhibits.iter().map(|exhibit| ExhibitId::from(*exhibit)).collect();
            Some(Addendum { exhibits, reference: row.reference.clone() }).filter(|one| !one.exhibits.is_empty())
        };
        let state = match row.state.as_str() {
            "waiting" => SealingState::Waiting,
            "added" => SealingState::Added(addendum().ok_or_else(|| corrupt("exhibits"))?),
            "sealed" => {
                let addendum = addendum().ok_or_else(|| corrupt("exhibits"))?;
                SealingState::Sealed(addendum, row.sealed_at.ok_or_else(|| corrupt("sealed_at"))?)
            }
            "failed" => SealingState::Failed(addendum()),
            _ => return Err(corrupt("state")),
        };
        Ok(Self {
            id: row.id,
            force: row.force_id.parse().map_err(|_| corrupt("force_id"))?,
            call: CallId::from(row.call_id),
            number: row.number.unsigned_abs(),
            by: row.asked_by.parse().map_err(|_| corrupt("asked_by"))?,
            at: row.asked_at,
            reason: row.reason,
            score_percent: row.score.unsigned_abs(),
            parent: row.parent_id.into(),
            problem: row.problem.unwrap_or_default(),
            state,
        })
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
