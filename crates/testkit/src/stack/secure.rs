//! Who is who in a stack: the certificate of each service, and the issuer whose tokens name officers.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{Error, Identities, Mint, Papers, SigningKey};

/// Who has a certificate.
const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];
/// For whom tokens are made out.
const AUDIENCE: &str = "alcove";

/// The authorities of a stack, and what its services were given.
#[derive(Debug)]
pub struct Secure {
    /// Who vouches for services and control rooms.
    pub identities: Identities,
    papers: BTreeMap<&'static str, Papers>,
    mint: Mint,
    signing: SigningKey,
}

impl Secure {
    /// Made before anything starts: a service reads its certificate once.
    pub(super) async fn new(folder: &Path) -> Result<Self, Error> {
        let identities = Identities::new(folder)?;
        let papers = SERVICES.iter().map(|name| Ok((*name, identities.service(name)?)));
        let papers = papers.collect::<Result<_, Error>>()?;
        let signing = SigningKey::es256("one")?;
        let mint = Mint::open(vec![signing.clone()]).await?;
        Ok(Self { identities, papers, mint, signing })
    }

    /// A service's settings for it. The console fetches tokens itself, and is told of its issuer otherwise.
    pub(super) fn settings(&self, service: &str) -> Vec<(&'static str, String)> {
        let Some(papers) = self.papers.get(service) else { return Vec::new() };
        let mut settings = Vec::from(papers.settings());
        if service != "console" {
            settings.push(("tokens__issuer", self.mint.issuer()));
            settings.push(("tokens__audience", AUDIENCE.to_owned()));
        }
        settings
    }

    /// The certificate of one of the stack's services.
    ///
    /// # Panics
    /// When there is no such service.
    #[must_use]
    #[expect(clippy::panic, reason = "a misspelt name in a test")]
    pub fn papers(&self, service: &str) -> Papers {
        self.papers.get(service).cloned().unwrap_or_else(|| panic!("no service {service}"))
    }

    /// A token of the stack's issuer for the services, with these claims besides.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn token(&self, mut claims: Value) -> Result<String, Error> {
        claims["iss"] = self.mint.issuer().into();
        claims["aud"] = AUDIENCE.into();
        self.signing.token(&claims)
    }
}
