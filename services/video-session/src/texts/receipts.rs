//! What became of a message, told by whoever delivers it: `POST /receipts`, on a listener of its own. Never on the neutral host, whose
//! answers must say nothing of messages. Notify's callback, and its shape for the webhook too: `{"reference", "status"}`.
//!
//! Whoever tells proves who they are: Notify by its bearer token, the webhook by signing the body. Both are compared by an HMAC, in
//! constant time.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    routing::post,
};
use http::{HeaderMap, StatusCode, header};
use ring::hmac;
use serde::Deserialize;
use uuid::Uuid;

use super::webhook::SIGNATURE;
use crate::{app::App, config::Carrier, domain::Failure, error::Error};

/// Theirs have a few hundred bytes.
const LONGEST: usize = 16 * 1024;

/// The part of a receipt that we look at.
#[derive(Deserialize)]
struct Receipt {
    /// Ours, as we gave it.
    reference: String,
    status: String,
}

/// Who may tell.
#[derive(Debug, Clone)]
pub struct Teller {
    carrier: Carrier,
    key: hmac::Key,
    /// Of the bearer token.
    expected: hmac::Tag,
}

#[derive(Debug)]
struct Receipts {
    app: App,
    teller: Teller,
}

impl Teller {
    /// Whoever has this secret.
    #[must_use]
    pub fn new(carrier: Carrier, secret: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let expected = hmac::sign(&key, secret.as_bytes());
        Self { carrier, key, expected }
    }

    /// Is it them?
    fn is_known(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let value = |name| headers.get(name).map(http::HeaderValue::as_bytes).unwrap_or_default();
        match self.carrier {
            Carrier::Notify => {
                let shown = value(header::AUTHORIZATION.as_str()).strip_prefix(b"Bearer ").unwrap_or_default();
                hmac::verify(&self.key, shown, self.expected.as_ref()).is_ok()
            }
            Carrier::Webhook => {
                let shown = value(SIGNATURE).strip_prefix(b"sha256=").and_then(|hex| hex::decode(hex).ok());
                shown.is_some_and(|signature| hmac::verify(&self.key, body, &signature).is_ok())
            }
        }
    }
}

/// The one route.
pub fn router(app: App, teller: Teller) -> Router {
    Router::new()
        .route("/receipts", post(receipt))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(Arc::new(Receipts { app, teller }))
}

async fn receipt(State(receipts): State<Arc<Receipts>>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Error> {
    if !receipts.teller.is_known(&headers, &body) {
        return Err(Error::TokenUnknown);
    }
    let Receipt { reference, status } = serde_json::from_slice(&body).map_err(|_| Error::MalformedBody)?;
    // Another message of the same service's, or one that is only on its way: nothing is to be told again.
    if let (Ok(id), Some(told)) = (reference.parse::<Uuid>(), told(&status)) {
        receipts.app.text_receipt(id, told).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a status says for good.
fn told(status: &str) -> Option<Result<(), Failure>> {
    match status {
        "delivered" => Some(Ok(())),
        "permanent-failure" => Some(Err(Failure::NumberUnknown)),
        "temporary-failure" => Some(Err(Failure::Unreachable)),
        "technical-failure" => Some(Err(Failure::Refused)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_who_has_the_secret_tells() {
        let secret = "a token of thirty-two characters";
        let headers =
            |name: &'static str, value: String| HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let (notify, webhook) = (Teller::new(Carrier::Notify, secret), Teller::new(Carrier::Webhook, secret));
        let bearer = |token: &str| headers("authorization", format!("Bearer {token}"));
        assert!(notify.is_known(&bearer(secret), b"{}"));
        for bad in ["", &secret[1..], "another"] {
            assert!(!notify.is_known(&bearer(bad), b"{}"), "{bad}");
        }
        assert!(!notify.is_known(&HeaderMap::new(), b"{}"));

        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signed = headers(SIGNATURE, format!("sha256={}", hex::encode(hmac::sign(&key, b"{}"))));
        assert!(webhook.is_known(&signed, b"{}"));
        assert!(!webhook.is_known(&signed, b"{ }"), "another body");
        assert!(!webhook.is_known(&bearer(secret), b"{}"), "a token that anybody on the way has seen signs nothing");
        // The HMAC of the secret itself, which is what a bearer is compared with, opens neither.
        let tag = hex::encode(hmac::sign(&key, secret.as_bytes()));
        assert!(!notify.is_known(&bearer(&tag), b"{}"));
    }

    #[test]
    fn only_a_last_word_counts() {
        assert_eq!(told("delivered"), Some(Ok(())));
        assert_eq!(told("permanent-failure"), Some(Err(Failure::NumberUnknown)));
        assert_eq!(["created", "sending", "pending", "sent", ""].map(told), [None; 5]);
    }
}
