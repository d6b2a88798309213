//! What can go wrong, and the only mapping of it to HTTP and gRPC.

use axum::response::{IntoResponse, Response};
use chassis::{http::problem, status::status};
use http::StatusCode;
use tonic::{Code, Status};

/// Why a request was refused, or why the service can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No cookie, or one that holds no more.
    #[error("sign in first")]
    NotSignedIn,
    /// What came back from the issuer is no answer to what this browser asked, or is none at all.
    #[error("this sign-in was refused")]
    SignInRefused,
    /// The issuer can't be asked at the moment.
    #[error("the identity provider is not there at the moment")]
    IssuerAway,
    /// A sign-out that the issuer didn't send.
    #[error("this is no logout token for us")]
    LogoutRefused,
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

impl Error {
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "NOT_SIGNED_IN"),
            Self::SignInRefused => (StatusCode::FORBIDDEN, "SIGN_IN_REFUSED"),
            Self::IssuerAway => (StatusCode::SERVICE_UNAVAILABLE, "ISSUER_AWAY"),
            Self::LogoutRefused => (StatusCode::BAD_REQUEST, "LOGOUT_REFUSED"),
            Self::CrossOrigin => (StatusCode::FORBIDDEN, "CROSS_ORIGIN"),
            Self::NothingHere => (StatusCode::NOT_FOUND, "NOTHING_HERE"),
            Self::NotGrpcWeb => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "NOT_GRPC_WEB"),
            Self::Chassis(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        }
    }

    /// Stable, for the page.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.told().1
    }
}

/// A service behind us isn't there: as it would say it itself.
#[must_use]
pub fn upstream_away() -> Status {
    status(Code::Unavailable, "UPSTREAM_UNAVAILABLE", "the service is not there at the moment")
}

/// The session that an answer was for has ended.
#[must_use]
pub fn signed_out() -> Status {
    status(Code::Unauthenticated, "SIGNED_OUT", "this sign-in is over")
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, reason) = self.told();
        problem(status, reason, self.to_string())
    }
}
