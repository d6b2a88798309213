//! Which force's calls are judged by which rules: the shipped ones, unless the configuration names others.

use std::{collections::BTreeMap, path::Path};

use ids::ForceId;

use crate::{
    config::Eligibility,
    domain::{BadRules, Rules},
};

/// The shipped rules.
const SHIPPED: &str = include_str!("../eligibility.toml");

/// Everybody's rules, read and found to make sense.
#[derive(Debug)]
pub struct Rulebook {
    rules: Rules,
    forces: BTreeMap<ForceId, Rules>,
}

/// A rule file that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It can't be read.
    #[error("the rule file {0} can't be read")]
    Unread(String, #[source] std::io::Error),
    /// It makes no sense, or would put somebody in danger.
    #[error("the rule file {0} is refused")]
    Refused(String, #[source] BadRules),
}

impl Rulebook {
    /// Reads every file that is named.
    ///
    /// # Errors
    /// Names the file, and the rule in it.
    pub fn read(config: &Eligibility) -> Result<Self, Unusable> {
        let rules = match &config.rules {
            Some(path) => file(path)?,
            None => Rules::read(SHIPPED).map_err(|bad| Unusable::Refused("as shipped".to_owned(), bad))?,
        };
        let forces = config.forces.iter().map(|(force, path)| Ok((force.clone(), file(path)?)));
        Ok(Self { rules, forces: forces.collect::<Result<_, Unusable>>()? })
    }

    /// This force's.
    #[must_use]
    pub fn of(&self, force: &ForceId) -> &Rules {
        self.forces.get(force).unwrap_or(&self.rules)
    }
}

fn file(path: &Path) -> Result<Rules, Unusable> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Unusable::Unread(name(), error))?;
    let rules = Rules::read(&text).map_err(|bad| Unusable::Refused(name(), bad))?;
    tracing::info!(file = name(), version = rules.version(), "rules of eligibility");
    Ok(rules)
}
