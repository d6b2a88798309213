//! A token issuer that signs whatever it is told to: genuine tokens, and forged ones.

use std::{
    net::SocketAddr,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{Json, Router, http::StatusCode, routing::get};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::Error;

/// A key pair with a name.
#[derive(Debug, Clone)]
pub struct SigningKey(Arc<Named>);

#[derive(Debug)]
struct Named {
    kid: String,
    pair: Pair,
    /// As PKCS #8, or as OpenSSL wrote it.
    der: Vec<u8>,
}

#[derive(Debug)]
enum Pair {
    Curve(EcdsaKeyPair),
    Rsa(rsa::KeyPair, &'static str),
}

/// An issuer; ends when dropped.
#[derive(Debug)]
pub struct Mint {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Shared {
    keys: Mutex<Vec<SigningKey>>,
    away: AtomicBool,
    asked: AtomicUsize,
}

impl SigningKey {
    /// For ES256.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn es256(kid: &str) -> Result<Self, Error> {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|_| broken("a key"))?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).map_err(|_| broken("a key"))?;
        Ok(Self(Arc::new(Named { kid: kid.to_owned(), pair: Pair::Curve(pair), der: document.as_ref().to_vec() })))
    }

    /// For `RS256` or `PS256`.
    ///
    /// # Errors
    /// When OpenSSL isn't installed.
    pub fn rsa(kid: &str, algorithm: &'static str) -> Result<Self, Error> {
        let mut command = Command::new("openssl");
        command.args(["genpkey", "-algorithm", "RSA", "-outform", "DER"]);
        let made = command.output().map_err(Error::io("openssl genpkey"))?;
        // Of the two ways to write a key in DER, each has been OpenSSL's own.
        let pair = rsa::KeyPair::from_pkcs8(&made.stdout).or_else(|_| rsa::KeyPair::from_der(&made.stdout));
        let pair = pair.map_err(|_| broken("an RSA key"))?;
        Ok(Self(Arc::new(Named { kid: kid.to_owned(), pair: Pair::Rsa(pair, algorithm), der: made.stdout })))
    }

    /// Its name, and its private half for another process, in base64.
    pub(crate) fn handed_over(&self) -> (&str, String) {
        (&self.0.kid, STANDARD.encode(&self.0.der))
    }

    /// The public half, as an issuer publishes it.
    #[must_use]
    pub fn published(&self) -> Value {
        let Named { kid, pair, .. } = &*self.0;
        match pair {
            Pair::Curve(pair) => {
                // 4, x, y
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": coded(x), "y": coded(y)})
            }
            Pair::Rsa(pair, algorithm) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "alg": algorithm, "kid": kid, "n": coded(&public.n), "e": coded(&public.e)})
            }
        }
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn token(&self, claims: &Value) -> Result<String, Error> {
        let algorithm = match &self.0.pair {
            Pair::Curve(_) => "ES256",
            Pair::Rsa(_, algorithm) => algorithm,
        };
        self.token_with(&json!({"alg": algorithm, "typ": "at+jwt", "kid": self.0.kid}), claims)
    }

    /// A token with this header, whatever it says.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn token_with(&self, header: &Value, claims: &Value) -> Result<String, Error> {
        let text = format!("{}.{}", coded(header.to_string().as_bytes()), coded(claims.to_string().as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.0.pair {
            Pair::Curve(pair) => {
                pair.sign(&random, text.as_bytes()).map_err(|_| broken("a signature"))?.as_ref().to_vec()
            }
            Pair::Rsa(pair, algorithm) => {
                let padding: &dyn RsaEncoding = if *algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, text.as_bytes(), &mut signature).map_err(|_| broken("a signature"))?;
                signature
            }
        };
        Ok(format!("{text}.{}", coded(&signature)))
    }
}

impl Mint {
    /// Listens on a free port of 127.0.0.1, and publishes these keys.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open(keys: Vec<SigningKey>) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for an issuer"))?;
        let address = listener.local_addr().map_err(Error::io("a port for an issuer"))?;
        let shared = Arc::new(Shared { keys: Mutex::new(keys), away: false.into(), asked: 0.into() });
        let (discovery, jwks) = (Arc::clone(&shared), Arc::clone(&shared));
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || {
                    let issuer = format!("http://{address}");
                    discovery.answer(json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")}))
                }),
            )
            .route(
                "/jwks",
                get(async move || {
                    jwks.asked.fetch_add(1, Ordering::SeqCst);
                    let keys: Vec<_> = jwks.keys().iter().map(SigningKey::published).collect();
                    jwks.answer(json!({ "keys": keys }))
                }),
            );
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared, _server: AbortOnDropHandle::new(server) })
    }

    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes these keys instead.
    pub fn publish(&self, keys: Vec<SigningKey>) {
        *self.shared.keys() = keys;
    }

    /// Answers nothing but errors, or answers again.
    pub fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn keys(&self) -> std::sync::MutexGuard<'_, Vec<SigningKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, body: Value) -> Result<Json<Value>, StatusCode> {
        if self.away.load(Ordering::SeqCst) { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(Json(body)) }
    }
}

fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn broken(what: &str) -> Error {
    Error::io(what)(std::io::Error::other("it can't be made"))
}
