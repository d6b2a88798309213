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
//! opened or restored in any other way, it has it forgotten. It also says that somebody chose to be heard only: no reload turns a
//! camera on that was turned off.
//!
//! No other site can have it used: it is SameSite=Strict, and the request must come from our own page. Each use replaces it,
//! and the token of before is worth nothing any more but the same answer again, should that one be lost on its way.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};

use super::{Web, join, redirect};
use crate::{error::Error, keys::Token, subscriber::Subscriber};

/// `__Host-`: of this host alone, and only over TLS (or to this machine itself).
const NAME: &str = "__Host-back";
const KIND: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Ends the cookie of somebody who wants to be heard only.
const HEARD_ONLY: &str = ".heard";

/// What our own page, reloaded, comes back with.
pub(super) struct Back {
    token: Token,
    picture: bool,
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
    Back { token, picture }: Back,
) -> Response {
    let back = web.strangers.look_up(origin, web.app.now(), async {
        // A token that was replaced meanwhile: whoever replaced it was there.
        if let Ok(named) = web.app.authenticate(&token).await
            && let Some(redirect) = redirect::elsewhere(&web, named.session, &uri).await?
        {
            return Ok(redirect);
        }
        let let_in = web.app.rejoin(&token).await?;
        Ok(join::answer(&web, let_in, picture).await)
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

/// What the browser is to come back with, and whether with a picture.
pub(super) fn remembered(token: &Token, picture: bool) -> Option<HeaderValue> {
    let heard_only = if picture { "" } else { HEARD_ONLY };
    let mut value = HeaderValue::try_from(format!("{NAME}={}{heard_only}; {KIND}", token.expose())).ok()?;
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
    let (token, picture) = value.strip_suffix(HEARD_ONLY).map_or((value, true), |token| (token, false));
    Some(Back { token: Token::presented(token), picture })
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
        let Back { token, picture } = cookie(&headers).unwrap();
        assert_eq!((token.expose(), picture), ("yes", true));
        let set = remembered(&token, true).unwrap();
        assert_eq!(forgotten(), set.to_str().unwrap().replace("yes", "") + "; Max-Age=0");
        assert!(!format!("{set:?}").contains("yes"), "not even by mistake");

        let heard_only = remembered(&token, false).unwrap();
        let (pair, _) = heard_only.to_str().unwrap().split_once(';').unwrap();
        let back = cookie(&HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(pair).unwrap())])).unwrap();
        assert_eq!((back.token.expose(), back.picture), ("yes", false));
    }
}
