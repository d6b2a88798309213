//! WHIP (RFC 9725): a participant publishes.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    Bearer, Web,
    body::{Fragment, Offer},
};
use crate::{
    error::Error,
    keys::Token,
    media::{Answer, ResourceId},
    rooms::{Held, Kind},
    store::Named,
};

pub(super) async fn publish(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
    Offer(offer): Offer,
) -> Result<Response, Error> {
    for resource in web.rooms.stale(named.participant, token.hash()) {
        // They are back before ICE has given up on what they left behind.
        web.rooms.set_lost(resource, true);
        web.media.close(resource).await;
    }
    let begun = web.app.begin_publication(named).await?;
    if web.rooms.is_publishing(named.participant) {
        return Err(Error::AlreadyPublishing);
    }
    if begun.publication.record {
        let (spool, owner) = (web.spool.clone(), begun.owner.clone());
        let prepared = tokio::task::spawn_blocking(move || spool.prepare(&owner)).await;
        prepared.map_err(std::io::Error::other).flatten().map_err(Error::Spool)?;
    }
    let answer = web.media.publish(begun.publication.clone(), offer).await?;
    let kind = Kind::Publishes { track: begun.publication.track.clone(), flowed: false, lost: false };
    web.rooms.add(answer.resource, held(named, &token, &answer, kind));
    if let Err(error) = begun.commit().await {
        web.media.close(answer.resource).await;
        return Err(error);
    }
    Ok(created(&format!("/whip/{}", answer.resource), answer))
}

pub(super) async fn trickle(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Path(resource): Path<String>,
    headers: HeaderMap,
    Fragment(fragment): Fragment,
) -> Result<StatusCode, Error> {
    let (resource, held) = owned(&web, named, &resource)?;
    let wanted = headers.get(header::IF_MATCH).ok_or(Error::IfMatchMissing)?;
    // "*" would be an ICE restart, and a network that changed publishes anew here.
    if wanted.as_bytes() != quoted(&held.etag).as_bytes() {
        return Err(Error::IfMatchStale);
    }
    web.media.trickle(resource, fragment).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn close(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Path(resource): Path<String>,
) -> Result<StatusCode, Error> {
    let (resource, _) = owned(&web, named, &resource)?;
    // Its last event is still to be read; they may publish anew at once.
    web.rooms.set_lost(resource, true);
    web.media.close(resource).await;
    Ok(StatusCode::OK)
}

pub(super) fn owned(web: &Web, named: Named, resource: &str) -> Result<(ResourceId, Held), Error> {
    let resource: ResourceId = resource.parse().map_err(|_| Error::UnknownResource)?;
    let held = web.rooms.owned(resource, named.participant).ok_or(Error::UnknownResource)?;
    Ok((resource, held))
}

pub(super) fn held(named: Named, token: &Token, answer: &Answer, kind: Kind) -> Held {
    Held {
        session: named.session,
        participant: named.participant,
        token_hash: token.hash(),
        etag: answer.etag.clone(),
        kind,
    }
}

/// 201, as WHIP and WHEP have it.
pub(super) fn created(location: &str, answer: Answer) -> Response {
    let mut response = (StatusCode::CREATED, answer.sdp).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/sdp"));
    for (name, value) in [(header::LOCATION, location.to_owned()), (header::ETAG, quoted(&answer.etag))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

fn quoted(etag: &str) -> String {
    if etag.starts_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}
