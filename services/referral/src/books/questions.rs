//! Which force goes by which question sets: the shipped ones, unless the configuration names a folder of others.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ids::ForceId;

use crate::{
    config,
    domain::risk::{BadQuestions, QuestionSet},
};

/// The shipped sets, by file.
const SHIPPED: [(&str, &str); 2] = [
    ("dash-demo.toml", include_str!("../../questions/dash-demo.toml")),
    ("dara-demo.toml", include_str!("../../questions/dara-demo.toml")),
];

/// Every set, read and found to make sense, and each force's choice among them.
#[derive(Debug)]
pub struct QuestionBook {
    /// Of forces that have no choice of their own; at least one.
    sets: Vec<QuestionSet>,
    forces: BTreeMap<ForceId, Vec<QuestionSet>>,
}

/// Question sets that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The folder, or a file in it, can't be read.
    #[error("{0} can't be read")]
    Unread(String, #[source] std::io::Error),
    /// A file makes no sense.
    #[error("the question set {0} is refused")]
    Refused(String, #[source] BadQuestions),
    /// Nothing to ask.
    #[error("there is no question set (*.toml) in {0}")]
    Empty(String),
    /// Two files are one set.
    #[error("the question set {id:?} of {file} is also another file's")]
    Twice {
        /// The set.
        id: String,
        /// The later file.
        file: String,
    },
    /// Somebody is to go by a set that there isn't.
    #[error("[books] has {whose} go by the question set {id:?}, which there isn't, or by it twice")]
    Unknown {
        /// Whose choice.
        whose: String,
        /// As written.
        id: String,
    },
    /// A force that may ask nothing.
    #[error("[books] has {0} go by no question set")]
    None(String),
}

impl QuestionBook {
    /// Reads every file.
    ///
    /// # Errors
    /// Names the file, and the item in it.
    pub fn read(config: &config::Books) -> Result<Self, Unusable> {
        let mut all = vec![];
        for (file, text) in files(config.questions.as_deref())? {
            let set = QuestionSet::read(&text).map_err(|bad| Unusable::Refused(file.clone(), bad))?;
            if all.iter().any(|other: &QuestionSet| other.id() == set.id()) {
                return Err(Unusable::Twice { id: set.id().to_owned(), file });
            }
            tracing::info!(file, set = set.id(), version = set.version(), "question set");
            all.push(set);
        }
        let chosen = |(force, ids): (&ForceId, &Vec<String>)| {
            let whose = format!("the force {force}");
            if ids.is_empty() { Err(Unusable::None(whose)) } else { Ok((force.clone(), choose(&all, whose, ids)?)) }
        };
        let forces = config.force_sets.iter().map(chosen).collect::<Result<_, _>>()?;
        let sets = if config.sets.is_empty() { all } else { choose(&all, "every force".to_owned(), &config.sets)? };
        Ok(Self { sets, forces })
    }

    /// Those that this force goes by, the one it begins with first.
    #[must_use]
    pub fn of(&self, force: &ForceId) -> &[QuestionSet] {
        self.forces.get(force).unwrap_or(&self.sets)
    }

    /// One of them.
    #[must_use]
    pub fn named(&self, force: &ForceId, id: &str) -> Option<&QuestionSet> {
        self.of(force).iter().find(|set| set.id() == id)
    }
}

fn choose(all: &[QuestionSet], whose: String, ids: &[String]) -> Result<Vec<QuestionSet>, Unusable> {
    let mut chosen: Vec<QuestionSet> = vec![];
    for id in ids {
        let set = all.iter().find(|set| set.id() == id).filter(|set| !chosen.contains(set));
        let Some(set) = set else { return Err(Unusable::Unknown { whose, id: id.clone() }) };
        chosen.push(set.clone());
    }
    Ok(chosen)
}

/// Each file's name and text, in the order of their names; the shipped ones as they come.
fn files(folder: Option<&Path>) -> Result<Vec<(String, String)>, Unusable> {
    let Some(folder) = folder else {
        return Ok(SHIPPED.map(|(file, text)| (file.to_owned(), text.to_owned())).into());
    };
    let unread = |path: &Path| {
        let name = path.display().to_string();
        move |error| Unusable::Unread(name, error)
    };
    let mut paths: Vec<PathBuf> = vec![];
    for entry in std::fs::read_dir(folder).map_err(unread(folder))? {
        let path = entry.map_err(unread(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Unusable::Empty(folder.display().to_string()));
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).map_err(unread(&path))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(folder: Option<&Path>, sets: &[&str]) -> config::Books {
        let sets = sets.iter().map(|id| (*id).to_owned()).collect();
        config::Books { questions: folder.map(Path::to_owned), sets, ..config::Books::default() }
    }

    fn ids(sets: &[QuestionSet]) -> Vec<&str> {
        sets.iter().map(QuestionSet::id).collect()
    }

    #[test]
    fn the_shipped_sets_make_sense_and_a_force_may_choose_among_them() {
        let mut config = books(None, &[]);
        let (kent, wmp) = ("kent".parse().unwrap(), "wmp".parse().unwrap());
        config.force_sets.insert("kent".parse().unwrap(), vec!["dara-demo".to_owned()]);
        let book = QuestionBook::read(&config).unwrap();
        assert_eq!(ids(book.of(&wmp)), ["dash-demo", "dara-demo"]);
        assert_eq!(ids(book.of(&kent)), ["dara-demo"]);
        assert!(book.named(&kent, "dash-demo").is_none() && book.named(&wmp, "dash-demo").is_some());
        let dash = book.named(&wmp, "dash-demo").unwrap();
        assert_eq!((dash.questions().len(), dash.most(), dash.grades().high_from), (27, 27, 14));
        let dara = book.named(&wmp, "dara-demo").unwrap();
        assert_eq!(dara.most(), 3 * u32::try_from(dara.questions().len()).unwrap());
    }

    #[test]
    fn what_cannot_be_gone_by_is_named() {
        let said = |config: &config::Books| {
            let unusable = QuestionBook::read(config).unwrap_err();
            chassis::chain(&unusable)
        };
        assert!(said(&books(None, &["dash"])).contains("\"dash\", which there isn't"));
        assert!(said(&books(None, &["dash-demo", "dash-demo"])).contains("\"dash-demo\""));
        let mut none = books(None, &[]);
        none.force_sets.insert("kent".parse().unwrap(), vec![]);
        assert!(said(&none).contains("the force kent"));

        let folder = tempfile::tempdir().unwrap();
        let books = books(Some(folder.path()), &[]);
        assert!(said(&books).contains("no question set"));
        std::fs::write(folder.path().join("b.toml"), SHIPPED[0].1).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "none of ours").unwrap();
        assert_eq!(ids(QuestionBook::read(&books).unwrap().of(&"wmp".parse().unwrap())), ["dash-demo"]);
        std::fs::write(folder.path().join("a.toml"), SHIPPED[1].1).unwrap();
        let read = QuestionBook::read(&books).unwrap();
        assert_eq!(ids(read.of(&"wmp".parse().unwrap())), ["dara-demo", "dash-demo"], "in the order of their names");
        std::fs::write(folder.path().join("c.toml"), SHIPPED[1].1).unwrap();
        assert!(said(&books).contains("c.toml"), "one set twice");
        std::fs::write(folder.path().join("c.toml"), SHIPPED[1].1.replace("is = [\"never\"]", "is = [\"seldom\"]"))
            .unwrap();
        let refused = said(&books);
        assert!(refused.contains("c.toml") && refused.contains("seldom"), "{refused}");
        let gone = config::Books { questions: Some(folder.path().join("gone")), ..books };
        assert!(said(&gone).contains("gone"));
    }
}
