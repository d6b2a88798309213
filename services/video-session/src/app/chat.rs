//! Who may write in a call, and its officer mark chapters. What they write never comes here: it goes to the spool, and to the
//! others (`talk`, `chapters`).

use tracing::Span;

use super::{App, Order, held_open::HeldOpen, span};
use crate::{
    domain::{Illegal, Recording, Role},
    error::Error,
    spool::Owner,
    store::Named,
};
use outbox::Scope;

/// Somebody may write one line now. The session stays locked meanwhile: it can't end, nor they be sent away, between what
/// is decided here and what is kept, so that the transcript made at the end has every line.
#[derive(Debug)]
pub struct Floor {
    /// What they are in the call.
    pub role: Role,
    /// Where it is kept; nowhere, in a call that isn't recorded, or not any more.
    pub kept: Option<Owner>,
    /// The recording is paused: what is said now is not for the record, nor is what is written.
    pub paused: bool,
    /// The how-manieth owner of the session this instance is.
    pub epoch: u64,
    /// What the caller's word for "come now" is known by, if there is one.
    pub word_hash: Option<[u8; 32]>,
    /// The call's trace, to be followed.
    pub span: Span,
    tx: HeldOpen,
}

impl Floor {
    /// The line is kept, or given up.
    ///
    /// # Errors
    /// When the database fails: the session may then have ended before.
    pub async fn yield_up(self) -> Result<(), Error> {
        self.tx.commit().await
    }
}

impl App {
    /// Gives somebody the floor.
    ///
    /// # Errors
    /// They wait, were sent away, or only watch; the session has ended, or another instance carries it.
    pub async fn give_floor(&self, who: Named) -> Result<Floor, Error> {
        let mut tx = self.begin_held_open(Scope::All).await?;
        let stored = self.lock(&mut tx, who.session).await?;
        self.must_own(&stored)?;
        let role = stored.session.may_write(who.participant)?;
        let epoch = stored.epoch;
        let recording = stored.session.recorded();
        let paused = recording == Recording::Paused;
        let kept = recording.is_kept().then(|| Owner::of(&stored.session, &stored.trace, epoch));
        Ok(Floor { role, kept, paused, epoch, word_hash: stored.word_hash, span: span(&stored, "write"), tx })
    }

    /// Who the officer of a call is in it. The session is carried here from now on, unless another instance does.
    ///
    /// # Errors
    /// No such session, another officer's or another instance's, or they haven't joined.
    pub async fn officer_in<M>(&self, order: &Order<M>) -> Result<Named, Error> {
        let stored = self.find(&order.force, order.call).await?.ok_or(Error::UnknownSession)?;
        stored.session.commanded_by(&order.officer)?;
        let officer = stored.session.in_role(Role::Officer).ok_or(Illegal::UnknownParticipant)?;
        let named = Named { session: stored.session.id, participant: officer.id };
        if self.claim(named.session).await?.is_some() { Err(Error::NotOwner) } else { Ok(named) }
    }
}
