//! A gateway of the force's own: one signed POST a message. `{"id", "to", "sender", "text"}`, with `X-Signature: sha256=` and the HMAC of
//! the body in hex. The same message may be sent twice, after a crash: `id` (and `Idempotency-Key`) tells. 2xx: taken; 422: no such
//! number; 408, 425, 429 and 5xx: to be sent again; anything else: never.

use http::{StatusCode, header};
use ring::hmac;
use serde_json::json;

use super::Message;
use crate::domain::{Failure, Outcome};

/// Where a signature stands, ours and theirs.
pub const SIGNATURE: &str = "x-signature";

/// The gateway.
#[derive(Debug, Clone)]
pub struct Webhook {
    http: reqwest::Client,
    url: String,
    key: hmac::Key,
    sender: String,
}

impl Webhook {
    /// As configured.
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str, key: &str, sender: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        Self { http, url: url.to_owned(), key, sender: sender.to_owned() }
    }

    /// Hands one message over.
    pub(super) async fn send(&self, message: &Message) -> Outcome {
        let id = message.id.to_string();
        let body = json!({
            "id": id,
            "to": message.to.expose(),
            "sender": self.sender,
            "text": message.words.expose(),
        });
        let body = body.to_string();
        let signature = hex::encode(hmac::sign(&self.key, body.as_bytes()));
        let request = self
            .http
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", id)
            .header(SIGNATURE, format!("sha256={signature}"));
        match request.body(body).send().await {
            Ok(answer) => outcome(answer.status()),
            Err(error) => {
                tracing::warn!(
                    error = chassis::chain(&error.without_url()),
                    "the gateway for text messages doesn't answer"
                );
                Outcome::Away
            }
        }
    }
}

fn outcome(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Taken,
        422 => Outcome::Never(Failure::NumberUnknown),
        408 | 425 | 429 | 500..=599 => {
            tracing::warn!(%status, "the gateway takes no text message just now");
            Outcome::Away
        }
        _ => {
            tracing::error!(%status, "the gateway refuses a text message");
            Outcome::Never(Failure::Refused)
        }
    }
}
