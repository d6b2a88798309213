//! Earlier calls of the same people: found, judged by an officer, counted within the set's months, and of one force only.

use api::{
    intake::v1::{FollowUpStarted, Incident, RiskGrade},
    referral::v1::{Certainty, GradedBy, ItemState, Person, PersonRole, RemovePersonRequest, Verdict},
    transfer::v1 as transfer,
};
use chassis::{Clock, Entropy};
use chrono::{Months, TimeDelta};
use ids::CallId;
use tonic::Code;

use super::{form, grading};
use crate::{
    desk::{Desk, FORCE, PATIENCE, refused},
    people::{request_id, saving, victim},
};

/// A call that was opened so many months ago, and so many days later.
fn opened(months: u32, days: i64) -> String {
    let now = Clock::system().now();
    let then = now.checked_sub_months(Months::new(months)).unwrap() + TimeDelta::days(days);
    Entropy::os().id::<CallId>(then).to_string()
}

fn suspect() -> Person {
    Person {
        role: PersonRole::Suspect.into(),
        given_name: "Kestrel".into(),
        family_name: "Finch".into(),
        date_of_birth: "1990-03-07".into(),
        ..Default::default()
    }
}

impl Desk {
    /// A call of this force with these people, as if it had been worked on then.
    async fn had(&self, force: &str, call: &str, people: Vec<Person>) {
        let accepted = transfer::CallAccepted {
            call_id: call.into(),
            force_id: force.into(),
            officer_id: "PC1".into(),
            incident: Some(Incident { date: "2026-01-02".into(), number: "7".into() }),
            ..Default::default()
        };
        let mut news = self.hears("referral_case").await;
        self.says_in(force, "transfer", "call_accepted", call, &accepted).await;
        while self.get_case_of(force, call).await.is_err() {
            tokio::time::timeout(PATIENCE, news.recv()).await.expect("the case begins").unwrap();
        }
        for person in people {
            let mut request = saving(call, "PC1", person);
            request.force_id = force.into();
            self.save_person(request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_third_call_in_a_year_is_high_once_an_officer_has_said_so() {
    let desk = Desk::open().await;
    // A day within the year, and a day without; another's people; and the same people in another force.
    let (spring, last_year, border) = (opened(5, 0), opened(12, -2), opened(12, 1));
    desk.had(FORCE, &spring, vec![victim(), suspect()]).await;
    let other_way = Person {
        given_name: "FINCH".into(),
        family_name: "Cánary".into(),
        phone: String::new(),
        address: String::new(),
        ..victim()
    };
    desk.had(FORCE, &border, vec![other_way]).await;
    desk.had(FORCE, &last_year, vec![victim()]).await;
    let stranger = Person { given_name: "Wren".into(), family_name: "Martin".into(), ..suspect() };
    desk.had(FORCE, &opened(1, 0), vec![Person { date_of_birth: "1971-05-05".into(), ..stranger }]).await;
    desk.had("kent", &opened(2, 0), vec![victim(), suspect()]).await;

    let call = opened(0, 0);
    desk.had(FORCE, &call, vec![victim()]).await;
    let begun = desk.form(form(&call, "")).await.unwrap();
    let finding = desk.ticks(&call, &begun.assessment_id, 2).await.finding.unwrap();
    assert_eq!((finding.reports, finding.least()), (1, RiskGrade::Standard), "nothing counts before");
    let matches = desk.get_case(&call).await.unwrap().matches;
    let found: Vec<_> = matches.iter().map(|found| (&*found.earlier_call_id, found.certainty())).collect();
    assert_eq!(found, [(&*spring, Certainty::NearlyCertain), (&*border, Certainty::Probable)]);
    assert_eq!(matches[0].because, ["name, date of birth, phone number and address of the victim"]);
    assert_eq!((&*matches[0].incident, matches[0].verdict()), ("2026-01-02/7", Verdict::Unspecified));
    assert!(matches[1].because[0].starts_with("names the other way round"), "{:?}", matches[1].because);

    let assessment = desk.assessment(&call).await;
    let open = desk.grade(grading(&call, &assessment, RiskGrade::Standard, "")).await;
    refused(open, Code::FailedPrecondition, "MATCHES_OPEN");
    for unknown in [&last_year, &call, &opened(3, 0)] {
        refused(desk.judge(&call, unknown, true).await, Code::NotFound, "UNKNOWN_MATCH");
    }
    refused(desk.judge(&call, "x", true).await, Code::InvalidArgument, "MALFORMED_ID");
    let finding = desk.judge(&call, &spring, true).await.unwrap().finding.unwrap();
    assert_eq!((finding.reports, finding.least()), (2, RiskGrade::Standard));
    let finding = desk.judge(&call, &border, true).await.unwrap().finding.unwrap();
    assert_eq!((finding.reports, finding.least()), (3, RiskGrade::High));
    assert_eq!(finding.because[1], "third call in 12 months");
    let given = desk.grade(grading(&call, &assessment, RiskGrade::High, "")).await.unwrap().grading.unwrap();
    assert_eq!((given.grade(), given.by()), (RiskGrade::High, GradedBy::Escalation));

    // An officer was wrong, and says so; what was said before is kept.
    let finding = desk.judge(&call, &border, false).await.unwrap().finding.unwrap();
    assert_eq!(finding.reports, 2);
    let pool = desk.db.pool();
    let said: i64 = sqlx::query_scalar("select count(*) from referral.verdicts").fetch_one(&pool).await.unwrap();
    assert_eq!(said, 3);

    // The grade that was given then is shown to whoever comes next.
    let next = opened(0, 0);
    desk.had(FORCE, &next, vec![suspect()]).await;
    assert!(
        desk.get_case(&next).await.unwrap().matches.iter().all(|found| found.earlier_call_id != call),
        "only a victim"
    );
    desk.save_person(saving(&next, "PC1", victim())).await.unwrap();
    let matches = desk.get_case(&next).await.unwrap().matches;
    let found = matches.iter().find(|found| found.earlier_call_id == call).unwrap();
    assert_eq!(found.grade(), RiskGrade::High);
}

#[tokio::test]
async fn a_grade_that_the_history_overtakes_counts_no_more() {
    let desk = Desk::open().await;
    for month in [3, 5] {
        desk.had(FORCE, &opened(month, 0), vec![victim()]).await;
    }
    let call = opened(0, 0);
    desk.had(FORCE, &call, vec![]).await;
    let begun = desk.form(form(&call, "")).await.unwrap();
    desk.ticks(&call, &begun.assessment_id, 2).await;
    let assessment = desk.assessment(&call).await;
    desk.grade(grading(&call, &assessment, RiskGrade::Standard, "")).await.unwrap();
    let risk = async || {
        let case = desk.get_case(&call).await.unwrap();
        case.checklist.iter().find(|item| item.key == "risk-checklist").unwrap().state()
    };
    assert_eq!(risk().await, ItemState::Present);
    // Now she says who she is, and has called twice before.
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let matches = desk.get_case(&call).await.unwrap().matches;
    assert_eq!(matches.len(), 2);
    for found in matches {
        assert_eq!(risk().await, ItemState::Present, "{}", found.earlier_call_id);
        desk.judge(&call, &found.earlier_call_id, true).await.unwrap();
    }
    assert_eq!(risk().await, ItemState::Missing);
    let assessment = desk.assessment(&call).await;
    let finding = assessment.finding.as_ref().unwrap();
    assert_eq!(finding.least(), RiskGrade::High);
    desk.grade(grading(&call, &assessment, RiskGrade::High, "")).await.unwrap();
    assert_eq!(risk().await, ItemState::Present);
}

#[tokio::test]
async fn who_is_corrected_or_taken_out_is_found_by_what_they_are_now() {
    let desk = Desk::open().await;
    let (earlier, call) = (opened(2, 0), opened(0, 0));
    let nobody = Person { phone: String::new(), postcode: String::new(), address: String::new(), ..victim() };
    let mistaken = Person { date_of_birth: "1971-05-05".into(), given_name: "Corncrake".into(), ..nobody.clone() };
    desk.had(FORCE, &earlier, vec![mistaken]).await;
    desk.had(FORCE, &call, vec![nobody.clone()]).await;
    let found = async || desk.get_case(&call).await.unwrap().matches.len();
    assert_eq!(found().await, 0);
    // Corrected in the earlier call, it is found in the later one.
    let known = desk.get_case(&earlier).await.unwrap().people[0].clone();
    let right = Person { person_id: known.person_id.clone(), version: known.version, ..nobody };
    let saved = desk.save_person(saving(&earlier, "PC1", right)).await.unwrap();
    assert_eq!(found().await, 1);
    assert!(desk.judge(&call, &earlier, true).await.unwrap().finding.is_none(), "no assessment yet");
    let removed = RemovePersonRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: earlier.clone(),
        officer_id: "PC1".into(),
        person_id: saved.person_id,
        version: saved.version,
        reason: "another's".into(),
    };
    desk.client().remove_person(removed).await.unwrap();
    // An officer's word stands.
    let matches = desk.get_case(&call).await.unwrap().matches;
    assert_eq!((matches[0].verdict(), matches[0].certainty()), (Verdict::SamePeople, Certainty::Unspecified));
}

#[tokio::test]
async fn an_incident_counts_once_however_often_its_caller_was_asked_in_again() {
    let desk = Desk::open().await;
    let (first, further) = (opened(3, 0), opened(3, 2));
    desk.had(FORCE, &first, vec![victim()]).await;
    let started = FollowUpStarted {
        call_id: further.clone(),
        force_id: FORCE.into(),
        first_call_id: first.clone(),
        officer_id: "PC1".into(),
        ..Default::default()
    };
    desk.had(FORCE, &further, vec![victim()]).await;
    let mut watch = desk.watch(&further).await;
    desk.says("intake", "follow_up_started", &further, &started).await;
    watch.until(|case| case.follow_up_of == first).await;
    let found = async |call: &str| {
        let matches = desk.get_case(call).await.unwrap().matches;
        matches.into_iter().map(|found| found.earlier_call_id).collect::<Vec<_>>()
    };
    assert_eq!(found(&further).await, Vec::<String>::new(), "its own incident");

    // Another call of hers is the second, and not the third.
    let call = opened(0, 0);
    desk.had(FORCE, &call, vec![victim()]).await;
    assert_eq!(found(&call).await, [first.as_str()]);
    refused(desk.judge(&call, &further, true).await, Code::NotFound, "UNKNOWN_MATCH");
    let begun = desk.form(form(&call, "")).await.unwrap();
    desk.ticks(&call, &begun.assessment_id, 2).await;
    let finding = desk.judge(&call, &first, true).await.unwrap().finding.unwrap();
    assert_eq!((finding.reports, finding.least()), (2, RiskGrade::Standard));
}
