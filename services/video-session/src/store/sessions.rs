//! Sessions with their participants: read as one, saved as one.

use std::time::Duration;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, InstanceId, SessionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    CHANGED, StoreError, corrupt,
    fast_tracks::{list_fast_tracks, save_fast_tracks},
    participants::{list_participants, save_participants},
    texts::list_asked,
};
use crate::domain::{
    Accepted, Asked, Counted, Cover, Duress, EndReason, Ending, FastTrack, How, Participant, Pretext, Raised,
    Recording, Seen, Session, Silent, State,
};

/// A session with the trace that its spans and events follow.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The session.
    pub session: Session,
    /// The call's trace.
    pub trace: Trace,
    /// When SessionEnded was written.
    pub announced_at: Option<DateTime<Utc>>,
    /// Which instance carries it, alive or not.
    pub owner: Option<InstanceId>,
    /// Counts its owners.
    pub epoch: u64,
    /// What the caller's word for "come now" is known by, if one was agreed and intake has told it.
    pub word_hash: Option<[u8; 32]>,
}

struct Row {
    session_id: Uuid,
    call_id: Uuid,
    force_id: String,
    officer_id: String,
    incident_date: String,
    incident_number: String,
    recording: bool,
    recording_state: String,
    stills: bool,
    stills_taken: i32,
    photographs_taken: i32,
    cover_recording: bool,
    covered_since: Option<DateTime<Utc>>,
    tap: i32,
    pretext: String,
    duress_how: Option<String>,
    duress_at: Option<DateTime<Utc>>,
    duress_count: i32,
    duress_word: i32,
    duress_corner: i32,
    duress_seen_at: Option<DateTime<Utc>>,
    duress_seen_by: Option<String>,
    word_hash: Option<Vec<u8>>,
    state: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    end_reason: Option<String>,
    announced_at: Option<DateTime<Utc>>,
    trace: String,
    owner: Option<Uuid>,
    epoch: i64,
    silent_caller: Option<String>,
}

/// Makes the session's row. False if the call has one already.
pub async fn insert_session(tx: &mut PgConnection, session: &Session, trace: &Trace) -> Result<bool, StoreError> {
    let accepted = &session.accepted;
    let done = sqlx::query!(
        "insert into session.sessions (session_id, call_id, force_id, officer_id, incident_date, incident_number,
             recording, recording_state, stills, stills_taken, photographs_taken, cover_recording, tap, pretext, state,
             started_at, trace, duress_count, duress_word, duress_corner, word_asked, silent_caller)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, 0, $11, 'invited', $12, $13, 0, 0, 0, false, $14)
         on conflict (call_id) do nothing",
        session.id.uuid(),
        accepted.call.uuid(),
        accepted.force.as_str(),
        accepted.officer.as_str(),
        accepted.incident.date.as_str(),
        accepted.incident.number.as_str(),
        accepted.recording,
        session.recording.as_str(),
        accepted.stills,
        accepted.covered,
        session.cover.pretext.id(),
        session.started_at,
        trace.as_str(),
        accepted.silent.map(Silent::as_str),
    )
    .execute(&mut *tx)
    .await?;
    changed(tx, accepted.call, session.id).await?;
    Ok(done.rows_affected() == 1)
}

/// The session of a call of that force.
pub async fn find_by_call(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select session_id, call_id, force_id, officer_id, incident_date, incident_number, recording,
             recording_state, stills, stills_taken, photographs_taken, cover_recording, covered_since, tap, pretext,
             duress_how, duress_at, duress_count, duress_word, duress_corner, duress_seen_at, duress_seen_by, word_hash,
             state, started_at, ended_at, end_reason, announced_at, trace, owner, epoch, silent_caller
         from session.sessions where call_id = $1 and force_id = $2",
        call.uuid(),
        force.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    whole(tx, row).await
}

/// The same, kept from others until the transaction ends.
pub async fn lock_by_call(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select session_id, call_id, force_id, officer_id, incident_date, incident_number, recording,
             recording_state, stills, stills_taken, photographs_taken, cover_recording, covered_since, tap, pretext,
             duress_how, duress_at, duress_count, duress_word, duress_corner, duress_seen_at, duress_seen_by, word_hash,
             state, started_at, ended_at, end_reason, announced_at, trace, owner, epoch, silent_caller
         from session.sessions where call_id = $1 and force_id = $2 for update",
        call.uuid(),
        force.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    whole(tx, row).await
}

/// The session itself.
pub async fn find_by_id(tx: &mut PgConnection, id: SessionId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select session_id, call_id, force_id, officer_id, incident_date, incident_number, recording,
             recording_state, stills, stills_taken, photographs_taken, cover_recording, covered_since, tap, pretext,
             duress_how, duress_at, duress_count, duress_word, duress_corner, duress_seen_at, duress_seen_by, word_hash,
             state, started_at, ended_at, end_reason, announced_at, trace, owner, epoch, silent_caller
         from session.sessions where session_id = $1",
        id.uuid(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    whole(tx, row).await
}

/// The session itself, kept from others until the transaction ends.
pub async fn lock_by_id(tx: &mut PgConnection, id: SessionId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select session_id, call_id, force_id, officer_id, incident_date, incident_number, recording,
             recording_state, stills, stills_taken, photographs_taken, cover_recording, covered_since, tap, pretext,
             duress_how, duress_at, duress_count, duress_word, duress_corner, duress_seen_at, duress_seen_by, word_hash,
             state, started_at, ended_at, end_reason, announced_at, trace, owner, epoch, silent_caller
         from session.sessions where session_id = $1 for update",
        id.uuid(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    whole(tx, row).await
}

/// Every session that isn't over and announced, and that no other instance carries, or none that has renewed its lease within
/// this time.
pub async fn list_unannounced(
    tx: &mut PgConnection,
    own: InstanceId,
    abandoned: Duration,
) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select session_id, call_id, force_id, officer_id, incident_date, incident_number, recording,
             recording_state, stills, stills_taken, photographs_taken, cover_recording, covered_since, tap, pretext,
             duress_how, duress_at, duress_count, duress_word, duress_corner, duress_seen_at, duress_seen_by, word_hash,
             state, started_at, ended_at, end_reason, announced_at, trace, owner, epoch, silent_caller
         from session.sessions s where announced_at is null
           and (owner = $1 or not exists (select from session.instances i
                where i.instance_id = s.owner and i.lease_until > clock_timestamp() - make_interval(secs => $2)))
         order by session_id",
        own.uuid(),
        abandoned.as_secs_f64(),
    )
    .fetch_all(&mut *tx)
    .await?;
    whole_all(tx, rows).await
}

/// Saves what a transition made of the session, and tells whoever watches once it is committed.
pub async fn save_session(tx: &mut PgConnection, session: &Session) -> Result<(), StoreError> {
    let ending = session.ending();
    let Duress { raised, count, counted, seen } = &session.duress;
    sqlx::query!(
        "update session.sessions set state = $2, ended_at = $3, end_reason = $4, recording_state = $5, stills = $6,
             stills_taken = $7, photographs_taken = $8, cover_recording = $9, covered_since = $10, tap = $11, pretext = $12,
             duress_how = $13, duress_at = $14, duress_count = $15, duress_word = $16, duress_corner = $17,
             duress_seen_at = $18, duress_seen_by = $19, recording = $20
         where session_id = $1",
        session.id.uuid(),
        state_word(session.state),
        ending.map(|ending| ending.at),
        ending.map(|ending| ending.reason.as_str()),
        session.recording.as_str(),
        session.accepted.stills,
        counter(session.stills_taken),
        counter(session.photographs_taken),
        session.accepted.covered,
        session.cover.since,
        counter(session.cover.tap),
        session.cover.pretext.id(),
        raised.map(|raised| raised.how.as_str()),
        raised.map(|raised| raised.at),
        counter(*count),
        counter(counted.word),
        counter(counted.corner),
        seen.as_ref().map(|seen| seen.at),
        seen.as_ref().map(|seen| seen.by.as_str()),
        session.accepted.recording,
    )
    .execute(&mut *tx)
    .await?;
    save_participants(tx, &session.participants).await?;
    save_fast_tracks(tx, session.id, &session.fast_tracks).await?;
    changed(tx, session.accepted.call, session.id).await
}

/// SessionEnded is in the outbox.
pub async fn mark_announced(tx: &mut PgConnection, session: SessionId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("update session.sessions set announced_at = $2 where session_id = $1", session.uuid(), now)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Nobody needs our copy of a call's segments any more.
pub async fn mark_released(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.sessions set released_at = $3 where force_id = $1 and call_id = $2 and released_at is null",
        force.as_str(),
        call.uuid(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Which of these sessions are over, told, and released, every track of theirs to its end.
pub async fn released(tx: &mut PgConnection, sessions: &[SessionId]) -> Result<Vec<SessionId>, StoreError> {
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.uuid()).collect();
    let rows = sqlx::query_scalar!(
        "select session_id from session.sessions s
         where session_id = any($1) and released_at is not null and announced_at is not null
           and not exists (select from session.tracks t where t.session_id = s.session_id and t.segments > t.releasable)",
        &ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows.into_iter().map(SessionId::from).collect())
}

/// Tells whoever watches, once it is committed.
pub(super) async fn changed(tx: &mut PgConnection, call: CallId, session: SessionId) -> Result<(), StoreError> {
    let payload = format!("{call} {session}");
    sqlx::query!("select pg_notify($1, $2)", CHANGED, payload).execute(&mut *tx).await?;
    Ok(())
}

async fn whole(tx: &mut PgConnection, row: Option<Row>) -> Result<Option<Stored>, StoreError> {
    Ok(whole_all(tx, row.into_iter().collect()).await?.pop())
}

async fn whole_all(tx: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Stored>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.session_id).collect();
    let mut by_session = list_participants(tx, &ids).await?;
    let mut asked = list_asked(tx, &ids).await?;
    let mut fast_tracks = list_fast_tracks(tx, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let participants = by_session.remove(&row.session_id).unwrap_or_default();
            let asked = asked.remove(&row.session_id);
            let fast_tracks = fast_tracks.remove(&row.session_id).unwrap_or_default();
            row.into_stored(participants, fast_tracks, asked)
        })
        .collect()
}

impl Row {
    fn into_stored(
        self,
        participants: Vec<Participant>,
        fast_tracks: Vec<FastTrack>,
        asked: Option<Asked>,
    ) -> Result<Stored, StoreError> {
        let bad = |column| corrupt("session.sessions", column, self.session_id);
        let ending = match (self.ended_at, self.end_reason.as_deref()) {
            (Some(at), Some(reason)) => {
                Some(Ending { at, reason: EndReason::parse(reason).ok_or_else(|| bad("end_reason"))? })
            }
            _ => None,
        };
        let state = match (self.state.as_str(), ending) {
            ("invited", None) => State::Invited,
            ("joined", None) => State::Joined,
            ("live", None) => State::Live,
            ("ended", Some(ending)) => State::Ended(ending),
            _ => return Err(bad("state")),
        };
        let accepted = Accepted {
            call: self.call_id.into(),
            force: self.force_id.parse().map_err(|_| bad("force_id"))?,
            officer: self.officer_id.parse().map_err(|_| bad("officer_id"))?,
            incident: IncidentRef::parse(&self.incident_date, &self.incident_number).map_err(|_| bad("incident"))?,
            recording: self.recording,
            stills: self.stills,
            covered: self.cover_recording,
            silent: self
                .silent_caller
                .map(|word| Silent::parse(&word).ok_or_else(|| bad("silent_caller")))
                .transpose()?,
        };
        let recording = Recording::parse(&self.recording_state).ok_or_else(|| bad("recording_state"))?;
        let count = |column, count: i32| u32::try_from(count).map_err(|_| bad(column));
        let cover = Cover {
            since: self.covered_since,
            tap: count("tap", self.tap)?,
            pretext: Pretext::parse(&self.pretext).ok_or_else(|| bad("pretext"))?,
        };
        let how = self.duress_how.map(|how| How::parse(&how).ok_or_else(|| bad("duress_how"))).transpose()?;
        let by = self.duress_seen_by.map(|by| by.parse().map_err(|_| bad("duress_seen_by"))).transpose()?;
        let duress = Duress {
            raised: how.zip(self.duress_at).map(|(how, at)| Raised { how, at }),
            count: count("duress_count", self.duress_count)?,
            counted: Counted {
                word: count("duress_word", self.duress_word)?,
                corner: count("duress_corner", self.duress_corner)?,
            },
            seen: by.zip(self.duress_seen_at).map(|(by, at)| Seen { at, by }),
        };
        let (id, started_at) = (self.session_id.into(), self.started_at);
        let stills_taken = count("stills_taken", self.stills_taken)?;
        let photographs_taken = count("photographs_taken", self.photographs_taken)?;
        let session = Session {
            id,
            accepted,
            started_at,
            state,
            recording,
            cover,
            duress,
            fast_tracks,
            stills_taken,
            photographs_taken,
            participants,
            asked,
        };
        Ok(Stored {
            session,
            trace: Trace::parse(&self.trace),
            announced_at: self.announced_at,
            owner: self.owner.map(InstanceId::from),
            epoch: self.epoch.try_into().map_err(|_| bad("epoch"))?,
            word_hash: self.word_hash.map(|hash| hash.try_into().map_err(|_| bad("word_hash"))).transpose()?,
        })
    }
}

fn counter(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Invited => "invited",
        State::Joined => "joined",
        State::Live => "live",
        State::Ended(_) => "ended",
    }
}
