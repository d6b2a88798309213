//! Bodies, checked for what they claim to be.

use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{error::Error, media::MediaError};

/// What a page has to say about itself is shorter.
const SMALL: usize = 1024;

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
    let bytes = whole(request, state, wanted).await?;
    String::from_utf8(bytes.into()).map_err(|_| Error::Media(MediaError::MalformedSdp("it is not text".to_owned())))
}

/// The whole body, if it claims to be of that type.
pub(super) async fn whole<S: Send + Sync>(request: Request, state: &S, wanted: &'static str) -> Result<Bytes, Error> {
    let claimed = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = claimed.and_then(|value| value.split(';').next()).map(str::trim);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(wanted)) {
        return Err(Error::WrongType(wanted));
    }
    bytes(request, state).await
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
    let bytes = bytes(request, state).await?;
    if bytes.len() > limit {
        return Err(Error::BodyTooLarge);
    }
    serde_json::from_slice(&bytes).map_err(|_| Error::MalformedBody)
}

/// Reads the body and keeps nothing of it. Who hasn't sent all of it wouldn't hear the answer.
pub(super) async fn waste(request: Request) {
    let mut parts = request.with_limited_body().into_body().into_data_stream();
    while let Some(Ok(_)) = parts.next().await {}
}

/// The whole body, within the route's limit.
async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge,
        _ => Error::MalformedBody,
    })
}
