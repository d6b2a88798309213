//! Risk: questions answered by two officers at once, grades that never fall below what count and history say, and earlier calls.

mod editions;
mod grades;
mod history;
mod sergeant;

use api::{
    intake::v1::RiskGrade,
    referral::v1::{
        Answer, Assessment, GetAssessmentFormRequest, GetAssessmentFormResponse, GradeRiskRequest, GradeRiskResponse,
        JudgeMatchRequest, JudgeMatchResponse, ListQuestionSetsRequest, SaveAssessmentRequest, SaveAssessmentResponse,
    },
};
use chassis::status::metadata_of;
use testkit::isolation::Isolation;
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::{request_id, saving, victim},
};

pub fn form(call: &str, set_id: &str) -> GetAssessmentFormRequest {
    GetAssessmentFormRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        set_id: set_id.into(),
    }
}

/// An answer on top of this version of it.
pub fn answer(question: &str, choice: &str, version: u64) -> Answer {
    Answer { question: question.into(), choice: choice.into(), version, ..Default::default() }
}

pub fn answers(call: &str, assessment: &str, officer: &str, answers: Vec<Answer>) -> SaveAssessmentRequest {
    SaveAssessmentRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: officer.into(),
        assessment_id: assessment.into(),
        answers,
    }
}

pub fn grading(call: &str, assessment: &Assessment, grade: RiskGrade, reason: &str) -> GradeRiskRequest {
    GradeRiskRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        assessment_id: assessment.assessment_id.clone(),
        version: assessment.version,
        grade: grade.into(),
        reason: reason.into(),
    }
}

impl Desk {
    pub async fn form(&self, request: GetAssessmentFormRequest) -> Result<GetAssessmentFormResponse, Status> {
        Ok(self.client().get_assessment_form(request).await?.into_inner())
    }

    /// A call with an assessment, and the assessment's id.
    pub async fn begun(&self) -> (String, String) {
        let call = self.case().await;
        let begun = self.form(form(&call, "")).await.unwrap();
        (call, begun.assessment_id)
    }

    pub async fn answer(&self, request: SaveAssessmentRequest) -> Result<SaveAssessmentResponse, Status> {
        Ok(self.client().save_assessment(request).await?.into_inner())
    }

    /// So many of the set's questions answered with yes, from the first.
    pub async fn ticks(&self, call: &str, assessment: &str, count: usize) -> SaveAssessmentResponse {
        let set = self.form(form(call, "")).await.unwrap().set.unwrap();
        let yes = set.questions.iter().take(count).map(|question| answer(&question.key, "yes", 0));
        self.answer(answers(call, assessment, "PC1", yes.collect())).await.unwrap()
    }

    pub async fn grade(&self, request: GradeRiskRequest) -> Result<GradeRiskResponse, Status> {
        Ok(self.client().grade_risk(request).await?.into_inner())
    }

    pub async fn judge(&self, call: &str, earlier: &str, same_people: bool) -> Result<JudgeMatchResponse, Status> {
        let request = JudgeMatchRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            call_id: call.into(),
            officer_id: "PC1".into(),
            earlier_call_id: earlier.into(),
            same_people,
        };
        Ok(self.client().judge_match(request).await?.into_inner())
    }

    pub async fn assessment(&self, call: &str) -> Assessment {
        self.get_case(call).await.unwrap().assessment.unwrap()
    }
}

#[tokio::test]
async fn an_assessment_goes_answer_by_answer_and_a_crash_keeps_each() {
    let mut desk = Desk::open().await;
    let list = ListQuestionSetsRequest { force_id: FORCE.into() };
    let sets = desk.client().list_question_sets(list).await.unwrap().into_inner().sets;
    assert_eq!(sets.iter().map(|set| set.id.as_str()).collect::<Vec<_>>(), ["dash-demo", "dara-demo"]);

    let call = desk.case().await;
    assert!(desk.get_case(&call).await.unwrap().assessment.is_none());
    let request = form(&call, "");
    let begun = desk.form(request.clone()).await.unwrap();
    let set = begun.set.clone().unwrap();
    assert_eq!((set.id.as_str(), set.questions.len()), ("dash-demo", 27));
    assert!(set.questions[0].bold && set.questions[0].choices.iter().any(|choice| choice.key == "not-asked"));
    let version = desk.get_case(&call).await.unwrap().version;
    assert_eq!(desk.form(request).await.unwrap(), begun, "the same request");
    assert_eq!(desk.form(form(&call, "dash-demo")).await.unwrap(), begun, "and another");
    assert_eq!(desk.get_case(&call).await.unwrap().version, version, "a look changes nothing");

    let id = begun.assessment_id.as_str();
    let said_at = Some(prost_types::Timestamp { seconds: 1_795_860_000, nanos: 0 });
    let spoken = Answer {
        words: "he had his hands on my neck".into(),
        note: "crying".into(),
        said_at,
        ..answer("strangled", "yes", 0)
    };
    let first = desk.answer(answers(&call, id, "PC1", vec![spoken.clone()])).await.unwrap();
    let finding = first.finding.unwrap();
    assert_eq!((first.version, finding.ticks, finding.bold.as_slice()), (1, 1, ["strangled".to_owned()].as_slice()));
    assert_eq!((finding.unanswered.len(), finding.reports, finding.high_from), (26, 1, 14));
    desk.service.kill().await.unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    let kept = desk.assessment(&call).await;
    let Answer { version, saved_by, saved_at, .. } = kept.answers[0].clone();
    assert_eq!((version, saved_by.as_str(), kept.answers.len()), (1, "PC1", 1));
    assert!(saved_at.is_some() && kept.grading.is_none() && !kept.set_outdated);
    assert!(kept.answers[0] == Answer { version, saved_by, saved_at, ..spoken });

    // Corrected: each version stays, and no statement changes one.
    desk.answer(answers(&call, id, "PC2", vec![answer("strangled", "no", 1)])).await.unwrap();
    let pool = desk.db.pool();
    let versions = "select choice, saved_by from referral.answers where question = 'strangled' order by version";
    let versions: Vec<(String, String)> = sqlx::query_as(versions).fetch_all(&pool).await.unwrap();
    assert_eq!(versions, [("yes".into(), "PC1".into()), ("no".into(), "PC2".into())]);
    for change in ["update referral.answers set choice = 'no'", "delete from referral.answers"] {
        let refused = sqlx::query(change).execute(&pool).await.unwrap_err();
        assert!(refused.to_string().contains("only added"), "{refused}");
    }
}

#[tokio::test]
async fn two_officers_at_once_lose_nothing() {
    let desk = Desk::open().await;
    let (call, id) = desk.begun().await;
    // Different questions: both are kept, whoever is first.
    let (one, other) = tokio::join!(
        desk.answer(answers(&call, &id, "PC1", vec![answer("injured", "yes", 0)])),
        desk.answer(answers(&call, &id, "PC2", vec![answer("follows", "no", 0)])),
    );
    let mut versions = [one.unwrap().version, other.unwrap().version];
    versions.sort_unstable();
    assert_eq!((versions, desk.assessment(&call).await.answers.len()), ([1, 2], 2));

    // The same question: one is saved, the other is told which, and sees it; what came with the refused one isn't saved.
    let both =
        |choice| vec![answer("weapon", choice, 0), answer(if choice == "yes" { "baby" } else { "money" }, choice, 0)];
    let (one, other) = tokio::join!(
        desk.answer(answers(&call, &id, "PC1", both("yes"))),
        desk.answer(answers(&call, &id, "PC2", both("no"))),
    );
    let won = if one.is_ok() { "yes" } else { "no" };
    let (Ok(_), Err(status)) = (if one.is_ok() { (one, other) } else { (other, one) }) else {
        panic!("one of the two")
    };
    assert_eq!(metadata_of(&status, "question").unwrap(), "weapon");
    refused::<()>(Err(status), Code::Aborted, "CHANGED_MEANWHILE");
    let stands = desk.assessment(&call).await;
    let weapon = stands.answers.iter().find(|answer| answer.question == "weapon").unwrap();
    assert_eq!((weapon.choice.as_str(), weapon.version, stands.answers.len()), (won, 1, 4));

    // Two who ask for the form at once have the same one.
    let call = desk.case().await;
    let (one, other) = tokio::join!(desk.form(form(&call, "")), desk.form(form(&call, "")));
    assert_eq!(one.unwrap().assessment_id, other.unwrap().assessment_id);
}

#[tokio::test]
async fn what_is_unknown_or_no_answer_is_refused_by_name() {
    let desk = Desk::open().await;
    let (call, id) = desk.begun().await;
    let save = async |given: Vec<Answer>| desk.answer(answers(&call, &id, "PC1", given)).await;
    let status = save(vec![answer("injured", "yes", 0), answer("shoe-size", "yes", 0)]).await.unwrap_err();
    assert_eq!(metadata_of(&status, "question").unwrap(), "shoe-size");
    refused::<()>(Err(status), Code::NotFound, "UNKNOWN_QUESTION");
    let no_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    for bad in [
        vec![],
        vec![answer("injured", "perhaps", 0)],
        vec![answer("injured", "yes", 0), answer("injured", "no", 0)],
        vec![Answer { words: "a".repeat(1_001), ..answer("injured", "yes", 0) }],
        vec![Answer { note: "a".repeat(1_001), ..answer("injured", "yes", 0) }],
        vec![Answer { note: "\0".into(), ..answer("injured", "yes", 0) }],
        vec![Answer { said_at: no_time, ..answer("injured", "yes", 0) }],
        (0..101).map(|n| answer(&format!("q-{n}"), "yes", 0)).collect(),
    ] {
        refused(save(bad).await, Code::InvalidArgument, "INVALID_ANSWER");
    }
    assert_eq!(desk.assessment(&call).await.version, 0, "of a refused request nothing is saved");

    // Of nobody's, of another force's, and of a call that no officer has had.
    let unborn = new_call();
    desk.consented(&unborn, true).await;
    desk.taken(2).await;
    for unknown in [new_call(), unborn] {
        refused(desk.form(form(&unknown, "")).await, Code::NotFound, "UNKNOWN_CALL");
        refused(desk.judge(&unknown, &call, true).await, Code::NotFound, "UNKNOWN_CALL");
    }
    let theirs = |mut request: SaveAssessmentRequest| {
        request.force_id = "kent".into();
        request
    };
    let given = || answers(&call, &id, "PC1", vec![answer("injured", "yes", 0)]);
    refused(desk.answer(theirs(given())).await, Code::NotFound, "UNKNOWN_CALL");
    let form_of = |force_id: &str| GetAssessmentFormRequest { force_id: force_id.into(), ..form(&call, "") };
    refused(desk.form(form_of("kent")).await, Code::NotFound, "UNKNOWN_CALL");
    refused(desk.form(form_of("Kent")).await, Code::InvalidArgument, "INVALID_FORCE");
    refused(desk.form(form(&call, "dash")).await, Code::NotFound, "UNKNOWN_SET");
    let (_, other) = desk.begun().await;
    let status = desk.answer(answers(&call, &other, "PC1", vec![answer("injured", "yes", 0)])).await.unwrap_err();
    assert_eq!(metadata_of(&status, "assessment_id").unwrap(), id);
    refused::<()>(Err(status), Code::NotFound, "UNKNOWN_ASSESSMENT");
    let nameless = SaveAssessmentRequest { officer_id: "P C".into(), ..given() };
    refused(desk.answer(nameless).await, Code::InvalidArgument, "INVALID_OFFICER");
    let malformed = SaveAssessmentRequest { assessment_id: "1".into(), ..given() };
    refused(desk.answer(malformed).await, Code::InvalidArgument, "MALFORMED_ID");

    // A request is answered once, and its id is no other's.
    let request = given();
    let first = desk.answer(request.clone()).await.unwrap();
    assert_eq!(desk.answer(request.clone()).await.unwrap(), first);
    assert_eq!(desk.assessment(&call).await.answers.len(), 1);
    let other = SaveAssessmentRequest { answers: vec![answer("injured", "no", 1)], ..request.clone() };
    refused(desk.answer(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let form = GetAssessmentFormRequest { request_id: request.request_id, ..form(&call, "") };
    refused(desk.form(form).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_no_answers_of_others() {
    let desk = Desk::open().await;
    let earlier = desk.case().await;
    desk.save_person(saving(&earlier, "PC1", victim())).await.unwrap();
    let (call, id) = desk.begun().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    desk.ticks(&call, &id, 3).await;
    desk.judge(&call, &earlier, true).await.unwrap();
    let assessment = desk.assessment(&call).await;
    desk.grade(grading(&call, &assessment, RiskGrade::Standard, "")).await.unwrap();
    let filled = ["assessments", "answers", "gradings", "profiles", "match_keys", "verdicts"];
    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &filled };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;
}
