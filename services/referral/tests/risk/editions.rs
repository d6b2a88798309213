//! Question sets as files of the force's: another edition in the middle of a call, and one that makes no sense.

use api::referral::v1::Answer;
use chassis::status::metadata_of;
use testkit::Service;
use tonic::Code;

use super::{answer, answers, form, grading};
use crate::desk::{Desk, refused};

const DASH: &str = include_str!("../../questions/dash-demo.toml");
const DARA: &str = include_str!("../../questions/dara-demo.toml");

#[tokio::test]
async fn another_edition_in_the_middle_of_a_call_changes_nothing_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (dash, dara) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
    std::fs::write(&dash, DASH).unwrap();
    std::fs::write(&dara, DARA).unwrap();
    let mut desk = Desk::open_with(&[("ALCOVE_REFERRAL__BOOKS__QUESTIONS", folder.path().to_str().unwrap())]).await;
    let (call, id) = desk.begun().await;
    desk.ticks(&call, &id, 1).await;
    assert!(!desk.assessment(&call).await.set_outdated);

    // The next edition asks less, and is stricter.
    let (first, rest) = DASH.split_once("[[question]]\nkey = \"frightened\"").unwrap();
    let (_, rest) = rest.split_once("[[question]]").unwrap();
    let next = format!("{first}[[question]]{rest}").replace("version = \"2026-11-27\"", "version = \"2026-12-01\"");
    let next = next.split("\n[[contradiction]]\n").next().unwrap().replace("high_from = 14", "high_from = 12");
    std::fs::write(&dash, next).unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    let assessment = desk.assessment(&call).await;
    assert!(assessment.set_outdated);
    let finding = assessment.finding.as_ref().unwrap();
    assert_eq!((&*assessment.set_version, finding.high_from), ("2026-11-27", 14));
    let begun = desk.form(form(&call, "")).await.unwrap();
    assert_eq!((begun.assessment_id.as_str(), begun.set.unwrap().questions.len()), (id.as_str(), 27));
    desk.answer(answers(&call, &id, "PC1", vec![answer("frightened", "yes", 0)])).await.unwrap();
    let graded = grading(&call, &desk.assessment(&call).await, api::intake::v1::RiskGrade::Medium, "very afraid");
    desk.grade(graded).await.unwrap();

    // Whoever wants to ask anew names the set. The one before is kept, and takes no more.
    let anew = desk.form(form(&call, "dash-demo")).await.unwrap();
    assert_eq!(anew.set.unwrap().questions.len(), 26);
    let status = desk.answer(answers(&call, &id, "PC1", vec![answer("weapon", "yes", 0)])).await.unwrap_err();
    assert_eq!(metadata_of(&status, "assessment_id"), Some(anew.assessment_id.clone()));
    refused::<()>(Err(status), Code::NotFound, "UNKNOWN_ASSESSMENT");
    let unasked = answers(&call, &anew.assessment_id, "PC1", vec![answer("frightened", "yes", 0)]);
    refused(desk.answer(unasked).await, Code::NotFound, "UNKNOWN_QUESTION");
    let assessment = desk.assessment(&call).await;
    assert!(!assessment.set_outdated && assessment.answers == Vec::<Answer>::new());
    let stands = assessment.grading.unwrap();
    assert_eq!(&*stands.reason, "very afraid", "the call's grade stands");
    assert!(stands.version < assessment.version, "and is to be given again");

    // And the other set, answered in other words.
    let often = desk.form(form(&call, "dara-demo")).await.unwrap();
    let said = vec![answer("kill", "all-the-time", 0), answer("hits", "rarely", 0)];
    let finding = desk.answer(answers(&call, &often.assessment_id, "PC1", said)).await.unwrap().finding.unwrap();
    assert_eq!((finding.ticks, finding.bold.as_slice()), (4, ["kill".to_owned()].as_slice()));
}

#[tokio::test]
async fn a_set_that_makes_no_sense_keeps_the_service_from_starting_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bad = DASH.replace("is = [\"no\"]", "is = [\"never\"]");
    std::fs::write(folder.path().join("dash-kent.toml"), bad).unwrap();
    let questions = folder.path().to_str().unwrap();
    let started = Service::start("referral", &[("ALCOVE_REFERRAL__BOOKS__QUESTIONS", questions)]).await;
    let said = format!("{:?}", started.expect_err("it doesn't start"));
    assert!(said.contains("dash-kent.toml") && said.contains("never"), "{said}");
}
