//! What is said to the issuer, and what is believed of its answers (OpenID Connect Core 1.0, code flow with PKCE).

use std::time::Duration;

use chassis::{Ambient, ConfigError, Tokens, chain, config, tokens::is_private};
use chrono::{DateTime, TimeDelta, Utc};
use ids::Secret;
use reqwest::{StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::{
    config::SignIn,
    domain::{Begun, Grant, Officer, Session},
    error::Error,
};

const PATIENCE: Duration = Duration::from_secs(5);
/// An issuer that doesn't say how long an access token holds is asked again soon.
const UNSAID: u32 = 60;
/// The one event that a logout token is about (OpenID Back-Channel Logout 1.0).
const LOGGED_OUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The issuer, as we know it.
#[derive(Debug)]
pub struct Provider {
    sign_in: SignIn,
    ambient: Ambient,
    http: reqwest::Client,
    /// Those that are made out for us: id tokens and logout tokens.
    tokens: Tokens,
    found: OnceCell<Endpoints>,
}

#[derive(Debug, Deserialize)]
struct Endpoints {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: Option<u32>,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

/// Why not, in a word of the standard (RFC 6749, 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

#[derive(Deserialize)]
struct Identity {
    sub: String,
    name: Option<String>,
    force: String,
    #[serde(default)]
    roles: Vec<String>,
    nonce: Option<String>,
    sid: Option<String>,
    azp: Option<String>,
}

#[derive(Deserialize)]
struct Logout {
    sub: Option<String>,
    sid: Option<String>,
    nonce: Option<String>,
    events: serde_json::Map<String, serde_json::Value>,
}

/// Whom the issuer has signed out.
#[derive(Debug)]
pub enum SignedOut {
    /// Of one browser.
    Session(String),
    /// Everywhere.
    Officer(String),
}

/// Why there is no grant.
#[derive(Debug)]
pub enum NoGrant {
    /// What it was asked for with is no good: taken back, or used before.
    Invalid,
    /// It is somebody else's, or nothing that can be believed.
    Unbelieved,
    /// The issuer is away. It may have `heard` us all the same, and its answer be lost.
    Away {
        /// Not for certain.
        heard: bool,
    },
}

impl From<NoGrant> for Error {
    fn from(why: NoGrant) -> Self {
        match why {
            NoGrant::Invalid | NoGrant::Unbelieved => Self::SignInRefused,
            NoGrant::Away { .. } => Self::IssuerAway,
        }
    }
}

impl Provider {
    /// Asks for nothing yet: the issuer may come up after us.
    ///
    /// # Errors
    /// When its address can't be used.
    pub fn new(sign_in: &SignIn, ambient: Ambient) -> Result<Self, Error> {
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| ConfigError::unusable("sign_in.issuer", chain(&error)))?;
        let (issuer, audience) = (sign_in.issuer.clone(), sign_in.client_id.clone());
        let tokens = Tokens::new(&config::Tokens { issuer, audience, jwks_url: None }, ambient.clock.clone())?;
        Ok(Self { sign_in: sign_in.clone(), ambient, http, tokens, found: OnceCell::new() })
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// When the issuer is away.
    pub async fn door(&self, begun: &Begun) -> Result<Url, Error> {
        let url = &self.endpoints().await?.authorization_endpoint;
        let mut url = Url::parse(url).map_err(|_| Error::IssuerAway)?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.sign_in.client_id),
            ("redirect_uri", &self.callback()),
            ("scope", &self.sign_in.scope),
            ("state", &begun.state),
            ("nonce", &begun.nonce),
            ("code_challenge", &begun.challenge()),
            ("code_challenge_method", "S256"),
        ]);
        if let Some(resource) = &self.sign_in.resource {
            url.query_pairs_mut().append_pair("resource", resource);
        }
        Ok(url)
    }

    /// Where a browser goes to end its sign-in at the issuer. It is not told whose: that would put a token into the
    /// browser's hands.
    pub async fn way_out(&self) -> Option<Url> {
        let mut url = Url::parse(self.endpoints().await.ok()?.end_session_endpoint.as_ref()?).ok()?;
        let back = format!("{}/", self.sign_in.public_url);
        let pairs = [("client_id", self.sign_in.client_id.as_str()), ("post_logout_redirect_uri", &back)];
        url.query_pairs_mut().extend_pairs(pairs);
        Some(url)
    }

    /// Redeems a code.
    ///
    /// # Errors
    /// When the issuer refuses, is away, or answers for somebody else.
    pub async fn redeem(&self, code: &str, issuer: Option<&str>, begun: &Begun) -> Result<Session, Error> {
        if issuer.is_some_and(|issuer| issuer != self.sign_in.issuer) {
            return Err(Error::SignInRefused);
        }
        let callback = self.callback();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", &begun.verifier),
        ];
        let asked = self.ambient.clock.now();
        let granted = self.grant(&form).await?;
        let identity = self.identity(granted.id_token.as_deref().ok_or(Error::SignInRefused)?).await?;
        if identity.nonce.as_ref() != Some(&begun.nonce) {
            return Err(Error::SignInRefused);
        }
        let sid = identity.sid.clone();
        Ok(Session { sid, officer: identity.officer()?, grant: taken(granted, asked) })
    }

    /// Renews a grant; also what is known of the officer, if the issuer says it anew and that can be checked.
    ///
    /// # Errors
    /// When the issuer refuses, is away, or answers for somebody else.
    pub async fn renew(&self, session: &Session) -> Result<(Grant, Option<Officer>), NoGrant> {
        let refresh = session.grant.refresh.as_ref().ok_or(NoGrant::Invalid)?;
        let asked = self.ambient.clock.now();
        let granted = self.grant(&[("grant_type", "refresh_token"), ("refresh_token", refresh.expose())]).await?;
        let officer = match &granted.id_token {
            Some(token) => match self.identity(token).await.and_then(Identity::officer) {
                Ok(officer) => Some(officer),
                // The old refresh token is spent by now. Whom the new grant is for was asked by that, and the services
                // check its token themselves: it is kept, with what was known of the officer.
                Err(Error::IssuerAway) => None,
                Err(_) => return Err(NoGrant::Unbelieved),
            },
            None => None,
        };
        if officer.as_ref().is_some_and(|officer| officer.id != session.officer.id) {
            return Err(NoGrant::Unbelieved);
        }
        Ok((taken(granted, asked), officer))
    }

    /// Has the issuer forget a grant. It may fail: the grant ends by itself, only later.
    pub async fn revoke(&self, grant: &Grant) {
        let Ok(Endpoints { revocation_endpoint: Some(url), .. }) = self.endpoints().await else { return };
        let Some(refresh) = &grant.refresh else { return };
        let form = [("token", refresh.expose().as_str()), ("token_type_hint", "refresh_token")];
        if let Err(error) = self.post(url, &form).await.and_then(reqwest::Response::error_for_status) {
            tracing::warn!(error = chain(&error.without_url()), "a refresh token was not revoked");
        }
    }

    /// Whom a logout token signs out.
    ///
    /// # Errors
    /// When it isn't one, or isn't for us.
    pub async fn signed_out(&self, token: &str) -> Result<SignedOut, Error> {
        let refused = |refused| match refused {
            chassis::Refused::IssuerAway => Error::IssuerAway,
            _ => Error::LogoutRefused,
        };
        let logout: Logout = self.tokens.open(token).await.map_err(refused)?;
        let is_one = logout.events.get(LOGGED_OUT).is_some_and(serde_json::Value::is_object);
        match (logout.sid, logout.sub) {
            // An id token must not do for one.
            _ if !is_one || logout.nonce.is_some() => Err(Error::LogoutRefused),
            (Some(sid), _) => Ok(SignedOut::Session(sid)),
            (None, Some(sub)) => Ok(SignedOut::Officer(sub)),
            (None, None) => Err(Error::LogoutRefused),
        }
    }

    fn callback(&self) -> String {
        format!("{}/callback", self.sign_in.public_url)
    }

    async fn identity(&self, token: &str) -> Result<Identity, Error> {
        let identity: Identity = self.tokens.open(token).await.map_err(|refused| match refused {
            chassis::Refused::IssuerAway => Error::IssuerAway,
            _ => Error::SignInRefused,
        })?;
        let for_us = identity.azp.as_ref().is_none_or(|azp| *azp == self.sign_in.client_id);
        if for_us { Ok(identity) } else { Err(Error::SignInRefused) }
    }

    async fn grant(&self, form: &[(&str, &str)]) -> Result<Granted, NoGrant> {
        let url = &self.endpoints().await.map_err(|_| NoGrant::Away { heard: false })?.token_endpoint;
        let answer = self.post(url, form).await.map_err(unheard)?;
        if answer.status() == StatusCode::BAD_REQUEST {
            let Refusal { error } = answer.json().await.map_err(unheard)?;
            // Anything else that it has against us is no officer's fault, and ends nobody's session.
            let is_theirs = error == "invalid_grant";
            tracing::warn!(is_theirs, "the issuer grants nothing");
            return Err(if is_theirs { NoGrant::Invalid } else { NoGrant::Away { heard: false } });
        }
        let granted: Granted = answer.error_for_status().map_err(unheard)?.json().await.map_err(unheard)?;
        if granted.token_type.eq_ignore_ascii_case("bearer") { Ok(granted) } else { Err(NoGrant::Unbelieved) }
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<reqwest::Response, reqwest::Error> {
        let SignIn { client_id, client_secret, .. } = &self.sign_in;
        let request = self.http.post(url);
        match client_secret {
            Some(secret) => request.basic_auth(coded(client_id), Some(coded(secret.expose()))).form(form),
            None => request.form(&[form, &[("client_id", client_id)]].concat()),
        }
        .send()
        .await
    }

    async fn endpoints(&self) -> Result<&Endpoints, Error> {
        self.found.get_or_try_init(|| self.find()).await
    }

    async fn find(&self) -> Result<Endpoints, Error> {
        let url = format!("{}/.well-known/openid-configuration", self.sign_in.issuer.trim_end_matches('/'));
        let said: Endpoints = get(&self.http, &url).await.map_err(away)?;
        let named = said.issuer == self.sign_in.issuer;
        let needed = [&said.authorization_endpoint, &said.token_endpoint];
        let more = [&said.revocation_endpoint, &said.end_session_endpoint].into_iter().flatten();
        if named && needed.into_iter().chain(more).all(|url| is_private(url)) {
            return Ok(said);
        }
        tracing::warn!("the issuer says another name than the configured one, or addresses that anybody could read");
        Err(Error::IssuerAway)
    }
}

async fn get<T: DeserializeOwned>(http: &reqwest::Client, url: &str) -> Result<T, reqwest::Error> {
    http.get(url).send().await?.error_for_status()?.json().await
}

/// Its words are logged without the address: nobody knows what an issuer puts there.
fn away(error: reqwest::Error) -> Error {
    tracing::warn!(error = chain(&error.without_url()), "the issuer doesn't answer as it should");
    Error::IssuerAway
}

/// Without a connection it can't have heard us. An error from in between may come after it has.
fn unheard(error: reqwest::Error) -> NoGrant {
    let heard = !error.is_connect();
    away(error);
    NoGrant::Away { heard }
}

/// Its time counts from when it was asked for: the issuer can't have begun to count sooner.
fn taken(granted: Granted, asked: DateTime<Utc>) -> Grant {
    let holds = TimeDelta::seconds(granted.expires_in.unwrap_or(UNSAID).into());
    Grant {
        access: Secret::new(granted.access_token),
        access_from: asked,
        access_until: asked + holds,
        refresh: granted.refresh_token.map(Secret::new),
    }
}

/// A name or password within HTTP Basic, as OAuth wants it (RFC 6749, 2.3.1).
fn coded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

impl Identity {
    fn officer(self) -> Result<Officer, Error> {
        let id: ids::OfficerId = self.sub.parse().map_err(|_| Error::SignInRefused)?;
        let force = self.force.parse().map_err(|_| Error::SignInRefused)?;
        Ok(Officer { name: self.name.unwrap_or_else(|| id.to_string()), id, force, roles: self.roles })
    }
}
