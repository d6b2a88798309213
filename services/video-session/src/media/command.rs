//! What the handle asks of the loop.

use ids::{ParticipantId, SessionId};
use tokio::sync::oneshot;

use super::{Answer, Condition, Instruction, MediaError, Patched, Plea, Publication, ResourceId, Seat, Tapped, shown};
use crate::domain::{Covering, Illegal, Pleas, Recording};

#[derive(Debug)]
pub(super) enum Command {
    Publish {
        publication: Publication,
        offer: String,
        answer: oneshot::Sender<Result<Answer, MediaError>>,
    },
    Watch {
        seat: Seat,
        publisher: ParticipantId,
        offer: String,
        answer: oneshot::Sender<Result<Answer, MediaError>>,
    },
    Patch {
        resource: ResourceId,
        condition: Condition,
        fragment: String,
        done: oneshot::Sender<Result<Patched, MediaError>>,
    },
    Record {
        instruction: Instruction,
        done: oneshot::Sender<Result<Recording, Illegal>>,
    },
    Tap {
        tapped: Tapped,
        done: oneshot::Sender<bool>,
    },
    Cover {
        covering: Covering,
    },
    Plead {
        plea: Plea,
        done: oneshot::Sender<bool>,
    },
    Pleas {
        pleas: Pleas,
    },
    Frame {
        publisher: ParticipantId,
        rtp_timestamp: u32,
        answer: shown::Answer,
    },
    Forget {
        session: SessionId,
    },
    Close {
        resource: ResourceId,
        done: oneshot::Sender<bool>,
    },
    /// What no guard catches.
    #[cfg(test)]
    Die,
    Shutdown {
        done: oneshot::Sender<()>,
    },
}
