//! Why the media core refuses.

use crate::domain::Illegal;

/// Why an offer, a trickle or a close was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The body isn't an SDP offer (or fragment) that we can answer.
    #[error("malformed SDP: {0}")]
    MalformedSdp(String),
    /// A section without VP8 or H.264, without Opus, or without the publisher's codec.
    #[error("no common codec")]
    NoCommonCodec,
    /// The participant to watch publishes nothing now.
    #[error("that participant publishes nothing")]
    NothingToWatch,
    /// No such resource, or it has ended.
    #[error("no such resource")]
    UnknownResource,
    /// It isn't (any more) in the ICE session that the request means.
    #[error("If-Match names another ICE session")]
    Stale,
    /// The fragment asks for an ICE restart that can't be done. The ICE session goes on as it is.
    #[error("the ICE restart can't be done")]
    RestartRefused,
    /// It would be recorded against the caller's will.
    #[error("{0}")]
    Recording(#[from] Illegal),
    /// What was shown then isn't in the recording, or long since.
    #[error("no such picture is in the recording")]
    NoSuchFrame,
    /// The media loop is stopping.
    #[error("shutting down")]
    ShuttingDown,
}
