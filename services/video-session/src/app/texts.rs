//! Text messages as the rows have them: which is due, what came of a try, what a receipt says.

use chassis::Trace;
use ids::{CallId, ForceId, PhoneNumber};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{Failure, Link, Outcome, TextState},
    error::Error,
    store::{self, StoredText},
};
use outbox::Scope;

/// A try that has begun: whoever has this is to send it.
#[derive(Debug, Clone)]
pub struct DueText {
    /// What it goes by in receipts.
    pub id: Uuid,
    /// The call that it is about.
    pub call: CallId,
    /// Whose.
    pub force: ForceId,
    /// The number that was given for it; without one the control room's.
    pub to: Option<PhoneNumber>,
    /// What is sent.
    pub link: Link,
    /// Which try it is, from 1.
    pub tries: u32,
    /// The call's trace.
    pub trace: Trace,
}

impl App {
    /// Begins a try of a message that is due, if there is one. Those that are of no use any more are given up on the way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_text(&self) -> Result<Option<DueText>, Error> {
        loop {
            let now = self.clock.now();
            let mut tx = self.begin(Scope::All).await?;
            let Some(mut due) = store::lock_due_text(&mut tx, now).await? else { return Ok(None) };
            due.text = due.text.attempt(due.invitation.usable(now).is_ok() && !due.is_over, now);
            store::save_text(&mut tx, &due).await?;
            tx.commit().await?;
            if due.text.state == TextState::Queued {
                return Ok(Some(self.due(due)));
            }
            tracing::info!(call_id = %due.call, "a text message was of no use any more, and is not sent");
        }
    }

    /// What came of a try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn text_tried(&self, id: Uuid, outcome: Outcome) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let Some(mut stored) = store::lock_text(&mut tx, id).await? else { return Ok(()) };
        stored.text = stored.text.tried(outcome, stored.invitation.expires_at, now);
        store::save_text(&mut tx, &stored).await?;
        tx.commit().await?;
        let Some(failure) = failure(&stored) else { return Ok(()) };
        tracing::warn!(call_id = %stored.call, tries = stored.text.tries, failure, "a text message can't be sent");
        Ok(())
    }

    /// What a receipt says: delivered, or why not. Of a message that isn't ours nothing is to be done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn text_receipt(&self, id: Uuid, told: Result<(), Failure>) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let Some(mut stored) = store::lock_text(&mut tx, id).await? else { return Ok(()) };
        let before = stored.text;
        stored.text = stored.text.receipt(told, now);
        if stored.text == before {
            return Ok(());
        }
        store::save_text(&mut tx, &stored).await?;
        tx.commit().await?;
        let failure = failure(&stored);
        tracing::info!(call_id = %stored.call, failure, "a text message has its receipt");
        Ok(())
    }

    fn due(&self, stored: StoredText) -> DueText {
        DueText {
            id: stored.id,
            call: stored.call,
            force: stored.force,
            to: stored.to_number.and_then(|sealed| self.keys.open_number(&sealed, stored.id)),
            link: self.keys.link(stored.session, stored.request),
            tries: stored.text.tries,
            trace: stored.trace,
        }
    }
}

fn failure(stored: &StoredText) -> Option<&'static str> {
    match stored.text.state {
        TextState::Failed(failure) => Some(failure.as_str()),
        TextState::Queued | TextState::Sent | TextState::Delivered => None,
    }
}
