//! The order to pause, to resume or to stop recording: who carries it out first. Recording less can't wait, so the media core does
//! it before the rows know, and even if they can't; the recorder sees to it that they learn of it. Recording more is done only once
//! it is written down that it may be.

use std::time::Duration;

use api::session::v1::{SetRecordingRequest, SetRecordingResponse};
use ids::SessionId;

use crate::{
    app::{self, App, Leave, Order},
    domain::{Illegal, RecordOrder, Remark},
    error::Error,
    ledger,
    media::{Instruction, Media},
    spool::{Lines, Spool},
};

/// The database is asked whether it may be for so long, and then whoever takes back their consent has waited long enough.
const ASK_FIRST: Duration = Duration::from_millis(250);
/// The disk may take so long to write an order down.
const WRITE_DOWN: Duration = Duration::from_secs(2);

/// What carries out orders about recording.
#[derive(Debug, Clone)]
pub struct Recordings {
    /// The use cases.
    pub app: App,
    /// The media core.
    pub media: Media,
    /// What is known without the database.
    pub spool: Spool,
}

impl Recordings {
    /// Carries out an officer's order.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one, recorded against the caller's will; the database, where it is needed.
    pub async fn set(
        &self,
        order: &Order<SetRecordingRequest>,
        what: RecordOrder,
        reason: Remark,
    ) -> Result<SetRecordingResponse, Error> {
        let instruction =
            |session| Instruction { session, order: what, by: Some(order.officer.clone()), reason: reason.clone() };
        let session = match self.may(order, what).await? {
            Leave::Answered(first) => return Ok(first),
            Leave::Given(session) => session,
        };
        if what == RecordOrder::Resume {
            let answer = self.app.set_recording(order, what).await?;
            self.media.record(instruction(session)).await?;
            return Ok(answer);
        }
        let recording = self.media.record(instruction(session)).await?;
        match self.app.set_recording(order, what).await {
            // Carried out it is in any case; but who is told so may rely on it, whatever becomes of this process.
            Err(error) if error.is_transient() && self.is_noted(session, what).await => {
                tracing::warn!(call_id = %order.call, ?recording, error = chassis::chain(&error), "recording changed, to be written down later");
                Ok(app::recording_answer(recording))
            }
            written => written,
        }
    }

    async fn may(
        &self,
        order: &Order<SetRecordingRequest>,
        what: RecordOrder,
    ) -> Result<Leave<SetRecordingResponse>, Error> {
        let asked = tokio::time::timeout(ASK_FIRST, self.app.may_record(order, what)).await;
        let asked = asked.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
        match asked {
            // Another instance has it, whatever was recorded here before.
            Err(Error::NotOwner) => Err(Error::NotOwner),
            Err(error) if error.is_transient() => self.known(order).map_or(Err(error), |known| known.map(Leave::Given)),
            asked => asked,
        }
    }

    /// The session, if anything of it is or was recorded here, and the officer commands it.
    fn known(&self, order: &Order<SetRecordingRequest>) -> Option<Result<SessionId, Error>> {
        let owner = self.spool.of_call(&order.force, order.call)?;
        let is_theirs = owner.officer.as_ref() == Some(&order.officer);
        Some(if is_theirs { Ok(owner.session) } else { Err(Illegal::NotYourCall.into()) })
    }

    /// Is the order in the session's ledger? It is on its way there.
    async fn is_noted(&self, session: SessionId, what: RecordOrder) -> bool {
        let mut changes = self.spool.changes();
        let noted = async {
            loop {
                let spool = self.spool.clone();
                let lines = tokio::task::spawn_blocking(move || spool.lines(session, Lines::Ledger)).await;
                let lines = lines.map_err(std::io::Error::other).flatten().unwrap_or_default();
                if ledger::standing_order(&lines) == Some(what) {
                    return;
                }
                // The spool is ours, so its sender can't be gone.
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(WRITE_DOWN, noted).await.is_ok()
    }
}
