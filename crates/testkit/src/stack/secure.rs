//! The certificates of a stack: each service says by its own who it is.

use std::{collections::BTreeMap, path::Path};

use crate::{Error, Identities, Papers};

/// Who has one.
const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];

/// The authority of a stack, and what its services were given.
#[derive(Debug)]
pub(super) struct Secure {
    pub(super) identities: Identities,
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

    /// A service's settings for it.
    pub(super) fn settings(&self, service: &str) -> Vec<(&'static str, String)> {
        self.papers.get(service).map(|papers| papers.settings().into()).unwrap_or_default()
    }
}
