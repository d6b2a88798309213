//! A question set as data: read once at the start, refused if it makes no sense.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Grade;

/// Asked, and not known.
const DONT_KNOW: &str = "dont-know";
/// Not asked: as good as no answer.
pub(super) const NOT_ASKED: &str = "not-asked";
/// A request carries up to so many answers, and so an assessment can be saved whole.
const MOST_QUESTIONS: usize = 100;
/// Of any text that is shown.
const LONGEST: usize = 400;

/// One edition of a set. Valid by construction: keys are unique, each question can be answered "don't know" and "not asked",
/// thresholds can be reached, contradictions name questions and choices that there are. Read back from an assessment it is
/// taken as it is: it was checked when it was loaded, and a stricter check since must not strand a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionSet {
    id: String,
    version: String,
    title: String,
    questions: Vec<Question>,
    grades: Grades,
    contradictions: Vec<Rule>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Stable in its set.
    pub key: String,
    /// Under which heading.
    pub section: String,
    /// As it is asked.
    pub text: String,
    /// For the officer; may be empty.
    pub help: String,
    /// One of those that weigh most.
    pub bold: bool,
    /// The ways to answer it.
    pub choices: Vec<Choice>,
}

/// One way to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Stable in its question.
    pub key: String,
    /// As it is shown.
    pub text: String,
    /// What it adds to the count.
    pub ticks: u32,
}

/// From where on it is what grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grades {
    /// So many ticks are medium.
    pub medium_from: u32,
    /// So many are high.
    pub high_from: u32,
    /// So many calls of the same people are high,
    pub reports_from: u32,
    /// within so many months.
    pub reports_months: u32,
}

/// Answers that can't all be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) text: String,
    pub(super) when: Vec<Condition>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) question: String,
    pub(super) is: Vec<String>,
}

/// Why a question set is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuestions {
    /// Not TOML, or not of this shape.
    #[error("it is no question set")]
    Shape(#[source] Box<toml::de::Error>),
    /// Not a word by which requests and answers could name it.
    #[error("the {what} {key:?} is not 1 to 40 lower-case letters and digits in words joined by hyphens")]
    Key {
        /// Of what.
        what: &'static str,
        /// As written.
        key: String,
    },
    /// Nobody could say by which edition something was answered.
    #[error("it has no version of 1 to 40 letters, digits, '.' and '-'")]
    Version,
    /// Nothing to show, or too much.
    #[error("the {what} of {item:?} is not 1 to {LONGEST} characters")]
    Text {
        /// Which text.
        what: &'static str,
        /// Whose.
        item: String,
    },
    /// It asks nothing, or more than can be saved at once.
    #[error("it has {0} questions, and not 1 to {MOST_QUESTIONS}")]
    Count(usize),
    /// Two by one key.
    #[error("the {what} {key:?} comes twice")]
    Twice {
        /// What.
        what: &'static str,
        /// As written.
        key: String,
    },
    /// A question by a scale that there isn't.
    #[error("the question {question:?} is answered by the scale {scale:?}, which there isn't")]
    Scale {
        /// Which.
        question: String,
        /// As written.
        scale: String,
    },
    /// Whoever can't or doesn't answer would have to say something else.
    #[error("the scale {scale:?} has no {choice:?} with 0 ticks")]
    NoWayOut {
        /// Which.
        scale: String,
        /// What is missing.
        choice: &'static str,
    },
    /// Whatever is answered, nothing follows.
    #[error("no choice of the scale {0:?} has 1 to 10 ticks, or one has more")]
    Ticks(String),
    /// A heading that comes again after another.
    #[error("the section {0:?} goes on after another one")]
    Section(String),
    /// A threshold that nobody could reach, or everybody has.
    #[error("{what} is {value}, and not {rule}")]
    Grading {
        /// Which.
        what: &'static str,
        /// As written.
        value: u32,
        /// What it must be.
        rule: String,
    },
    /// A contradiction of what there isn't.
    #[error("the contradiction {rule:?} names {named:?}, which there isn't")]
    Contradiction {
        /// Which, by its text.
        rule: String,
        /// The question, or the choice.
        named: String,
    },
    /// Nothing that could contradict anything.
    #[error("the contradiction {0:?} is not about two questions or more, each once and with a choice")]
    NoContradiction(String),
}

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    version: String,
    title: String,
    scales: BTreeMap<String, Vec<Choice>>,
    grading: Grades,
    #[serde(default)]
    question: Vec<RawQuestion>,
    #[serde(default)]
    contradiction: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    key: String,
    section: String,
    text: String,
    #[serde(default)]
    help: String,
    #[serde(default)]
    bold: bool,
    scale: String,
}

impl QuestionSet {
    /// Reads a file.
    ///
    /// # Errors
    /// It makes no sense; says which item.
    pub fn read(file: &str) -> Result<Self, BadQuestions> {
        let raw: Raw = toml::from_str(file).map_err(|error| BadQuestions::Shape(Box::new(error)))?;
        word("id", &raw.id)?;
        let is_plain = raw.version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if !is_plain || !(1..=40).contains(&raw.version.len()) {
            return Err(BadQuestions::Version);
        }
        text("title", &raw.id, &raw.title)?;
        for (name, choices) in &raw.scales {
            scale(name, choices)?;
        }
        let questions = questions(raw.question, &raw.scales)?;
        grades(raw.grading, most(&questions))?;
        for rule in &raw.contradiction {
            contradiction(rule, &questions)?;
        }
        let Raw { id, version, title, grading, contradiction, .. } = raw;
        Ok(Self { id, version, title, questions, grades: grading, contradictions: contradiction })
    }

    /// By which it is named.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which edition this is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// For the screen.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Each, in the order in which they are asked.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// One of them.
    #[must_use]
    pub fn question(&self, key: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.key == key)
    }

    /// From where on it is what grade.
    #[must_use]
    pub fn grades(&self) -> Grades {
        self.grades
    }

    /// The most ticks that there can be.
    #[must_use]
    pub fn most(&self) -> u32 {
        most(&self.questions)
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.contradictions
    }
}

impl Question {
    /// One of its choices.
    #[must_use]
    pub fn choice(&self, key: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.key == key)
    }
}

impl Grades {
    /// What so many ticks come to.
    #[must_use]
    pub fn by_count(self, ticks: u32) -> Grade {
        match ticks {
            _ if ticks >= self.high_from => Grade::High,
            _ if ticks >= self.medium_from => Grade::Medium,
            _ => Grade::Standard,
        }
    }

    /// What so many calls of the same people come to.
    #[must_use]
    pub fn by_escalation(self, reports: u32) -> Grade {
        if reports >= self.reports_from { Grade::High } else { Grade::Standard }
    }
}

fn word(what: &'static str, key: &str) -> Result<(), BadQuestions> {
    let part = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if key.len() <= 40 && key.split('-').all(part) {
        return Ok(());
    }
    Err(BadQuestions::Key { what, key: key.to_owned() })
}

fn text(what: &'static str, item: &str, text: &str) -> Result<(), BadQuestions> {
    if !text.trim().is_empty() && text.chars().count() <= LONGEST {
        return Ok(());
    }
    Err(BadQuestions::Text { what, item: item.to_owned() })
}

fn scale(name: &str, choices: &[Choice]) -> Result<(), BadQuestions> {
    let mut keys = BTreeSet::new();
    for choice in choices {
        word("choice", &choice.key)?;
        text("text", &choice.key, &choice.text)?;
        if !keys.insert(&choice.key) {
            return Err(BadQuestions::Twice { what: "choice", key: choice.key.clone() });
        }
    }
    for way in [DONT_KNOW, NOT_ASKED] {
        if !choices.iter().any(|choice| choice.key == way && choice.ticks == 0) {
            return Err(BadQuestions::NoWayOut { scale: name.to_owned(), choice: way });
        }
    }
    match choices.iter().map(|choice| choice.ticks).max() {
        Some(1..=10) => Ok(()),
        _ => Err(BadQuestions::Ticks(name.to_owned())),
    }
}

fn questions(raw: Vec<RawQuestion>, scales: &BTreeMap<String, Vec<Choice>>) -> Result<Vec<Question>, BadQuestions> {
    if !(1..=MOST_QUESTIONS).contains(&raw.len()) {
        return Err(BadQuestions::Count(raw.len()));
    }
    let (mut keys, mut sections) = (BTreeSet::new(), vec![]);
    let mut questions = vec![];
    for RawQuestion { key, section, text: asked, help, bold, scale } in raw {
        word("question", &key)?;
        text("text", &key, &asked)?;
        text("section", &key, &section)?;
        if help.chars().count() > LONGEST {
            return Err(BadQuestions::Text { what: "help", item: key });
        }
        if !keys.insert(key.clone()) {
            return Err(BadQuestions::Twice { what: "question", key });
        }
        if sections.last() != Some(&section) {
            if sections.contains(&section) {
                return Err(BadQuestions::Section(section));
            }
            sections.push(section.clone());
        }
        let Some(choices) = scales.get(&scale) else { return Err(BadQuestions::Scale { question: key, scale }) };
        questions.push(Question { key, section, text: asked, help, bold, choices: choices.clone() });
    }
    Ok(questions)
}

fn grades(grades: Grades, most: u32) -> Result<(), BadQuestions> {
    let Grades { medium_from, high_from, reports_from, reports_months } = grades;
    let within = |what, value, low: u32, high: u32| {
        let rule = format!("{low} to {high}");
        if (low..=high).contains(&value) { Ok(()) } else { Err(BadQuestions::Grading { what, value, rule }) }
    };
    within("high_from", high_from, 1, most)?;
    within("medium_from", medium_from, 1, high_from)?;
    within("reports_from", reports_from, 2, 100)?;
    within("reports_months", reports_months, 1, 120)
}

fn contradiction(rule: &Rule, questions: &[Question]) -> Result<(), BadQuestions> {
    text("text", "a contradiction", &rule.text)?;
    let mut named = BTreeSet::new();
    for Condition { question, is } in &rule.when {
        let unknown = |named: &String| BadQuestions::Contradiction { rule: rule.text.clone(), named: named.clone() };
        let known = questions.iter().find(|known| known.key == *question).ok_or_else(|| unknown(question))?;
        if let Some(choice) = is.iter().find(|choice| known.choice(choice).is_none()) {
            return Err(unknown(choice));
        }
        if is.is_empty() || !named.insert(question) {
            return Err(BadQuestions::NoContradiction(rule.text.clone()));
        }
    }
    if named.len() < 2 { Err(BadQuestions::NoContradiction(rule.text.clone())) } else { Ok(()) }
}

fn most(questions: &[Question]) -> u32 {
    questions.iter().map(|question| question.choices.iter().map(|choice| choice.ticks).max().unwrap_or_default()).sum()
}
