//! An officer rings the caller of a call that is over back, and starts a further one.

use crate::{callbacks::returns, support::*};
use api::{
    intake::v1::{
        CallState, Consent, ConsentKind, DeviceSafety, FollowUpStarted, Gender, GetCallRequest, GetReachRequest,
        JoinRoute, ListCallsRequest, RecordTriageRequest, RiskGrade, SilentCaller, StartFollowUpRequest,
        TransferRequested, Vulnerability, WatchForceRequest, force_update::Kind,
    },
    referral::v1::RiskGraded,
    transfer::v1::CallAccepted,
};
use chassis::status::metadata_of;
use futures::future::join_all;
use prost::Message;
use tonic::Code;

const PHONE: &str = "+447700900456";

fn agreed(kinds: &[ConsentKind]) -> Vec<Consent> {
    let how = "spoken, when rung back".to_owned();
    kinds
        .iter()
        .map(|kind| Consent { kind: (*kind).into(), given: true, how: how.clone(), ..Default::default() })
        .collect()
}

/// PC1 has the caller on the phone: nobody listens, and somebody else reads.
fn rung(call: &str) -> StartFollowUpRequest {
    StartFollowUpRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        device_safety: Some(DeviceSafety { messages_read: true, ..Default::default() }),
        number: PHONE.into(),
        consents: agreed(&[ConsentKind::Video, ConsentKind::Stills]),
        can_join: true,
        ..Default::default()
    }
}

impl Room {
    /// A call whose session is over and whose exhibit is sealed.
    async fn closed_call(&self, others: &Others, number: &str) -> String {
        let call = self.waiting_call(number).await;
        self.close(others, &call).await;
        call
    }

    async fn close(&self, others: &Others, call: &str) {
        let mut watch = self.watch(call, 0).await;
        others.accepted(call).await;
        others.ended(call).await;
        others.sealed(call).await;
        all(&mut watch, 1).await;
    }

    /// A call that waits for the desk, triaged so.
    async fn waits_with(&self, number: &str, change: fn(&mut RecordTriageRequest)) -> String {
        let (mut client, call) = (self.client.clone(), self.call(number).await);
        let mut request = triage(&call);
        change(&mut request);
        client.record_triage(request).await.unwrap();
        client.record_consent(consent(&call, &[ConsentKind::Video])).await.unwrap();
        client.request_transfer(transfer_of(&call)).await.unwrap();
        call
    }

    async fn follows(&self, request: StartFollowUpRequest) -> String {
        self.client.clone().start_follow_up(request).await.unwrap().into_inner().call_id
    }

    /// What the desk is asked for.
    async fn asked(&self, call: &str) -> TransferRequested {
        let published = self.published(call, "transfer_requested").await;
        TransferRequested::decode(published.last().unwrap().payload.as_slice()).unwrap()
    }

    /// Whether a text message may be sent, and to whom.
    async fn reach(&self, call: &str) -> (bool, String) {
        let request = GetReachRequest { force_id: FORCE.into(), call_id: call.into() };
        let reach = self.client.clone().get_reach(request).await.unwrap().into_inner();
        (reach.sms_allowed, reach.caller_number)
    }

    async fn count(&self, of: &'static str) -> i64 {
        sqlx::query_scalar(of).fetch_one(&self.db.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn a_follow_up_is_a_call_of_its_own_with_what_was_asked_anew_and_what_was_found_before() {
    let room = Room::open().await;
    let (mut client, others) = (room.client.clone(), Others::at(&room.nats).await);
    let first = room.closed_call(&others, "1123").await;
    // Whatever goes back by MAIT of the first call does so of what follows it.
    let by_mait = "insert into intake.mait_sent (call_id, force_id, told, next_at) values ($1::uuid, 'wmp', 0, now())";
    sqlx::query(by_mait).bind(&first).execute(&room.db.pool()).await.unwrap();

    let asked = rung(&first);
    let started = client.start_follow_up(asked.clone()).await.unwrap().into_inner();
    assert_eq!((started.state(), started.route()), (CallState::TransferRequested, JoinRoute::SpokenCode));
    let call = started.call_id.clone();
    assert_ne!(call, first);
    assert_eq!(client.start_follow_up(asked.clone()).await.unwrap().into_inner(), started, "asked again");
    let other = StartFollowUpRequest { number: String::new(), ..asked };
    refused(client.start_follow_up(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");

    let published = room.published(&call, "transfer_requested").await;
    let names: Vec<_> = published.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["call_opened", "follow_up_started", "consent_recorded", "transfer_requested"]);
    assert!(published.iter().all(|event| !String::from_utf8_lossy(&event.payload).contains("447700900")));
    let told = FollowUpStarted::decode(published[1].payload.as_slice()).unwrap();
    assert_eq!((told.call_id, told.first_call_id, told.officer_id), (call.clone(), first.clone(), "PC1".into()));
    let asked = TransferRequested::decode(published[3].payload.as_slice()).unwrap();
    assert_eq!((asked.for_officer.as_str(), &asked.follow_up_of), ("PC1", &first));
    assert_eq!((asked.recording_consented, asked.stills_consented), (false, true), "as agreed to now, and not before");
    assert_eq!((asked.risk(), asked.vulnerability()), (RiskGrade::High, Vulnerability::Great), "as found before");
    let needs = (asked.officer_asked_for(), asked.child_may_speak, asked.children_present, asked.language.as_str());
    assert_eq!(needs, (Gender::Woman, true, true, "en"));

    // The control room finds it, and what it is.
    let get = GetCallRequest { force_id: FORCE.into(), call_id: call.clone() };
    let got = client.get_call(get).await.unwrap().into_inner();
    assert_eq!((got.follow_up_of, got.incident.unwrap().number), (first.clone(), "1123".into()));
    let list = ListCallsRequest { force_id: FORCE.into(), ..Default::default() };
    let listed = client.list_calls(list).await.unwrap().into_inner().calls;
    let ids: Vec<_> = listed.iter().map(|one| (one.call_id.as_str(), one.follow_up_of.as_str())).collect();
    assert_eq!(ids, [(call.as_str(), first.as_str()), (first.as_str(), "")]);
    let watch = WatchForceRequest { force_id: FORCE.into(), after_sequence: 0 };
    let mut force = client.watch_force(watch).await.unwrap().into_inner();
    let opened = loop {
        let told = tokio::time::timeout(PATIENCE, force.message()).await.expect("it is told").unwrap().unwrap();
        match told.update.unwrap().kind.unwrap() {
            Kind::Opened(opened) if told.call_id == call => break opened,
            _ => {}
        }
    };
    assert_eq!(opened.follow_up_of, first);
    assert_eq!(
        client.open_call(opening("1123")).await.unwrap().into_inner().call_id,
        call,
        "an incident has one open call"
    );

    // What was asked is of the phone that was rung.
    assert_eq!(room.reach(&call).await, (false, PHONE.into()));
    assert_eq!(room.count("select count(*) from intake.triages where taken_by = 'PC1' and version = 1").await, 1);
    assert_eq!(room.count("select count(*) from intake.consents where taken_by = 'PC1'").await, 2);
    assert_eq!(room.count("select count(*) from intake.mait_sent").await, 2);

    // While it goes on there is no other; then there may be, and it follows the first.
    let open = client.start_follow_up(rung(&first)).await.unwrap_err();
    assert_eq!(metadata_of(&open, "call_id").as_deref(), Some(call.as_str()));
    refused::<()>(Err(open), Code::FailedPrecondition, "FOLLOW_UP_OPEN");
    refused(client.start_follow_up(rung(&call)).await, Code::FailedPrecondition, "CALL_NOT_OVER");
    room.close(&others, &call).await;
    let same_phone = StartFollowUpRequest { number: String::new(), ..rung(&call) };
    let third = client.start_follow_up(same_phone).await.unwrap().into_inner().call_id;
    let get = GetCallRequest { force_id: FORCE.into(), call_id: third };
    assert_eq!(client.get_call(get).await.unwrap().into_inner().follow_up_of, first);

    let log = std::fs::read_to_string(room.service.log_file()).unwrap();
    assert!(!log.contains("447700900"));
}

#[tokio::test]
async fn who_may_not_come_or_agrees_to_no_video_is_refused_and_nothing_is_kept() {
    let room = Room::open().await;
    let (mut client, others) = (room.client.clone(), Others::at(&room.nats).await);
    let first = room.closed_call(&others, "1").await;
    let (bad, not_now) = (Code::InvalidArgument, Code::FailedPrecondition);
    let ask = |change: fn(&mut StartFollowUpRequest)| {
        let (mut client, mut request) = (client.clone(), rung(&first));
        change(&mut request);
        async move { client.start_follow_up(request).await }
    };
    for (change, code, reason) in [
        ((|r| r.immediate_danger = true) as fn(&mut StartFollowUpRequest), not_now, "NOT_ELIGIBLE"),
        (|r| r.offender_present = true, not_now, "NOT_ELIGIBLE"),
        (|r| r.can_join = false, not_now, "NOT_ELIGIBLE"),
        (|r| r.device_safety.as_mut().unwrap().overheard = true, not_now, "NOT_ELIGIBLE"),
        (|r| r.consents = agreed(&[ConsentKind::Stills]), not_now, "NO_VIDEO_CONSENT"),
        (|r| r.consents[0].given = false, not_now, "NO_VIDEO_CONSENT"),
        (|r| r.consents.clear(), bad, "NO_CONSENTS"),
        (|r| r.consents[0].how.clear(), bad, "INVALID_CONSENT"),
        (|r| r.device_safety = None, bad, "INVALID_TRIAGE"),
        (|r| r.language = "?".into(), bad, "INVALID_TRIAGE"),
        (|r| r.officer_id.clear(), bad, "INVALID_OFFICER"),
        (|r| r.number = "07700".into(), bad, "INVALID_NUMBER"),
        (|r| r.force_id = "kent".into(), Code::NotFound, "UNKNOWN_CALL"),
        (|r| r.call_id = fresh(), Code::NotFound, "UNKNOWN_CALL"),
    ] {
        refused(ask(change).await, code, reason);
    }
    let danger = ask(|r| r.immediate_danger = true).await.unwrap_err();
    assert_eq!(metadata_of(&danger, "eligibility").as_deref(), Some("IMMEDIATE_DANGER"));
    assert!(metadata_of(&danger, "instead").unwrap().contains("response unit"));
    assert_eq!(room.count("select count(*) from intake.calls").await, 1);
    assert_eq!(room.count("select count(*) from intake.consents where taken_by = 'PC1'").await, 0);

    // Nor a call that no officer has had, nor beside one of the same incident.
    refused(client.start_follow_up(rung(&room.call("2").await)).await, not_now, "CALL_NOT_OVER");
    let again = room.call("1").await;
    let open = client.start_follow_up(rung(&first)).await.unwrap_err();
    assert_eq!(metadata_of(&open, "call_id"), Some(again));
    refused::<()>(Err(open), not_now, "FOLLOW_UP_OPEN");
}

#[tokio::test]
async fn of_several_at_once_one_begins_whichever_of_the_calls_they_follow() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let first = room.closed_call(&others, "1").await;
    let mut family = vec![first];
    for calls in 2..4 {
        let asked = (0..8).map(|n| {
            let (mut client, request) = (room.client.clone(), rung(&family[n % family.len()]));
            async move { client.start_follow_up(request).await }
        });
        let (begun, open): (Vec<_>, Vec<_>) = join_all(asked).await.into_iter().partition(Result::is_ok);
        assert_eq!(begun.len(), 1);
        open.into_iter().for_each(|answer| refused(answer, Code::FailedPrecondition, "FOLLOW_UP_OPEN"));
        assert_eq!(room.count("select count(*) from intake.calls").await, calls);
        let call = begun.into_iter().next().unwrap().unwrap().into_inner().call_id;
        room.close(&others, &call).await;
        family.push(call);
    }
}

#[tokio::test]
async fn the_number_that_they_called_from_is_not_taken_for_the_one_that_the_desk_rang() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let first = room.waiting_call("1").await;
    let mut watch = room.watch(&first, 0).await;
    returns(&others, &first, "CALL_BACK_AGREED", None).await;
    next(&mut watch).await.unwrap();
    let (call_id, force_id, officer_id) = (first.clone(), FORCE.to_owned(), "PC1".to_owned());
    let accepted = CallAccepted { call_id, force_id, officer_id, called_back: true, ..Default::default() };
    others.desk_says(&first, "call_accepted", &accepted).await;
    next(&mut watch).await.unwrap();
    others.ended(&first).await;
    others.sealed(&first).await;
    all(&mut watch, 3).await;

    // Nobody reads the messages of the phone that was rung now, wherever that is.
    let alone = || Some(DeviceSafety::default());
    let unknown = StartFollowUpRequest { number: String::new(), device_safety: alone(), ..rung(&first) };
    let call = room.follows(unknown).await;
    assert_eq!(room.reach(&call).await.1, "");
    room.close(&others, &call).await;
    let call = room.follows(StartFollowUpRequest { device_safety: alone(), ..rung(&first) }).await;
    assert_eq!(room.reach(&call).await, (true, PHONE.into()));
}

#[tokio::test]
async fn whether_they_speak_is_asked_anew() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let first = room
        .waits_with("1", |request| {
            request.set_silent_caller(SilentCaller::Pressed55);
            request.can_listen = true;
        })
        .await;
    room.close(&others, &first).await;
    let call = room.follows(rung(&first)).await;
    assert_eq!(room.asked(&call).await.silent_caller(), SilentCaller::Unspecified);
    room.close(&others, &call).await;
    let silent = StartFollowUpRequest { silent_caller: SilentCaller::CannotSpeak.into(), ..rung(&first) };
    let deaf = room.client.clone().start_follow_up(silent.clone()).await;
    refused(deaf, Code::FailedPrecondition, "NOT_ELIGIBLE");
    let call = room.follows(StartFollowUpRequest { request_id: fresh(), can_listen: true, ..silent }).await;
    assert_eq!(room.asked(&call).await.silent_caller(), SilentCaller::CannotSpeak);
}

#[tokio::test]
async fn it_is_as_grave_as_anybody_found_it_and_only_the_officer_s_answers_are_of_the_phone_that_they_rang() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let first = room.waits_with("1", |request| request.set_risk(RiskGrade::Standard)).await;
    let mut watch = room.watch(&first, 0).await;
    let graded = |grade: RiskGrade| RiskGraded {
        call_id: first.clone(),
        force_id: FORCE.into(),
        grade: grade.into(),
        officer_id: "PC1".into(),
        ..Default::default()
    };
    // The last counts, and not the first.
    for grade in [RiskGrade::Standard, RiskGrade::High] {
        others.referral_says(&first, "risk_graded", &graded(grade)).await;
        next(&mut watch).await.unwrap();
    }
    room.close(&others, &first).await;

    let alone = Some(DeviceSafety::default());
    let call = room.follows(StartFollowUpRequest { device_safety: alone.clone(), ..rung(&first) }).await;
    let asked = room.asked(&call).await;
    assert_eq!((asked.risk(), asked.children_present), (RiskGrade::High, true));
    assert_eq!(room.reach(&call).await, (true, PHONE.into()));
    // The caller rings 999 meanwhile, from a phone that nobody else reads. That isn't said of the one that the officer rang.
    let again = RecordTriageRequest {
        device_safety: alone,
        risk: RiskGrade::Standard.into(),
        children_present: false,
        ..triage(&call)
    };
    room.client.clone().record_triage(again).await.unwrap();
    assert_eq!(room.reach(&call).await, (false, PHONE.into()));
    room.close(&others, &call).await;

    // What was found last was found in the follow-up, whichever is named.
    let asked = room.asked(&room.follows(rung(&first)).await).await;
    assert_eq!((asked.risk(), asked.children_present), (RiskGrade::High, false));
}
