//! Photographs, as the rows have them: who may ask for one, who may send it, and the how-manieth it is.

use api::session::v1::{AskForPhotographRequest, AskForPhotographResponse};
use ids::SessionId;
use outbox::{Scope, replay};
use tracing::Instrument;

use super::{App, Order, held_open::HeldOpen, span};
use crate::{error::Error, spool::Owner, store::Named};

/// A photograph that has its number, and isn't committed yet: it has to be kept first.
#[derive(Debug)]
pub struct BegunPhotograph {
    /// Its number in the session, from 1.
    pub number: u32,
    /// For the spool.
    pub owner: Owner,
    tx: HeldOpen,
}

impl BegunPhotograph {
    /// It is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await
    }
}

impl App {
    /// May the officer ask for a photograph? Gives the session, once for each request.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one, no consent, nothing recorded now, or enough of them.
    pub async fn ask_for_photograph(&self, order: &Order<AskForPhotographRequest>) -> Result<Option<SessionId>, Error> {
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        let first: Option<AskForPhotographResponse> =
            replay::first_answer(&mut tx, order.request, "AskForPhotograph", &order.message).await?;
        if first.is_some() {
            return Ok(None);
        }
        let stored = self.commanded(&mut tx, order).await?;
        self.must_own(&stored)?;
        let session = stored.session;
        session.clone().photograph(0)?;
        replay::remember(&mut tx, order.request, &AskForPhotographResponse::default()).await?;
        tx.commit().await?;
        Ok(Some(session.id))
    }

    /// The caller sends one: gives it its number, beyond `known`, which is how many there are elsewhere.
    ///
    /// # Errors
    /// Somebody else sends it, an ended session, no consent, nothing recorded now, or enough of them.
    pub async fn begin_photograph(&self, who: Named, known: u32) -> Result<BegunPhotograph, Error> {
        let now = self.clock.now();
        let mut tx = self.begin_held_open(Scope::All).await?;
        let mut stored = self.lock(&mut tx, who.session).await?;
        let span = span(&stored, "photograph");
        async {
            self.must_own(&stored)?;
            stored.session.photographed_by(who.participant)?;
            let (session, number, facts) = stored.session.photograph(known)?;
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            Ok(BegunPhotograph { number, owner: Owner::of(&stored.session, &stored.trace, stored.epoch), tx })
        }
        .instrument(span)
        .await
    }
}
