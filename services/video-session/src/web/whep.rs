//! WHEP: a participant watches another one of the same session.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use ids::ParticipantId;

use super::{
    Bearer, Web,
    body::{Fragment, Offer},
    join::still_open,
    whip::{self, created, held},
};
use crate::{error::Error, media::MediaError, rooms::Kind};

pub(super) async fn watch(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
    Path(publisher): Path<String>,
    Offer(offer): Offer,
) -> Result<Response, Error> {
    let session = still_open(&web, named).await?;
    // Somebody of another session is nobody here.
    let nothing = || Error::Media(MediaError::NothingToWatch);
    let publisher: ParticipantId = publisher.parse().map_err(|_| nothing())?;
    session.participant(publisher).map_err(|_| nothing())?;
    let answer = web.media.watch(named.participant, publisher, offer).await?;
    web.rooms.add(answer.resource, held(named, &token, &answer, Kind::Watches));
    Ok(created(&format!("/whep/{publisher}/{}", answer.resource), answer))
}

pub(super) async fn trickle(
    state: State<Arc<Web>>,
    bearer: Bearer,
    Path((_, resource)): Path<(String, String)>,
    headers: HeaderMap,
    fragment: Fragment,
) -> Result<StatusCode, Error> {
    whip::trickle(state, bearer, Path(resource), headers, fragment).await
}

pub(super) async fn close(
    state: State<Arc<Web>>,
    bearer: Bearer,
    Path((_, resource)): Path<(String, String)>,
) -> Result<StatusCode, Error> {
    whip::close(state, bearer, Path(resource)).await
}
