//! WHIP (RFC 9725): a participant publishes.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::{
    Bearer, Paced, Web,
    body::{Fragment, Offer},
    condition::IfMatch,
    ice,
    to_the_end::to_the_end,
};
use crate::{
    error::Error,
    keys::Token,
    media::{Answer, Patched, ResourceId, Seat},
    rooms::{Held, Kind},
    store::Named,
};

/// GET: it is there, for whoever may use it (RFC 9725, section 4.1).
pub(super) async fn endpoint(_: Bearer) -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(super) async fn publish(
    State(web): State<Arc<Web>>,
    Paced(bearer): Paced,
    Offer(offer): Offer,
) -> Result<Response, Error> {
    // Its name must not be free again while the media core publishes under it.
    to_the_end(async move { begin(&web, bearer, offer).await }).await
}

async fn begin(web: &Web, Bearer { named, token }: Bearer, offer: String) -> Result<Response, Error> {
    for resource in web.rooms.stale(named.participant, token.hash()) {
        // They are back before ICE has given up on what they left behind.
        web.rooms.set_lost(resource, true);
        web.media.close(resource).await;
    }
    let begun = web.app.begin_publication(named).await?;
    if web.rooms.is_publishing(named.participant) {
        return Err(Error::AlreadyPublishing);
    }
    if begun.publication.recording.is_kept() {
        let (spool, owner) = (web.spool.clone(), begun.owner.clone());
        let prepared = tokio::task::spawn_blocking(move || spool.prepare(&owner)).await;
        prepared.map_err(std::io::Error::other).flatten().map_err(Error::Spool)?;
    }
    web.media.cover(begun.cover);
    web.media.pleas(begun.pleas);
    let answer = web.media.publish(begun.publication.clone(), offer).await?;
    let kind = Kind::Publishes { track: begun.publication.track.clone(), flowed: false, lost: false, silent: false };
    web.rooms.add(answer.resource, held(named, &token, kind));
    match begun.commit().await {
        Ok(seat) => Ok(created(web, seat, &format!("/whip/{}", answer.resource), answer)),
        Err(error) => {
            web.media.close(answer.resource).await;
            Err(error)
        }
    }
}

/// GET: it is there, for its owner.
pub(super) async fn session(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Path(resource): Path<String>,
) -> Result<StatusCode, Error> {
    owned(&web, named, &resource)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn patch(
    State(web): State<Arc<Web>>,
    Paced(Bearer { named, .. }): Paced,
    Path(resource): Path<String>,
    condition: IfMatch,
    Fragment(fragment): Fragment,
) -> Result<Response, Error> {
    let resource = owned(&web, named, &resource)?;
    Ok(match web.media.patch(resource, condition.required()?, fragment).await? {
        Patched::Trickled => StatusCode::NO_CONTENT.into_response(),
        Patched::Restarted { fragment, etag } => {
            let kind = (header::CONTENT_TYPE, "application/trickle-ice-sdpfrag".to_owned());
            ([kind, (header::ETAG, etag)], fragment).into_response()
        }
    })
}

/// DELETE: whatever If-Match says.
pub(super) async fn close(
    State(web): State<Arc<Web>>,
    Paced(Bearer { named, .. }): Paced,
    Path(resource): Path<String>,
) -> Result<StatusCode, Error> {
    let resource = owned(&web, named, &resource)?;
    // Its last event is still to be read; they may publish anew at once.
    web.rooms.set_lost(resource, true);
    if web.media.close(resource).await { Ok(StatusCode::OK) } else { Err(Error::UnknownResource) }
}

fn owned(web: &Web, named: Named, resource: &str) -> Result<ResourceId, Error> {
    let resource: ResourceId = resource.parse().map_err(|_| Error::UnknownResource)?;
    if web.rooms.is_owned(resource, named.participant) { Ok(resource) } else { Err(Error::UnknownResource) }
}

pub(super) fn held(named: Named, token: &Token, kind: Kind) -> Held {
    Held { session: named.session, participant: named.participant, token_hash: token.hash(), kind }
}

/// 201, as WHIP and WHEP have it: what media waits for, and only for whoever is on the record.
pub(super) fn created(web: &Web, seat: Seat, location: &str, answer: Answer) -> Response {
    let mut response = (StatusCode::CREATED, answer.sdp).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/sdp"));
    for (name, value) in [(header::LOCATION, location), (header::ETAG, &answer.etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    for server in ice::servers(&web.turn, seat.participant(), web.app.now()) {
        if let Some(link) = server.link() {
            headers.append(header::LINK, link);
        }
    }
    response
}
