//! What is answered about risk.

use api::{intake::v1::RiskGrade, referral::v1 as proto};

use crate::{
    domain::risk::{
        Answer, Assessment, By, Finding, Grade, Grading, Match, Question, QuestionSet, Verdict, matching::Certainty,
    },
    grpc::timestamp,
};

/// The questions of an assessment.
pub(crate) fn form(assessment: &Assessment) -> proto::GetAssessmentFormResponse {
    proto::GetAssessmentFormResponse { set: Some(set(&assessment.set)), assessment_id: assessment.id.to_string() }
}

fn set(set: &QuestionSet) -> proto::QuestionSet {
    proto::QuestionSet {
        id: set.id().to_owned(),
        version: set.version().to_owned(),
        title: set.title().to_owned(),
        questions: set.questions().iter().map(question).collect(),
    }
}

fn question(question: &Question) -> proto::Question {
    let choices = question.choices.iter().map(|choice| proto::Choice {
        key: choice.key.clone(),
        text: choice.text.clone(),
        ticks: choice.ticks,
    });
    proto::Question {
        key: question.key.clone(),
        section: question.section.clone(),
        text: question.text.clone(),
        help: question.help.clone(),
        bold: question.bold,
        choices: choices.collect(),
    }
}

/// An assessment as it stands.
pub(crate) fn assessment(
    assessment: &Assessment,
    found: &Finding,
    given: Option<&Grading>,
    set_outdated: bool,
) -> proto::Assessment {
    // In the order in which they are asked.
    let answers = assessment.set.questions().iter().filter_map(|question| assessment.answers.get(&question.key));
    proto::Assessment {
        assessment_id: assessment.id.to_string(),
        set_id: assessment.set.id().to_owned(),
        set_version: assessment.set.version().to_owned(),
        answers: answers.map(answer).collect(),
        version: assessment.version,
        finding: Some(finding(found)),
        grading: given.map(grading),
        set_outdated,
    }
}

fn answer(Answer { given, version, saved_by, saved_at }: &Answer) -> proto::Answer {
    proto::Answer {
        question: given.question.clone(),
        choice: given.choice.clone(),
        note: given.note.clone(),
        words: given.words.clone(),
        said_at: given.said_at.map(timestamp),
        version: *version,
        saved_by: saved_by.to_string(),
        saved_at: Some(timestamp(*saved_at)),
    }
}

/// What answers and history say.
pub(crate) fn finding(finding: &Finding) -> proto::Finding {
    let contradictions = finding.contradictions.iter().map(|contradiction| proto::Contradiction {
        questions: contradiction.questions.clone(),
        text: contradiction.text.clone(),
    });
    proto::Finding {
        ticks: finding.ticks,
        medium_from: finding.grades.medium_from,
        high_from: finding.grades.high_from,
        bold: finding.bold.clone(),
        unanswered: finding.unanswered.clone(),
        reports: finding.reports,
        reports_from: finding.grades.reports_from,
        reports_months: finding.grades.reports_months,
        least: grade(finding.least).into(),
        because: finding.because.clone(),
        contradictions: contradictions.collect(),
    }
}

/// A grade that was given.
pub(crate) fn grading(grading: &Grading) -> proto::Grading {
    proto::Grading {
        grade: grade(grading.decision.grade).into(),
        by: by(grading.decision.by).into(),
        reason: grading.reason.clone(),
        officer_id: grading.officer.to_string(),
        at: Some(timestamp(grading.at)),
        version: grading.version,
        fast_track_proposed: grading.decision.grade == Grade::High,
    }
}

/// An earlier call.
pub(crate) fn found(found: &Match) -> proto::Match {
    let certainty = match found.certainty {
        None => proto::Certainty::Unspecified,
        Some(Certainty::Possible) => proto::Certainty::Possible,
        Some(Certainty::Probable) => proto::Certainty::Probable,
        Some(Certainty::NearlyCertain) => proto::Certainty::NearlyCertain,
    };
    let verdict = match found.verdict {
        None => proto::Verdict::Unspecified,
        Some(Verdict::SamePeople) => proto::Verdict::SamePeople,
        Some(Verdict::OtherPeople) => proto::Verdict::OtherPeople,
    };
    proto::Match {
        earlier_call_id: found.call.to_string(),
        incident: found.incident.as_ref().map(|i| format!("{}/{}", i.date, i.number)).unwrap_or_default(),
        at: Some(timestamp(found.at)),
        certainty: certainty.into(),
        because: found.because.clone(),
        verdict: verdict.into(),
        grade: found.grade.map_or(RiskGrade::Unspecified, grade).into(),
    }
}

/// A grade.
#[must_use]
pub(crate) fn grade(grade: Grade) -> RiskGrade {
    match grade {
        Grade::Standard => RiskGrade::Standard,
        Grade::Medium => RiskGrade::Medium,
        Grade::High => RiskGrade::High,
    }
}

/// What made it so.
#[must_use]
pub(crate) fn by(by: By) -> proto::GradedBy {
    match by {
        By::Count => proto::GradedBy::Count,
        By::Escalation => proto::GradedBy::Escalation,
        By::Judgement => proto::GradedBy::Judgement,
    }
}
