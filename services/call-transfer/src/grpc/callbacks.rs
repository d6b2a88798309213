//! Call-backs, as the proto says them.

use api::{
    intake::v1::{CallbackOutcome, CallbackState as Said},
    transfer::v1::{self as proto, ListCallbacksRequest, ListCallbacksResponse, ScheduleCallbackRequest},
};
use chrono::DateTime;
use ids::{Malformed, Secret};
use uuid::Uuid;

use super::{figures::time, parse, who};
use crate::{
    app::{Agreement, Place, Whose},
    domain::{Callback, CallbackState, Tried, Window},
    error::Error,
    events::{callback_state, timestamp, tried},
    store::Private,
};

/// The most of a page, and as many when the client doesn't say.
const MOST: u32 = 100;
const USUAL: u32 = 50;

pub(super) fn agreement(request: &ScheduleCallbackRequest) -> Result<Agreement, Error> {
    let language = request.language.clone();
    if !(language.is_empty() || super::is_tag(&language)) {
        return Err(Error::InvalidCallback);
    }
    Ok(Agreement {
        call: parse(&request.call_id)?,
        window: Window {
            from: time(request.from).ok_or(Error::InvalidSafeWindow)?,
            until: time(request.until).ok_or(Error::InvalidSafeWindow)?,
        },
        language,
        private: Private {
            number: request.number.parse().map_err(|_: Malformed| Error::InvalidNumber)?,
            word: words(&request.word, 40)?,
            who_may_answer: words(&request.who_may_answer, 200)?,
        },
    })
}

fn words(text: &str, most: usize) -> Result<Secret<String>, Error> {
    let text = text.trim();
    if !(1..=most).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(Error::InvalidCallback);
    }
    Ok(Secret::new(text.to_owned()))
}

pub(super) fn whose(force: &str, officer: &str, callback: &str) -> Result<Whose, Error> {
    let (force, by) = who(force, officer)?;
    Ok(Whose { force, by, callback: parse(callback)? })
}

pub(super) fn outcome(outcome: CallbackOutcome) -> Result<Tried, Error> {
    match outcome {
        CallbackOutcome::Unspecified => Err(Error::InvalidCallback),
        CallbackOutcome::Reached => Ok(Tried::Reached),
        CallbackOutcome::NoAnswer => Ok(Tried::NoAnswer),
        CallbackOutcome::SomebodyElseAnswered => Ok(Tried::SomebodyElse),
        CallbackOutcome::WordNotGiven => Ok(Tried::WordNotGiven),
        CallbackOutcome::NotSafe => Ok(Tried::NotSafe),
    }
}

/// Which states, from where on, and how many.
pub(super) fn asked(request: &ListCallbacksRequest) -> Result<(Vec<String>, Option<Place>, u16), Error> {
    let all = [Said::Agreed, Said::Due, Said::Taken, Said::Kept, Said::Missed, Said::Cancelled];
    let named = request.states.iter().map(|state| Said::try_from(*state).unwrap_or_default()).collect::<Vec<_>>();
    let states = if named.is_empty() { all.to_vec() } else { named };
    let states = states.into_iter().map(state_word).collect::<Option<Vec<_>>>().ok_or(Error::InvalidCallback)?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(place(token).ok_or(Error::InvalidPageToken)?),
    };
    let size = if request.page_size == 0 { USUAL } else { request.page_size.min(MOST) };
    Ok((states, after, u16::try_from(size).unwrap_or(u16::MAX)))
}

fn state_word(state: Said) -> Option<String> {
    let word = match state {
        Said::Unspecified => return None,
        Said::Agreed => "agreed",
        Said::Due => "due",
        Said::Taken => "taken",
        Said::Kept => "kept",
        Said::Missed => "missed",
        Said::Cancelled => "cancelled",
    };
    Some(word.to_owned())
}

pub(super) fn listed(page: &[Callback], next: Option<Place>) -> ListCallbacksResponse {
    let next_page_token = next.map(token).unwrap_or_default();
    ListCallbacksResponse { callbacks: page.iter().map(callback).collect(), next_page_token }
}

/// In hex: when its window begins, then its id.
fn token((from, id): Place) -> String {
    format!("{:016x}{}", from.timestamp_micros(), id.uuid().simple())
}

fn place(token: &str) -> Option<Place> {
    if token.len() != 48 || !token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let (micros, id) = token.split_at(16);
    let micros = i64::from_str_radix(micros, 16).ok()?;
    Some((DateTime::from_timestamp_micros(micros)?, Uuid::try_parse(id).ok()?.into()))
}

pub(super) fn callback(callback: &Callback) -> proto::Callback {
    let ringing = if let CallbackState::Taken { by, .. } = &callback.state { Some(by) } else { None };
    let rang = callback.attempts.last().map(|attempt| &attempt.officer);
    proto::Callback {
        callback_id: callback.id.to_string(),
        call_id: callback.call.to_string(),
        state: callback_state(&callback.state).into(),
        from: Some(timestamp(callback.window.from)),
        until: Some(timestamp(callback.window.until)),
        language: callback.language.clone(),
        taken_by: ringing.or(rang).map(ToString::to_string).unwrap_or_default(),
        attempts: callback.attempts.iter().map(attempt).collect(),
    }
}

fn attempt(attempt: &crate::domain::Attempt) -> proto::CallbackAttempt {
    proto::CallbackAttempt {
        officer_id: attempt.officer.to_string(),
        at: Some(timestamp(attempt.at)),
        outcome: tried(attempt.outcome).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(micros in 0i64..4_000_000_000_000_000, id: u128, other in ".{0,60}") {
            let written = (DateTime::from_timestamp_micros(micros).unwrap(), Uuid::from_u128(id).into());
            prop_assert_eq!(place(&token(written)), Some(written));
            prop_assert_eq!(place(&other), None);
        }
    }
}
