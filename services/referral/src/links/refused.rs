//! Why a partner isn't shown anything, or isn't heard; `error.rs` says what that is over HTTP.

use axum::response::{IntoResponse, Response};
use chassis::http::problem;
use http::{HeaderValue, StatusCode, header};

use super::page;
use crate::{domain::link::NotALink, error::Error};

/// When somebody who was too fast may come again, in seconds.
const COME_AGAIN: HeaderValue = HeaderValue::from_static("60");

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Nobody of us made such a link, or its referral isn't there.
    #[error(
        "There is nothing at this address. A link works only as a whole: it may have been broken where a line ended."
    )]
    Unknown,
    /// It was a link.
    #[error("This link has expired. Please ring whoever sent it to you.")]
    Expired,
    /// Neither GET nor POST.
    #[error("This can't be done here.")]
    Method,
    /// Neither a form nor JSON.
    #[error("The body is application/json, or a form.")]
    Type,
    /// Not one thing that can be said here.
    #[error("The body says either acknowledged_by or outcome, and nothing else.")]
    Malformed,
    /// Longer than anything that can be said here.
    #[error("The body is too large.")]
    TooLarge,
    /// It took too long.
    #[error("This took too long. Please try again.")]
    TooSlow,
    /// The same link too often.
    #[error("This link was used too often just now. Please try again in a minute.")]
    TooFast,
    /// Too many at once.
    #[error("Too many people are here just now. Please try again in a minute.")]
    Busy,
    /// Not a name.
    #[error("A name has 1 to 100 characters.")]
    Name,
    /// Not an outcome.
    #[error("What came of it has 1 to 500 characters.")]
    Outcome,
    /// It was taken back.
    #[error("The referral was taken back. Please stop what was begun because of it.")]
    Withdrawn,
    /// It is an application.
    #[error("What becomes of this one is decided here, and not said by link.")]
    Decided,
    /// It can't be done.
    #[error("Something is wrong here. Please try again later.")]
    Failed(#[source] Error),
}

impl Refused {
    /// For a system, or for a person.
    pub(super) fn answer(self, as_json: bool) -> Response {
        let (status, reason, sentence) = self.over_http();
        let mut response = if as_json {
            problem(status, reason, sentence)
        } else {
            (status, page::refused(status, &sentence)).into_response()
        };
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, COME_AGAIN);
        }
        response
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownCall | Error::UnknownReferral => Self::Unknown,
            Error::Withdrawn => Self::Withdrawn,
            Error::DecidedByStages => Self::Decided,
            error => Self::Failed(error),
        }
    }
}

impl From<NotALink> for Refused {
    fn from(not: NotALink) -> Self {
        match not {
            NotALink::Expired => Self::Expired,
            NotALink::Malformed | NotALink::Forged => Self::Unknown,
        }
    }
}
