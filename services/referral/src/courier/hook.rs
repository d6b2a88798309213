//! Webhooks, signed as Standard Webhooks has it: the partner checks who sent it and when, and knows a repeat by its id.

use std::{path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::ConfigError;
use chrono::{DateTime, TimeDelta, Utc};
use ids::Secret;
use reqwest::{Certificate, Client, StatusCode, Url, header, redirect::Policy};
use ring::hmac;
use serde::Serialize;

use super::{blames_certificate, letter::Letter};
use crate::domain::delivery::{Answer, Problem};

/// What sends.
#[derive(Debug)]
pub(super) struct Hooks(Client);

/// What the partner's system gets.
#[derive(Serialize)]
struct Post<'l> {
    r#type: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'l>,
}

#[derive(Serialize)]
struct Data<'l> {
    parcel_id: String,
    reference: &'l str,
    fields: Vec<Field<'l>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'l str>,
}

#[derive(Serialize)]
struct Field<'l> {
    label: &'l str,
    value: &'l str,
}

/// The key in a secret's text: "whsec_" and base64.
pub(crate) fn key_of(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()
}

impl Hooks {
    /// One that waits so long for an answer, and trusts the authorities of this file, or else those that browsers trust.
    ///
    /// # Errors
    /// The file can't be used.
    pub(super) fn new(answer_within: Duration, roots: Option<&Path>) -> Result<Self, ConfigError> {
        let wrong = |error: &dyn std::fmt::Display| ConfigError::unusable("delivery.roots", error);
        let mut builder = Client::builder().use_rustls_tls().timeout(answer_within).redirect(Policy::none()).no_proxy();
        if let Some(path) = roots {
            let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
            let roots = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
            builder = builder.tls_built_in_root_certs(false);
            builder = roots.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        builder.build().map(Self).map_err(|error| wrong(&error))
    }

    /// Posts it, once.
    pub(super) async fn post(
        &self,
        letter: &Letter<'_>,
        (url, key): (&Url, &Secret<Vec<u8>>),
        now: DateTime<Utc>,
    ) -> Answer {
        let body = body(letter);
        let (id, at) = (letter.id.to_string(), now.timestamp().to_string());
        let request = self
            .0
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-signature", signature(key.expose(), &id, &at, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .body(body);
        // What comes after the head of the answer is not read: it changes nothing, and may have no end.
        match request.send().await {
            Ok(answer) => judged(answer.status(), answer.headers(), now),
            Err(error) => Answer::Later(problem(&error), None),
        }
    }
}

fn body(letter: &Letter<'_>) -> String {
    let fields = letter.body.lines.iter().map(|line| Field { label: &line.label, value: &line.value });
    let data = Data {
        parcel_id: letter.id.to_string(),
        reference: &letter.reference,
        fields: if letter.is_withdrawal() { vec![] } else { fields.collect() },
        note: if letter.is_withdrawal() { "" } else { &letter.body.note },
        link: letter.link(),
    };
    let r#type = if letter.is_withdrawal() { "referral.withdrawn" } else { "referral.made" };
    // Text alone: it always has a JSON form.
    serde_json::to_string(&Post { r#type, timestamp: letter.made_at, data }).unwrap_or_default()
}

fn signature(key: &[u8], id: &str, at: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes())))
}

/// What an answer means.
fn judged(status: StatusCode, headers: &header::HeaderMap, now: DateTime<Utc>) -> Answer {
    match status {
        // A repeat: they had it.
        status if status.is_success() || status == StatusCode::CONFLICT => Answer::Taken,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Answer::Later(Problem::Busy, come_again(headers, now))
        }
        status if status.is_server_error() => Answer::Later(Problem::TheirFault, come_again(headers, now)),
        status if status.is_redirection() => Answer::Never(Problem::Elsewhere),
        _ => Answer::Never(Problem::Refused),
    }
}

/// When they ask us to come again: in so many seconds, or at a time.
fn come_again(headers: &header::HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let said = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match said.parse::<u32>() {
        Ok(seconds) => now.checked_add_signed(TimeDelta::seconds(seconds.into())),
        Err(_) => DateTime::parse_from_rfc2822(said).ok().map(|at| at.to_utc()),
    }
}

fn problem(error: &reqwest::Error) -> Problem {
    if blames_certificate(error) {
        Problem::NotTrusted
    } else if error.is_timeout() {
        Problem::TooSlow
    } else if error.is_connect() {
        Problem::NoConnection
    } else {
        Problem::CutOff
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_signature_is_the_standards() {
        // Standard Webhooks' own example.
        let key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for text in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%", ""] {
            assert_eq!(key_of(text), None);
        }
    }

    #[test]
    fn what_an_answer_means() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let means = |status: u16, after: Option<&str>| {
            let after = after.map(|after| (header::RETRY_AFTER, after.parse().unwrap()));
            judged(StatusCode::from_u16(status).unwrap(), &after.into_iter().collect(), now)
        };
        let at = |seconds| Some(now + TimeDelta::seconds(seconds));
        for status in [200, 201, 202, 204, 409] {
            assert_eq!(means(status, None), Answer::Taken, "{status}");
        }
        assert_eq!(means(429, Some("120")), Answer::Later(Problem::Busy, at(120)));
        let date = (now + TimeDelta::seconds(90)).to_rfc2822();
        assert_eq!(means(503, Some(&date)), Answer::Later(Problem::TheirFault, at(90)));
        assert_eq!(means(408, Some("soon")), Answer::Later(Problem::Busy, None));
        assert_eq!(means(500, None), Answer::Later(Problem::TheirFault, None));
        for status in [301, 302, 307, 308] {
            assert_eq!(means(status, None), Answer::Never(Problem::Elsewhere), "{status}");
        }
        for status in [400, 401, 403, 404, 410, 413, 422] {
            assert_eq!(means(status, None), Answer::Never(Problem::Refused), "{status}");
        }
    }
}
