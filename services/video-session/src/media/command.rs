//! What the handle asks of the loop.

use ids::ParticipantId;
use tokio::sync::oneshot;

use super::{Answer, Condition, MediaError, Patched, Publication, ResourceId, Seat};

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
    Close {
        resource: ResourceId,
        done: oneshot::Sender<()>,
    },
    Shutdown {
        done: oneshot::Sender<()>,
    },
}
