//! What can go wrong, and the only mapping of it to HTTP.

use axum::response::{IntoResponse, Response};
use chassis::http::problem;
use http::StatusCode;

/// Why a request was refused, or why the service can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No cookie, or one that holds no more.
    #[error("sign in first")]
    NotSignedIn,
    /// A name that isn't on the list.
    #[error("nobody of that id may sign in here")]
    UnknownOfficer,
    /// The sign-in's body isn't `{"officer_id": "..."}`.
    #[error("the body must be a JSON object with officer_id")]
    MalformedSignIn,
    /// A change asked for by another site's page.
    #[error("this request did not come from the console's own page")]
    CrossOrigin,
    /// No such page, and no such service behind us.
    #[error("there is nothing here")]
    NothingHere,
    /// Something else than gRPC-web was sent to a service.
    #[error("only gRPC-web is passed on")]
    NotGrpcWeb,
    /// Configuration, listeners.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
}

impl From<chassis::Error> for Error {
    fn from(error: chassis::Error) -> Self {
        Self::Chassis(Box::new(error))
    }
}

impl From<chassis::ConfigError> for Error {
    fn from(error: chassis::ConfigError) -> Self {
        chassis::Error::from(error).into()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, reason) = match &self {
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "NOT_SIGNED_IN"),
            Self::UnknownOfficer => (StatusCode::FORBIDDEN, "UNKNOWN_OFFICER"),
            Self::MalformedSignIn => (StatusCode::BAD_REQUEST, "MALFORMED_SIGN_IN"),
            Self::CrossOrigin => (StatusCode::FORBIDDEN, "CROSS_ORIGIN"),
            Self::NothingHere => (StatusCode::NOT_FOUND, "NOTHING_HERE"),
            Self::NotGrpcWeb => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "NOT_GRPC_WEB"),
            Self::Chassis(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        };
        problem(status, reason, self.to_string())
    }
}
