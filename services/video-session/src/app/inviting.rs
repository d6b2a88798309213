//! How the caller, an interpreter or a supporter is asked in: by a code that is read out, and the caller also by a text message. And how
//! that is taken back.

use api::session::v1::{
    IssueInvitationRequest, IssueInvitationResponse, RevokeInvitationRequest, RevokeInvitationResponse,
};
use chrono::{DateTime, Utc};
use ids::{Malformed, PhoneNumber, SessionId};
use outbox::{Scope, replay};
use sqlx::PgTransaction;
use tracing::Instrument;

use super::{App, Order, span};
use crate::{
    domain::{Code, Presented, Role, Text, VoidReason, Way},
    error::Error,
    events::timestamp,
    store::{self, StoredInvitation},
};

/// A code can be read out.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The code.
    pub code: Code,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl App {
    /// May somebody of that role be asked in that way? Changes nothing. The answer, if it has been done already.
    ///
    /// # Errors
    /// As [`App::issue_invitation`].
    pub async fn may_invite(
        &self,
        order: &Order<IssueInvitationRequest>,
        role: Role,
        way: Way,
    ) -> Result<Option<Invited>, Error> {
        // Never committed: the request is claimed by whoever carries it out.
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        let first = self.invited_before(&mut tx, order).await?;
        let stored = store::find_by_call(&mut tx, &order.force, order.call).await?.ok_or(Error::UnknownSession)?;
        stored.session.commanded_by(&order.officer)?;
        match first {
            Some(expires_at) => Ok(Some(self.invited(stored.session.id, order, expires_at))),
            None => stored.session.invite(role, way, self.clock.now()).map(|_| None).map_err(Error::from),
        }
    }

    /// A new code for somebody of that role; it voids the last. By text message the caller is to be sent a link besides: to the number
    /// that was given, or to the one that the control room has.
    ///
    /// # Errors
    /// As [`App::join_session`], and for the caller while they are there.
    pub async fn issue_invitation(
        &self,
        order: &Order<IssueInvitationRequest>,
        role: Role,
        way: Way,
        to: Option<&PhoneNumber>,
    ) -> Result<Invited, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        let first = self.invited_before(&mut tx, order).await?;
        let mut stored = self.commanded(&mut tx, order).await?;
        if let Some(expires_at) = first {
            return Ok(self.invited(stored.session.id, order, expires_at));
        }
        let span = span(&stored, "issue_invitation");
        async {
            let (session, invitation, facts) = stored.session.invite(role, way, now)?;
            stored.session = session;
            void(&mut tx, stored.session.id, role, VoidReason::Replaced, now).await?;
            let invited = self.invited(stored.session.id, order, invitation.expires_at);
            let link = (way == Way::Sms).then(|| Presented::Link(self.keys.link(stored.session.id, order.request)));
            let fresh = StoredInvitation {
                id: self.entropy.id(now),
                session: stored.session.id,
                code_hash: self.keys.hash(&Presented::Code(invited.code.clone())).to_vec(),
                link_hash: link.map(|link| self.keys.hash(&link).to_vec()),
                invitation,
            };
            store::insert_invitation(&mut tx, &fresh, invited.code.selector(), now).await?;
            if way == Way::Sms {
                let sealed = to.and_then(|to| self.keys.seal_number(to, fresh.id, self.entropy.bytes()));
                let text = Text::queue(now);
                store::insert_text(&mut tx, fresh.id, order.request, sealed.as_deref(), &text).await?;
            }
            self.save(&mut tx, &stored, &facts, now).await?;
            let expires = Some(timestamp(invited.expires_at));
            let remembered = IssueInvitationResponse { expires_at: expires, ..Default::default() };
            replay::remember(&mut tx, order.request, &remembered).await?;
            tx.commit().await?;
            Ok(invited)
        }
        .instrument(span)
        .await
    }

    /// Takes back the code of a role that nobody has used yet, and the link with it. Nothing changes if there is none.
    ///
    /// # Errors
    /// As [`App::join_session`].
    pub async fn revoke_invitation(
        &self,
        order: &Order<RevokeInvitationRequest>,
        role: Role,
    ) -> Result<RevokeInvitationResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "RevokeInvitation", &order.message).await? {
            return Ok(first);
        }
        let stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "revoke_invitation");
        async {
            stored.session.may_revoke(role)?;
            let was_there = void(&mut tx, stored.session.id, role, VoidReason::Revoked, now).await?;
            let answer = RevokeInvitationResponse { revoked_at: was_there.then(|| timestamp(now)) };
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// What a request says instead of a phone number, so that a repeat of it is known and the number is not.
    #[must_use]
    pub fn blind(&self, number: &PhoneNumber) -> String {
        self.keys.blind_number(number)
    }

    async fn invited_before(
        &self,
        tx: &mut PgTransaction<'_>,
        order: &Order<IssueInvitationRequest>,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        let first: Option<IssueInvitationResponse> =
            replay::first_answer(tx, order.request, "IssueInvitation", &order.message).await?;
        let Some(expires_at) = first.and_then(|first| first.expires_at) else { return Ok(None) };
        let time = DateTime::from_timestamp(expires_at.seconds, expires_at.nanos.unsigned_abs());
        Ok(Some(time.ok_or(Malformed { kind: "time", rule: "seconds and nanoseconds" })?))
    }

    fn invited(&self, session: SessionId, order: &Order<IssueInvitationRequest>, expires_at: DateTime<Utc>) -> Invited {
        Invited { code: self.keys.code(session, order.request), expires_at }
    }
}

/// Of a role's invitations, those that nobody has used are of no use from here on. Was there one that was?
async fn void(
    tx: &mut PgTransaction<'_>,
    session: SessionId,
    role: Role,
    why: VoidReason,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut was_there = false;
    for mut earlier in store::lock_unfinished(tx, session, role).await? {
        was_there |= earlier.invitation.usable(now).is_ok();
        earlier.invitation = earlier.invitation.void(why, now);
        store::save_invitation(tx, &earlier).await?;
    }
    Ok(was_there)
}
