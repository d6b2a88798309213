//! A reload comes back without a new code: `POST /rejoin`, by a cookie that `/join` left. `DELETE /rejoin` has it forgotten.
//!
//! The page keeps nothing (DESIGN, section 9: no storage API), so the browser must keep something, and it must not be a way in for
//! whoever picks up the phone next. Turned down: the token in the address' fragment or the history's state (on disk with the
//! history and the restored windows, for good), `sessionStorage` and `window.name` (the same file, and open to any script). Left
//! is a cookie without an age, of this host alone and hidden from scripts.
//!
//! It does reach the disk while the call lasts (tried with Chromium 156 and Firefox 153): Chromium has it in its cookie file within
//! half a minute, weakly encrypted, and Firefox, within a quarter, in its file of restored windows, in the clear; an age would
//! take it to Firefox' cookie file instead. Left or ended, the call has it forgotten, and neither its name nor its value was found
//! any more; a browser that is killed meanwhile keeps both. In a private window nothing is written. What is found opens nothing
//! once the session is over, or its page has left. Because phones change hands, the page uses it only when it was reloaded;
//! opened or restored in any other way, it has it forgotten. It also says what somebody chose not to send: no reload turns a
//! camera or a microphone on that was turned off.
//!
//! It is all pages' of the browser, so the one that has the call keeps it until it goes, or somebody says otherwise (`pages.rs`):
//! `{"here": true}`.
//!
//! No other site can have it used: it is SameSite=Strict, and the request must come from our own page. Each use replaces it,
//! and the token of before is worth nothing any more but the same answer again, should that one be lost on its way.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};
use serde::Deserialize;

use super::{Web, body, join, pages::Comes, redirect};
use crate::{domain::Presented, error::Error, keys::Token, store::Named, subscriber::Subscriber};

/// `__Host-`: of this host alone, and only over TLS (or to this machine itself).
const NAME: &str = "__Host-back";
const KIND: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// End the cookie of somebody who doesn't want to be heard, and of somebody who doesn't want to be seen.
const UNHEARD: &str = ".unheard";
const UNSEEN: &str = ".heard";

/// What our own page, reloaded, comes back with.
pub(super) struct Back {
    token: Token,
    sends: Sends,
}

/// What a page sends, as far as that is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sends {
    pub(super) picture: bool,
    pub(super) sound: bool,
}

impl Sends {
    /// As it begins.
    pub(super) const ALL: Self = Self { picture: true, sound: true };
}

/// As the browser remembers it, if it does.
impl OptionalFromRequestParts<Arc<Web>> for Sends {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Web>) -> Result<Option<Self>, Infallible> {
        Ok(cookie(&parts.headers).map(|back| back.sends))
    }
}

impl Back {
    /// Has another page of this browser the call that this code is for, for all to see? Then it is no other hands that typed it.
    pub(super) async fn has_the_call_of(&self, web: &Web, shown: &Presented) -> Result<bool, Error> {
        let Ok(named) = web.app.comes_by(&self.token).await else { return Ok(false) };
        let is_its = web.app.invited_to(shown).await? == Some(named.session);
        let has_it = is_its && is_open(web, named) && !is_covered(web, named).await?;
        if has_it {
            web.pages.has_its_own(named.participant);
        }
        Ok(has_it)
    }
}

impl FromRequestParts<Arc<Web>> for Back {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let is_ours = parts.headers.get(header::ORIGIN).is_some_and(|origin| web.urls.is_origin(origin));
        // Safari 15 doesn't send it; whoever does must say the same.
        let is_same = parts.headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin");
        cookie(&parts.headers).filter(|_| is_ours && is_same).ok_or_else(|| Error::TokenUnknown.into_response())
    }
}

/// What a page may say besides.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// The call is to go on here, though it is open in another page.
    #[serde(default)]
    here: bool,
}

impl FromRequest<Arc<Web>> for Wish {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        // A page that wishes nothing says nothing.
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self::default());
        }
        body::json(request, web).await.map_err(Error::into_response)
    }
}

pub(super) async fn rejoin(
    State(web): State<Arc<Web>>,
    origin: Subscriber,
    uri: Uri,
    Back { token, sends }: Back,
    Wish { here }: Wish,
) -> Response {
    let back = web.strangers.look_up(origin, web.app.now(), async {
        let named = web.app.comes_by(&token).await?;
        if let Some(redirect) = redirect::elsewhere(&web, named.session, &uri).await? {
            return Ok(redirect);
        }
        may_come(&web, named, here).await?;
        let let_in = web.app.rejoin(&token).await?;
        let tapped = web.rooms.cover(let_in.session.id);
        Ok(join::answer(&web, let_in, sends, tapped).await)
    });
    match back.await {
        Ok(answer) => answer,
        Err(error) => {
            let mut response = error.into_response();
            let is_open = response.status() == StatusCode::CONFLICT;
            if response.status().is_client_error() && !is_open {
                response.headers_mut().append(header::SET_COOKIE, forgotten());
            }
            response
        }
    }
}

async fn may_come(web: &Web, who: Named, here: bool) -> Result<(), Error> {
    let is_covered = is_covered(web, who).await?;
    match web.pages.comes(who.participant, is_open(web, who), is_covered, here) {
        Comes::Back => Ok(()),
        Comes::Beside => Err(Error::OpenAlready),
        Comes::Unseen => Err(Error::NotHere),
        Comes::Never => Err(Error::TokenUnknown),
    }
}

async fn is_covered(web: &Web, who: Named) -> Result<bool, Error> {
    Ok(web.app.look(who.session).await?.session.cover.given(web.rooms.cover(who.session)).1)
}

/// Has a page of theirs the call?
fn is_open(web: &Web, who: Named) -> bool {
    web.rooms.is_publishing(who.participant) || web.listeners.hears(who.participant)
}

/// A page was opened, not reloaded: nothing comes back there. What another page has the call by is its own.
pub(super) async fn forget(
    State(web): State<Arc<Web>>,
    origin: Subscriber,
    uri: Uri,
    back: Result<Back, Response>,
) -> Response {
    let gone = || (StatusCode::NO_CONTENT, [(header::SET_COOKIE, forgotten())]).into_response();
    let Ok(Back { token, .. }) = back else { return gone() };
    let kept = web.strangers.look_up(origin, web.app.now(), async {
        let named = web.app.comes_by(&token).await?;
        if let Some(redirect) = redirect::elsewhere(&web, named.session, &uri).await? {
            return Ok(Some(redirect));
        }
        if !is_open(&web, named) {
            return Ok(None);
        }
        web.pages.opened_another(named.participant);
        Ok(Some(StatusCode::NO_CONTENT.into_response()))
    });
    // Whatever goes wrong, it is forgotten.
    kept.await.ok().flatten().unwrap_or_else(gone)
}

/// What the browser is to come back with, and what it then sends.
pub(super) fn remembered(token: &Token, sends: Sends) -> Option<HeaderValue> {
    let unseen = if sends.picture { "" } else { UNSEEN };
    let unheard = if sends.sound { "" } else { UNHEARD };
    let mut value = HeaderValue::try_from(format!("{NAME}={}{unseen}{unheard}; {KIND}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Undoes it.
pub(super) fn forgotten() -> HeaderValue {
    HeaderValue::from_static("__Host-back=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

fn cookie(headers: &HeaderMap) -> Option<Back> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find_map(|(name, value)| (name == NAME).then_some(value))?;
    let (value, sound) = value.strip_suffix(UNHEARD).map_or((value, true), |value| (value, false));
    let (token, picture) = value.strip_suffix(UNSEEN).map_or((value, true), |token| (token, false));
    Some(Back { token: Token::presented(token), sends: Sends { picture, sound } })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_undone_as_it_was_set() {
        let mut headers = HeaderMap::new();
        assert!(cookie(&headers).is_none());
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; x__Host-back=no"));
        assert!(cookie(&headers).is_none());
        headers.append(header::COOKIE, HeaderValue::from_static("c=d; __Host-back=yes"));
        let Back { token, sends } = cookie(&headers).unwrap();
        assert_eq!((token.expose(), sends), ("yes", Sends::ALL));
        let set = remembered(&token, sends).unwrap();
        assert_eq!(forgotten(), set.to_str().unwrap().replace("yes", "") + "; Max-Age=0");
        assert!(!format!("{set:?}").contains("yes"), "not even by mistake");

        for (picture, sound) in [(false, true), (true, false), (false, false)] {
            let chosen = remembered(&token, Sends { picture, sound }).unwrap();
            let (pair, _) = chosen.to_str().unwrap().split_once(';').unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(pair).unwrap())]);
            let back = cookie(&headers).unwrap();
            assert_eq!((back.token.expose(), back.sends), ("yes", Sends { picture, sound }));
        }
    }
}
