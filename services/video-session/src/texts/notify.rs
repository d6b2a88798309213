//! GOV.UK Notify. Its API (https://docs.notifications.service.gov.uk/rest-api.html): a JWT of the service's own key for each request,
//! `POST /v2/notifications/sms`, and a receipt by callback. The words are ours, and linted; the template there is `((words))`.
//!
//! A token of this kind is two small JSON objects and an HMAC: `ring` makes it. A library for all kinds of them would be the larger
//! part of what has to be trusted here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use ids::Secret;
use ring::hmac;
use serde::Deserialize;
use serde_json::json;

use super::Message;
use crate::domain::{Failure, Outcome};

/// Of a UUID, as the API keys have them.
const UUID_LENGTH: usize = 36;

/// One service of theirs, and a template of it.
#[derive(Debug, Clone)]
pub struct Notify {
    http: reqwest::Client,
    url: String,
    key: ApiKey,
    template_id: String,
    sender_id: Option<String>,
}

/// An API key, `name-service-secret`: the last two are UUIDs.
#[derive(Debug, Clone)]
pub struct ApiKey {
    service: String,
    secret: hmac::Key,
}

/// Their errors: the word for a program, and a sentence.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    error: String,
    message: String,
}

impl ApiKey {
    /// Takes one apart.
    #[must_use]
    pub fn parse(key: &Secret<String>) -> Option<Self> {
        let is_uuid = |text: &&str| text.len() == UUID_LENGTH && text.parse::<uuid::Uuid>().is_ok();
        let (rest, secret) = key.expose().split_at_checked(key.expose().len().checked_sub(UUID_LENGTH)?)?;
        let rest = rest.strip_suffix('-')?;
        let service = rest.get(rest.len().checked_sub(UUID_LENGTH)?..).filter(is_uuid)?;
        let secret = Some(secret).filter(is_uuid)?;
        Some(Self { service: service.to_owned(), secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()) })
    }

    /// A token that is good for half a minute.
    fn token(&self, now: DateTime<Utc>) -> String {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "typ": "JWT", "alg": "HS256" }));
        let signed = format!("{header}.{}", part(json!({ "iss": self.service, "iat": now.timestamp() })));
        let signature = hmac::sign(&self.secret, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Notify {
    /// As configured.
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str, key: ApiKey, template_id: String, sender_id: Option<String>) -> Self {
        Self { http, url: url.trim_end_matches('/').to_owned(), key, template_id, sender_id }
    }

    /// Hands one message over.
    pub(super) async fn send(&self, message: &Message, now: DateTime<Utc>) -> Outcome {
        let mut body = json!({
            "phone_number": message.to.expose(),
            "template_id": self.template_id,
            "personalisation": { "words": message.words.expose() },
            "reference": message.id.to_string(),
        });
        if let Some(sender) = &self.sender_id {
            body["sms_sender_id"] = json!(sender);
        }
        let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", self.key.token(now))) else {
            return Outcome::Never(Failure::Refused);
        };
        bearer.set_sensitive(true);
        let request =
            self.http.post(format!("{}/v2/notifications/sms", self.url)).header(header::AUTHORIZATION, bearer);
        match request.json(&body).send().await {
            Ok(answer) => {
                let status = answer.status();
                outcome(status, answer.json().await.ok())
            }
            Err(error) => {
                tracing::warn!(error = chassis::chain(&error.without_url()), "Notify doesn't answer");
                Outcome::Away
            }
        }
    }
}

fn outcome(status: StatusCode, refusal: Option<Refusal>) -> Outcome {
    if status == StatusCode::CREATED {
        return Outcome::Taken;
    }
    if status.is_server_error() || [408, 429].contains(&status.as_u16()) {
        tracing::warn!(%status, "Notify takes no message just now");
        return Outcome::Away;
    }
    let is_number = |reason: &Reason| reason.error == "ValidationError" && reason.message.contains("phone_number");
    if status == StatusCode::BAD_REQUEST && refusal.is_some_and(|refusal| refusal.errors.iter().any(is_number)) {
        return Outcome::Never(Failure::NumberUnknown);
    }
    // Somebody has to look: a key that was revoked, a template that is gone, a clock that is wrong.
    tracing::error!(%status, "Notify refuses a message");
    Outcome::Never(Failure::Refused)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SERVICE: &str = "26785a09-ab16-4eb0-8407-a37497a57506";
    const SECRET: &str = "3d844edf-8d35-48ac-975b-e847b4f122b0";

    fn key(text: String) -> Option<ApiKey> {
        ApiKey::parse(&Secret::new(text))
    }

    #[test]
    fn a_key_is_taken_apart_from_its_end() {
        for name in ["desk", "a-name-with-dashes", ""] {
            assert_eq!(key(format!("{name}-{SERVICE}-{SECRET}")).unwrap().service, SERVICE, "{name}");
        }
        for bad in [String::new(), SECRET.to_owned(), format!("{SERVICE}{SECRET}"), format!("desk-{SERVICE}-{SECRET}é")]
        {
            assert!(key(bad.clone()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_three_parts_and_signs_the_first_two() {
        let key = key(format!("desk-{SERVICE}-{SECRET}")).unwrap();
        let token = key.token(DateTime::from_timestamp(1_568_818_578, 0).unwrap());
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let read =
            |part: &str| serde_json::from_slice::<serde_json::Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(read(header), json!({ "typ": "JWT", "alg": "HS256" }));
        assert_eq!(read(claims), json!({ "iss": SERVICE, "iat": 1_568_818_578 }));
        let verifier = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signed = format!("{header}.{claims}");
        hmac::verify(&verifier, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        assert!(!format!("{key:?}").contains(SECRET));
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_named() {
        let refusal = |message: &str| {
            let reason = Reason { error: "ValidationError".to_owned(), message: message.to_owned() };
            Some(Refusal { errors: vec![reason] })
        };
        for (status, refusal, wanted) in [
            (StatusCode::CREATED, None, Outcome::Taken),
            (StatusCode::TOO_MANY_REQUESTS, None, Outcome::Away),
            (StatusCode::INTERNAL_SERVER_ERROR, None, Outcome::Away),
            (StatusCode::FORBIDDEN, None, Outcome::Never(Failure::Refused)),
            (StatusCode::BAD_REQUEST, refusal("template_id is not a valid UUID"), Outcome::Never(Failure::Refused)),
            (
                StatusCode::BAD_REQUEST,
                refusal("phone_number Not enough digits"),
                Outcome::Never(Failure::NumberUnknown),
            ),
        ] {
            assert_eq!(outcome(status, refusal), wanted, "{status}");
        }
    }
}
