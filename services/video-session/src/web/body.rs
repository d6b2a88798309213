//! Bodies, checked for what they claim to be.

use std::time::Duration;

use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{error::Error, media::MediaError};

/// What a page has to say about itself is shorter.
const SMALL: usize = 1024;
/// All of a body is there by then, on one bar of signal, too.
const PATIENCE: Duration = Duration::from_secs(20);

/// An SDP offer.
pub(super) struct Offer(pub String);

/// A trickle-ICE fragment (RFC 8840).
pub(super) struct Fragment(pub String);

impl<S: Send + Sync> FromRequest<S> for Offer {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let text = text(request, state, "application/sdp").await.map_err(Error::into_response)?;
        // The media core reads it closely; this much any offer has.
        if !text.starts_with("v=0") {
            let problem = MediaError::MalformedSdp("it does not begin with v=0".to_owned());
            return Err(Error::Media(problem).into_response());
        }
        Ok(Self(text))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fragment {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        text(request, state, "application/trickle-ice-sdpfrag").await.map(Self).map_err(Error::into_response)
    }
}

async fn text<S: Send + Sync>(request: Request, state: &S, wanted: &'static str) -> Result<String, Error> {
    let bytes = whole(request, state, wanted, PATIENCE).await?;
    String::from_utf8(bytes.into()).map_err(|_| Error::Media(MediaError::MalformedSdp("it is not text".to_owned())))
}

/// The whole body, if it claims to be of that type, and is there in time.
pub(crate) async fn whole<S: Send + Sync>(
    request: Request,
    state: &S,
    wanted: &'static str,
    patience: Duration,
) -> Result<Bytes, Error> {
    let claimed = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = claimed.and_then(|value| value.split(';').next()).map(str::trim);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(wanted)) {
        return Err(Error::WrongType(wanted));
    }
    bytes(request, state, patience).await
}

/// A small JSON object.
pub(super) async fn json<T: DeserializeOwned, S: Send + Sync>(request: Request, state: &S) -> Result<T, Error> {
    json_within(SMALL, request, state).await
}

/// A JSON object of at most so many bytes.
pub(super) async fn json_within<T: DeserializeOwned, S: Send + Sync>(
    limit: usize,
    request: Request,
    state: &S,
) -> Result<T, Error> {
    let bytes = bytes(request, state, PATIENCE).await?;
    if bytes.len() > limit {
        return Err(Error::BodyTooLarge);
    }
    serde_json::from_slice(&bytes).map_err(|_| Error::MalformedBody)
}

/// Reads the body and keeps nothing of it. Whoever hasn't sent all of it wouldn't hear the answer.
pub(super) async fn waste(request: Request, patience: Duration) {
    let mut parts = request.with_limited_body().into_body().into_data_stream();
    // Whoever is too slow has their answer in the end.
    let _ = timeout(patience, async { while let Some(Ok(_)) = parts.next().await {} }).await;
}

/// The whole body, within the route's limit.
async fn bytes<S: Send + Sync>(request: Request, state: &S, patience: Duration) -> Result<Bytes, Error> {
    let read = timeout(patience, Bytes::from_request(request, state)).await.map_err(|_| Error::BodyTooSlow)?;
    read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge,
        _ => Error::MalformedBody,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;

    use axum::body::Body;
    use futures::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_waited_for_only_so_long() {
        let body = || Body::from_stream(stream::iter([Ok::<_, Infallible>("v=0")]).chain(stream::pending()));
        let request = || Request::post("/whip").header("content-type", "application/sdp").body(body()).unwrap();
        let answer = Offer::from_request(request(), &()).await.err().unwrap();
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        waste(request(), PATIENCE).await;
    }
}
