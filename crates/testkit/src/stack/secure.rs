//! Who is who in a stack: the certificate of each service.

use std::{collections::BTreeMap, path::Path};

use crate::{Error, Identities, Issuer, Papers, issuer::AUDIENCE};

/// Who has a certificate.
const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];

/// The authorities of a stack, and what its services were given.
#[derive(Debug)]
pub struct Secure {
    /// Who vouches for services and control rooms.
    pub identities: Identities,
    papers: BTreeMap<&'static str, Papers>,
}

impl Secure {
    /// Made before anything starts: a service reads its certificate once.
    pub(super) fn new(folder: &Path) -> Result<Self, Error> {
        let identities = Identities::new(folder)?;
        let papers = SERVICES.iter().map(|name| Ok((*name, identities.service(name)?)));
        let papers = papers.collect::<Result<_, Error>>()?;
        Ok(Self { identities, papers })
    }

    /// A service's settings for it, and for the issuer whose tokens name officers. The console knows of that in any case.
    pub(super) fn settings(&self, service: &str, issuer: &Issuer) -> Vec<(&'static str, String)> {
        let Some(papers) = self.papers.get(service) else { return Vec::new() };
        let mut settings = Vec::from(papers.settings());
        if service != "console" {
            settings.push(("tokens__issuer", issuer.url().to_owned()));
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
}
