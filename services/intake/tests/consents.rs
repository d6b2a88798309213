//! Consents taken back: at once, in any state until the call is over, and told to whoever watches.

use crate::support::*;
use api::intake::v1::{
    CallState, ConsentKind, ConsentRecorded, RecordConsentRequest, WithdrawConsentRequest, call_update::Kind,
};
use prost::Message;
use tonic::{Code, Streaming};

fn withdrawal(call: &str, kind: ConsentKind) -> WithdrawConsentRequest {
    WithdrawConsentRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        kind: kind.into(),
        how: "spoken on the 999 line".into(),
        taken_by: "CH4411".into(),
        subject: String::new(),
    }
}

async fn changed(watch: &mut Streaming<api::intake::v1::WatchCallResponse>) -> (u64, ConsentKind, bool) {
    let Some((sequence, Kind::ConsentChanged(changed))) = next(watch).await else { panic!("something else was told") };
    (sequence, changed.kind(), changed.given)
}

#[tokio::test]
async fn a_consent_is_taken_back_published_kept_and_told() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.waiting_call("1").await;
    let mut watch = room.watch(&call, 0).await;

    let request = withdrawal(&call, ConsentKind::Recording);
    for _ in 0..2 {
        // The same request again is the first one.
        assert!(client.withdraw_consent(request.clone()).await.unwrap().into_inner().was_given);
    }
    assert_eq!(changed(&mut watch).await, (1, ConsentKind::Recording, false));
    // Once more, and what was refused from the beginning: plainly, and nothing is told twice.
    for kind in [ConsentKind::Recording, ConsentKind::Stills] {
        assert!(!client.withdraw_consent(withdrawal(&call, kind)).await.unwrap().into_inner().was_given);
    }
    // By the other RPC too, and only what is another answer than before.
    client.record_consent(consent(&call, &[ConsentKind::Video, ConsentKind::Recording])).await.unwrap();
    assert_eq!(changed(&mut watch).await, (2, ConsentKind::Recording, true));

    let others = Others::at(&room.nats).await;
    others.accepted(&call).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "accepted");
    assert!(client.withdraw_consent(withdrawal(&call, ConsentKind::Video)).await.unwrap().into_inner().was_given);
    assert_eq!(changed(&mut watch).await, (4, ConsentKind::Video, false));
    others.ended(&call).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "ended");
    let late = client.withdraw_consent(withdrawal(&call, ConsentKind::Recording)).await;
    refused(late, Code::FailedPrecondition, "CALL_CLOSED");
    // By the other RPC as well: neither yes nor no has anything left to act on.
    for agreed in [&[][..], &[ConsentKind::Recording]] {
        let late = client.record_consent(consent(&call, agreed)).await;
        refused(late, Code::FailedPrecondition, "CALL_CLOSED");
    }

    // Every one is kept, with who took it; none is changed.
    let kept: Vec<(String, bool)> = sqlx::query_as("select kind, given from intake.consents order by id offset 4")
        .fetch_all(&room.db.pool())
        .await
        .unwrap();
    let kept: Vec<_> = kept.iter().map(|(kind, given)| (kind.as_str(), *given)).collect();
    let again = [("video", true), ("recording", true), ("stills", false), ("covered", false)];
    assert_eq!(kept[..3], [("recording", false), ("recording", false), ("stills", false)]);
    assert_eq!((&kept[3..7], &kept[7..]), (&again[..], &[("video", false)][..]));
    // And published: the asking, the three that were taken back, the second asking, the last.
    let published = room.first_published(&call, 8).await;
    let facts = published.iter().filter(|event| event.name == "consent_recorded");
    let facts: Vec<_> = facts.map(|event| ConsentRecorded::decode(event.payload.as_slice()).unwrap()).collect();
    assert_eq!(facts.len(), 6);
    for (fact, kind) in [(1, ConsentKind::Recording), (3, ConsentKind::Stills), (5, ConsentKind::Video)] {
        let [about] = &facts[fact].consents[..] else { panic!("one consent at a time is taken back") };
        assert_eq!((about.kind(), about.given), (kind, false));
    }
}

#[tokio::test]
async fn a_withdrawal_that_is_none_is_named() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.call("1").await;
    let changes: [fn(&mut WithdrawConsentRequest); 5] = [
        |r| r.kind = 0,
        |r| r.kind = 99,
        |r| r.how = " ".into(),
        |r| r.how = "x".repeat(201),
        |r| r.taken_by = String::new(),
    ];
    for change in changes {
        let mut request = withdrawal(&call, ConsentKind::Video);
        change(&mut request);
        refused(client.withdraw_consent(request).await, Code::InvalidArgument, "INVALID_CONSENT");
    }
    let mut theirs = withdrawal(&call, ConsentKind::Video);
    theirs.force_id = "kent".into();
    refused(client.withdraw_consent(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    let request = withdrawal(&call, ConsentKind::Video);
    let request_id = request.request_id.clone();
    client.withdraw_consent(request.clone()).await.unwrap();
    let other = WithdrawConsentRequest { kind: ConsentKind::Stills.into(), ..request };
    refused(client.withdraw_consent(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let same_id = RecordConsentRequest { request_id: request_id.clone(), ..consent(&call, &[]) };
    refused(client.record_consent(same_id).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    // Nobody has to be asked before they may say no: the triage and the rest come after.
    client.record_triage(triage(&call)).await.unwrap();
    let no = client.record_consent(consent(&call, &[])).await.unwrap();
    assert_eq!(no.get_ref().state(), CallState::Triaged, "a no alone is no consent");
    refused(client.request_transfer(transfer_of(&call)).await, Code::FailedPrecondition, "NO_VIDEO_CONSENT");
}
