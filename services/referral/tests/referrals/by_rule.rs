//! Referrals that nobody's hand drafts.

use api::{
    intake::v1::RiskGrade,
    referral::v1::{ChildDetails, ClockState, Known, Person, PersonRole, Referral, ReferralState, RemovePersonRequest},
};
use tonic::Code;

use super::{sending, value, withdrawing};
use crate::{
    desk::{Desk, FORCE, refused},
    people::{child, request_id, saving, victim},
    risk::grading,
};

#[tokio::test]
async fn a_child_s_notices_are_drafted_by_rule_once() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let mia = desk.save_person(saving(&call, "PC1", child("Mia"))).await.unwrap();
    desk.save_person(saving(&call, "PC1", Person { child: None, ..child("Noor") })).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    let [notice] = case.referrals.as_slice() else { panic!("one notice: {}", case.referrals.len()) };
    assert_eq!((notice.kind.as_str(), &notice.person_id), ("encompass", &mia.person_id));
    assert_eq!((notice.made_because.as_str(), notice.missing.len()), ("child present", 0));
    assert_eq!(value(notice, "child.school"), "Mill Lane Primary");
    assert_eq!(value(notice, "contact"), "Do not contact the family about this.");

    assert_eq!((case.clocks[0].key.as_str(), case.clocks[0].state()), ("encompass", ClockState::Running));

    // An officer took it back: it isn't drafted again by the next word that is saved. Seeing it is another matter.
    desk.withdraw(withdrawing(&call, notice)).await.unwrap();
    let saw = ChildDetails { saw_or_heard: Known::Yes.into(), ..child("").child.unwrap() };
    let saved = Person { person_id: mia.person_id.clone(), version: 1, child: Some(saw), ..child("Mia") };
    let saved = desk.save_person(saving(&call, "PC1", saved)).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    assert!(case.clocks.iter().any(|clock| clock.key == "encompass" && clock.state() == ClockState::Stopped));
    let open = |one: &&Referral| one.state() == ReferralState::Draft;
    let drafts: Vec<_> =
        case.referrals.iter().filter(open).map(|one| (one.kind.as_str(), one.made_because.as_str())).collect();
    assert_eq!(drafts, [("mash", "child saw or heard it")]);

    // Of somebody who was spoken of to a partner nothing goes; a draft goes with them.
    let removing = |id: &str, version| RemovePersonRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "PC1".into(),
        person_id: id.into(),
        version,
        reason: "another family's".into(),
    };
    let mash = case.referrals.iter().find(open).unwrap();
    desk.send(sending(&call, mash)).await.unwrap();
    let in_use = desk.client().remove_person(removing(&mia.person_id, saved.version)).await;
    refused(in_use, Code::FailedPrecondition, "PERSON_IN_USE");
    let ava = desk.save_person(saving(&call, "PC1", child("Ava"))).await.unwrap();
    desk.client().remove_person(removing(&ava.person_id, 1)).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    assert!(!case.referrals.iter().any(|one| one.person_id == ava.person_id && one.state() == ReferralState::Draft));
}

#[tokio::test]
async fn high_drafts_the_marac_with_the_risk_in_it_and_its_clock_ends_when_it_is_sent() {
    let desk = Desk::open().await;
    let (call, assessment) = desk.begun().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let suspect = Person {
        role: PersonRole::Suspect.into(),
        given_name: "Sam".into(),
        relationship: "husband".into(),
        ..Default::default()
    };
    desk.save_person(saving(&call, "PC1", suspect)).await.unwrap();
    desk.ticks(&call, &assessment, 2).await;
    for reason in ["she is terrified", "he is out again"] {
        let present = desk.assessment(&call).await;
        desk.grade(grading(&call, &present, RiskGrade::High, reason)).await.unwrap();
    }
    let case = desk.get_case(&call).await.unwrap();
    let [marac] = case.referrals.as_slice() else { panic!("one draft: {}", case.referrals.len()) };
    assert_eq!((marac.kind.as_str(), marac.made_because.as_str()), ("marac", "high risk"));
    assert!(marac.missing.is_empty(), "{:?}", marac.missing);
    assert!(value(marac, "risk.grade").eq_ignore_ascii_case("high") && !value(marac, "risk.because").is_empty());
    assert!(marac.fields.iter().any(|field| field.key == "risk.answers.1" && !field.value.is_empty()));
    let [clock] = case.clocks.as_slice() else { panic!("one clock: {}", case.clocks.len()) };
    assert_eq!((clock.key.as_str(), &clock.referral_id), ("marac", &marac.referral_id));
    let made = |case: &api::referral::v1::Case| {
        case.checklist.iter().find(|item| item.key == "referrals").map(|item| item.evidence.clone())
    };
    assert_eq!(made(&case).as_deref(), Some(""), "drafted is not made");

    desk.send(sending(&call, marac)).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    assert_eq!(case.clocks[0].state(), ClockState::Stopped);
    assert_eq!(made(&case).as_deref(), Some("Multi-agency risk assessment conference (MARAC)"));
}
