//! What every use case of a case does before and after it decides.

use chassis::{Entropy, Trace};
use chrono::{DateTime, Utc};
use ids::RequestId;
use outbox::{NewEvent, Scope, Tx, replay};
use prost::Message;
use tracing::{Span, info_span};

use super::{App, Ask, On, lock_case};
use crate::{
    domain::Package,
    error::Error,
    store::{self, Locked},
};

/// A change of a case: its row is locked, and nothing has happened before it is [`Change::done`].
#[derive(Debug)]
pub(crate) struct Change {
    /// The transaction.
    pub tx: Tx,
    /// The case.
    pub on: On,
    /// What was heard of it.
    pub package: Package,
    /// The call's trace.
    pub trace: Trace,
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Whose answer is kept; none: said by a link, which has no ids of requests.
    request: Option<RequestId>,
    /// In the call's trace, from the lock to the commit.
    _span: Span,
}

/// A request's beginning.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(crate) enum Begun<A> {
    /// It was asked before, and this was the answer.
    Answered(A),
    /// It is new.
    Change(Change),
}

impl App {
    /// Begins a change that was asked for: the first answer if it was before, the locked case otherwise.
    ///
    /// # Errors
    /// Unknown; the request id was used for something else; the database is away.
    pub(crate) async fn change<A: Message + Default>(
        &self,
        rpc: &'static str,
        ask: Ask<'_, impl Message>,
        on: On,
    ) -> Result<Begun<A>, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin(rpc, Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, rpc, ask.request).await? {
            return Ok(Begun::Answered(first));
        }
        Ok(Begun::Change(begin(tx, rpc, on, now, Some(ask.id)).await?))
    }

    /// Begins a change that a partner wants by a link. Said again it finds itself done: no answer is kept.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub(super) async fn change_by_link(&self, name: &'static str, on: On) -> Result<Change, Error> {
        let now = self.clock.now();
        let tx = self.store.begin(name, Scope::Force(&on.force)).await?;
        begin(tx, name, on, now, None).await
    }
}

async fn begin(
    mut tx: Tx,
    rpc: &'static str,
    on: On,
    now: DateTime<Utc>,
    request: Option<RequestId>,
) -> Result<Change, Error> {
    let Locked { package, trace, .. } = lock_case(&mut tx, &on).await?;
    let span = trace.follow(info_span!("change", rpc, call = %on.call));
    Ok(Change { tx, on, package, trace, now, request, _span: span })
}

impl Change {
    /// Publishes with it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn publish(
        &mut self,
        entropy: &Entropy,
        events: impl IntoIterator<Item = NewEvent>,
    ) -> Result<(), Error> {
        Ok(outbox::write_in_tx(&mut self.tx, entropy, self.now, events).await?)
    }

    /// There was nothing to change: the request has this answer for good, and nobody looks again.
    ///
    /// # Errors
    /// The database is away.
    pub async fn looked<A: Message>(mut self, answer: A) -> Result<A, Error> {
        self.remember(&answer).await?;
        store::commit(self.tx).await?;
        Ok(answer)
    }

    /// It happens: the case has a further version, whoever watches it looks again, and the request has this answer for good.
    ///
    /// # Errors
    /// The database is away: nothing has happened.
    pub async fn done<A: Message>(mut self, answer: A) -> Result<A, Error> {
        store::touch(&mut self.tx, self.on.call).await?;
        self.remember(&answer).await?;
        store::commit(self.tx).await?;
        Ok(answer)
    }

    async fn remember(&mut self, answer: &impl Message) -> Result<(), Error> {
        if let Some(request) = self.request {
            replay::remember(&mut self.tx, request, answer).await?;
        }
        Ok(())
    }
}
