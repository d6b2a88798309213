//! `POST /join {"code": "K7QF-2M9X", "page"?}`: the code read out on the phone line, typed into the page. Or `{"link": ...}`: what
//! stands behind the `#` of the address that was sent in a text message. Using either spends both. A page that was only looked at,
//! by a messenger that makes a preview of it or by a browser that fetches ahead, sends nothing behind the `#`, and spends nothing.
//!
//! A code is good once. But on one bar of signal its answer may get lost, and whoever typed it would be locked out and heard by
//! nobody. So the page makes up 128 bits for each code (`page`), keeps them in memory only, and for two minutes gets the same answer
//! for both: the same person, the same token. Nobody else gets in by a code that was overheard or is read over a shoulder, and the
//! page itself no more once its token was replaced (a reload), voided (it has left), or its owner was sent away. Turned down: a code
//! that is good until its owner's media flows (whoever types it next would push them out), and a cookie before the first join (it
//! would be there on every visit).

use std::sync::{Arc, PoisonError};

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::{Uri, header};
use ids::Secret;
use serde::{Deserialize, Serialize};

use super::{
    Web, body,
    ice::{self, IceServer},
    redirect,
    rejoin::{self, Back, Sends},
    seen::{role_word, standing_word, track_word},
};
use crate::{
    app::LetIn,
    domain::{Code, Link, Participant, Presented, Refused, Role, Standing, Tap},
    error::Error,
    keys::PageSecret,
    subscriber::Subscriber,
};

pub(super) struct Typed {
    shown: Presented,
    page: Option<PageSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    code: Option<String>,
    link: Option<Secret<String>>,
    /// The page's own secret.
    page: Option<Secret<String>>,
}

#[derive(Serialize)]
struct Joined {
    participant_id: String,
    token: String,
    /// `waiting`: until the events say `in` nothing can be published or watched.
    standing: &'static str,
    whip_url: String,
    whep_url: String,
    events_url: String,
    others: Vec<Other>,
    /// For the page's connections, which want them before there is an answer with its `Link` headers.
    ice_servers: Vec<IceServer>,
    /// False for somebody who chose not to be seen, or not to be heard, before they came back.
    picture: bool,
    sound: bool,
    /// What the page turns into when it is covered, whether it is, and how far the taps are counted.
    pretext: &'static str,
    covered: bool,
    tap: u32,
    /// How far the page has counted something else.
    corner: u32,
    /// What the page asks from here on belongs to the call's trace; empty for none.
    traceparent: String,
}

#[derive(Serialize)]
struct Other {
    participant_id: String,
    role: &'static str,
    publishing: bool,
    /// As in the events: what can be watched at once, without waiting for the first of them.
    track: Option<String>,
}

impl FromRequest<Arc<Web>> for Typed {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        let body: Body = body::json(request, web).await.map_err(Error::into_response)?;
        let secret = |page| PageSecret::parse(page).ok_or(Error::MalformedBody);
        let page = body.page.map(secret).transpose().map_err(Error::into_response)?;
        let shown = match (body.code, body.link) {
            (Some(code), None) => Code::parse(&code).map(Presented::Code),
            (None, Some(link)) => Link::parse(link.expose()).map(Presented::Link),
            _ => return Err(Error::MalformedBody.into_response()),
        };
        // What can't be one is a slip of the finger, and no guess.
        let shown = shown.map_err(|_| Error::CodeUnknown.into_response())?;
        Ok(Self { shown, page })
    }
}

pub(super) async fn join(
    State(web): State<Arc<Web>>,
    origin: Subscriber,
    uri: Uri,
    back: Result<Back, Response>,
    Typed { shown, page }: Typed,
) -> Result<Response, Error> {
    let limiter = || web.limiter.lock().unwrap_or_else(PoisonError::into_inner);
    let now = web.app.now();
    let is_beyond = limiter().is_beyond(origin, now);
    // Only who sends a right code is led elsewhere, and there they are counted anew: a guess that is beyond the limits is doubted here.
    let is_doubted = is_beyond && matches!(shown, Presented::Code(_));
    let outcome = web.strangers.look_up(origin, now, async {
        // Before it is used up.
        if !is_doubted
            && let Some(session) = web.app.invited_to(&shown).await?
            && let Some(redirect) = redirect::elsewhere(&web, session, &uri).await?
        {
            return Ok(redirect);
        }
        Ok(answer(&web, web.app.redeem(&shown, page.as_ref(), is_beyond).await?, Sends::ALL, None).await)
    });
    let outcome = outcome.await;
    // Only somebody who knows a code can learn that it is used, expired or its session over.
    if !is_beyond && matches!(outcome, Err(Error::CodeUnknown)) {
        limiter().wrong(origin, now);
    }
    match (outcome, back) {
        // Typed once more, in another tab.
        (Err(Error::CodeRefused(Refused::Used)), Ok(back)) if back.has_the_call_of(&web, &shown).await? => {
            Err(Error::OpenAlready)
        }
        (outcome, _) => outcome,
    }
}

/// To whoever was let in, or back in: all that a page needs, once. `tapped`: the newest tap of a page that was reloaded; what a page
/// that is new to the call has to hide is nothing yet.
pub(super) async fn answer(web: &Web, let_in: LetIn, sends: Sends, tapped: Option<(u32, Tap)>) -> Response {
    web.pages.has_its_own(let_in.participant);
    // Whatever their old token still holds is nobody's now.
    web.listeners.end(let_in.participant);
    for resource in web.rooms.of_participant(let_in.participant) {
        web.media.close(resource).await;
    }
    let own = let_in.session.participant(let_in.participant);
    let standing = own.map_or(Standing::Removed, |own| own.standing().0);
    // One who waits has covered nothing: whatever is covered is another's page.
    let is_caller = own.is_ok_and(|own| own.role == Role::Caller && own.is_in());
    let is_other = |one: &&Participant| one.id != let_in.participant && one.is_in() && standing == Standing::In;
    let others = let_in.session.participants.iter().filter(is_other);
    let (tap, is_covered) = let_in.session.cover.given(tapped);
    let joined = Joined {
        participant_id: let_in.participant.to_string(),
        token: let_in.token.expose().to_owned(),
        standing: standing_word(standing),
        whip_url: web.urls.whip(),
        whep_url: web.urls.whep(),
        events_url: web.urls.events(),
        others: others.map(Other::from).collect(),
        ice_servers: ice::servers(&web.turn, let_in.participant, web.app.now()),
        picture: sends.picture,
        sound: sends.sound,
        pretext: let_in.session.cover.pretext.id(),
        // To anybody else's page it is nothing.
        covered: is_caller && is_covered,
        // If one is covered meanwhile, it ends with the other's being let in, which counts as a tap.
        tap: tap.saturating_add(u32::from(standing == Standing::Waiting)),
        // Nobody else is to know that they have asked for anything.
        corner: if is_caller { let_in.session.duress.counted.corner } else { 0 },
        traceparent: let_in.trace.as_str().to_owned(),
    };
    let mut response = Json(joined).into_response();
    response.headers_mut().extend(rejoin::remembered(&let_in.token, sends).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

impl From<&Participant> for Other {
    fn from(participant: &Participant) -> Self {
        Self {
            participant_id: participant.id.to_string(),
            role: role_word(participant.role),
            publishing: participant.flowing.is_some(),
            track: track_word(participant),
        }
    }
}
