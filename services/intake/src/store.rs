//! Every SQL statement of the service. A row that can't be what the domain has is its own error, naming where it is.

mod consents;
mod fast_track;
pub mod follow_up;
mod force;
mod gauges;
mod list;
mod location;
pub mod mait;
mod reach;
mod triages;
mod updates;
mod word;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, PhoneNumber};
use outbox::Scope;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgConnection, PgPool, PgTransaction};

pub use consents::insert_consents;
pub use fast_track::{Due, due_fast_tracks, fast_track, next_deadline, save_fast_track};
pub use force::{force_updates_after, insert_force_updates};
pub use location::{forget_expired_locations, forget_location, insert_look, location, save_location};
pub use outbox::StoreError;
pub use triages::insert_triage;
pub use updates::{CHANNEL, Topic, insert_updates, updates_after};

use crate::domain::{Call, Consents, Each, Line, Seal, State};

/// The pool, and the names of the transactions begun from it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// A call under its row's lock, and the trace that it belongs to.
#[derive(Debug)]
pub struct Locked {
    /// The call.
    pub call: Call,
    /// The trace of the request that opened it.
    pub trace: Trace,
}

/// A row of intake.calls.
struct Row {
    id: uuid::Uuid,
    force_id: String,
    line: String,
    incident_date: String,
    incident_number: String,
    opened_at: DateTime<Utc>,
    state: serde_json::Value,
    triages: i32,
    consent_video: Option<bool>,
    consent_recording: Option<bool>,
    consent_stills: Option<bool>,
    consent_covered: Option<bool>,
    consent_location: Option<bool>,
    exhibit_id: Option<uuid::Uuid>,
    exhibit_reference: Option<String>,
    seal_sha256: Option<String>,
    told: i64,
    trace: String,
    consents_each: serde_json::Value,
    follow_up_of: Option<uuid::Uuid>,
}

impl Store {
    /// On this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Begins a transaction among the rows of one force, or of all; its name is in the error and the span if it can't.
    ///
    /// # Errors
    /// The database is away.
    #[tracing::instrument(level = "debug", skip(self, scope))]
    pub async fn begin(&self, name: &'static str, scope: Scope<'_>) -> Result<PgTransaction<'static>, StoreError> {
        outbox::begin(&self.pool, scope).await.map_err(|error| StoreError::Database(name, error))
    }

    /// A call as it stands.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn call(&self, force: &ForceId, id: CallId) -> Result<Option<Call>, StoreError> {
        let mut tx = self.begin("call", Scope::Force(force)).await?;
        let row = sqlx::query_as!(
            Row,
            "select id, force_id, line, incident_date, incident_number, opened_at, state, triages, consent_video,
                    consent_recording, consent_stills, consent_covered, consent_location, exhibit_id, exhibit_reference, seal_sha256, told,
                    trace, consents_each, follow_up_of
             from intake.calls where force_id = $1 and id = $2",
            force.as_str(),
            id.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("call", error))?;
        Ok(row.map(Locked::try_from).transpose()?.map(|locked| locked.call))
    }
}

/// Locks a call's row until the transaction ends: one use case at a time has a call.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_call(tx: &mut PgConnection, force: &ForceId, id: CallId) -> Result<Option<Locked>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, force_id, line, incident_date, incident_number, opened_at, state, triages, consent_video,
                consent_recording, consent_stills, consent_covered, consent_location, exhibit_id, exhibit_reference, seal_sha256, told,
                trace, consents_each, follow_up_of
         from intake.calls where force_id = $1 and id = $2 for update",
        force.as_str(),
        id.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("lock_call", error))?;
    row.map(Locked::try_from).transpose()
}

/// Locks the call that is current for an incident.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_current(
    tx: &mut PgConnection,
    force: &ForceId,
    incident: &IncidentRef,
) -> Result<Option<Locked>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, force_id, line, incident_date, incident_number, opened_at, state, triages, consent_video,
                consent_recording, consent_stills, consent_covered, consent_location, exhibit_id, exhibit_reference, seal_sha256, told,
                trace, consents_each, follow_up_of
         from intake.calls
         where force_id = $1 and incident_date = $2 and incident_number = $3 and is_current for update",
        force.as_str(),
        incident.date.as_str(),
        incident.number.as_str(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("lock_current", error))?;
    row.map(Locked::try_from).transpose()
}

/// Adds a call as the current one of its incident; false if another has just become that. Waits for one that is
/// being added at the same moment.
///
/// # Errors
/// The database is away.
pub async fn insert_call(
    tx: &mut PgConnection,
    call: &Call,
    number: Option<&PhoneNumber>,
    trace: &Trace,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into intake.calls (id, force_id, line, incident_date, incident_number, caller_number, opened_at, state,
                                   trace, follow_up_of)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (force_id, incident_date, incident_number) where is_current do nothing",
        call.id.uuid(),
        call.force.as_str(),
        line_text(call.line),
        call.incident.date.as_str(),
        call.incident.number.as_str(),
        number.map(PhoneNumber::expose),
        call.opened_at,
        json(&call.state),
        trace.as_str(),
        call.follow_up_of.map(|first| first.uuid()),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_call", error))?;
    Ok(done.rows_affected() == 1)
}

/// Makes room for a new call of the same incident.
///
/// # Errors
/// The database is away.
pub async fn retire_call(tx: &mut PgConnection, id: CallId) -> Result<(), StoreError> {
    sqlx::query!("update intake.calls set is_current = false where id = $1", id.uuid())
        .execute(tx)
        .await
        .map_err(|error| StoreError::Database("retire_call", error))?;
    Ok(())
}

/// Saves a locked call.
///
/// # Errors
/// The database is away.
pub async fn save_call(tx: &mut PgConnection, call: &Call) -> Result<(), StoreError> {
    let seal = call.seal.as_ref();
    sqlx::query!(
        "update intake.calls
         set state = $2, triages = $3, consent_video = $4, consent_recording = $5, consent_stills = $6,
             consent_covered = $7, exhibit_id = $8, exhibit_reference = $9, seal_sha256 = $10, told = $11,
             consent_location = $12, consents_each = $13
         where id = $1",
        call.id.uuid(),
        json(&call.state),
        i32::try_from(call.triages).unwrap_or(i32::MAX),
        call.consents.video,
        call.consents.recording,
        call.consents.stills,
        call.consents.covered,
        seal.map(|seal| seal.exhibit.uuid()),
        seal.map(|seal| seal.reference.as_str()),
        seal.map(|seal| seal.sha256.as_str()),
        i64::try_from(call.told).unwrap_or(i64::MAX),
        call.consents.location,
        json(&call.consents.each),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save_call", error))?;
    Ok(())
}

impl TryFrom<Row> for Locked {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let key = row.id.to_string();
        let corrupt = |column| StoreError::Corrupt { table: "intake.calls", column, row: key.clone() };
        let seal = match (row.exhibit_id, row.exhibit_reference, row.seal_sha256) {
            (Some(exhibit), Some(reference), Some(sha256)) => Some(Seal { exhibit: exhibit.into(), reference, sha256 }),
            (None, None, None) => None,
            _ => return Err(corrupt("exhibit_id")),
        };
        let call = Call {
            id: row.id.into(),
            force: row.force_id.parse().map_err(|_| corrupt("force_id"))?,
            line: match row.line.as_str() {
                "emergency" => Line::Emergency,
                "non_emergency" => Line::NonEmergency,
                _ => return Err(corrupt("line")),
            },
            incident: IncidentRef::parse(&row.incident_date, &row.incident_number)
                .map_err(|_| corrupt("incident_number"))?,
            follow_up_of: row.follow_up_of.map(CallId::from),
            opened_at: row.opened_at,
            state: from_json::<State>(row.state).ok_or_else(|| corrupt("state"))?,
            triages: u32::try_from(row.triages).map_err(|_| corrupt("triages"))?,
            consents: Consents {
                video: row.consent_video,
                recording: row.consent_recording,
                stills: row.consent_stills,
                covered: row.consent_covered,
                location: row.consent_location,
                each: from_json::<Each>(row.consents_each).ok_or_else(|| corrupt("consents_each"))?,
            },
            seal,
            told: u64::try_from(row.told).map_err(|_| corrupt("told"))?,
        };
        Ok(Self { call, trace: Trace::parse(&row.trace) })
    }
}

/// Our own enums and structs of text and numbers always have a JSON form.
fn json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn from_json<T: DeserializeOwned>(value: serde_json::Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

fn line_text(line: Line) -> &'static str {
    match line {
        Line::Emergency => "emergency",
        Line::NonEmergency => "non_emergency",
    }
}
