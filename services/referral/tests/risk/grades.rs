//! The grade as it is given, refused, and published.

use api::{
    intake::v1::RiskGrade,
    referral::v1::{GradeRiskRequest, GradedBy, ReferralState, RiskGraded, WithdrawReferralRequest},
};
use async_nats::jetstream;
use chassis::status::metadata_of;
use futures::StreamExt;
use prost::Message;
use tonic::Code;

use super::{answer, answers, grading};
use crate::{
    desk::{Desk, FORCE, PATIENCE, refused},
    people::request_id,
};

impl Desk {
    /// The grades that were published, from the first, until there are so many.
    async fn graded(&self, count: usize) -> Vec<RiskGraded> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "referral").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await.unwrap();
        let filter_subject = "alcove.referral.v1.risk_graded.>".to_owned();
        let config = jetstream::consumer::pull::OrderedConfig { filter_subject, ..Default::default() };
        let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let graded = messages.take(count).map(|message| RiskGraded::decode(message.unwrap().payload.clone()).unwrap());
        tokio::time::timeout(PATIENCE, graded.collect()).await.expect("grades are published")
    }
}

#[tokio::test]
async fn the_count_sets_the_least_and_judgement_goes_above_it_with_a_reason() {
    let desk = Desk::open().await;
    let (call, id) = desk.begun().await;
    desk.ticks(&call, &id, 6).await;
    let six = desk.assessment(&call).await;
    refused(desk.grade(grading(&call, &six, RiskGrade::Unspecified, "")).await, Code::InvalidArgument, "INVALID_GRADE");
    let silent = desk.grade(grading(&call, &six, RiskGrade::Medium, " ")).await;
    refused(silent, Code::InvalidArgument, "REASON_REQUIRED");
    let wordy = desk.grade(grading(&call, &six, RiskGrade::Medium, &"a".repeat(1_001))).await;
    refused(wordy, Code::InvalidArgument, "REASON_REQUIRED");
    let given = desk.grade(grading(&call, &six, RiskGrade::Standard, "")).await.unwrap().grading.unwrap();
    assert_eq!((given.grade(), given.by(), given.version), (RiskGrade::Standard, GradedBy::Count, six.version));
    assert!(!given.fast_track_proposed && given.officer_id == "PC1");
    let afraid = desk.grade(grading(&call, &six, RiskGrade::High, "she is terrified")).await.unwrap().grading.unwrap();
    assert_eq!(
        (afraid.grade(), afraid.by(), &*afraid.reason),
        (RiskGrade::High, GradedBy::Judgement, "she is terrified")
    );
    assert!(afraid.fast_track_proposed);
    let case = desk.get_case(&call).await.unwrap();
    assert!(case.assessment.unwrap().grading == Some(afraid), "the last one stands");
    // High drafts the referral, filled with why; nobody's yes has sent it.
    let marac = case.referrals.iter().find(|referral| referral.kind == "marac").unwrap();
    assert_eq!((marac.state(), &*marac.made_because), (ReferralState::Draft, "high risk"));
    let value = |key: &str| marac.fields.iter().find(|field| field.key == key).unwrap().value.clone();
    assert_eq!(value("risk.grade"), "high");
    assert!(value("risk.because").contains("she is terrified"));
    let withdrawn = WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "PC1".into(),
        referral_id: marac.referral_id.clone(),
        reason: "heard at the last conference".into(),
    };
    desk.client().withdraw_referral(withdrawn).await.unwrap();
    desk.grade(grading(&call, &six, RiskGrade::High, "still terrified")).await.unwrap();
    let maracs = desk.get_case(&call).await.unwrap().referrals;
    assert_eq!(maracs.iter().filter(|referral| referral.kind == "marac").count(), 1, "taken back, it stays so");

    // One answer more: what was seen before is no ground any more, and what was given is to be given again.
    let more = vec![answer("children-home", "yes", 0)];
    let saved = desk.answer(answers(&call, &id, "PC1", more)).await.unwrap();
    assert_eq!(saved.finding.unwrap().least(), RiskGrade::Medium);
    let stale = desk.grade(grading(&call, &six, RiskGrade::Medium, "")).await;
    refused(stale, Code::Aborted, "CHANGED_MEANWHILE");
    let seven = desk.assessment(&call).await;
    assert!(seven.grading.as_ref().unwrap().version < seven.version);
    let below = desk.grade(grading(&call, &seven, RiskGrade::Standard, "calm now")).await.err().unwrap();
    assert_eq!(metadata_of(&below, "least").unwrap(), "medium");
    refused::<()>(Err(below), Code::FailedPrecondition, "BELOW_COUNT");

    // Below the grade before: in dev everybody is a sergeant, who says why.
    let silent = desk.grade(grading(&call, &seven, RiskGrade::Medium, "")).await;
    refused(silent, Code::InvalidArgument, "REASON_REQUIRED");
    let request = grading(&call, &seven, RiskGrade::Medium, "the caller has left the house for good");
    let lowered = desk.grade(request.clone()).await.unwrap();
    assert!(desk.grade(request.clone()).await.unwrap() == lowered, "answered once");
    let reused = desk.grade(GradeRiskRequest { grade: RiskGrade::High.into(), ..request }).await;
    refused(reused, Code::AlreadyExists, "REQUEST_ID_REUSED");

    let published = desk.graded(4).await;
    let grades: Vec<_> = published.iter().map(|graded| (graded.grade(), graded.by())).collect();
    let expected = [
        (RiskGrade::Standard, GradedBy::Count),
        (RiskGrade::High, GradedBy::Judgement),
        (RiskGrade::High, GradedBy::Judgement),
        (RiskGrade::Medium, GradedBy::Count),
    ];
    assert_eq!(grades, expected);
    assert!(published.iter().all(|graded| graded.call_id == call && graded.assessment_id == id));
    let pool = desk.db.pool();
    let rows = "select grade, reason from referral.gradings order by id";
    let rows: Vec<(String, String)> = sqlx::query_as(rows).fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), 4, "each is kept, with why");
    assert_eq!(rows[1], ("high".to_owned(), "she is terrified".to_owned()));
}

#[tokio::test]
async fn contradicting_answers_are_kept_and_must_be_explained_or_corrected() {
    let desk = Desk::open().await;
    let (call, id) = desk.begun().await;
    let contrary = vec![answer("record", "no", 0), answer("breached", "yes", 0)];
    let finding = desk.answer(answers(&call, &id, "PC1", contrary)).await.unwrap().finding.unwrap();
    assert_eq!(finding.contradictions[0].questions, ["record", "breached"]);
    let assessment = desk.assessment(&call).await;
    let status = desk.grade(grading(&call, &assessment, RiskGrade::Standard, "")).await.err().unwrap();
    assert_eq!(metadata_of(&status, "rule"), Some(finding.contradictions[0].text.clone()));
    refused::<()>(Err(status), Code::FailedPrecondition, "CONTRADICTION");
    desk.grade(grading(&call, &assessment, RiskGrade::Standard, "an order of a family court")).await.unwrap();
    let corrected = vec![answer("record", "yes", 1)];
    let finding = desk.answer(answers(&call, &id, "PC1", corrected)).await.unwrap().finding.unwrap();
    assert!(finding.contradictions.is_empty());
    let assessment = desk.assessment(&call).await;
    desk.grade(grading(&call, &assessment, RiskGrade::Standard, "")).await.unwrap();
}
