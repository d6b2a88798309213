//! How whoever has a code gets in, and who holds which token.

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};
use sqlx::PgConnection;
use tracing::Instrument;

use super::{App, span};
use crate::{
    domain::{Guesses, Illegal, Presented, Session, Tried},
    error::Error,
    keys::{PageSecret, Token},
    store::{self, Named, Stored},
};
use outbox::Scope;

/// Somebody with a code has come: the caller is in, anybody else waits.
#[derive(Debug, Clone)]
pub struct LetIn {
    /// Where.
    pub session: Session,
    /// As whom.
    pub participant: ParticipantId,
    /// What lets them publish and watch.
    pub token: Token,
    /// The call's trace: what their page asks from here on belongs to it.
    pub trace: Trace,
}

impl App {
    /// The session that a code or link is for, used or not, if its force's callers come in here. Counts no try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invited_to(&self, shown: &Presented) -> Result<Option<SessionId>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        self.find_invited(&mut connection, &self.keys.hash(shown)).await
    }

    /// A code was typed, or a link followed. A right one lets in, once, or leads to where one waits if it may have been guessed; a wrong code
    /// is counted against what it may have been meant for, and against everybody's. `is_beyond`: whoever it is has tried too many already,
    /// which is doubt enough and uses up nobody else's.
    /// The page that used it gets the same answer again for a while, as long as nobody else has come in its place: the first may have
    /// got lost.
    ///
    /// # Errors
    /// No such code, or another host's; used, expired, replaced or withdrawn; an ended session.
    pub async fn redeem(&self, shown: &Presented, page: Option<&PageSecret>, is_beyond: bool) -> Result<LetIn, Error> {
        let now = self.clock.now();
        let hash = self.keys.hash(shown);
        let (found, is_beyond) = {
            let mut connection = self.begin(Scope::All).await?;
            let found = self.find_invited(&mut connection, &hash).await?;
            // By itself: the row that everybody's codes are counted in is nobody's for longer than this.
            let is_beyond = is_beyond || found.is_some() && self.after_wrong(&mut connection, now).await?.is_none();
            (found, is_beyond)
        };
        let Some(session) = found else {
            self.count_wrong(shown, is_beyond, now).await?;
            return Err(Error::CodeUnknown);
        };
        let mut tx = self.begin(Scope::All).await?;
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
                let (session, token, trace) = (stored.session.clone(), token.clone(), stored.trace.clone());
                return Ok(LetIn { session, participant: named.participant, token, trace });
            }
            let (role, fresh) = (found.invitation.role, self.entropy.id(now));
            let tried = match shown {
                Presented::Link(_) => Tried::Opened(found.invitation.follow(now)?),
                Presented::Code(_) => found.invitation.attempt(true, is_beyond, now),
            };
            let (session, participant, facts) = match tried {
                Tried::Opened(used) => {
                    found.invitation = used;
                    stored.session.arrive(role, None, fresh, now)?
                }
                Tried::Doubted(used) => {
                    found.invitation = used;
                    stored.session.arrive_in_doubt(role, fresh, now)?
                }
                Tried::Refused(refused) => return Err(refused.into()),
                Tried::Wrong(_) => return Err(Error::CodeUnknown),
            };
            stored.session = session;
            let token = token.unwrap_or_else(|| Token::random(&self.entropy));
            store::save_invitation(&mut tx, &found).await?;
            // Whoever gives way to them first: there is one who waits, and one who is in.
            store::save_session(&mut tx, &stored.session).await?;
            let person = stored.session.participant(participant)?;
            store::set_token(&mut tx, stored.session.id, person, &token.hash()).await?;
            self.save(&mut tx, &stored, &facts, now).await?;
            tx.commit().await?;
            Ok(LetIn { session: stored.session, participant, token, trace: stored.trace })
        }
        .instrument(span)
        .await
    }

    /// Where it leads, for a host whose door serves that force.
    async fn find_invited(&self, tx: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<SessionId>, Error> {
        let found = store::find_by_key(tx, hash).await?;
        Ok(found.filter(|(_, force)| self.door.serves(force)).map(|(session, _)| session))
    }

    /// How it is after one more wrong code; `None` if there may be none at the moment. While many are tried nobody waits for the row: what is
    /// used up stays so.
    async fn after_wrong(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<Guesses>, Error> {
        if self.door.after_wrong(store::find_guesses(tx).await?, now).is_none() {
            return Ok(None);
        }
        Ok(self.door.after_wrong(store::lock_guesses(tx).await?, now))
    }

    /// A wrong code counts against every open invitation that it may have been meant for; and, unless it comes from where too many came from,
    /// against everybody's, last, so that nobody waits for that row.
    async fn count_wrong(&self, shown: &Presented, is_beyond: bool, now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        if let Presented::Code(code) = shown {
            for mut meant in store::lock_by_selector(&mut tx, code.selector(), now).await? {
                if let Tried::Wrong(invitation) = meant.invitation.attempt(false, is_beyond, now) {
                    meant.invitation = invitation;
                    store::save_invitation(&mut tx, &meant).await?;
                }
            }
        }
        if !is_beyond && let Some(guesses) = self.after_wrong(&mut tx, now).await? {
            store::save_guesses(&mut tx, guesses).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Whoever was let in comes back without a code, by their token or, if its answer was lost, by the one before it.
    ///
    /// # Errors
    /// A token that names nobody (any more); an ended session.
    pub async fn rejoin(&self, token: &Token) -> Result<LetIn, Error> {
        let next = self.keys.next_token(token);
        let mut tx = self.begin(Scope::All).await?;
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
        let Stored { session, trace, .. } = stored;
        Ok(LetIn { session, participant: named.participant, token: next, trace })
    }

    /// Who would come back by this token, or by the one after it.
    ///
    /// # Errors
    /// When that is nobody (any more).
    pub async fn comes_by(&self, token: &Token) -> Result<Named, Error> {
        let mut connection = self.begin(Scope::All).await?;
        find_either(&mut connection, token, &self.keys.next_token(token)).await
    }

    /// Somebody has left for good: what they came in with lets nobody in any more, unless they were let in anew meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(&self, who: Named, token: &Token) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
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
        let mut connection = self.begin(Scope::All).await?;
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
