//! `evidence.exhibits`: the exhibit and its state.

use std::collections::BTreeMap;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, TrackName};
use sqlx::PgConnection;

use super::{At, StoreError, bigint, failed, wake_worker};
use crate::domain::{Exhibit, Fenced, Logged, Manifested, Reference, Sealed, Signed, State, Timestamped};

const TABLE: &str = "evidence.exhibits";

/// An exhibit, and what its row keeps beside it.
#[derive(Debug, Clone)]
pub struct Located {
    /// The exhibit.
    pub exhibit: Exhibit,
    /// The call's own trace.
    pub trace: Trace,
    /// Its opening record is in the journal.
    pub journaled: bool,
}

/// What an exhibit is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Its own id.
    Exhibit(ExhibitId),
    /// Its call: the call's own exhibit, not an addendum.
    Call(CallId),
}

struct Row {
    exhibit_id: uuid::Uuid,
    call_id: uuid::Uuid,
    force_id: String,
    reference: String,
    incident_date: String,
    incident_number: String,
    trace: String,
    opened_at: DateTime<Utc>,
    parent_exhibit_id: Option<uuid::Uuid>,
    part: i32,
    journaled: bool,
    state: String,
    fenced_at: Option<DateTime<Utc>>,
    missing_segments: Option<i64>,
    manifested_at: Option<DateTime<Utc>>,
    tagmanifest_sha256: Option<Vec<u8>>,
    signed_at: Option<DateTime<Utc>>,
    seal_sha256: Option<Vec<u8>>,
    timestamped_at: Option<DateTime<Utc>>,
    timestamp_token: Option<Vec<u8>>,
    logged_at: Option<DateTime<Utc>>,
    log_proof: Option<Vec<u8>>,
    sealed_at: Option<DateTime<Utc>>,
}

/// Adds an exhibit; false if its call has this part already, or its reference is taken.
///
/// # Errors
/// The database is away.
pub async fn insert_exhibit(
    tx: &mut PgConnection,
    exhibit: &Exhibit,
    trace: &Trace,
    journaled: bool,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into evidence.exhibits
             (exhibit_id, call_id, force_id, reference, incident_date, incident_number, trace, opened_at, journaled,
              parent_exhibit_id, part)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        exhibit.id.uuid(),
        exhibit.call.uuid(),
        exhibit.force.as_str(),
        exhibit.reference.as_str(),
        exhibit.incident.date.as_str(),
        exhibit.incident.number.as_str(),
        trace.as_str(),
        exhibit.opened_at,
        journaled,
        exhibit.parent.map(ExhibitId::uuid),
        exhibit.part.cast_signed(),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("insert_exhibit"))?;
    // Its session may have ended already: the two are told by different streams.
    wake_worker(tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that an exhibit's opening record is in the journal.
///
/// # Errors
/// The database is away.
pub async fn mark_journaled(tx: &mut PgConnection, id: ExhibitId) -> Result<(), StoreError> {
    sqlx::query!("update evidence.exhibits set journaled = true where exhibit_id = $1 and not journaled", id.uuid())
        .execute(tx)
        .await
        .map_err(failed("mark_journaled"))?;
    Ok(())
}

/// An exhibit as it stands.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn exhibit(conn: &mut PgConnection, key: Key) -> Result<Option<Located>, StoreError> {
    let (id, call) = match key {
        Key::Exhibit(id) => (Some(id.uuid()), None),
        Key::Call(call) => (None, Some(call.uuid())),
    };
    let row = sqlx::query_as!(
        Row,
        "select exhibit_id, call_id, force_id, reference, incident_date, incident_number, trace, opened_at,
                parent_exhibit_id, part, journaled, state, fenced_at, missing_segments, manifested_at, tagmanifest_sha256, signed_at, seal_sha256,
                timestamped_at, timestamp_token, logged_at, log_proof, sealed_at
         from evidence.exhibits where exhibit_id = $1 or (call_id = $2 and part = 1)",
        id,
        call,
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed("exhibit"))?;
    match row {
        Some(row) => located(conn, row).await.map(Some),
        None => Ok(None),
    }
}

/// Locks an exhibit's row until the transaction ends: one step at a time.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_exhibit(tx: &mut PgConnection, id: ExhibitId) -> Result<Option<Located>, StoreError> {
    sqlx::query!("select exhibit_id from evidence.exhibits where exhibit_id = $1 for update", id.uuid())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("lock_exhibit"))?;
    exhibit(tx, Key::Exhibit(id)).await
}

/// Saves an exhibit's state. The manifest has to be there before the state that says so.
///
/// # Errors
/// The database is away, or refuses a row that contradicts itself.
pub async fn save_exhibit(tx: &mut PgConnection, exhibit: &Exhibit) -> Result<(), StoreError> {
    let columns = Columns::of(&exhibit.state);
    sqlx::query!(
        "update evidence.exhibits set
             state = $2, fenced_at = $3, missing_segments = $4, manifested_at = $5, tagmanifest_sha256 = $6, signed_at = $7,
             seal_sha256 = $8, timestamped_at = $9, timestamp_token = $10, logged_at = $11, log_proof = $12, sealed_at = $13,
             waits_for = null
         where exhibit_id = $1",
        exhibit.id.uuid(),
        exhibit.state.name(),
        columns.fenced.map(|f| f.at),
        columns.fenced.map(|f| bigint(f.missing)),
        columns.manifested.map(|m| m.at),
        columns.manifested.map(|m| m.tagmanifest.as_bytes().as_slice()),
        columns.signed.map(|s| s.at),
        columns.signed.map(|s| s.seal.as_bytes().as_slice()),
        columns.timestamped.map(|t| t.at),
        columns.timestamped.and_then(|t| t.token.as_deref()),
        columns.logged.map(|l| l.at),
        columns.logged.map(|l| l.proof.as_bytes()),
        columns.sealed.map(|s| s.at),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("save_exhibit"))?;
    if let State::Fenced(fenced) = &exhibit.state {
        save_marks(tx, exhibit.id, fenced).await?;
    }
    Ok(())
}

async fn save_marks(tx: &mut PgConnection, id: ExhibitId, fenced: &Fenced) -> Result<(), StoreError> {
    for (track, mark) in &fenced.marks {
        sqlx::query!(
            "update evidence.tracks set fence = $3 where exhibit_id = $1 and track = $2",
            id.uuid(),
            track.as_str(),
            bigint(*mark),
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("save_marks"))?;
    }
    Ok(())
}

/// Makes an exhibit's row what the journal's seal says, whatever it said before.
///
/// # Errors
/// The database is away.
pub async fn restore_sealed(
    tx: &mut PgConnection,
    exhibit: &Exhibit,
    manifest: &[u8],
    signature: &[u8],
) -> Result<(), StoreError> {
    // A manifest belongs to a state behind the fence, and such a state to a manifest: so both at once.
    sqlx::query!(
        "update evidence.exhibits set
             state = 'manifested', manifest = $2, fenced_at = opened_at, missing_segments = 0, manifested_at = opened_at,
             tagmanifest_sha256 = '', signed_at = null, seal_sha256 = null, timestamped_at = null, logged_at = null,
             sealed_at = null, signature = $3
         where exhibit_id = $1",
        exhibit.id.uuid(),
        manifest,
        signature,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("restore_sealed"))?;
    save_exhibit(tx, exhibit).await?;
    match &exhibit.state {
        State::Sealed(sealed) => save_marks(tx, exhibit.id, &sealed.logged.timestamped.signed.manifested.fenced).await,
        _ => Ok(()),
    }
}

/// Saves the manifest together with the state that says it is written.
///
/// # Errors
/// The database is away.
pub async fn save_manifest(tx: &mut PgConnection, exhibit: &Exhibit, manifest: &[u8]) -> Result<(), StoreError> {
    let State::Manifested(manifested) = &exhibit.state else { return Ok(()) };
    sqlx::query!(
        "update evidence.exhibits set state = 'manifested', manifested_at = $2, tagmanifest_sha256 = $3, manifest = $4
         where exhibit_id = $1",
        exhibit.id.uuid(),
        manifested.at,
        manifested.tagmanifest.as_bytes().as_slice(),
        manifest,
    )
    .execute(tx)
    .await
    .map_err(failed("save_manifest"))?;
    Ok(())
}

/// The manifest's bytes, once they are written.
///
/// # Errors
/// The database is away.
pub async fn manifest(conn: &mut PgConnection, id: ExhibitId) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar!("select manifest from evidence.exhibits where exhibit_id = $1", id.uuid())
        .fetch_optional(conn)
        .await
        .map(Option::flatten)
        .map_err(failed("manifest"))
}

/// Every exhibit that isn't sealed, oldest first, and whether its session has ended: an addendum's has.
///
/// # Errors
/// The database is away.
pub async fn unsealed(conn: &mut PgConnection) -> Result<Vec<(ExhibitId, bool)>, StoreError> {
    let rows = sqlx::query!(
        r#"select e.exhibit_id, s.call_id is not null as "ended!"
           from evidence.exhibits e left join evidence.sessions s using (call_id)
           where e.state <> 'sealed' order by e.exhibit_id"#
    )
    .fetch_all(conn)
    .await
    .map_err(failed("unsealed"))?;
    Ok(rows.into_iter().map(|row| (row.exhibit_id.into(), row.ended)).collect())
}

async fn located(conn: &mut PgConnection, row: Row) -> Result<Located, StoreError> {
    let marks = sqlx::query!(
        r#"select track, fence as "fence!" from evidence.tracks where exhibit_id = $1 and fence is not null"#,
        row.exhibit_id
    )
    .fetch_all(conn)
    .await
    .map_err(failed("marks"))?;
    let at = At { table: "evidence.tracks", row: &row.exhibit_id };
    let marks = marks.into_iter().map(|m| Ok((at.parse("track", &m.track)?, at.count("fence", m.fence)?)));
    let marks = marks.collect::<Result<BTreeMap<TrackName, u64>, StoreError>>()?;

    let at = At { table: TABLE, row: &row.exhibit_id };
    let incident = IncidentRef::parse(&row.incident_date, &row.incident_number);
    Ok(Located {
        exhibit: Exhibit {
            id: row.exhibit_id.into(),
            call: row.call_id.into(),
            force: at.parse::<ForceId>("force_id", &row.force_id)?,
            reference: Reference::from_row(row.reference.clone()),
            incident: incident.map_err(|_| at.corrupt("incident_number"))?,
            opened_at: row.opened_at,
            parent: row.parent_exhibit_id.map(Into::into),
            part: u32::try_from(row.part).map_err(|_| at.corrupt("part"))?,
            state: state(&at, &row, marks)?,
        },
        trace: Trace::parse(&row.trace),
        journaled: row.journaled,
    })
}

/// Builds the state up, from the first one on, until it is the one that the row names.
fn state(at: &At<'_>, row: &Row, marks: BTreeMap<TrackName, u64>) -> Result<State, StoreError> {
    let name = row.state.as_str();
    if name == "open" {
        return Ok(State::Open);
    }
    let fenced = Fenced {
        at: at.present("fenced_at", row.fenced_at)?,
        marks,
        missing: at.count("missing_segments", at.present("missing_segments", row.missing_segments)?)?,
    };
    if name == "fenced" {
        return Ok(State::Fenced(fenced));
    }
    let tagmanifest = at.present("tagmanifest_sha256", row.tagmanifest_sha256.as_deref())?;
    let manifested = Manifested {
        fenced,
        at: at.present("manifested_at", row.manifested_at)?,
        tagmanifest: at.digest("tagmanifest_sha256", tagmanifest)?,
    };
    if name == "manifested" {
        return Ok(State::Manifested(manifested));
    }
    let seal = at.present("seal_sha256", row.seal_sha256.as_deref())?;
    let signed =
        Signed { manifested, at: at.present("signed_at", row.signed_at)?, seal: at.digest("seal_sha256", seal)? };
    if name == "signed" {
        return Ok(State::Signed(signed));
    }
    let timestamped_at = at.present("timestamped_at", row.timestamped_at)?;
    let timestamped = Timestamped { signed, at: timestamped_at, token: row.timestamp_token.clone() };
    if name == "timestamped" {
        return Ok(State::Timestamped(timestamped));
    }
    let proof = at.present("log_proof", row.log_proof.clone())?;
    let proof = String::from_utf8(proof).map_err(|_| at.corrupt("log_proof"))?;
    let logged = Logged { timestamped, at: at.present("logged_at", row.logged_at)?, proof };
    match name {
        "logged" => Ok(State::Logged(logged)),
        "sealed" => Ok(State::Sealed(Sealed { logged, at: at.present("sealed_at", row.sealed_at)? })),
        _ => Err(at.corrupt("state")),
    }
}

/// What each state has for the row's columns.
#[derive(Default, Clone, Copy)]
struct Columns<'a> {
    fenced: Option<&'a Fenced>,
    manifested: Option<&'a Manifested>,
    signed: Option<&'a Signed>,
    timestamped: Option<&'a Timestamped>,
    logged: Option<&'a Logged>,
    sealed: Option<&'a Sealed>,
}

impl<'a> Columns<'a> {
    fn of(state: &'a State) -> Self {
        match state {
            State::Open => Self::default(),
            State::Fenced(fenced) => Self::fenced(fenced),
            State::Manifested(manifested) => Self::manifested(manifested),
            State::Signed(signed) => Self::signed(signed),
            State::Timestamped(timestamped) => Self::timestamped(timestamped),
            State::Logged(logged) => Self::logged(logged),
            State::Sealed(sealed) => Self { sealed: Some(sealed), ..Self::logged(&sealed.logged) },
        }
    }

    fn fenced(fenced: &'a Fenced) -> Self {
        Self { fenced: Some(fenced), ..Self::default() }
    }

    fn manifested(manifested: &'a Manifested) -> Self {
        Self { manifested: Some(manifested), ..Self::fenced(&manifested.fenced) }
    }

    fn signed(signed: &'a Signed) -> Self {
        Self { signed: Some(signed), ..Self::manifested(&signed.manifested) }
    }

    fn timestamped(timestamped: &'a Timestamped) -> Self {
        Self { timestamped: Some(timestamped), ..Self::signed(&timestamped.signed) }
    }

    fn logged(logged: &'a Logged) -> Self {
        Self { logged: Some(logged), ..Self::timestamped(&logged.timestamped) }
    }
}
