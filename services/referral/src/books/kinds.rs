//! Which force makes which kinds of referral: the shipped ones, unless the configuration names others.

use std::{collections::BTreeMap, path::Path};

use ids::ForceId;

use super::{Unusable, book};
use crate::{
    config,
    domain::{Kind, Kinds, clock::Clocks},
};

/// The shipped kinds.
const SHIPPED: &str = include_str!("../../kinds.toml");

/// Everybody's kinds, read and found to make sense.
#[derive(Debug)]
pub struct KindBook {
    kinds: Kinds,
    forces: BTreeMap<ForceId, Kinds>,
}

impl KindBook {
    /// Reads every file that is named.
    ///
    /// # Errors
    /// Names the file, and the kind in it.
    pub(super) fn read(config: &config::Books, clocks: &Clocks) -> Result<Self, Unusable> {
        let kinds = kinds(config.kinds.as_deref(), clocks)?;
        let forces =
            config.force_kinds.iter().map(|(force, path)| Ok((force.clone(), self::kinds(Some(path), clocks)?)));
        Ok(Self { kinds, forces: forces.collect::<Result<_, Unusable>>()? })
    }

    /// This force's.
    #[must_use]
    pub fn of(&self, force: &ForceId) -> &Kinds {
        self.forces.get(force).unwrap_or(&self.kinds)
    }
}

fn kinds(path: Option<&Path>, clocks: &Clocks) -> Result<Kinds, Unusable> {
    let kinds: Kinds = book(path, SHIPPED)?;
    let unknown = |kind: &&Kind| kind.clock.as_ref().is_some_and(|clock| clocks.get(clock).is_none());
    if let Some(kind) = kinds.iter().find(unknown) {
        return Err(Unusable::UnknownClock(kind.key.clone(), kind.clock.clone().unwrap_or_default()));
    }
    tracing::info!(kinds = kinds.iter().count(), "kinds of referral");
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kinds, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    fn clocks(text: &str) -> Clocks {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_shipped_kinds_are_all_of_them() {
        let shipped = kinds(None, &clocks(include_str!("../../clocks.toml"))).unwrap();
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
    fn a_clock_that_there_is_not_is_named() {
        let text = include_str!("../../clocks.toml");
        let (head, first) = text.split_once("[[clock]]").unwrap();
        let one = first.split("[[clock]]").next().unwrap();
        let error = kinds(None, &clocks(&format!("{head}[[clock]]{one}"))).unwrap_err();
        assert_eq!(error.to_string(), "the kind \"marac\" begins the clock \"marac\", which there isn't");
    }

    #[test]
    fn kinds_that_make_no_sense_are_refused_by_name() {
        let kind = "[[kind]]\nkey = \"idva\"\ntitle = \"IDVA\"\nabout = \"victim\"\nlawful_basis = \"consent\"\n\
                    consent = true\ncontact = \"safe\"\nrequired = [\"victim.name\"]\noptional = [\"victim.phone\"]\npartner = \"idva\"\n";
        assert!(read(kind).is_ok());
        let doubled = format!("{kind}{kind}");
        let nobody_rings = kind.replace("\"safe\"", "\"none\"");
        assert!(read(&nobody_rings.replace("[\"victim.phone\"]", "[]")).is_ok());
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
            (&nobody_rings, "nobody is to reach the victim, and it tells \"victim.phone\""),
            (&nobody_rings.replace("phone", "address"), "and it tells \"victim.address\""),
            (&nobody_rings.replace("phone", "postcode"), "and it tells \"victim.postcode\""),
            (&nobody_rings.replace("phone", "email"), "and it tells \"victim.email\""),
            (&format!("{kind}drafted_when = \"child-present\"\n"), "is drafted by a child"),
            (&format!("{kind}colour = 1\n"), "unknown field"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(why), "{error} should say {why}");
        }
    }
}
