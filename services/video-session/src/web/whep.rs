//! WHEP: a participant watches another one of the same session.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use ids::ParticipantId;

use super::{
    Bearer, Paced, Web,
    body::{Fragment, Offer},
    condition::IfMatch,
    to_the_end::to_the_end,
    whip::{self, created, held},
};
use crate::{
    domain::{Covering, Illegal},
    error::Error,
    media::MediaError,
    rooms::Kind,
    store::Named,
};

/// GET: there is somebody of that name to watch, publishing or not.
pub(super) async fn endpoint(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Path(publisher): Path<String>,
) -> Result<StatusCode, Error> {
    known(&web, named, &publisher).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn watch(
    State(web): State<Arc<Web>>,
    Paced(Bearer { named, token }): Paced,
    Path(publisher): Path<String>,
    Offer(offer): Offer,
) -> Result<Response, Error> {
    let (publisher, cover) = known(&web, named, &publisher).await?;
    // A page asks again and again until there is something: that is nothing for the record.
    if !web.rooms.has_publication(publisher) {
        return Err(MediaError::NothingToWatch.into());
    }
    // A presence that nobody has must not be left open.
    to_the_end(async move {
        let seat = web.app.begin_watching(named, publisher).await?;
        web.media.cover(cover);
        let answer = match web.media.watch(seat, publisher, offer).await {
            Ok(answer) => answer,
            Err(refused) => {
                web.app.give_up_seat(seat).await?;
                return Err(refused.into());
            }
        };
        // Each is shown once to each: what they watched by before is given up with its answer, lost or not.
        let before = web.rooms.watched_by(named.participant, publisher);
        web.rooms.add(answer.resource, held(named, &token, Kind::Watches(publisher)));
        for resource in before {
            web.media.close(resource).await;
        }
        Ok(created(&web, seat, &format!("/whep/{publisher}/{}", answer.resource), answer))
    })
    .await
}

pub(super) async fn session(
    state: State<Arc<Web>>,
    bearer: Bearer,
    Path((_, resource)): Path<(String, String)>,
) -> Result<StatusCode, Error> {
    whip::session(state, bearer, Path(resource)).await
}

pub(super) async fn patch(
    state: State<Arc<Web>>,
    bearer: Paced,
    Path((_, resource)): Path<(String, String)>,
    condition: IfMatch,
    fragment: Fragment,
) -> Result<Response, Error> {
    whip::patch(state, bearer, Path(resource), condition, fragment).await
}

pub(super) async fn close(
    state: State<Arc<Web>>,
    bearer: Paced,
    Path((_, resource)): Path<(String, String)>,
) -> Result<StatusCode, Error> {
    whip::close(state, bearer, Path(resource)).await
}

/// Somebody whom they may watch, and whether the call is covered. Somebody of another session is nobody here.
async fn known(web: &Web, named: Named, participant: &str) -> Result<(ParticipantId, Covering), Error> {
    let stored = web.app.look(named.session).await?;
    let participant = participant.parse().map_err(|_| Illegal::UnknownParticipant)?;
    stored.session.may_watch(named.participant, participant)?;
    Ok((participant, stored.session.covering()))
}
