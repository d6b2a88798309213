//! `POST /chat {"id", "text" or "phrase", "language"}`: what somebody writes. It comes back to everybody, them too, in the
//! events: so a page shows only what is kept.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use exhibit::time;
use ids::{Malformed, Secret};
use serde::{Deserialize, Serialize};

use super::{Bearer, Web, body, seen::role_word, to_the_end::to_the_end};
use crate::{
    domain::{Content, How, Line, Wording},
    error::Error,
    media::Plea,
    store::Named,
};

/// 500 characters of any script, and what is around them.
const LIMIT: usize = 4 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// The page's own: sent again, it is the same line.
    id: String,
    text: Option<Secret<String>>,
    phrase: Option<Secret<String>>,
    /// Alone: what they read and write from here on.
    language: Option<String>,
}

pub(super) struct Typed {
    id: String,
    wording: Wording,
}

#[derive(Serialize)]
pub(super) struct Answer {
    number: u32,
    at: String,
}

impl FromRequest<Arc<Web>> for Typed {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        let body = body::json_within(LIMIT, request, web).await.map_err(Error::into_response)?;
        let Body { id, text, phrase, language } = body;
        if !(1..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Malformed(Malformed { kind: "id", rule: "1 to 64 signs" }).into_response());
        }
        Ok(Self { id, wording: Wording { text, phrase, language } })
    }
}

pub(super) async fn write(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
    Typed { id, wording }: Typed,
) -> Result<Json<Answer>, Error> {
    // Before it has the session to itself.
    if !web.pace.writes(named.participant, web.app.now()) {
        return Err(Error::TooFast);
    }
    // Whoever hangs up meanwhile has asked all the same.
    let written = to_the_end(async move {
        let written = web.talk.write(&web.app, named, id, wording).await?;
        if written.asks {
            let Named { session, participant: caller } = named;
            let plea = Plea { session, caller, how: How::Word, n: written.number, at: written.at };
            web.media.plead(plea).await?;
        }
        Ok(written)
    })
    .await?;
    Ok(Json(Answer { number: written.number, at: time::write(written.at) }))
}

/// A line as a page hears it: with the role in the page's own words.
#[derive(Serialize)]
pub(super) struct Heard<'a> {
    number: u32,
    at: String,
    participant_id: String,
    role: &'static str,
    language: &'a str,
    text: Option<&'a str>,
    phrase: Option<&'a str>,
    /// The phrase in that language.
    words: Option<&'a str>,
    english: Option<&'a str>,
}

impl<'a> Heard<'a> {
    pub(super) fn of(number: u32, line: &'a Line) -> Self {
        let (text, phrase, words, english) = match &line.content {
            Content::Text { text, .. } => (Some(text), None, None, None),
            Content::Phrase { phrase, words, english, .. } => (None, Some(phrase), Some(words), Some(english)),
            Content::Language { .. } => (None, None, None, None),
        };
        let shown = |secret: Option<&'a Secret<String>>| secret.map(|secret| secret.expose().as_str());
        Self {
            number,
            at: time::write(line.at),
            participant_id: line.participant.to_string(),
            role: role_word(line.role),
            language: line.content.language(),
            text: shown(text),
            phrase: shown(phrase),
            words: shown(words),
            english: shown(english),
        }
    }
}
