//! Invitations. Codes are here as keyed hashes only.

use chrono::{DateTime, Utc};
use ids::{ForceId, SessionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, corrupt};
use crate::domain::{Guesses, Invitation, Role, Void, VoidReason, Way};

/// An invitation with what finds and proves it.
#[derive(Debug, Clone)]
pub struct StoredInvitation {
    /// Its row.
    pub id: Uuid,
    /// Where it leads.
    pub session: SessionId,
    /// Keyed hash of the code.
    pub code_hash: Vec<u8>,
    /// Keyed hash of the link, if there is one.
    pub link_hash: Option<Vec<u8>>,
    /// The rest.
    pub invitation: Invitation,
}

struct Row {
    invitation_id: Uuid,
    session_id: Uuid,
    role: String,
    way: String,
    code_hash: Vec<u8>,
    link_hash: Option<Vec<u8>>,
    expires_at: DateTime<Utc>,
    tries_left: i32,
    used_at: Option<DateTime<Utc>>,
    voided_at: Option<DateTime<Utc>>,
    void_reason: Option<String>,
}

/// A fresh invitation.
pub async fn insert_invitation(
    tx: &mut PgConnection,
    stored: &StoredInvitation,
    selector: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session.invitations (invitation_id, session_id, role, way, selector, code_hash, link_hash, issued_at,
             expires_at, tries_left)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        stored.id,
        stored.session.uuid(),
        stored.invitation.role.as_str(),
        stored.invitation.way.as_str(),
        selector,
        stored.code_hash,
        stored.link_hash,
        now,
        stored.invitation.expires_at,
        i32::from(stored.invitation.tries_left),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The session's invitations for a role that nobody has used and no newer one has voided.
pub async fn lock_unfinished(
    tx: &mut PgConnection,
    session: SessionId,
    role: Role,
) -> Result<Vec<StoredInvitation>, StoreError> {
    sqlx::query_as!(
        Row,
        "select invitation_id, session_id, role, way, code_hash, link_hash, expires_at, tries_left, used_at, voided_at, void_reason
         from session.invitations
         where session_id = $1 and role = $2 and used_at is null and voided_at is null
         order by invitation_id for update",
        session.uuid(),
        role.as_str(),
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(Row::into_stored)
    .collect()
}

/// Where a code or link leads, and whose call that is, if it is anybody's. The hash is keyed, so looking it up in an index tells nobody
/// anything; and keyed differently for the two, so neither can be taken for the other.
pub async fn find_by_key(tx: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<(SessionId, ForceId)>, StoreError> {
    let row = sqlx::query!(
        "select s.session_id, s.force_id from session.invitations i join session.sessions s using (session_id)
         where i.code_hash = $1 or i.link_hash = $1",
        hash.as_slice(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let found = |row: (Uuid, String)| {
        Ok((row.0.into(), row.1.parse().map_err(|_| corrupt("session.sessions", "force_id", row.0))?))
    };
    row.map(|row| found((row.session_id, row.force_id))).transpose()
}

/// The invitation of a code or link, kept from others until the transaction ends. Its session is locked first.
pub async fn lock_by_key(tx: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<StoredInvitation>, StoreError> {
    sqlx::query_as!(
        Row,
        "select invitation_id, session_id, role, way, code_hash, link_hash, expires_at, tries_left, used_at, voided_at, void_reason
         from session.invitations where code_hash = $1 or link_hash = $1 for update",
        hash.as_slice(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .map(Row::into_stored)
    .transpose()
}

/// The open invitations that a wrong code may have been meant for.
pub async fn lock_by_selector(
    tx: &mut PgConnection,
    selector: &str,
    now: DateTime<Utc>,
) -> Result<Vec<StoredInvitation>, StoreError> {
    sqlx::query_as!(
        Row,
        "select invitation_id, session_id, role, way, code_hash, link_hash, expires_at, tries_left, used_at, voided_at, void_reason
         from session.invitations
         where selector = $1 and expires_at > $2 and used_at is null and voided_at is null
         order by invitation_id for update",
        selector,
        now,
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(Row::into_stored)
    .collect()
}

/// What a try or a newer one has made of it.
pub async fn save_invitation(tx: &mut PgConnection, stored: &StoredInvitation) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.invitations set tries_left = $2, used_at = $3, voided_at = $4, void_reason = $5
         where invitation_id = $1",
        stored.id,
        i32::from(stored.invitation.tries_left),
        stored.invitation.used_at,
        stored.invitation.void.map(|void| void.at),
        stored.invitation.void.map(|void| void.why.as_str()),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// How far everybody's wrong codes, on all instances, have used up what they may; kept from others until the transaction ends. A right one
/// waits its turn, too: of those that come at once only so many may be right as there may be wrong.
pub async fn lock_guesses(tx: &mut PgConnection) -> Result<Guesses, StoreError> {
    let spent_until =
        sqlx::query_scalar!("select spent_until from session.guesses for update").fetch_one(&mut *tx).await?;
    Ok(Guesses { spent_until })
}

/// There was one more.
pub async fn save_guesses(tx: &mut PgConnection, guesses: Guesses) -> Result<(), StoreError> {
    sqlx::query!("update session.guesses set spent_until = $1", guesses.spent_until).execute(&mut *tx).await?;
    Ok(())
}

impl Row {
    fn into_stored(self) -> Result<StoredInvitation, StoreError> {
        let bad = |column| corrupt("session.invitations", column, self.invitation_id);
        let invitation = Invitation {
            role: Role::parse(&self.role).ok_or_else(|| bad("role"))?,
            way: Way::parse(&self.way).ok_or_else(|| bad("way"))?,
            expires_at: self.expires_at,
            tries_left: u8::try_from(self.tries_left).map_err(|_| bad("tries_left"))?,
            used_at: self.used_at,
            void: void_of(self.voided_at, self.void_reason.as_deref()).ok_or_else(|| bad("void_reason"))?,
        };
        Ok(StoredInvitation {
            id: self.invitation_id,
            session: self.session_id.into(),
            code_hash: self.code_hash,
            link_hash: self.link_hash,
            invitation,
        })
    }
}

/// `None`: they don't go together.
pub(super) fn void_of(at: Option<DateTime<Utc>>, why: Option<&str>) -> Option<Option<Void>> {
    match (at, why) {
        (None, None) => Some(None),
        (Some(at), Some(why)) => VoidReason::parse(why).map(|why| Some(Void { at, why })),
        _ => None,
    }
}
