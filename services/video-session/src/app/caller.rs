//! How whoever has a code gets in, and who holds which token.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};
use sqlx::{PgConnection, PgTransaction};
use tracing::Instrument;

use super::{App, span};
use crate::{
    domain::{Code, Illegal, Presented, Session, Tried},
    error::Error,
    keys::{PageSecret, Token},
    store::{self, Named},
};

/// Somebody with a code has come: the caller is in, anybody else waits.
#[derive(Debug, Clone)]
pub struct LetIn {
    /// Where.
    pub session: Session,
    /// As whom.
    pub participant: ParticipantId,
    /// What lets them publish and watch.
    pub token: Token,
}

impl App {
    /// The session that a code or link is for, used or not. Counts no try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invited_to(&self, shown: &Presented) -> Result<Option<SessionId>, Error> {
        let mut connection = self.pool.acquire().await?;
        Ok(store::find_by_key(&mut connection, &self.keys.hash(shown)).await?)
    }

    /// A code was typed, or a link followed. A right one lets in, once; a wrong code is counted against what it may have been meant for.
    /// The page that used it gets the same answer again for a while, as long as nobody else has come in its place: the first may have
    /// got lost.
    ///
    /// # Errors
    /// No such code; used, expired or spent; an ended session.
    pub async fn redeem(&self, shown: &Presented, page: Option<&PageSecret>) -> Result<LetIn, Error> {
        let now = self.clock.now();
        let hash = self.keys.hash(shown);
        let mut tx = self.begin().await?;
        let Some(session) = store::find_by_key(&mut tx, &hash).await? else {
            if let Presented::Code(code) = shown {
                self.count_wrong(tx, code, now).await?;
            }
            return Err(Error::CodeUnknown);
        };
        // The session before its invitation, as everywhere: two orders would be a deadlock.
        let mut stored = self.lock(&mut tx, session).await?;
        let span = span(&stored, "redeem");
        async {
            let mut found = store::lock_by_key(&mut tx, &hash).await?.ok_or(Error::CodeUnknown)?;
            let token = page.map(|page| self.keys.token_by(shown, page));
            if let Some(token) = token.as_ref().filter(|_| found.invitation.is_fresh(now))
                && stored.session.ending().is_none()
                && let Some(named) = store::find_by_token(&mut tx, &token.hash()).await?
            {
                let (session, token) = (stored.session.clone(), token.clone());
                return Ok(LetIn { session, participant: named.participant, token });
            }
            found.invitation = match shown {
                Presented::Link(_) => found.invitation.follow(now)?,
                Presented::Code(_) => match found.invitation.attempt(true, now) {
                    Tried::Opened(used) => used,
                    Tried::Refused(refused) => return Err(refused.into()),
                    Tried::Wrong(_) => return Err(Error::CodeUnknown),
                },
            };
            let (session, participant, facts) =
                stored.session.arrive(found.invitation.role, None, self.entropy.id(now), now)?;
            stored.session = session;
            let token = token.unwrap_or_else(|| Token::random(&self.entropy));
            store::save_invitation(&mut tx, &found).await?;
            let person = stored.session.participant(participant)?;
            store::set_token(&mut tx, stored.session.id, person, &token.hash()).await?;
            self.save(&mut tx, &stored, &facts, now).await?;
            tx.commit().await?;
            Ok(LetIn { session: stored.session, participant, token })
        }
        .instrument(span)
        .await
    }

    /// A wrong code counts against every open invitation that it may have been meant for.
    async fn count_wrong(&self, mut tx: PgTransaction<'_>, code: &Code, now: DateTime<Utc>) -> Result<(), Error> {
        for mut meant in store::lock_by_selector(&mut tx, code.selector(), now).await? {
            if let Tried::Wrong(invitation) = meant.invitation.attempt(false, now) {
                meant.invitation = invitation;
                store::save_invitation(&mut tx, &meant).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Whoever was let in comes back without a code, by their token or, if its answer was lost, by the one before it.
    ///
    /// # Errors
    /// A token that names nobody (any more); an ended session.
    pub async fn rejoin(&self, token: &Token) -> Result<LetIn, Error> {
        let next = self.keys.next_token(token);
        let mut tx = self.begin().await?;
        let named = find_either(&mut tx, token, &next).await?;
        let stored = self.lock(&mut tx, named.session).await?;
        // A new code may have let somebody else in since.
        find_either(&mut tx, token, &next).await?;
        if stored.session.ending().is_some() {
            return Err(Illegal::SessionEnded.into());
        }
        let person = stored.session.participant(named.participant)?;
        store::set_token(&mut tx, named.session, person, &next.hash()).await?;
        tx.commit().await?;
        Ok(LetIn { session: stored.session, participant: named.participant, token: next })
    }

    /// Somebody has left for good: what they came in with lets nobody in any more, unless they were let in anew meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(&self, who: Named, token: &Token) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let stored = self.lock(&mut tx, who.session).await?;
        if store::find_by_token(&mut tx, &token.hash()).await?.is_some() {
            let person = stored.session.participant(who.participant)?;
            let nobodys = Token::random(&self.entropy);
            store::set_token(&mut tx, who.session, person, &nobodys.hash()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Whom a token names.
    ///
    /// # Errors
    /// When it names nobody (any more).
    pub async fn authenticate(&self, token: &Token) -> Result<Named, Error> {
        let mut connection = self.pool.acquire().await?;
        store::find_by_token(&mut connection, &token.hash()).await?.ok_or(Error::TokenUnknown)
    }
}

async fn find_either(tx: &mut PgConnection, token: &Token, next: &Token) -> Result<Named, Error> {
    for token in [token, next] {
        if let Some(named) = store::find_by_token(tx, &token.hash()).await? {
            return Ok(named);
        }
    }
    Err(Error::TokenUnknown)
}
