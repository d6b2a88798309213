//! Referrals: drafted from what is known, told to a partner, and taken back.

mod by_rule;
mod kept;

use std::collections::BTreeMap;

use api::{
    intake::v1::{self as intake, ConsentKind, consent_recorded::ConsentFact},
    referral::v1::{
        AcknowledgeReferralRequest, ListReferralKindsRequest, MakeReferralRequest, Person, PersonRole,
        RecordOutcomeRequest, Referral, ReferralAcknowledged, ReferralMade, ReferralState, ReferralWithdrawn,
        SendReferralRequest, WithdrawReferralRequest,
    },
};
use chassis::status::metadata_of;
use futures::StreamExt;
use prost::Message;
use testkit::{Service, isolation::Isolation};
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, PATIENCE, new_call, refused},
    people::{request_id, saving, victim},
};

pub fn making(call: &str, kind: &str) -> MakeReferralRequest {
    MakeReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        kind: kind.into(),
        ..Default::default()
    }
}

fn sending(call: &str, referral: &Referral) -> SendReferralRequest {
    SendReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        referral_id: referral.referral_id.clone(),
        version: referral.version,
        by_hand: "the duty adviser".into(),
    }
}

fn withdrawing(call: &str, referral: &Referral) -> WithdrawReferralRequest {
    WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        referral_id: referral.referral_id.clone(),
        reason: "made twice".into(),
    }
}

fn acknowledging(call: &str, referral: &Referral, by: &str) -> AcknowledgeReferralRequest {
    AcknowledgeReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        referral_id: referral.referral_id.clone(),
        acknowledged_by: by.into(),
    }
}

fn outcome(call: &str, referral: &Referral) -> RecordOutcomeRequest {
    RecordOutcomeRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        referral_id: referral.referral_id.clone(),
        outcome: "a place from Monday".into(),
    }
}

/// A desk whose force has no partners: everything is told by hand.
async fn alone() -> Desk {
    Desk::open_with(&[("ALCOVE_REFERRAL__BOOKS__PARTNERS", "/dev/null")]).await
}

impl Desk {
    pub async fn make(&self, request: MakeReferralRequest) -> Result<Referral, Status> {
        Ok(self.client().make_referral(request).await?.into_inner().referral.unwrap())
    }

    async fn send(&self, request: SendReferralRequest) -> Result<Referral, Status> {
        Ok(self.client().send_referral(request).await?.into_inner().referral.unwrap())
    }

    async fn withdraw(&self, request: WithdrawReferralRequest) -> Result<Referral, Status> {
        Ok(self.client().withdraw_referral(request).await?.into_inner().referral.unwrap())
    }

    async fn acknowledge(&self, request: AcknowledgeReferralRequest) -> Result<Referral, Status> {
        Ok(self.client().acknowledge_referral(request).await?.into_inner().referral.unwrap())
    }

    async fn record(&self, request: RecordOutcomeRequest) -> Result<Referral, Status> {
        Ok(self.client().record_outcome(request).await?.into_inner().referral.unwrap())
    }

    /// The caller says yes to such a referral, or takes it back.
    pub async fn agrees(&self, call: &str, kind: &str, given: bool) {
        let fact = ConsentFact { kind: ConsentKind::Referral.into(), given, subject: format!("{kind}/1") };
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let recorded = intake::ConsentRecorded { call_id, force_id, occurred_at: None, consents: vec![fact] };
        self.says("intake", "consent_recorded", call, &recorded).await;
    }

    /// What was published of referrals, from the first, until there are so many: event, kind, by hand.
    async fn published(&self, count: usize) -> Vec<(String, String, bool)> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "referral").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await.unwrap();
        let config = async_nats::jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen = vec![];
        let collect = async {
            while seen.len() < count {
                let message = messages.next().await.unwrap().unwrap();
                let event = message.subject.as_str().split('.').nth(3).unwrap().to_owned();
                let payload = message.payload.clone();
                let (kind, by_hand) = match event.as_str() {
                    "referral_made" => ReferralMade::decode(payload).map(|made| (made.kind, made.by_hand)).unwrap(),
                    "referral_acknowledged" => (ReferralAcknowledged::decode(payload).unwrap().kind, false),
                    "referral_withdrawn" => (ReferralWithdrawn::decode(payload).unwrap().kind, false),
                    _ => continue,
                };
                seen.push((event, kind, by_hand));
            }
        };
        tokio::time::timeout(PATIENCE, collect).await.expect("it is published");
        seen
    }
}

fn told(event: &str, kind: &str, by_hand: bool) -> (String, String, bool) {
    (event.to_owned(), kind.to_owned(), by_hand)
}

fn value<'r>(referral: &'r Referral, key: &str) -> &'r str {
    referral.fields.iter().find(|field| field.key == key).map_or("", |field| field.value.as_str())
}

#[tokio::test]
async fn a_referral_is_filled_from_the_case_told_by_hand_and_comes_to_its_outcome() {
    let desk = alone().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    let request = MakeReferralRequest { note: "ring before ten".into(), ..making(&call, "victim-support") };
    let empty = desk.make(request.clone()).await.unwrap();
    assert_eq!((empty.state(), empty.note.as_str()), (ReferralState::Draft, "ring before ten"));
    assert_eq!(empty.missing, ["victim.name", "victim.safe_contact.ways"]);
    assert_eq!(empty.blocked_by, ["FIELDS_MISSING", "CONSENT_MISSING", "NO_PARTNER"]);
    assert!(desk.make(request).await.unwrap() == empty, "asked again by the same id");
    let noted = MakeReferralRequest { note: "ring at noon".into(), ..making(&call, "victim-support") };
    let noted = desk.make(noted).await.unwrap();
    assert_eq!((&noted.referral_id, noted.note.as_str()), (&empty.referral_id, "ring at noon"), "one draft a kind");
    assert_ne!(noted.version, empty.version);

    // What is written down of the victim is in it at once, for whoever watches too.
    let status = desk.send(sending(&call, &noted)).await.err().unwrap();
    assert_eq!(metadata_of(&status, "fields").unwrap(), "victim.name,victim.safe_contact.ways");
    refused(Err::<(), _>(status), Code::FailedPrecondition, "FIELDS_MISSING");
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let case = watch.until(|case| case.referrals.first().is_some_and(|one| one.missing.is_empty())).await;
    let draft = &case.referrals[0];
    assert_eq!((value(draft, "victim.name"), value(draft, "incident.reference")), ("Canary Finch", "2026-11-24/1123"));
    assert_eq!(value(draft, "victim.phone"), "", "it isn't safe to ring them");

    refused(desk.send(sending(&call, &noted)).await, Code::Aborted, "CHANGED_MEANWHILE");
    refused(desk.send(sending(&call, draft)).await, Code::FailedPrecondition, "CONSENT_MISSING");
    desk.agrees(&call, "victim-support", true).await;
    let case = watch.until(|case| case.referrals[0].blocked_by == ["NO_PARTNER"]).await;
    let draft = case.referrals[0].clone();
    let by_service = SendReferralRequest { by_hand: String::new(), ..sending(&call, &draft) };
    refused(desk.send(by_service).await, Code::FailedPrecondition, "NO_PARTNER");

    refused(desk.acknowledge(acknowledging(&call, &draft, "A")).await, Code::FailedPrecondition, "NOT_SENT");
    refused(desk.record(outcome(&call, &draft)).await, Code::FailedPrecondition, "NOT_SENT");
    let (a, b) = tokio::join!(desk.send(sending(&call, &draft)), desk.send(sending(&call, &draft)));
    assert!(a.is_ok() != b.is_ok(), "of two officers one sends it");
    let (sent, late) = if a.is_ok() { (a, b) } else { (b, a) };
    refused(late, Code::FailedPrecondition, "NOT_A_DRAFT");
    let sent = sent.unwrap();
    assert_eq!(
        (sent.state(), sent.by_hand.as_str(), sent.sent_by.as_str()),
        (ReferralState::Sent, "the duty adviser", "PC1")
    );

    // What it says now is what was said then, whatever becomes of the case.
    let person = Person { given_name: "Other".into(), ..case.people[0].clone() };
    desk.save_person(saving(&call, "PC1", person)).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    assert!(case.referrals == [sent.clone()]);

    let has = desk.acknowledge(acknowledging(&call, &sent, "A. Adviser")).await.unwrap();
    assert_eq!((has.state(), has.acknowledged_by.as_str()), (ReferralState::Acknowledged, "A. Adviser"));
    let again = desk.acknowledge(acknowledging(&call, &sent, "Somebody else")).await.unwrap();
    assert!(again == has, "who was first stays");
    let done = desk.record(outcome(&call, &sent)).await.unwrap();
    assert_eq!((done.state(), done.outcome.as_str()), (ReferralState::Outcome, "a place from Monday"));
    refused(desk.withdraw(withdrawing(&call, &sent)).await, Code::FailedPrecondition, "NOT_OPEN");
    let events =
        [told("referral_made", "victim-support", true), told("referral_acknowledged", "victim-support", false)];
    assert_eq!(desk.published(2).await, events);

    let versions = "select body ->> 'stage', count(*) over () from referral.referral_versions order by revision";
    let versions: Vec<(Option<String>, i64)> = sqlx::query_as(versions).fetch_all(&desk.db.pool()).await.unwrap();
    assert_eq!(versions.len(), 5, "drafted, noted, sent, acknowledged, done");
    for statement in ["update referral.referral_versions set body = '{}'", "delete from referral.referral_versions"] {
        assert!(sqlx::query(statement).execute(&desk.db.pool()).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn a_consent_taken_back_keeps_a_draft_and_ends_what_was_sent() {
    let desk = alone().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let mut watch = desk.watch(&call).await;
    for kind in ["victim-support", "housing", "interpreter"] {
        desk.agrees(&call, kind, true).await;
        desk.make(making(&call, kind)).await.unwrap();
    }
    let ready = |case: &api::referral::v1::Case| {
        case.referrals.len() == 3 && case.referrals.iter().all(|one| one.blocked_by == ["NO_PARTNER"])
    };
    let case = watch.until(ready).await;
    for kind in ["victim-support", "interpreter"] {
        let draft = case.referrals.iter().find(|one| one.kind == kind).unwrap();
        desk.send(sending(&call, draft)).await.unwrap();
    }
    for kind in ["housing", "interpreter", "victim-support"] {
        desk.agrees(&call, kind, false).await;
    }
    let of = |case: &api::referral::v1::Case, kind: &str| {
        case.referrals.iter().find(|one| one.kind == kind).cloned().unwrap()
    };
    let case = watch.until(|case| of(case, "victim-support").consent_withdrawn).await;
    let stopped = of(&case, "victim-support");
    assert_eq!((stopped.state(), stopped.withdrawn_why.as_str()), (ReferralState::Withdrawn, "consent taken back"));
    let kept = of(&case, "housing");
    assert_eq!(kept.state(), ReferralState::Draft);
    refused(desk.send(sending(&call, &kept)).await, Code::FailedPrecondition, "CONSENT_MISSING");
    let needs_none = of(&case, "interpreter");
    assert_eq!((needs_none.state(), needs_none.consent_withdrawn), (ReferralState::Sent, false));
    let events = desk.published(3).await;
    assert_eq!(events[2], told("referral_withdrawn", "victim-support", false));
    // Said again, it is another draft.
    let anew = desk.make(making(&call, "victim-support")).await.unwrap();
    assert!(anew.referral_id != stopped.referral_id && anew.state() == ReferralState::Draft);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    refused(desk.make(making(&new_call(), "idva")).await, Code::NotFound, "UNKNOWN_CALL");
    refused(desk.make(making(&call, "spell")).await, Code::NotFound, "UNKNOWN_KIND");
    refused(desk.make(making(&call, "mash")).await, Code::InvalidArgument, "PERSON_REQUIRED");
    let of_whom = |id: String| MakeReferralRequest { person_id: id, ..making(&call, "mash") };
    refused(desk.make(of_whom(request_id())).await, Code::NotFound, "UNKNOWN_PERSON");
    let other = Person { role: PersonRole::Other.into(), given_name: "N".into(), ..Default::default() };
    let adult = desk.save_person(saving(&call, "PC1", other)).await.unwrap();
    refused(desk.make(of_whom(adult.person_id)).await, Code::NotFound, "UNKNOWN_PERSON");
    let long = MakeReferralRequest { note: "n".repeat(2001), ..making(&call, "idva") };
    refused(desk.make(long).await, Code::InvalidArgument, "INVALID_NOTE");
    let nobody = MakeReferralRequest { partner_id: "nobody".into(), ..making(&call, "idva") };
    refused(desk.make(nobody).await, Code::NotFound, "UNKNOWN_PARTNER");
    let theirs = MakeReferralRequest { force_id: "kent".into(), ..making(&call, "idva") };
    refused(desk.make(theirs).await, Code::NotFound, "UNKNOWN_CALL");

    let draft = desk.make(making(&call, "interpreter")).await.unwrap();
    let other_call = desk.case().await;
    refused(desk.send(sending(&other_call, &draft)).await, Code::NotFound, "UNKNOWN_REFERRAL");
    let no_reason = WithdrawReferralRequest { reason: String::new(), ..withdrawing(&call, &draft) };
    refused(desk.withdraw(no_reason).await, Code::InvalidArgument, "REASON_REQUIRED");
    refused(
        desk.acknowledge(acknowledging(&call, &draft, " ")).await,
        Code::InvalidArgument,
        "INVALID_ACKNOWLEDGEMENT",
    );
    let no_words = RecordOutcomeRequest { outcome: "o".repeat(501), ..outcome(&call, &draft) };
    refused(desk.record(no_words).await, Code::InvalidArgument, "INVALID_OUTCOME");
    let long = SendReferralRequest { by_hand: "w".repeat(101), ..sending(&call, &draft) };
    refused(desk.send(long).await, Code::InvalidArgument, "INVALID_BY_HAND");
    let first = withdrawing(&call, &draft);
    let gone = desk.withdraw(first.clone()).await.unwrap();
    assert_eq!((gone.state(), gone.withdrawn_why.as_str()), (ReferralState::Withdrawn, "made twice"));
    assert!(desk.withdraw(first.clone()).await.unwrap() == gone);
    let reused = WithdrawReferralRequest { reason: "another".into(), ..first };
    refused(desk.withdraw(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    refused(desk.withdraw(withdrawing(&call, &draft)).await, Code::FailedPrecondition, "NOT_OPEN");
    refused(desk.acknowledge(acknowledging(&call, &draft, "A")).await, Code::FailedPrecondition, "NOT_SENT");
}

#[tokio::test]
async fn kinds_are_the_force_s_own_and_a_crash_keeps_what_was_sent() {
    let kinds = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/kinds.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("kinds-kent.toml");
    std::fs::write(&own, format!("[[kind]]{}", kinds.split("[[kind]]").nth(1).unwrap())).unwrap();
    let mut desk = Desk::open_with(&[("ALCOVE_REFERRAL__BOOKS__FORCE_KINDS__KENT", own.to_str().unwrap())]).await;
    let listed = async |force: &str| {
        let request = ListReferralKindsRequest { force_id: force.into() };
        let kinds = desk.client().list_referral_kinds(request).await.unwrap().into_inner().kinds;
        kinds.into_iter().map(|kind| (kind.key.clone(), kind)).collect::<BTreeMap<_, _>>()
    };
    let (ours, theirs) = (listed(FORCE).await, listed("kent").await);
    assert_eq!((ours.len(), theirs.len()), (14, 1));
    assert!(ours["encompass"].about_child && !ours["encompass"].consent_required && ours["idva"].consent_required);
    assert!(ours.values().all(|kind| !kind.lawful_basis.is_empty() && !kind.title.is_empty()));

    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let draft = desk.make(making(&call, "interpreter")).await.unwrap();
    let request = sending(&call, &draft);
    let sent = desk.send(request.clone()).await.unwrap();
    desk.service.kill().await.unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    assert!(desk.get_case(&call).await.unwrap().referrals == [sent.clone()]);
    assert!(desk.send(request).await.unwrap() == sent, "answered once");
    assert_eq!(desk.published(1).await, [told("referral_made", "interpreter", true)]);

    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &["referrals", "referral_versions"] };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;

    // Kinds that make no sense: it doesn't start, and says which.
    let text = kinds.replace("\"victim.name\"", "\"victim.nose\"");
    std::fs::write(&own, text).unwrap();
    let error =
        Service::start("referral", &[("ALCOVE_REFERRAL__BOOKS__KINDS", own.to_str().unwrap())]).await.unwrap_err();
    let said = format!("{error:?} {error}");
    assert!(said.contains("victim.nose") && said.contains("idva"), "{said}");
}
