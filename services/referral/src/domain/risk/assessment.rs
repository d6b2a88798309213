//! One going-through of a question set, answer by answer. It keeps the questions that it was begun with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::{DateTime, Utc};
use ids::{AssessmentId, OfficerId};

use super::{QuestionSet, Refusal, questions::NOT_ASKED};

/// The most characters of a note, of the caller's words, and of a reason.
pub const TEXT: usize = 1_000;
/// So many answers come at once.
const AT_ONCE: std::ops::RangeInclusive<usize> = 1..=100;

/// An assessment as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Its id.
    pub id: AssessmentId,
    /// The questions, as they were when it was begun.
    pub set: QuestionSet,
    /// The last answer to each question that has one, by the question's key.
    pub answers: BTreeMap<String, Answer>,
    /// Counted up with each saving.
    pub version: u64,
}

/// What was answered, as one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was said.
    pub given: Given,
    /// Counted up with each change, from 1.
    pub version: u64,
    /// Who wrote it down.
    pub saved_by: OfficerId,
    /// When.
    pub saved_at: DateTime<Utc>,
}

/// What was said. Personal data: its `Debug` says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// To which question.
    pub question: String,
    /// Which of its choices.
    pub choice: String,
    /// The officer's note.
    pub note: String,
    /// The caller's words.
    pub words: String,
    /// When they said it.
    pub said_at: Option<DateTime<Utc>>,
}

impl Assessment {
    /// With these questions, none of them answered.
    #[must_use]
    pub fn begin(id: AssessmentId, set: QuestionSet) -> Self {
        Self { id, set, answers: BTreeMap::new(), version: 0 }
    }

    /// Takes answers, each with the version that it was made on: all of them, or none. What comes beside it is what is new.
    ///
    /// # Errors
    /// A question that there isn't, no answer to it, or one that somebody else has answered meanwhile.
    pub fn save(
        mut self,
        given: Vec<(Given, u64)>,
        by: &OfficerId,
        at: DateTime<Utc>,
    ) -> Result<(Self, Vec<Answer>), Refusal> {
        if !AT_ONCE.contains(&given.len()) {
            return Err(Refusal::InvalidAnswer { question: String::new(), rule: "1 to 100 answers at once" });
        }
        let (mut questions, mut saved) = (BTreeSet::new(), vec![]);
        for (given, made_on) in given {
            self.check(&given)?;
            let question = given.question.clone();
            if !questions.insert(question.clone()) {
                return Err(Refusal::InvalidAnswer { question, rule: "each question once" });
            }
            let stands = self.answers.get(&question).map_or(0, |answer| answer.version);
            if made_on != stands {
                return Err(Refusal::Changed(Some(question)));
            }
            let answer = Answer { given, version: stands + 1, saved_by: by.clone(), saved_at: at };
            self.answers.insert(question, answer.clone());
            saved.push(answer);
        }
        self.version += 1;
        Ok((self, saved))
    }

    fn check(&self, given: &Given) -> Result<(), Refusal> {
        let Some(question) = self.set.question(&given.question) else {
            return Err(Refusal::UnknownQuestion(given.question.clone()));
        };
        // Postgres keeps no NUL.
        let is_text = |text: &str| text.chars().count() <= TEXT && !text.contains('\0');
        let invalid = |rule| Err(Refusal::InvalidAnswer { question: given.question.clone(), rule });
        if question.choice(&given.choice).is_none() {
            return invalid("one of its choices");
        }
        if !is_text(&given.note) || !is_text(&given.words) {
            return invalid("a note and words of up to 1,000 characters");
        }
        Ok(())
    }

    /// What was chosen, if the question was come to.
    #[must_use]
    pub fn chosen(&self, question: &str) -> Option<&str> {
        let chosen = self.answers.get(question).map(|answer| answer.given.choice.as_str());
        chosen.filter(|choice| *choice != NOT_ASKED)
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [redacted]", self.question)
    }
}
