//! The officer's side, over gRPC, on a real database and a real bus.

use crate::rig::{FORCE, OFFICER, PATIENCE, Rig, Time, pass, reason, rows::every_row};
use api::session::v1::{
    CallerJoined, GetSessionRequest, InvitationIssued, IssueInvitationRequest, JoinSessionRequest, Session,
    SessionEnded, SessionState,
};
use std::time::Duration;
use testkit::{phone::Phone, until};
use tonic::Code;
use uuid::Uuid;

#[tokio::test]
async fn a_session_is_made_once_for_an_accepted_call() {
    let rig = Rig::alone().await;
    let call = rig.id();
    let request = GetSessionRequest { force_id: FORCE.to_owned(), call_id: format!("{call}") };
    let before = rig.desk.clone().get_session(request.clone()).await.err().unwrap();
    assert_eq!((before.code(), reason(&before)), (Code::NotFound, "UNKNOWN_SESSION".to_owned()));

    // The answer is there once the server listens: what is accepted after that is seen.
    let watching = rig.watch(call).await;
    rig.say_accepted(call, true).await;
    rig.say_accepted(call, true).await;
    let session = Rig::seen(watching, |_| true).await;
    assert_eq!(session.state(), SessionState::Invited);
    assert!(session.recording);
    let found = rig.desk.clone().get_session(request.clone()).await.unwrap().into_inner().session.unwrap();
    assert_eq!(found.session_id, session.session_id);
    // The officer begins with the chat, also after their page was reloaded.
    assert_eq!(found.silent_caller(), api::intake::v1::SilentCaller::CannotSpeak);
    let other = GetSessionRequest { force_id: "kent".to_owned(), ..request };
    let other = rig.desk.clone().get_session(other).await.err().unwrap();
    assert_eq!(reason(&other), "UNKNOWN_SESSION", "another force's call is no call");
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_no_secret_is_stored() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let join = JoinSessionRequest {
        request_id: rig.request(),
        force_id: FORCE.to_owned(),
        officer_id: OFFICER.to_owned(),
        call_id: call.to_string(),
        ..Default::default()
    };
    let first = rig.desk.clone().join_session(join.clone()).await.unwrap().into_inner();
    let again = rig.desk.clone().join_session(join.clone()).await.unwrap().into_inner();
    assert_eq!((&first.token, &first.participant_id), (&again.token, &again.participant_id));
    assert_eq!(first.token.len(), 64);
    let invite = IssueInvitationRequest {
        request_id: rig.request(),
        force_id: FORCE.to_owned(),
        officer_id: OFFICER.to_owned(),
        call_id: call.to_string(),
        ..Default::default()
    };
    let issued = rig.desk.clone().issue_invitation(invite.clone()).await.unwrap().into_inner();
    let repeated = rig.desk.clone().issue_invitation(invite.clone()).await.unwrap().into_inner();
    assert_eq!((&issued.code, issued.expires_at), (&repeated.code, repeated.expires_at));

    let reused = IssueInvitationRequest { officer_id: "o.two".to_owned(), ..invite };
    let refused = rig.desk.clone().issue_invitation(reused).await.err().unwrap();
    assert_eq!((refused.code(), reason(&refused)), (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
    let stranger = JoinSessionRequest { request_id: rig.request(), officer_id: "o.two".to_owned(), ..join };
    let refused = rig.desk.clone().join_session(stranger).await.err().unwrap();
    assert_eq!((refused.code(), reason(&refused)), (Code::PermissionDenied, "NOT_YOUR_CALL".to_owned()));

    for (table, text) in every_row(&rig.database.pool()).await {
        let code = issued.code.replace('-', "");
        let hidden =
            [first.token.clone(), issued.code.clone(), code.clone(), hex::encode(&code), hex::encode(&first.token)];
        for secret in hidden {
            assert!(!text.contains(&secret), "{table} holds a secret");
        }
    }
}

#[tokio::test]
async fn codes_are_good_once_for_ten_minutes() {
    // Nobody comes to this call for longer than a call is usually kept for.
    let rig = Rig::start(Time::Manual, &[("rules__never_came_s", "86400".to_owned())]).await;
    let call = rig.accepted(true).await;
    let refused = |(status, body): (u16, serde_json::Value)| (status, body["reason"].as_str().unwrap().to_owned());

    let first = rig.invite(call).await.unwrap();
    let second = rig.invite(call).await.unwrap();
    assert_eq!(first.code.len(), 9);
    assert_eq!(refused(rig.type_code(&first.code).await), (410, "CODE_REPLACED".to_owned()), "a newer one voids it");
    let typed = second.code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "i");
    let (status, joined) = rig.type_code(&typed).await;
    assert_eq!(status, 200);
    assert_eq!(joined["token"].as_str().unwrap().len(), 64);
    assert_eq!(refused(rig.type_code(&second.code).await), (410, "CODE_USED".to_owned()));

    let third = rig.invite(call).await.unwrap();
    rig.clock.advance(Duration::from_secs(599));
    let fourth = rig.invite(call).await.unwrap();
    rig.clock.advance(Duration::from_secs(601));
    assert_eq!(refused(rig.type_code(&fourth.code).await), (410, "CODE_EXPIRED".to_owned()));
    assert_eq!(refused(rig.type_code(&third.code).await), (410, "CODE_REPLACED".to_owned()));

    assert_eq!(rig.type_code("no code").await.0, 404, "a slip of the finger is no guess");
    let fresh = rig.invite(call).await.unwrap();
    assert_eq!(rig.type_code(&fresh.code).await.0, 200);
    rig.event::<InvitationIssued>("invitation_issued", call).await;
}

/// Sessions are looked at in the order in which they were made: once one is given up, all before it have been looked at, and left.
fn is_over(session: &Session) -> bool {
    session.state() == SessionState::Ended
}

#[tokio::test]
async fn nobody_for_a_minute_ends_the_call_and_the_officer_alone_does_not() {
    let rig = Rig::start(Time::Manual, &[("rules__never_came_s", "600".to_owned())]).await;
    let call = rig.accepted(false).await;
    rig.clock.advance(Duration::from_secs(1));
    let empty = rig.accepted(false).await;
    rig.clock.advance(Duration::from_secs(59));
    let empty_too = rig.accepted(false).await;
    let (officer, caller) = rig.both(call).await;
    rig.event::<CallerJoined>("caller_joined", call).await;
    let refused = rig.invite(call).await.err().unwrap();
    assert_eq!(reason(&refused), "CALLER_ALREADY_JOINED");

    caller.hang_up().await.unwrap();
    rig.watched(call, |session| session.participants.iter().filter(|who| who.connected).count() == 1).await;
    rig.clock.advance(Duration::from_secs(541));
    rig.watched(empty, is_over).await;
    let there = rig.watched(call, |_| true).await;
    assert_eq!(there.state(), SessionState::Live, "somebody is there, and the caller can be asked back");
    assert!(rig.invite(call).await.is_ok());

    officer.hang_up().await.unwrap();
    rig.watched(call, |session| session.participants.iter().all(|who| !who.connected)).await;
    rig.clock.advance(Duration::from_secs(59));
    rig.watched(empty_too, is_over).await;
    assert_eq!(rig.watched(call, |_| true).await.state(), SessionState::Live);
    rig.clock.advance(Duration::from_secs(2));
    let over = rig.watched(call, is_over).await;
    assert_eq!(over.end_reason, "BOTH_GONE");
    let ended: SessionEnded = rig.ended(call).await;
    assert_eq!((ended.reason.as_str(), ended.recorded, ended.tracks.len()), ("BOTH_GONE", false, 0));
}

#[tokio::test]
async fn a_call_that_nobody_comes_to_is_not_kept_for_ever() {
    let mut rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.clock.advance(Duration::from_secs(839));
    // Somebody comes to this one, and goes.
    let left = rig.accepted(false).await;
    let mut officer = Phone::new(pass(rig.join(left).await));
    officer.publish().await.unwrap();
    rig.watched(left, |session| session.participants.iter().any(|who| who.connected)).await;
    officer.hang_up().await.unwrap();
    rig.watched(left, |session| session.participants.iter().all(|who| !who.connected)).await;
    rig.clock.advance(Duration::from_secs(60));
    rig.watched(left, is_over).await;
    assert_eq!(rig.watched(call, |_| true).await.state(), SessionState::Invited);
    rig.clock.advance(Duration::from_secs(2));
    let over = rig.watched(call, is_over).await;
    assert_eq!(over.end_reason, "BOTH_GONE");
    let first = rig.end(call).await;
    assert_eq!(first.reason, "BOTH_GONE", "an ended session keeps its first ending");
    rig.stop().await;
}

#[tokio::test]
async fn a_call_goes_on_without_postgres() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, mut caller) = rig.both(call).await;
    let host = officer.pass().participant_id.clone();
    caller.watch(&host).await.unwrap();
    rig.database.stop().await.unwrap();
    let request = GetSessionRequest { force_id: FORCE.to_owned(), call_id: call.to_string() };
    let away = rig.desk.clone().get_session(request).await.err().unwrap();
    assert_eq!((away.code(), reason(&away)), (Code::Unavailable, "DATABASE_UNAVAILABLE".to_owned()));
    let (status, problem) = rig.type_code("K7QF-2M9X").await;
    assert_eq!((status, problem["reason"].as_str().unwrap()), (503, "DATABASE_UNAVAILABLE"));
    let seen = caller.received(&host).video_frames;
    caller.wait_for(&host, PATIENCE, |got| got.video_frames > seen + 20).await.unwrap();

    rig.database.start().await.unwrap();
    // The officer's pool finds it again, and the session is as it was.
    let found = async || rig.invite(call).await.is_err_and(|error| reason(&error) == "CALLER_ALREADY_JOINED");
    until("the session as it was", found).await;
    drop((officer, caller));
    rig.stop().await;
}

#[tokio::test]
async fn a_session_that_nobody_can_take_yet_keeps_no_other_from_its_end() {
    // Our own lease is too young, all through this test, to believe that another's has run out.
    let young = ("instance__lease_ms", "60000".to_owned());
    let rig = Rig::start(Time::Manual, &[("rules__never_came_s", "600".to_owned()), young]).await;
    let stuck = rig.accepted(false).await;
    rig.clock.advance(Duration::from_secs(1));
    let empty = rig.accepted(false).await;
    let dead = "with dead as (
            insert into session.instances (instance_id, name, grpc_url, since, lease_until)
            values ($2, 'dead', 'http://dead.test', now() - interval '2 hours', now() - interval '1 hour')
            returning instance_id)
        update session.sessions set owner = instance_id from dead where call_id = $1";
    sqlx::query(dead).bind(stuck.uuid()).bind(Uuid::from_u128(1)).execute(&rig.database.pool()).await.unwrap();
    rig.clock.advance(Duration::from_secs(600));
    rig.watched(empty, is_over).await;
    assert_ne!(rig.watched(stuck, |_| true).await.state(), SessionState::Ended);
}
