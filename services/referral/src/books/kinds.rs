//! Which force makes which kinds of referral: the shipped ones, unless the configuration names others.

use std::{collections::BTreeMap, path::Path};

use ids::ForceId;

use crate::{config, domain::Kinds};

/// The shipped kinds.
const SHIPPED: &str = include_str!("../../kinds.toml");

/// Everybody's kinds, read and found to make sense.
#[derive(Debug)]
pub struct KindBook {
    kinds: Kinds,
    forces: BTreeMap<ForceId, Kinds>,
}

/// A file of kinds that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKinds {
    /// It can't be read.
    #[error("the file of kinds {0} can't be read")]
    Unread(String, #[source] std::io::Error),
    /// It makes no sense.
    #[error("the file of kinds {0} is refused")]
    Refused(String, #[source] toml::de::Error),
}

impl KindBook {
    /// Reads every file that is named.
    ///
    /// # Errors
    /// Names the file, and the kind in it.
    pub fn read(config: &config::Books) -> Result<Self, UnusableKinds> {
        let kinds = match &config.kinds {
            Some(path) => file(path)?,
            None => kinds(SHIPPED, "as shipped")?,
        };
        let forces = config.force_kinds.iter().map(|(force, path)| Ok((force.clone(), file(path)?)));
        Ok(Self { kinds, forces: forces.collect::<Result<_, UnusableKinds>>()? })
    }

    /// This force's.
    #[must_use]
    pub fn of(&self, force: &ForceId) -> &Kinds {
        self.forces.get(force).unwrap_or(&self.kinds)
    }
}

fn file(path: &Path) -> Result<Kinds, UnusableKinds> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| UnusableKinds::Unread(name.clone(), error))?;
    kinds(&text, &name)
}

fn kinds(text: &str, name: &str) -> Result<Kinds, UnusableKinds> {
    let kinds: Kinds = toml::from_str(text).map_err(|error| UnusableKinds::Refused(name.to_owned(), error))?;
    tracing::info!(file = name, kinds = kinds.iter().count(), "kinds of referral");
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kinds, String> {
        kinds(text, "test").map_err(|error| chassis::chain(&error).to_string())
    }

    #[test]
    fn the_shipped_kinds_are_all_of_them() {
        let shipped = kinds(SHIPPED, "shipped").unwrap();
        let keys: Vec<_> = shipped.iter().map(|kind| kind.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "idva",
                "marac",
                "mash",
                "encompass",
                "clares-law-ask",
                "clares-law-know",
                "refuge",
                "victim-support",
                "male-support",
                "lgbt-support",
                "by-and-for",
                "housing",
                "interpreter",
                "medical"
            ]
        );
        assert!(shipped.iter().all(|kind| kind.consent_subject().len() <= 40));
    }

    #[test]
    fn kinds_that_make_no_sense_are_refused_by_name() {
        let kind = "[[kind]]\nkey = \"idva\"\ntitle = \"IDVA\"\nabout = \"victim\"\nlawful_basis = \"consent\"\n\
                    consent = true\ncontact = \"safe\"\nrequired = [\"victim.name\"]\noptional = [\"victim.phone\"]\npartner = \"idva\"\n";
        assert!(read(kind).is_ok());
        let doubled = format!("{kind}{kind}");
        for (bad, why) in [
            ("kind = []", "there is no kind"),
            (&doubled, "\"idva\" comes twice"),
            (&kind.replace("\"idva\"", "\"I DVA\""), "lower-case words"),
            (&kind.replace("title = \"IDVA\"", "title = \" \""), "\"idva\" has no title"),
            (&kind.replace("\"consent\"", "\"\""), "\"idva\" has no lawful basis"),
            (&kind.replace("victim.name", "victim.nose"), "\"victim.nose\", which is no field"),
            (&kind.replace("victim.name", "child.name"), "\"child.name\""),
            (&kind.replace("victim.phone", "victim.name"), "\"victim.name\" twice"),
            (&kind.replace("\"safe\"", "\"careless\""), "careless"),
            (&format!("{kind}drafted_when = \"child-present\"\n"), "is drafted by a child"),
            (&format!("{kind}colour = 1\n"), "unknown field"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(why), "{error} should say {why}");
        }
    }
}
