//! `POST /tap {"n": 7, "what": "away"}`: the caller's page has turned into something harmless, or shows the call again. It has done so
//! before it says it, and says it until it is heard: `n` is its own count, so that a repeat and what was overtaken change nothing.
//! `{"n": 1, "what": "corner"}`, counted by itself: three taps on a dull corner, of which the page shows nothing.
//!
//! Answered once the media core has done its part. The rows, the ledger and the officer's page hear of it from there.

use std::{io, sync::Arc};

use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;

use super::{Bearer, Web, body};
use crate::{
    domain::{How, Tap},
    error::Error,
    media::{Plea, Tapped},
    spool::Owner,
    store::Named,
};

/// A page that counts on from here has no room left; none comes near it.
const MOST: u32 = 1 << 30;

/// What a page says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    n: u32,
    what: What,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Away,
    Back,
    Corner,
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
    let Named { session, participant: caller } = named;
    match what {
        What::Away => cover(&web, Tapped { session, caller, tap: Tap::Away, n, at }).await?,
        What::Back => cover(&web, Tapped { session, caller, tap: Tap::Back, n, at }).await?,
        What::Corner => plead(&web, named, n, at).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn cover(web: &Web, tapped: Tapped) -> Result<(), Error> {
    // Whoever publishes here as the caller is that; of anybody else the rows tell.
    if !web.rooms.is_caller(tapped.caller) {
        web.app.look(tapped.session).await?.session.may_cover(tapped.caller)?;
    }
    web.media.tap(tapped).await?;
    Ok(())
}

async fn plead(
    web: &Web,
    Named { session, participant: caller }: Named,
    n: u32,
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if !web.rooms.is_caller(caller) {
        let stored = web.app.look(session).await?;
        stored.session.may_cover(caller)?;
        web.media.pleas(stored.session.pleas());
        // Somebody may ask before anybody's picture is there, and it is to be in the ledger.
        if stored.session.recording.is_kept() {
            let (spool, owner) = (web.spool.clone(), Owner::of(&stored.session, &stored.trace, stored.epoch));
            let prepared = tokio::task::spawn_blocking(move || spool.prepare(&owner)).await;
            // A disk in trouble keeps nobody from being heard.
            if let Err(error) = prepared.map_err(io::Error::other).flatten() {
                tracing::error!(session_id = %session, %error, "a call for help may not be in the ledger");
            }
        }
    }
    web.media.plead(Plea { session, caller, how: How::Corner, n, at }).await?;
    Ok(())
}
