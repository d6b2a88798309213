//! The people of a session, and the tokens that name them. A token of somebody who was sent away names nobody.

use std::collections::HashMap;

use ids::{ParticipantId, SessionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, corrupt};
use crate::domain::{Participant, Role};

/// Whom a token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub participant: ParticipantId,
}

/// Whom a token names. The newest token of a person only.
pub async fn find_by_token(tx: &mut PgConnection, token_hash: &[u8; 32]) -> Result<Option<Named>, StoreError> {
    let row = sqlx::query!(
        "select session_id, participant_id from session.participants where token_hash = $1 and removed_at is null",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.map(|row| Named { session: row.session_id.into(), participant: row.participant_id.into() }))
}

/// Gives a person (new or known) their token; the one before is worth nothing from here on.
pub async fn set_token(
    tx: &mut PgConnection,
    session: SessionId,
    person: &Participant,
    token_hash: &[u8; 32],
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session.participants (participant_id, session_id, role, staff_id, came_at, token_hash)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (participant_id) do update set token_hash = excluded.token_hash",
        person.id.uuid(),
        session.uuid(),
        person.role.as_str(),
        person.staff.as_ref().map(|staff| staff.as_str()),
        person.came_at,
        token_hash.as_slice(),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// What a transition made of the people: whoever is gone first, for somebody may be in their place.
pub(super) async fn save_participants(tx: &mut PgConnection, people: &[Participant]) -> Result<(), StoreError> {
    let (gone, there): (Vec<_>, Vec<_>) = people.iter().partition(|person| person.removed_at.is_some());
    for person in gone.into_iter().chain(there) {
        sqlx::query!(
            "update session.participants
             set publications = $2, flowing = $3, last_seen_at = $4, admitted_at = $5, removed_at = $6
             where participant_id = $1",
            person.id.uuid(),
            small(person.publications),
            person.flowing.map(small),
            person.last_seen,
            person.admitted_at,
            person.removed_at,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// The people of these sessions, in the order in which they came.
pub(super) async fn list_participants(
    tx: &mut PgConnection,
    sessions: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Participant>>, StoreError> {
    let rows = sqlx::query!(
        r#"select session_id, participant_id, role, staff_id, came_at, admitted_at, removed_at, publications, flowing,
             last_seen_at,
             exists (select from session.presences w
                 where w.participant_id = p.participant_id and w.watched_id is not null and w.ended_at is null)
                 as "watching!"
         from session.participants p where session_id = any($1) order by participant_id"#,
        sessions,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut by_session: HashMap<Uuid, Vec<Participant>> = HashMap::new();
    for row in rows {
        let bad = |column| corrupt("session.participants", column, row.participant_id);
        by_session.entry(row.session_id).or_default().push(Participant {
            id: row.participant_id.into(),
            role: Role::parse(&row.role).ok_or_else(|| bad("role"))?,
            staff: row.staff_id.map(|staff| staff.parse()).transpose().map_err(|_| bad("staff_id"))?,
            came_at: row.came_at,
            admitted_at: row.admitted_at,
            removed_at: row.removed_at,
            publications: row.publications.try_into().map_err(|_| bad("publications"))?,
            flowing: row.flowing.map(u32::try_from).transpose().map_err(|_| bad("flowing"))?,
            last_seen: row.last_seen_at,
            watching: row.watching,
        });
    }
    Ok(by_session)
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
