//! What a control room may ask: the way it is meant, and every way that it is not.

use crate::support::*;
use api::intake::v1::{
    CallState, CancelTransferRequest, ConsentKind, DeviceSafety, GetCallRequest, GetComeNowWordRequest,
    GetReachRequest, Incident, JoinRoute, Line, OpenCallRequest, RecordConsentRequest, RecordTriageRequest,
    TransferRequested, WatchCallRequest,
};
use futures::future::join_all;
use prost::Message;
use tonic::{Code, Request};

const UNKNOWN: &str = "01900000-0000-7000-8000-00000000ffff";

fn get(call: &str) -> GetCallRequest {
    GetCallRequest { force_id: FORCE.into(), call_id: call.into() }
}

fn cancel(call: &str) -> CancelTransferRequest {
    CancelTransferRequest { request_id: fresh(), force_id: FORCE.into(), call_id: call.into() }
}

#[tokio::test]
async fn a_call_goes_from_opening_to_sealing() {
    let room = Room::open().await;
    let (mut client, others) = (room.client.clone(), Others::at(&room.nats).await);

    // The first request gives the call its trace; later ones come with their own, and the call keeps the first.
    let mut request = Request::new(opening("1123"));
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    let opened = client.open_call(request).await.unwrap().into_inner();
    assert_eq!(opened.state(), CallState::Open);
    let call = opened.call_id;

    let answer = client.record_triage(triage(&call)).await.unwrap().into_inner();
    let eligibility = answer.eligibility.unwrap();
    assert!(eligibility.eligible && answer.version == 1);
    assert_eq!(eligibility.route(), JoinRoute::SpokenCode);
    let agreed = consent(&call, &[ConsentKind::Video, ConsentKind::Recording, ConsentKind::Covered]);
    assert_eq!(client.record_consent(agreed).await.unwrap().get_ref().state(), CallState::Consented);
    let asked = client.request_transfer(transfer_of(&call)).await.unwrap().into_inner();
    assert_eq!(asked.state(), CallState::TransferRequested);

    let published = room.published(&call, "transfer_requested").await;
    let names: Vec<_> = published.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["call_opened", "consent_recorded", "transfer_requested"]);
    for event in &published {
        assert_eq!(event.trace.trace_id(), "0af7651916cd43dd8448eb211c80319c", "{}", event.name);
        assert!(!String::from_utf8_lossy(&event.payload).contains("447700900123"));
    }
    let requested = TransferRequested::decode(published[2].payload.as_slice()).unwrap();
    assert!(requested.recording_consented && !requested.stills_consented && requested.children_present);
    assert!(requested.covered_recording_consented);
    assert_eq!(requested.language, "en");

    let mut watch = room.watch(&call, 0).await;
    others.queued(&call).await;
    others.offered(&call).await;
    others.accepted(&call).await;
    for expected in ["queued", "offered", "accepted"] {
        assert_eq!(name(&next(&mut watch).await.unwrap().1), expected);
    }
    assert_eq!(client.get_call(get(&call)).await.unwrap().get_ref().state(), CallState::WithDesk);
    // Assessed again while an officer has it: with a reason and a name, and both are kept with the version.
    refused(client.record_triage(triage(&call)).await, Code::FailedPrecondition, "REASON_REQUIRED");
    let mut again = triage(&call);
    (again.immediate_danger, again.taken_by) = (true, "CH4411".into());
    refused(client.record_triage(again.clone()).await, Code::FailedPrecondition, "REASON_REQUIRED");
    again.reason = "words of the caller: he is at the door".into();
    let answer = client.record_triage(again).await.unwrap().into_inner();
    assert_eq!((answer.version, answer.eligibility.unwrap().reason.as_str()), (2, "IMMEDIATE_DANGER"));
    let kept: (String, String) = sqlx::query_as("select reason, taken_by from intake.triages where version = 2")
        .fetch_one(&room.db.pool())
        .await
        .unwrap();
    assert_eq!(kept, ("words of the caller: he is at the door".into(), "CH4411".into()));
    assert_eq!(client.get_call(get(&call)).await.unwrap().get_ref().state(), CallState::WithDesk);
    refused(client.cancel_transfer(cancel(&call)).await, Code::FailedPrecondition, "NOT_REQUESTED");
    others.invited(&call).await;
    others.joined(&call).await;
    others.ended(&call).await;
    others.sealed(&call).await;
    assert_eq!(all(&mut watch, 4).await, ["invitation ready", "caller joined", "ended", "sealed"]);

    let done = client.get_call(get(&call)).await.unwrap().into_inner();
    assert_eq!((done.state(), done.line()), (CallState::Closed, Line::Line999));
    assert_eq!((done.exhibit_id, done.seal_sha256), (exhibit(), "ab".repeat(32)));
    refused(client.request_transfer(transfer_of(&call)).await, Code::FailedPrecondition, "CALL_CLOSED");

    let log = std::fs::read_to_string(room.service.log_file()).unwrap();
    assert!(!log.contains("447700900123") && !log.contains("words of the caller"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let bad = Code::InvalidArgument;

    let open = |change: fn(&mut OpenCallRequest)| {
        let (mut client, mut request) = (client.clone(), opening("1"));
        change(&mut request);
        async move { client.open_call(request).await }
    };
    refused(open(|r| r.force_id = "WMP".into()).await, bad, "INVALID_FORCE");
    refused(open(|r| r.line = 0).await, bad, "INVALID_LINE");
    refused(open(|r| r.incident = None).await, bad, "INVALID_INCIDENT");
    refused(
        open(|r| r.incident = Some(Incident { date: "2026-02-30".into(), number: "1".into() })).await,
        bad,
        "INVALID_INCIDENT",
    );
    refused(open(|r| r.caller_number = format!("{NUMBER}x")).await, bad, "INVALID_NUMBER");
    refused(open(|r| r.request_id = "twice".into()).await, bad, "MALFORMED_ID");

    // Unknown, malformed, and another force's, which is as good as unknown.
    let call = room.call("1").await;
    refused(client.get_call(get(UNKNOWN)).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.get_call(get("1123")).await, bad, "MALFORMED_ID");
    let other = || "kent".to_owned();
    let theirs = GetCallRequest { force_id: other(), call_id: call.clone() };
    refused(client.get_call(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    let theirs = WatchCallRequest { force_id: other(), call_id: call.clone(), after_sequence: 0 };
    refused(client.watch_call(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.record_triage(triage(UNKNOWN)).await, Code::NotFound, "UNKNOWN_CALL");
    let changes: [fn(&mut RecordTriageRequest); 6] = [
        |r| r.risk = 0,
        |r| r.device_safety = None,
        |r| r.language = "not a tag!".into(),
        |r| r.thrive.as_mut().unwrap().harm = "x".repeat(2_001),
        |r| r.reason = "x".repeat(501),
        |r| r.taken_by = " ".into(),
    ];
    for change in changes {
        let mut request = triage(&call);
        change(&mut request);
        refused(client.record_triage(request).await, bad, "INVALID_TRIAGE");
    }
    let mut theirs = triage(&call);
    theirs.force_id = other();
    refused(client.record_triage(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.record_consent(consent(UNKNOWN, &[])).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.request_transfer(transfer_of(UNKNOWN)).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.cancel_transfer(cancel(UNKNOWN)).await, Code::NotFound, "UNKNOWN_CALL");

    // Out of order.
    let early = Code::FailedPrecondition;
    refused(client.record_consent(consent(&call, &[ConsentKind::Video])).await, early, "NOT_TRIAGED");
    refused(client.request_transfer(transfer_of(&call)).await, early, "NOT_TRIAGED");
    refused(client.cancel_transfer(cancel(&call)).await, early, "NOT_REQUESTED");
    client.record_triage(triage(&call)).await.unwrap();
    refused(client.request_transfer(transfer_of(&call)).await, early, "NO_VIDEO_CONSENT");
    let mut none = consent(&call, &[]);
    none.consents.clear();
    refused(client.record_consent(none).await, bad, "NO_CONSENTS");
    let changes: [fn(&mut RecordConsentRequest); 4] = [
        |r| r.consents[0].kind = 0,
        |r| r.consents[0].how = " ".into(),
        |r| r.consents[1].kind = r.consents[0].kind,
        |r| r.taken_by = "x".repeat(65),
    ];
    for change in changes {
        let mut request = consent(&call, &[]);
        change(&mut request);
        refused(client.record_consent(request).await, bad, "INVALID_CONSENT");
    }
    client.record_consent(consent(&call, &[ConsentKind::Recording])).await.unwrap();
    refused(client.request_transfer(transfer_of(&call)).await, early, "NO_VIDEO_CONSENT");

    // Not for the desk: an answer, not an error, with why and what to do instead.
    let mut danger = triage(&call);
    danger.immediate_danger = true;
    let answer = client.record_triage(danger).await.unwrap().into_inner();
    let eligibility = answer.eligibility.unwrap();
    assert_eq!((answer.version, eligibility.eligible, eligibility.reason.as_str()), (2, false, "IMMEDIATE_DANGER"));
    assert!(!eligibility.instead.is_empty());
    refused(client.request_transfer(transfer_of(&call)).await, early, "NOT_ELIGIBLE");
    let kept: i64 = sqlx::query_scalar("select count(*) from intake.triages").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(kept, 2);
    let kept: i64 =
        sqlx::query_scalar("select count(*) from intake.consents").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(kept, 4, "refused ones too");
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_has_no_second_effect() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let open = opening("7");
    let first = client.open_call(open.clone()).await.unwrap().into_inner();
    let call = first.call_id.clone();
    let mut other = open.clone();
    other.line = Line::Line101.into();
    refused(client.open_call(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");

    let assess = triage(&call);
    let versions = join_all((0..8).map(|_| {
        let (mut client, assess) = (client.clone(), assess.clone());
        async move { client.record_triage(assess).await.unwrap().into_inner().version }
    }));
    assert!(versions.await.into_iter().all(|version| version == 1), "eight at once, one effect");
    let mut other = assess.clone();
    other.children_present = false;
    refused(client.record_triage(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");

    let agreed = consent(&call, &[ConsentKind::Video]);
    let ask = transfer_of(&call);
    for _ in 0..2 {
        assert_eq!(client.record_consent(agreed.clone()).await.unwrap().get_ref().state(), CallState::Consented);
    }
    for _ in 0..2 {
        client.request_transfer(ask.clone()).await.unwrap();
    }
    // Asking again in other words changes nothing either.
    assert_eq!(
        client.request_transfer(transfer_of(&call)).await.unwrap().get_ref().state(),
        CallState::TransferRequested
    );
    let mut reused = cancel(&call);
    reused.request_id = ask.request_id.clone();
    refused(client.cancel_transfer(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let back = cancel(&call);
    for _ in 0..2 {
        assert_eq!(client.cancel_transfer(back.clone()).await.unwrap().get_ref().state(), CallState::Cancelled);
    }
    refused(client.cancel_transfer(cancel(&call)).await, Code::FailedPrecondition, "CALL_CLOSED");
    // The first answer, though the call has moved on since.
    assert_eq!(client.open_call(open).await.unwrap().into_inner(), first);

    let published = room.published(&call, "transfer_cancelled").await;
    let names: Vec<_> = published.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["call_opened", "consent_recorded", "transfer_requested", "transfer_cancelled"]);
}

#[tokio::test]
async fn how_a_caller_may_be_reached_is_the_newest_triages_word() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.call("8").await;
    let reach = async |call: &str| {
        let request = GetReachRequest { force_id: FORCE.into(), call_id: call.into() };
        let reach = room.client.clone().get_reach(request).await.unwrap().into_inner();
        (reach.sms_allowed, reach.caller_number)
    };
    assert_eq!(reach(&call).await, (false, NUMBER.to_owned()), "nothing is known of the phone");
    for (shared, messages_read, allowed) in
        [(false, false, true), (true, false, false), (false, true, false), (false, false, true)]
    {
        let mut asked = triage(&call);
        asked.device_safety = Some(DeviceSafety { shared, messages_read, overheard: true, ..Default::default() });
        client.record_triage(asked).await.unwrap();
        assert_eq!(reach(&call).await.0, allowed, "{shared} {messages_read}");
    }
    let mut withheld = opening("9");
    withheld.caller_number = String::new();
    let withheld = client.open_call(withheld).await.unwrap().into_inner().call_id;
    assert_eq!(reach(&withheld).await, (false, String::new()));

    let theirs = GetReachRequest { force_id: "kent".into(), call_id: call };
    refused(client.get_reach(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    refused(client.get_reach(GetReachRequest::default()).await, Code::InvalidArgument, "INVALID_FORCE");
    let log = std::fs::read_to_string(room.service.log_file()).unwrap();
    assert!(!log.contains(NUMBER));
}

#[tokio::test]
async fn the_word_that_means_come_now_is_told_to_whoever_asks_for_it_and_is_nowhere_else() {
    const WORD: &str = "Auntie Zebedee";
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.call("11").await;
    let word = async || {
        let request = GetComeNowWordRequest { force_id: FORCE.into(), call_id: call.clone() };
        room.client.clone().get_come_now_word(request).await.unwrap().into_inner().word
    };
    let agree = |text: &str| {
        let mut asked = triage(&call);
        asked.device_safety = Some(DeviceSafety { come_now_word: text.to_owned(), ..Default::default() });
        asked
    };
    assert_eq!(word().await, "");
    for wrong in ["ab", "one two three four", &"a".repeat(41)] {
        refused(client.record_triage(agree(wrong)).await, Code::InvalidArgument, "INVALID_TRIAGE");
    }
    client.record_triage(agree(WORD)).await.unwrap();
    assert_eq!(word().await, WORD);
    client.record_consent(consent(&call, &[ConsentKind::Video])).await.unwrap();
    client.request_transfer(transfer_of(&call)).await.unwrap();
    for event in room.published(&call, "transfer_requested").await {
        assert!(!String::from_utf8_lossy(&event.payload).contains("Zebedee"), "{}", event.name);
    }
    let log = std::fs::read_to_string(room.service.log_file()).unwrap();
    assert!(!log.contains("Zebedee"));
    client.record_triage(agree("")).await.unwrap();
    assert_eq!(word().await, "", "the newest triage counts");
    let theirs = GetComeNowWordRequest { force_id: "kent".into(), call_id: call.clone() };
    refused(client.get_come_now_word(theirs).await, Code::NotFound, "UNKNOWN_CALL");
}

#[tokio::test]
async fn one_incident_has_one_open_call() {
    let room = Room::open().await;
    let open = |number: &'static str, times: usize| {
        let client = room.client.clone();
        join_all((0..times).map(move |_| {
            let mut client = client.clone();
            async move { client.open_call(opening(number)).await.unwrap().into_inner().call_id }
        }))
    };
    let calls = open("9", 16).await;
    assert!(calls.iter().all(|call| *call == calls[0]), "sixteen at once, one call: {calls:?}");
    let rows: i64 = sqlx::query_scalar("select count(*) from intake.calls").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(rows, 1);

    let waiting = room.waiting_call("9").await;
    assert_eq!(waiting, calls[0]);
    room.client.clone().cancel_transfer(cancel(&waiting)).await.unwrap();
    // The caller rings again.
    let again = open("9", 8).await;
    assert!(again.iter().all(|call| *call == again[0] && *call != waiting));
    assert_ne!(open("10", 1).await[0], again[0]);
}
