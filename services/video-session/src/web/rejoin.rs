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
//! No other site can have it used: it is SameSite=Strict, and the request must come from our own page. Each use replaces it,
//! and the token of before is worth nothing any more but the same answer again, should that one be lost on its way.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};

use super::{Web, join, redirect};
use crate::{error::Error, keys::Token, subscriber::Subscriber};

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

impl FromRequestParts<Arc<Web>> for Back {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let is_ours = parts.headers.get(header::ORIGIN).is_some_and(|origin| web.urls.is_origin(origin));
        // Safari 15 doesn't send it; whoever does must say the same.
        let is_same = parts.headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin");
        cookie(&parts.headers).filter(|_| is_ours && is_same).ok_or_else(|| Error::TokenUnknown.into_response())
    }
}

pub(super) async fn rejoin(
    State(web): State<Arc<Web>>,
    origin: Subscriber,
    uri: Uri,
    Back { token, sends }: Back,
) -> Response {
    let back = web.strangers.look_up(origin, web.app.now(), async {
        // A token that was replaced meanwhile: whoever replaced it was there.
        if let Ok(named) = web.app.authenticate(&token).await
            && let Some(redirect) = redirect::elsewhere(&web, named.session, &uri).await?
        {
            return Ok(redirect);
        }
        let let_in = web.app.rejoin(&token).await?;
        Ok(join::answer(&web, let_in, sends).await)
    });
    match back.await {
        Ok(answer) => answer,
        Err(error) => {
            let mut response = error.into_response();
            if response.status().is_client_error() {
                response.headers_mut().append(header::SET_COOKIE, forgotten());
            }
            response
        }
    }
}

pub(super) async fn forget() -> (StatusCode, [(HeaderName, HeaderValue); 1]) {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, forgotten())])
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
