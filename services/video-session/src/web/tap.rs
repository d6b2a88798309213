//! `POST /tap {"n": 7, "what": "away"}`: the caller's page has turned into something harmless, or shows the call again. It has done so
//! before it says it, and says it until it is heard: `n` is its own count, so that a repeat and what was overtaken change nothing.
//!
//! Answered once the media core has done its part. The rows, the ledger and the officer's page hear of it from there.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;

use super::{Bearer, Web, body};
use crate::{domain::Tap, error::Error, media::Tapped};

/// A page that counts on from here has no room left; none comes near it.
const MOST: u32 = 1 << 30;

/// What a page says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    n: u32,
    what: Tap,
}

impl FromRequest<Arc<Web>> for Told {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        let told: Self = body::json(request, web).await.map_err(Error::into_response)?;
        if told.n <= MOST { Ok(told) } else { Err(Error::MalformedBody.into_response()) }
    }
}

pub(super) async fn tap(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Told { n, what }: Told,
) -> Result<StatusCode, Error> {
    let at = web.app.now();
    if !web.pace.taps(named.participant, at) {
        return Err(Error::TooFast);
    }
    // Whoever publishes here as the caller is that; of anybody else the rows tell.
    if !web.rooms.is_caller(named.participant) {
        web.app.look(named.session).await?.session.may_cover(named.participant)?;
    }
    web.media.tap(Tapped { session: named.session, caller: named.participant, tap: what, n, at }).await?;
    Ok(StatusCode::NO_CONTENT)
}
