//! Why a message opens no call; `error.rs` says what that is over HTTP.

use super::flaw::Flaw;
use crate::error::Error;

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It isn't one.
    #[error(transparent)]
    Flawed(#[from] Flaw),
    /// It says that it is something else.
    #[error("a message is sent as application/xml")]
    NotXml,
    /// It didn't come to its end.
    #[error("the message was cut off")]
    CutOff,
    /// It didn't come in time, or couldn't be dealt with in time.
    #[error("the message took too long")]
    TooSlow,
    /// Too many at once.
    #[error("too many messages at once")]
    Busy,
    /// The certificate isn't a control room's.
    #[error("only a control room sends messages")]
    NotAControlRoom,
    /// It says that it is from somebody other than who sends it.
    #[error("the sender is unknown")]
    UnknownSender,
    /// It is for somebody else.
    #[error("the message is not for us")]
    NotForUs,
    /// It opens nothing.
    #[error("only an incident can be sent")]
    NotAnIncident,
    /// The call can't be opened.
    #[error(transparent)]
    Failed(#[from] Error),
}
