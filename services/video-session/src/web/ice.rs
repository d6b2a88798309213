//! The TURN servers that a participant may use, with credentials that are good for an hour or so.
//!
//! What coturn calls `use-auth-secret`: the user name says until when, the password is its HMAC under a key that only
//! the TURN server and we know. So nothing is stored, and nothing has to be revoked.

use api::session::v1 as proto;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::HeaderValue;
use ids::ParticipantId;
use ring::hmac;
use serde::Serialize;

use crate::config::Turn;

/// One server, as `RTCPeerConnection` takes it. Holds a password: no `Debug`.
#[derive(Serialize)]
pub(crate) struct IceServer {
    urls: String,
    #[serde(flatten)]
    login: Option<Login>,
}

#[derive(Serialize)]
struct Login {
    username: String,
    credential: String,
}

/// The configured servers, for one participant from now on.
pub(crate) fn servers(turn: &Turn, who: ParticipantId, now: DateTime<Utc>) -> Vec<IceServer> {
    let login = |url: &str| {
        // STUN has none.
        let secret = turn.secret.as_ref().filter(|_| url.starts_with("turn"))?;
        let username = format!("{}:{who}", now.timestamp() + i64::from(turn.ttl_s));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Some(Login { username, credential })
    };
    turn.urls.iter().map(|url| IceServer { urls: url.clone(), login: login(url) }).collect()
}

impl From<IceServer> for proto::IceServer {
    fn from(IceServer { urls: url, login }: IceServer) -> Self {
        let (username, credential) = login.map(|login| (login.username, login.credential)).unwrap_or_default();
        Self { url, username, credential }
    }
}

impl IceServer {
    /// As a `Link` header has it (RFC 9725, section 4.6). `None` for a URL that no header can hold.
    pub(super) fn link(&self) -> Option<HeaderValue> {
        let mut link = format!("<{}>; rel=\"ice-server\"", self.urls);
        if let Some(Login { username, credential }) = &self.login {
            link += &format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"");
        }
        let mut value = HeaderValue::try_from(link).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::Secret;

    use super::*;

    #[test]
    fn credentials_are_what_a_turn_server_computes() {
        let urls = vec!["turns:turn.test:443?transport=tcp".to_owned(), "stun:turn.test".to_owned()];
        let turn = Turn { urls, secret: Some(Secret::new("north".to_owned())), ttl_s: 3600 };
        let who = "01900000-0000-7000-8000-000000000001".parse().unwrap();
        let servers = servers(&turn, who, DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        // printf 1800003600:01900000-0000-7000-8000-000000000001 | openssl dgst -sha1 -hmac north -binary | base64
        let [user, password] = ["1800003600:01900000-0000-7000-8000-000000000001", "g5us2JoxRBIpB8NToeiWytIWxuc="];
        let [turn, stun] = servers.try_into().ok().unwrap();
        assert_eq!(
            serde_json::to_value(&turn).unwrap(),
            serde_json::json!({ "urls": "turns:turn.test:443?transport=tcp", "username": user, "credential": password })
        );
        let link = turn.link().unwrap();
        assert_eq!(
            link.to_str().unwrap(),
            format!(
                "<turns:turn.test:443?transport=tcp>; rel=\"ice-server\"; username=\"{user}\"; \
                 credential=\"{password}\"; credential-type=\"password\""
            )
        );
        assert!(!format!("{link:?}").contains(password), "not even by mistake");
        assert_eq!(serde_json::to_value(&stun).unwrap(), serde_json::json!({ "urls": "stun:turn.test" }));
        assert_eq!(stun.link().unwrap(), "<stun:turn.test>; rel=\"ice-server\"");
    }
}
