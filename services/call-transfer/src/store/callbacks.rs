//! Call-backs: what was agreed, who tried, and who looked.

use chrono::{DateTime, Utc};
use ids::{CallId, CallbackId, ForceId, OfficerId, PhoneNumber, Secret};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows;
use crate::{
    domain::{Attempt, Call, Callback, CallbackState, Tried, Window},
    error::Error,
};

/// What only the officer who rings may know. Personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Whom to ring.
    pub number: PhoneNumber,
    /// By what the caller is known.
    pub word: Secret<String>,
    /// Who else may be spoken with.
    pub who_may_answer: Secret<String>,
}

struct Row {
    callback_id: Uuid,
    force_id: String,
    call_id: Uuid,
    from_at: DateTime<Utc>,
    until_at: DateTime<Utc>,
    language: String,
    state: String,
    alert_at: Option<DateTime<Utc>>,
    taken_by: Option<String>,
    taken_until: Option<DateTime<Utc>>,
}

/// The force's call-back of that id. Another force's is none.
pub async fn callback(conn: &mut PgConnection, force: &ForceId, id: CallbackId) -> Result<Option<Callback>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select callback_id, force_id, call_id, from_at, until_at, language, state, alert_at, taken_by, taken_until \
         from transfer.callbacks where force_id = $1 and callback_id = $2",
        force.as_str(),
        id.uuid()
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(with_attempts(conn, rows).await?.pop())
}

/// Those that are open and begin by then, next first: no more than a screen holds.
pub async fn open_callbacks(
    conn: &mut PgConnection,
    force: &ForceId,
    by: DateTime<Utc>,
) -> Result<Vec<Callback>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select callback_id, force_id, call_id, from_at, until_at, language, state, alert_at, taken_by, taken_until \
         from transfer.callbacks where force_id = $1 and over_at is null and from_at <= $2 \
         order by from_at, callback_id limit 100",
        force.as_str(),
        by
    )
    .fetch_all(&mut *conn)
    .await?;
    with_attempts(conn, rows).await
}

/// Those for which time may bring something.
pub async fn due_callbacks(
    conn: &mut PgConnection,
    force: &ForceId,
    now: DateTime<Utc>,
) -> Result<Vec<Callback>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select callback_id, force_id, call_id, from_at, until_at, language, state, alert_at, taken_by, taken_until \
         from transfer.callbacks where force_id = $1 and over_at is null and (state = 'agreed' and from_at <= $2 \
         or state <> 'taken' and until_at <= $2 or alert_at <= $2 or taken_until <= $2)",
        force.as_str(),
        now
    )
    .fetch_all(&mut *conn)
    .await?;
    with_attempts(conn, rows).await
}

/// A page of a force's call-backs in these states, by their windows; `after`: the last of the page before.
pub async fn callbacks(
    conn: &mut PgConnection,
    force: &ForceId,
    states: &[String],
    after: Option<(DateTime<Utc>, CallbackId)>,
    most: i64,
) -> Result<Vec<Callback>, Error> {
    let (from, id) = after.map_or((DateTime::UNIX_EPOCH, Uuid::nil()), |(from, id)| (from, id.uuid()));
    let rows = sqlx::query_as!(
        Row,
        "select callback_id, force_id, call_id, from_at, until_at, language, state, alert_at, taken_by, taken_until \
         from transfer.callbacks where force_id = $1 and state = any($2) and (from_at, callback_id) > ($3, $4) \
         order by from_at, callback_id limit $5",
        force.as_str(),
        states,
        from,
        id,
        most
    )
    .fetch_all(&mut *conn)
    .await?;
    with_attempts(conn, rows).await
}

/// The call-back of a call that is open, if there is one.
pub async fn open_callback(conn: &mut PgConnection, call: CallId) -> Result<Option<Callback>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select callback_id, force_id, call_id, from_at, until_at, language, state, alert_at, taken_by, taken_until \
         from transfer.callbacks where call_id = $1 and over_at is null",
        call.uuid()
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(with_attempts(conn, rows).await?.pop())
}

/// Whether another call of the same incident waits here, or an officer has it: its caller has rung again.
pub async fn is_at_desk_with_another(conn: &mut PgConnection, call: &Call) -> Result<bool, Error> {
    let is = sqlx::query_scalar!(
        r#"select exists (select from transfer.calls where force_id = $1 and incident_date = $2 and incident_number = $3
             and call_id <> $4 and state in ('queued', 'offered', 'accepted')) as "is!""#,
        call.force.as_str(),
        call.facts.incident.date.as_str(),
        call.facts.incident.number.as_str(),
        call.id.uuid()
    );
    Ok(is.fetch_one(conn).await?)
}

/// Whether an officer is ringing somebody, with another call-back than this, if there is one.
pub async fn rings_another(
    conn: &mut PgConnection,
    force: &ForceId,
    officer: &OfficerId,
    than: Option<CallbackId>,
) -> Result<bool, Error> {
    let rings = sqlx::query_scalar!(
        r#"select exists (select from transfer.callbacks where force_id = $1 and taken_by = $2 and state = 'taken'
             and callback_id is distinct from $3) as "rings!""#,
        force.as_str(),
        officer.as_str(),
        than.map(|than| than.uuid())
    );
    Ok(rings.fetch_one(conn).await?)
}

/// Keeps what was agreed, and by whom.
pub async fn insert_callback(
    conn: &mut PgConnection,
    callback: &Callback,
    private: &Private,
    by: &OfficerId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.callbacks (callback_id, force_id, call_id, from_at, until_at, language, number, word, \
         who_may_answer, state, agreed_by, agreed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'agreed', $10, $11)",
        callback.id.uuid(),
        callback.force.as_str(),
        callback.call.uuid(),
        callback.window.from,
        callback.window.until,
        callback.language,
        private.number.expose(),
        private.word.expose(),
        private.who_may_answer.expose(),
        by.as_str(),
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what became of a call-back. Once it is over nobody needs to know whom to ring; and a sergeant needs to know that
/// nobody rings as long as nobody does.
pub async fn save_callback(conn: &mut PgConnection, callback: &Callback, now: DateTime<Utc>) -> Result<(), Error> {
    let (alert_at, taken_by, taken_until) = match &callback.state {
        CallbackState::Due { alert_at } => (*alert_at, None, None),
        CallbackState::Taken { by, until } => (None, Some(by.as_str()), Some(*until)),
        _ => (None, None, None),
    };
    let is_over = !callback.is_open();
    sqlx::query!(
        "update transfer.callbacks set state = $2, alert_at = $3, taken_by = coalesce($4, taken_by), taken_until = $5, \
         over_at = case when $6 then coalesce(over_at, $7) end, number = case when $6 then null else number end, \
         word = case when $6 then null else word end, \
         who_may_answer = case when $6 then null else who_may_answer end where callback_id = $1",
        callback.id.uuid(),
        state_word(&callback.state),
        alert_at,
        taken_by,
        taken_until,
        is_over,
        now
    )
    .execute(&mut *conn)
    .await?;
    for (attempt, nth) in callback.attempts.iter().zip(1..) {
        sqlx::query!(
            "insert into transfer.callback_attempts (callback_id, nth, force_id, officer_id, at, outcome) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            callback.id.uuid(),
            nth,
            callback.force.as_str(),
            attempt.officer.as_str(),
            attempt.at,
            tried_word(attempt.outcome)
        )
        .execute(&mut *conn)
        .await?;
    }
    if is_over || matches!(callback.state, CallbackState::Taken { .. }) {
        sqlx::query!(
            "update transfer.alerts set acknowledged = count where call_id = $1 and kind = 'callback_due'",
            callback.call.uuid()
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Keeps who said that nobody is to ring.
pub async fn keep_canceller(conn: &mut PgConnection, id: CallbackId, by: &OfficerId) -> Result<(), Error> {
    sqlx::query!("update transfer.callbacks set cancelled_by = $2 where callback_id = $1", id.uuid(), by.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// The call's caller was reached by a call-back.
pub async fn called_back(conn: &mut PgConnection, call: CallId) -> Result<(), Error> {
    sqlx::query!("update transfer.calls set called_back = true where call_id = $1", call.uuid()).execute(conn).await?;
    Ok(())
}

/// What only the officer who rings may know; and that they looked.
pub async fn look(
    conn: &mut PgConnection,
    callback: &Callback,
    officer: &OfficerId,
    now: DateTime<Utc>,
) -> Result<Private, Error> {
    let row = sqlx::query!(
        r#"with looked as (insert into transfer.callback_looks (callback_id, force_id, officer_id, at)
             values ($1, $2, $3, $4))
        select number as "number!", word as "word!", who_may_answer as "who_may_answer!"
        from transfer.callbacks where callback_id = $1"#,
        callback.id.uuid(),
        callback.force.as_str(),
        officer.as_str(),
        now
    )
    .fetch_one(conn)
    .await?;
    let bad = |_| Error::Corrupt { table: "transfer.callbacks", column: "number", row: callback.id.to_string() };
    Ok(Private {
        number: row.number.parse().map_err(bad)?,
        word: Secret::new(row.word),
        who_may_answer: Secret::new(row.who_may_answer),
    })
}

async fn with_attempts(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Callback>, Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.callback_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let attempts = sqlx::query!(
        "select callback_id, officer_id, at, outcome from transfer.callback_attempts where callback_id = any($1) \
         order by callback_id, nth",
        &ids
    )
    .fetch_all(conn)
    .await?;
    let with = |row: Row| {
        let bad = |column| Error::Corrupt { table: "transfer.callbacks", column, row: row.callback_id.to_string() };
        let taken_by = row.taken_by.as_deref().map(rows::officer_id).transpose()?;
        let state = match (row.state.as_str(), taken_by, row.taken_until) {
            ("agreed", ..) => CallbackState::Agreed,
            ("due", ..) => CallbackState::Due { alert_at: row.alert_at },
            ("taken", Some(by), Some(until)) => CallbackState::Taken { by, until },
            ("kept", ..) => CallbackState::Kept,
            ("missed", ..) => CallbackState::Missed,
            ("cancelled", ..) => CallbackState::Cancelled,
            _ => return Err(bad("state")),
        };
        let own = attempts.iter().filter(|attempt| attempt.callback_id == row.callback_id).map(|attempt| {
            let outcome = outcome(&attempt.outcome).ok_or_else(|| bad("outcome"))?;
            Ok(Attempt { officer: rows::officer_id(&attempt.officer_id)?, at: attempt.at, outcome })
        });
        Ok(Callback {
            id: row.callback_id.into(),
            call: row.call_id.into(),
            force: rows::force(&row.force_id)?,
            window: Window { from: row.from_at, until: row.until_at },
            attempts: own.collect::<Result<_, Error>>()?,
            language: row.language,
            state,
        })
    };
    rows.into_iter().map(with).collect()
}

/// A state as its column has it.
#[must_use]
pub fn state_word(state: &CallbackState) -> &'static str {
    match state {
        CallbackState::Agreed => "agreed",
        CallbackState::Due { .. } => "due",
        CallbackState::Taken { .. } => "taken",
        CallbackState::Kept => "kept",
        CallbackState::Missed => "missed",
        CallbackState::Cancelled => "cancelled",
    }
}

fn tried_word(outcome: Tried) -> &'static str {
    match outcome {
        Tried::Reached => "reached",
        Tried::NoAnswer => "no_answer",
        Tried::SomebodyElse => "somebody_else",
        Tried::WordNotGiven => "word_not_given",
        Tried::NotSafe => "not_safe",
    }
}

fn outcome(word: &str) -> Option<Tried> {
    use Tried::{NoAnswer, NotSafe, Reached, SomebodyElse, WordNotGiven};
    [Reached, NoAnswer, SomebodyElse, WordNotGiven, NotSafe].into_iter().find(|one| tried_word(*one) == word)
}
