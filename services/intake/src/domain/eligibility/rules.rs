//! The rules as data: read once at the start, refused if they make no sense or would put somebody in danger.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Reason, Verdict,
    condition::{Condition, every_answer},
};
use crate::domain::Answers;

/// The most characters of what to do instead.
const INSTEAD: usize = 500;

/// One version of the rules. By construction no answers are without a verdict, no verdict without what to do instead, and
/// nobody is let in who would come to harm by it.
#[derive(Debug, Clone)]
pub struct Rules {
    version: String,
    rules: Vec<Rule>,
    /// Of the last rule, which has no conditions.
    otherwise: Verdict,
    instead: BTreeMap<Reason, String>,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    when: Vec<Condition>,
    then: Verdict,
}

/// Why a rule file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    /// Not TOML, or not of this shape.
    #[error("it is no rule file")]
    Shape(#[source] Box<toml::de::Error>),
    /// Nobody could say by what a call was judged.
    #[error("it has no version of 1 to 40 letters, digits, '.' and '-'")]
    Version,
    /// Nothing that errors and logs could call it by.
    #[error("rule {0} has no name")]
    NoName(usize),
    /// Two rules by one name.
    #[error("the rule {0:?} comes twice")]
    Twice(String),
    /// It asks for what no triage answers.
    #[error("the rule {rule:?} asks for {condition:?}, which no triage answers")]
    Condition {
        /// Which.
        rule: String,
        /// As written.
        condition: String,
    },
    /// It comes to nothing known.
    #[error("the rule {rule:?} comes to {then:?}, which is neither a way in nor a reason")]
    Then {
        /// Which.
        rule: String,
        /// As written.
        then: String,
    },
    /// There are answers without a verdict.
    #[error("the last rule must fit whatever was answered, and {0:?} has conditions")]
    CatchesNotAll(String),
    /// There is no rule.
    #[error("it has no rule")]
    Empty,
    /// The rules above leave it nothing.
    #[error("the rule {0:?} never decides anything: what it is about is decided above it")]
    Idle(String),
    /// It lets somebody in who must not be.
    #[error("the rule {rule:?} lets in {whom}")]
    Harm {
        /// Which.
        rule: String,
        /// Whom it would harm.
        whom: &'static str,
    },
    /// A reason without what to do instead.
    #[error("there is nothing to do instead of {0}, in 1 to {INSTEAD} characters")]
    NoInstead(&'static str),
    /// What to do instead of nothing known.
    #[error("there is something to do instead of {0:?}, which is no reason")]
    UnknownReason(String),
}

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: String,
    #[serde(default)]
    rule: Vec<RawRule>,
    instead: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    name: String,
    when: Vec<String>,
    then: String,
}

impl Rules {
    /// Reads a rule file.
    ///
    /// # Errors
    /// It makes no sense, leaves something open, or would put somebody in danger.
    pub fn read(text: &str) -> Result<Self, BadRules> {
        let Raw { version, rule: mut raw, instead } =
            toml::from_str(text).map_err(|error| BadRules::Shape(Box::new(error)))?;
        let is_plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if !is_plain || !(1..=40).contains(&version.len()) {
            return Err(BadRules::Version);
        }
        for (n, rule) in raw.iter().enumerate() {
            if rule.name.trim().is_empty() {
                return Err(BadRules::NoName(n + 1));
            }
            if raw.iter().take(n).any(|other| other.name == rule.name) {
                return Err(BadRules::Twice(rule.name.clone()));
            }
        }
        let last = raw.pop().ok_or(BadRules::Empty)?;
        let rules = raw.into_iter().map(RawRule::read).collect::<Result<Vec<_>, _>>()?;
        let last = last.read()?;
        if !last.when.is_empty() {
            return Err(BadRules::CatchesNotAll(last.name));
        }
        let read = Self { version, rules, otherwise: last.then, instead: reasons(instead)? };
        read.check(&last.name)?;
        Ok(read)
    }

    /// Which edition this is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What to do instead, for the contact handler's screen.
    #[must_use]
    pub fn instead(&self, reason: Reason) -> &str {
        self.instead.get(&reason).map(String::as_str).unwrap_or_default()
    }

    /// Which rule decides, `None` for the last one, and what it comes to.
    pub(super) fn decide(&self, answers: &Answers) -> (Option<usize>, Verdict) {
        let fits = |rule: &Rule| rule.when.iter().all(|condition| condition.holds(answers));
        let found = self.rules.iter().position(fits);
        (found, found.and_then(|n| self.rules.get(n)).map_or(self.otherwise, |rule| rule.then))
    }

    /// Goes through everything that can be answered.
    fn check(&self, last: &str) -> Result<(), BadRules> {
        let name = |n: Option<usize>| n.and_then(|n| self.rules.get(n)).map_or(last, |rule| &rule.name).to_owned();
        let mut idle = vec![true; self.rules.len()];
        for answers in every_answer() {
            let (by, verdict) = self.decide(&answers);
            if let Some(whom) = verdict.harm(&answers) {
                return Err(BadRules::Harm { rule: name(by), whom });
            }
            if let Some(idle) = by.and_then(|n| idle.get_mut(n)) {
                *idle = false;
            }
        }
        match idle.iter().position(|idle| *idle) {
            Some(n) => Err(BadRules::Idle(name(Some(n)))),
            // The last one may have nothing left to it, but not by one above that fits whatever was answered.
            None if self.rules.iter().any(|rule| rule.when.is_empty()) => Err(BadRules::Idle(last.to_owned())),
            None => Ok(()),
        }
    }
}

impl RawRule {
    fn read(self) -> Result<Rule, BadRules> {
        let Self { name, when, then } = self;
        let condition = |text: String| {
            Condition::read(&text).ok_or_else(|| BadRules::Condition { rule: name.clone(), condition: text })
        };
        let when = when.into_iter().map(condition).collect::<Result<_, _>>()?;
        match Verdict::read(&then) {
            Some(then) => Ok(Rule { name, when, then }),
            None => Err(BadRules::Then { rule: name, then }),
        }
    }
}

fn reasons(written: BTreeMap<String, String>) -> Result<BTreeMap<Reason, String>, BadRules> {
    let mut reasons = BTreeMap::new();
    for (word, instead) in written {
        let Some(reason) = Reason::ALL.into_iter().find(|reason| reason.as_str() == word) else {
            return Err(BadRules::UnknownReason(word));
        };
        let is_said = !instead.trim().is_empty() && instead.chars().count() <= INSTEAD;
        reasons.extend(is_said.then_some((reason, instead)));
    }
    match Reason::ALL.into_iter().find(|reason| !reasons.contains_key(reason)) {
        Some(reason) => Err(BadRules::NoInstead(reason.as_str())),
        None => Ok(reasons),
    }
}
