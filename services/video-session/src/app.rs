//! One function per use case: lock, decide, save, say so, in one transaction. What has to happen outside of the
//! database (media, spool) is done by whoever called, once the transaction says yes.

mod caller;
mod chat;
mod cover;
mod desk;
mod duress;
mod ending;
mod fast_track;
mod held_open;
mod inviting;
mod media;
mod owning;
mod people;
mod photographs;
mod presences;
mod recording;
mod stills;
mod texts;
mod words;

pub use caller::LetIn;
pub use chat::Floor;
pub use desk::{Joined, Order};
pub use duress::Sight;
pub use inviting::Invited;
pub use media::Begun;
pub use owning::Own;
pub use photographs::BegunPhotograph;
pub use recording::answer as recording_answer;
pub use stills::{BegunStill, Taken};
pub use texts::DueText;

use std::sync::Arc;

use chassis::{Clock, Entropy, Trace};
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, SessionId};
use sqlx::{PgPool, PgTransaction};
use tokio::sync::Semaphore;
use tracing::Span;

use crate::{
    domain::{Accepted, Door, Fact, Patience, Session},
    error::Error,
    events,
    keys::Keys,
    store::{self, Stored},
};
use outbox::Scope;

/// The use cases, and what they need.
#[derive(Debug, Clone)]
pub struct App {
    pool: PgPool,
    clock: Clock,
    entropy: Entropy,
    keys: Keys,
    patience: Patience,
    door: Door,
    own: Own,
    /// For transactions that wait for the disk.
    places: Arc<Semaphore>,
}

/// What there is to say before anything is done about an order.
#[derive(Debug, Clone)]
pub enum Leave<A> {
    /// It was carried out before, and this was the answer.
    Answered(A),
    /// It may be carried out in this session.
    Given(SessionId),
}

impl App {
    /// Over the service's own database.
    #[must_use]
    pub fn new(
        pool: PgPool,
        clock: Clock,
        entropy: Entropy,
        keys: Keys,
        (patience, door): (Patience, Door),
        own: Own,
    ) -> Self {
        let places = held_open::places(&pool);
        Self { pool, clock, entropy, keys, patience, door, own, places }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A call was accepted: its session is made, once, and heeds what was heard of the caller's consents before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_session(
        &self,
        tx: &mut PgTransaction<'_>,
        accepted: Accepted,
        trace: &Trace,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        store::lock_consents(tx, accepted.call).await?;
        let said = store::list_early_consents(tx, &accepted.force, accepted.call).await?;
        let session = Session::open_heeding(self.entropy.id(now), accepted, said, now);
        let fresh = store::insert_session(tx, &session, trace).await?;
        if fresh && session.ending().is_some() {
            store::save_session(tx, &session).await?;
        }
        store::delete_early_consents(tx, &session.accepted.force, session.accepted.call).await?;
        tracing::info!(call_id = %session.accepted.call, fresh, recording = session.recording.as_str(), "session made");
        Ok(())
    }

    /// The session of a call, if it has been made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, force: &ForceId, call: CallId) -> Result<Option<Stored>, Error> {
        let mut connection = self.begin(Scope::Force(force)).await?;
        Ok(store::find_by_call(&mut connection, force, call).await?)
    }

    /// A session as it is now.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn look(&self, id: SessionId) -> Result<Stored, Error> {
        let mut connection = self.begin(Scope::All).await?;
        store::find_by_id(&mut connection, id).await?.ok_or(Error::UnknownSession)
    }

    /// The desk names its force. Whoever comes with a token, a code or a session's id doesn't: theirs begins among all, until
    /// [`App::lock`] knows whose session it is.
    async fn begin(&self, scope: Scope<'_>) -> Result<PgTransaction<'static>, Error> {
        Ok(outbox::begin(&self.pool, scope).await?)
    }

    /// For what nobody waits for: a session that is held up is to be tried again, and doesn't keep a connection from others meanwhile.
    async fn begin_in_passing(&self) -> Result<PgTransaction<'static>, Error> {
        let mut tx = self.begin(Scope::All).await?;
        store::wait_briefly(&mut tx).await?;
        Ok(tx)
    }

    /// Locks a session; from here on the transaction sees its force's rows and no others.
    async fn lock(&self, tx: &mut PgTransaction<'_>, id: SessionId) -> Result<Stored, Error> {
        let stored = store::lock_by_id(tx, id).await?.ok_or(Error::UnknownSession)?;
        outbox::narrow(tx, &stored.session.accepted.force).await?;
        Ok(stored)
    }

    /// What a transition made of the session, and the events of its facts.
    async fn save(
        &self,
        tx: &mut PgTransaction<'_>,
        stored: &Stored,
        facts: &[Fact],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        store::save_session(tx, &stored.session).await?;
        outbox::write_in_tx(tx, &self.entropy, now, events::of_facts(stored, facts, now)).await?;
        Ok(())
    }
}

/// A use case's span within the call's own trace.
fn span(stored: &Stored, name: &'static str) -> Span {
    let call_id = stored.session.accepted.call;
    stored.trace.follow(tracing::info_span!("use_case", otel.name = name, %call_id))
}
