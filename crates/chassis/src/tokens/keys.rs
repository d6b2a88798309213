//! The issuer's published keys (RFC 7517), each with the one algorithm that it is for.

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;

/// All keys of an issuer that we can use.
#[derive(Default)]
pub(super) struct Keys(Vec<(Option<String>, Key)>);

/// A public key.
#[derive(Clone)]
pub(super) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Published {
    /// Read one by one: a kind that we don't know must not hide those that we do.
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(tag = "kty")]
enum Material {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Curve { crv: String, x: String, y: String },
}

#[derive(Deserialize)]
struct Terms {
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
}

impl Keys {
    /// Nothing when it isn't a set of keys, or has none that we can use.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let Published { keys } = serde_json::from_slice(json).ok()?;
        let keys: Vec<_> = keys.into_iter().filter_map(one).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// What they are called.
    pub(super) fn names(&self) -> impl Iterator<Item = Option<String>> {
        self.0.iter().map(|(name, _)| name.clone())
    }

    /// The key of that name; without a name, the only one there is.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<Key> {
        let mut named = self.0.iter().filter(|(name, _)| kid.is_none() || name.as_deref() == kid);
        let (_, key) = named.next()?;
        named.next().is_none().then(|| key.clone())
    }
}

fn one(value: serde_json::Value) -> Option<(Option<String>, Key)> {
    let terms = Terms::deserialize(&value).ok()?;
    if terms.r#use.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    // A key that doesn't name its algorithm is for the usual one of its kind.
    let (algorithm, key) = match (Material::deserialize(&value).ok()?, terms.alg.as_deref()) {
        (Material::Rsa { n, e }, None | Some("RS256")) => (Algorithm::RS256, DecodingKey::from_rsa_components(&n, &e)),
        (Material::Rsa { n, e }, Some("PS256")) => (Algorithm::PS256, DecodingKey::from_rsa_components(&n, &e)),
        (Material::Curve { crv, x, y }, None | Some("ES256")) if crv == "P-256" => {
            (Algorithm::ES256, DecodingKey::from_ec_components(&x, &y))
        }
        _ => return None,
    };
    Some((terms.kid, Key { algorithm, key: key.ok()? }))
}

impl Key {
    /// Does a token that names this algorithm go with this key?
    pub(super) fn is_for(&self, algorithm: &str) -> bool {
        algorithm.parse() == Ok(self.algorithm)
    }

    /// Is this the key's signature?
    pub(super) fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        crypto::verify(signature, text, &self.key, self.algorithm).unwrap_or(false)
    }
}
