//! What answers and history say by themselves.

use serde::{Deserialize, Serialize};

use super::{Assessment, Grade, Grades};

/// Worked out, never typed. Kept with each grading, to say what it was given on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Sum of the choices' ticks.
    pub ticks: u32,
    /// The set's thresholds.
    pub grades: Grades,
    /// Bold questions with ticks, in the set's order.
    pub bold: Vec<String>,
    /// Questions that were not come to, in the set's order.
    pub unanswered: Vec<String>,
    /// Calls of the same people within the set's months, this one counted.
    pub reports: u32,
    /// The least grade that may be given.
    pub least: Grade,
    /// Why, in words.
    pub because: Vec<String>,
    /// Answers that can't all be right.
    pub contradictions: Vec<Contradiction>,
}

/// Answers that can't all be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Of these questions.
    pub questions: Vec<String>,
    /// In the set's words.
    pub text: String,
}

impl Finding {
    /// Of an assessment whose people have called so often, this time counted.
    #[must_use]
    pub fn of(assessment: &Assessment, reports: u32) -> Self {
        let (set, grades) = (&assessment.set, assessment.set.grades());
        let (mut ticks, mut bold, mut unanswered) = (0, vec![], vec![]);
        for question in set.questions() {
            let Some(chosen) = assessment.chosen(&question.key) else {
                unanswered.push(question.key.clone());
                continue;
            };
            let added = question.choice(chosen).map_or(0, |choice| choice.ticks);
            ticks += added;
            if question.bold && added > 0 {
                bold.push(question.key.clone());
            }
        }
        let (by_count, by_escalation) = (grades.by_count(ticks), grades.by_escalation(reports));
        let mut because = vec![counted(ticks, set.most(), grades)];
        if by_escalation > Grade::Standard {
            because.push(format!("{} in {} months", nth_call(reports), grades.reports_months));
        }
        let least = by_count.max(by_escalation);
        Self { ticks, grades, bold, unanswered, reports, least, because, contradictions: contradictions(assessment) }
    }

    /// What the count alone says.
    #[must_use]
    pub fn by_count(&self) -> Grade {
        self.grades.by_count(self.ticks)
    }
}

fn contradictions(assessment: &Assessment) -> Vec<Contradiction> {
    let rules = assessment.set.rules().iter();
    let contradicted = rules.filter(|rule| {
        rule.when.iter().all(|condition| {
            assessment.chosen(&condition.question).is_some_and(|chosen| condition.is.iter().any(|is| is == chosen))
        })
    });
    let told = contradicted.map(|rule| Contradiction {
        questions: rule.when.iter().map(|condition| condition.question.clone()).collect(),
        text: rule.text.clone(),
    });
    told.collect()
}

fn counted(ticks: u32, most: u32, grades: Grades) -> String {
    let Grades { medium_from, high_from, .. } = grades;
    match grades.by_count(ticks) {
        Grade::Standard => format!("{ticks} of {most} ticks, medium from {medium_from}"),
        Grade::Medium => format!("{ticks} of {most} ticks, medium from {medium_from}, high from {high_from}"),
        Grade::High => format!("{ticks} of {most} ticks, high from {high_from}"),
    }
}

/// "third call", "call 11".
fn nth_call(n: u32) -> String {
    const WORDS: [&str; 8] = ["second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    let word = usize::try_from(n).ok().and_then(|n| WORDS.get(n.checked_sub(2)?));
    word.map_or_else(|| format!("call {n}"), |word| format!("{word} call"))
}
