//! Text messages on their way. Whoever begins a try commits that before it sends, so that no connection is held while somebody
//! else's service takes its time; a try that died with its process is due again once it should have been over.

use std::collections::HashMap;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, RequestId, SessionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, corrupt, invitations::void_of, sessions::changed};
use crate::domain::{Asked, Failure, Invitation, Role, Text, TextState, Way};

/// A message, and what it is about.
#[derive(Debug, Clone)]
pub struct StoredText {
    /// Its invitation, by which it goes.
    pub id: Uuid,
    /// The order that it is carried out for.
    pub request: RequestId,
    /// The number that was given for it, sealed.
    pub to_number: Option<Vec<u8>>,
    /// Where it stands.
    pub text: Text,
    /// What it invites to.
    pub invitation: Invitation,
    /// Its session.
    pub session: SessionId,
    /// Is that over?
    pub is_over: bool,
    /// Its call.
    pub call: CallId,
    /// Whose.
    pub force: ForceId,
    /// The call's trace.
    pub trace: Trace,
}

struct Row {
    invitation_id: Uuid,
    request_id: Uuid,
    to_number: Option<Vec<u8>>,
    text_state: String,
    tries: i32,
    due_at: DateTime<Utc>,
    at: DateTime<Utc>,
    failure: Option<String>,
    role: String,
    way: String,
    expires_at: DateTime<Utc>,
    tries_left: i32,
    used_at: Option<DateTime<Utc>>,
    voided_at: Option<DateTime<Utc>>,
    void_reason: Option<String>,
    session_id: Uuid,
    ended_at: Option<DateTime<Utc>>,
    call_id: Uuid,
    force_id: String,
    trace: String,
}

/// A fresh message, with the number that was given for it.
pub async fn insert_text(
    tx: &mut PgConnection,
    invitation: Uuid,
    request: RequestId,
    to_number: Option<&[u8]>,
    text: &Text,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session.texts (invitation_id, request_id, to_number, state, due_at, at)
         values ($1, $2, $3, 'queued', $4, $5)",
        invitation,
        request.uuid(),
        to_number,
        text.due_at,
        text.at,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// One message that is due and that nobody else looks at just now, kept from others until the transaction ends.
pub async fn lock_due_text(tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<StoredText>, StoreError> {
    sqlx::query_as!(
        Row,
        "select t.invitation_id, t.request_id, t.to_number, t.state as text_state, t.tries, t.due_at, t.at, t.failure,
             i.role, i.way, i.expires_at, i.tries_left, i.used_at, i.voided_at, i.void_reason,
             s.session_id, s.ended_at, s.call_id, s.force_id, s.trace
         from session.texts t join session.invitations i using (invitation_id) join session.sessions s using (session_id)
         where t.state = 'queued' and t.due_at <= $1 order by t.due_at limit 1 for update of t skip locked",
        now,
    )
    .fetch_optional(&mut *tx)
    .await?
    .map(Row::into_stored)
    .transpose()
}

/// A message, kept from others until the transaction ends.
pub async fn lock_text(tx: &mut PgConnection, invitation: Uuid) -> Result<Option<StoredText>, StoreError> {
    sqlx::query_as!(
        Row,
        "select t.invitation_id, t.request_id, t.to_number, t.state as text_state, t.tries, t.due_at, t.at, t.failure,
             i.role, i.way, i.expires_at, i.tries_left, i.used_at, i.voided_at, i.void_reason,
             s.session_id, s.ended_at, s.call_id, s.force_id, s.trace
         from session.texts t join session.invitations i using (invitation_id) join session.sessions s using (session_id)
         where t.invitation_id = $1 for update of t",
        invitation,
    )
    .fetch_optional(&mut *tx)
    .await?
    .map(Row::into_stored)
    .transpose()
}

/// What a try or a receipt has made of it. A number that isn't needed any more is forgotten. Whoever watches the call is told.
pub async fn save_text(tx: &mut PgConnection, stored: &StoredText) -> Result<(), StoreError> {
    let Text { state, tries, due_at, at } = stored.text;
    let (state, failure) = state_words(state);
    sqlx::query!(
        "update session.texts set state = $2, tries = $3, due_at = $4, at = $5, failure = $6,
             to_number = case when $2 = 'queued' then to_number end
         where invitation_id = $1",
        stored.id,
        state,
        i32::try_from(tries).unwrap_or(i32::MAX),
        due_at,
        at,
        failure,
    )
    .execute(&mut *tx)
    .await?;
    changed(tx, stored.call, stored.session).await
}

/// How the callers of these sessions were last asked in.
pub(super) async fn list_asked(tx: &mut PgConnection, sessions: &[Uuid]) -> Result<HashMap<Uuid, Asked>, StoreError> {
    let rows = sqlx::query!(
        r#"select distinct on (i.session_id) i.session_id, i.invitation_id, i.way, i.issued_at, t.state as "state?",
             t.tries as "tries?", t.due_at as "due_at?", t.at as "at?", t.failure
         from session.invitations i left join session.texts t using (invitation_id)
         where i.session_id = any($1) and i.role = 'caller'
         order by i.session_id, i.voided_at is null desc, i.issued_at desc, i.used_at is null desc"#,
        sessions,
    )
    .fetch_all(&mut *tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let bad = |column| corrupt("session.texts", column, row.invitation_id);
            let text = match (row.state, row.tries, row.due_at, row.at) {
                (Some(state), Some(tries), Some(due_at), Some(at)) => {
                    let state = state_of(&state, row.failure.as_deref()).ok_or_else(|| bad("state"))?;
                    Some(Text { state, tries: tries.try_into().map_err(|_| bad("tries"))?, due_at, at })
                }
                _ => None,
            };
            let way = Way::parse(&row.way).ok_or_else(|| bad("way"))?;
            Ok((row.session_id, Asked { way, at: row.issued_at, text }))
        })
        .collect()
}

fn state_words(state: TextState) -> (&'static str, Option<&'static str>) {
    match state {
        TextState::Queued => ("queued", None),
        TextState::Sent => ("sent", None),
        TextState::Delivered => ("delivered", None),
        TextState::Failed(failure) => ("failed", Some(failure.as_str())),
    }
}

fn state_of(state: &str, failure: Option<&str>) -> Option<TextState> {
    match (state, failure) {
        ("queued", None) => Some(TextState::Queued),
        ("sent", None) => Some(TextState::Sent),
        ("delivered", None) => Some(TextState::Delivered),
        ("failed", Some(failure)) => Failure::parse(failure).map(TextState::Failed),
        _ => None,
    }
}

impl Row {
    fn into_stored(self) -> Result<StoredText, StoreError> {
        let bad = |column| corrupt("session.texts", column, self.invitation_id);
        let state = state_of(&self.text_state, self.failure.as_deref()).ok_or_else(|| bad("state"))?;
        let tries = self.tries.try_into().map_err(|_| bad("tries"))?;
        let invitation = Invitation {
            role: Role::parse(&self.role).ok_or_else(|| bad("role"))?,
            way: Way::parse(&self.way).ok_or_else(|| bad("way"))?,
            expires_at: self.expires_at,
            tries_left: self.tries_left.try_into().map_err(|_| bad("tries_left"))?,
            used_at: self.used_at,
            void: void_of(self.voided_at, self.void_reason.as_deref()).ok_or_else(|| bad("void_reason"))?,
        };
        Ok(StoredText {
            id: self.invitation_id,
            request: self.request_id.into(),
            to_number: self.to_number,
            text: Text { state, tries, due_at: self.due_at, at: self.at },
            invitation,
            session: self.session_id.into(),
            is_over: self.ended_at.is_some(),
            call: self.call_id.into(),
            force: self.force_id.parse().map_err(|_| bad("force_id"))?,
            trace: Trace::parse(&self.trace),
        })
    }
}
