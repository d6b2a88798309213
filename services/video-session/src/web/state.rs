//! `POST /state {"picture": false, "why": "choice"}`: a page tells what it does not send, and why. Only the page knows: from here a
//! camera that is turned off and one that is out of reach look the same. It is one more line of the gap ledger; a choice is kept over a
//! reload, and a microphone that is off by choice is told to the others.

use std::{io, sync::Arc};

use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Deserialize;

use super::{
    Bearer, Paced, Web, body,
    rejoin::{self, Sends},
};
use crate::{
    domain::Remark,
    error::Error,
    ledger,
    media::{Medium, Noted, What, Why},
    store::Named,
};

/// What it sends from now on; nothing said, nothing changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    picture: Option<bool>,
    sound: Option<bool>,
    /// Why not, if it is not sent.
    #[serde(default)]
    why: Why,
    /// The same in their own words: an officer's, who turns the microphone off.
    reason: Option<Remark>,
}

impl FromRequest<Arc<Web>> for Told {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        body::json(request, web).await.map_err(Error::into_response)
    }
}

pub(super) async fn state(
    State(web): State<Arc<Web>>,
    Paced(bearer): Paced,
    before: Option<Sends>,
    told: Told,
) -> Result<Response, Error> {
    let Named { session, participant } = bearer.named;
    if let Some(sound) = told.sound {
        web.rooms.set_silent(participant, !sound && told.why == Why::Choice);
    }
    // Nothing is kept of a call that isn't recorded, and a publication that is over has nothing more to be said of it.
    if let Some(track) = web.rooms.track(participant).filter(|_| web.spool.owner(session).is_some()) {
        let said = [(Medium::Video, told.picture), (Medium::Audio, told.sound)];
        let lines = said.into_iter().filter_map(|(medium, sends)| {
            let what = match sends? {
                true => What::TurnedOn { medium },
                false => What::TurnedOff { medium, why: told.why, reason: told.reason.clone() },
            };
            Some(ledger::line(&Noted { session, participant, track: track.clone(), at: web.app.now(), what }))
        });
        let (spool, lines) = (web.spool.clone(), lines.collect::<Vec<_>>());
        let kept = tokio::task::spawn_blocking(move || spool.note(session, &lines)).await;
        kept.map_err(io::Error::other).flatten().map_err(Error::Spool)?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(before) = before.filter(|_| told.why == Why::Choice)
        && is_still_there(&web, &bearer).await?
    {
        let chosen =
            Sends { picture: told.picture.unwrap_or(before.picture), sound: told.sound.unwrap_or(before.sound) };
        let cookie = rejoin::remembered(&bearer.token, chosen);
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    }
    Ok(response)
}

/// The disk took its time: a page that has left meanwhile has its phone forget us, and this answer must not bring us back.
async fn is_still_there(web: &Web, Bearer { token, .. }: &Bearer) -> Result<bool, Error> {
    match web.app.authenticate(token).await {
        Ok(_) => Ok(true),
        Err(Error::TokenUnknown) => Ok(false),
        Err(error) => Err(error),
    }
}
