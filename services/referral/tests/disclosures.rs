//! Clare's Law: an application goes its way, and nothing is told before its time.

use api::{
    intake::v1::{ConsentKind, ConsentRecorded, consent_recorded::ConsentFact},
    referral::v1::{
        CheckKind, Disclosure, DisclosureStage, DisclosureState, MakeReferralRequest, Person, PersonRole,
        RecordDisclosureStageRequest, ReferralState, SendReferralRequest,
        disclosure_stage::{Check, Decision, Plan, Stage, Told},
    },
};
use prost_types::Timestamp;
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::{request_id, saving, victim},
};

const AT: Timestamp = Timestamp { seconds: 1_800_000_000, nanos: 0 };

fn check(kind: CheckKind) -> Stage {
    Stage::Check(Check { kind: kind.into(), result: "as they said".into() })
}

fn decision(disclose: bool) -> Stage {
    Stage::Decision(Decision { disclose, reasons: "a pattern of it".into(), decided_by: "DI Low".into() })
}

fn plan() -> Stage {
    Stage::Plan(Plan { at: Some(AT), way: "at her mother's".into(), present: "DC High".into() })
}

fn told(immediate_protection: &str) -> Stage {
    let immediate_protection = immediate_protection.to_owned();
    Stage::Told(Told { at: Some(AT), to: "DC High to the applicant".into(), unrecorded: true, immediate_protection })
}

impl Desk {
    /// An application that was drafted, and everything that it needs to be sent.
    pub async fn application(&self, call: &str) -> String {
        self.save_person(saving(call, "pc.a", victim())).await.unwrap();
        let suspect = Person {
            role: PersonRole::Suspect.into(),
            given_name: "Sam".into(),
            family_name: "Rook".into(),
            ..Default::default()
        };
        self.save_person(saving(call, "pc.a", suspect)).await.unwrap();
        let fact = ConsentFact { kind: ConsentKind::Referral.into(), given: true, subject: "clares-law-ask/1".into() };
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let recorded = ConsentRecorded { call_id, force_id, occurred_at: None, consents: vec![fact] };
        let mut watch = self.watch(call).await;
        let before = watch.next().await.version;
        self.says("intake", "consent_recorded", call, &recorded).await;
        watch.until(|case| case.version > before).await;
        let making = MakeReferralRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            call_id: call.into(),
            officer_id: "pc.a".into(),
            kind: "clares-law-ask".into(),
            ..Default::default()
        };
        self.client().make_referral(making).await.unwrap().into_inner().referral.unwrap().referral_id
    }

    async fn told_by_hand(&self, call: &str, referral: &str) {
        let case = self.get_case(call).await.unwrap();
        let draft = case.referrals.iter().find(|one| one.referral_id == referral).unwrap();
        let sending = SendReferralRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            call_id: call.into(),
            officer_id: "pc.a".into(),
            referral_id: referral.into(),
            version: draft.version,
            by_hand: "the disclosure unit".into(),
        };
        self.client().send_referral(sending).await.unwrap();
    }

    async fn stage(&self, call: &str, referral: &str, version: u64, stage: Stage) -> Result<Disclosure, Status> {
        let request = RecordDisclosureStageRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            call_id: call.into(),
            officer_id: "pc.a".into(),
            referral_id: referral.into(),
            version,
            stage: Some(DisclosureStage { stage: Some(stage), ..Default::default() }),
        };
        let answer = self.client().record_disclosure_stage(request).await?.into_inner();
        Ok(answer.disclosure.unwrap())
    }
}

#[tokio::test]
async fn an_application_goes_its_way_and_its_decision_is_its_outcome() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let referral = desk.application(&call).await;
    let order = async |version, stage| desk.stage(&call, &referral, version, stage).await;
    assert_eq!(order(0, check(CheckKind::Identity)).await.unwrap().state(), DisclosureState::Applied);
    refused(order(1, decision(true)).await, Code::FailedPrecondition, "NOT_CHECKED");
    order(1, check(CheckKind::Safety)).await.unwrap();
    // What nobody was asked for can't have been decided.
    refused(order(2, decision(true)).await, Code::FailedPrecondition, "NOT_SENT");
    desk.told_by_hand(&call, &referral).await;
    refused(order(2, plan()).await, Code::FailedPrecondition, "NOT_DECIDED");
    assert_eq!(order(2, decision(true)).await.unwrap().state(), DisclosureState::ToBePlanned);
    // Two officers at once: the second has not seen the first's.
    refused(order(2, plan()).await, Code::Aborted, "CHANGED_MEANWHILE");
    refused(order(3, told("")).await, Code::FailedPrecondition, "NOT_PLANNED");
    assert_eq!(order(3, plan()).await.unwrap().state(), DisclosureState::Planned);
    let over = order(4, told("")).await.unwrap();
    assert_eq!((over.state(), over.version), (DisclosureState::Disclosed, 5));
    refused(order(5, told("")).await, Code::FailedPrecondition, "STAGE_PAST");

    let case = desk.get_case(&call).await.unwrap();
    assert!(case.disclosures == [over]);
    let one = case.referrals.iter().find(|one| one.referral_id == referral).unwrap();
    assert_eq!((one.state(), one.outcome.as_str()), (ReferralState::Outcome, "it was decided to disclose"));
    let clock = case.clocks.iter().find(|clock| clock.key == "clares-law").unwrap();
    assert!(clock.stopped_at.is_some(), "28 days are to the decision");
}

#[tokio::test]
async fn who_must_be_protected_at_once_is_told_at_once_and_what_makes_no_sense_is_refused() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let referral = desk.application(&call).await;
    let order = async |version, stage| desk.stage(&call, &referral, version, stage).await;
    refused(order(0, told("")).await, Code::FailedPrecondition, "NOT_DECIDED");
    let untimed = Stage::Plan(Plan { at: None, way: "x".into(), present: "y".into() });
    refused(order(0, untimed).await, Code::InvalidArgument, "INVALID_STAGE");
    let unkind = Stage::Check(Check { kind: 99, result: "x".into() });
    refused(order(0, unkind).await, Code::InvalidArgument, "INVALID_STAGE");
    let urgent = order(0, told("he is on his way, and has done this before")).await.unwrap();
    assert_eq!(urgent.state(), DisclosureState::Disclosed);
    refused(desk.stage(&call, &new_call(), 0, plan()).await, Code::NotFound, "UNKNOWN_REFERRAL");
    refused(desk.stage(&new_call(), &referral, 0, plan()).await, Code::NotFound, "UNKNOWN_CALL");
}
