//! A caller who can't speak: the officer sends a link by text message, sees that it is on the phone, and then the caller. And one
//! whose messages somebody else reads: nothing is sent, whoever asks for it.

use alcove_tests::{
    browser::Browser,
    desk::{Desk, FORCE},
    pages::{Invited, PHONE, on_duty},
};
use api::{
    intake::v1::{DeviceSafety, RecordTriageRequest, RiskGrade, call_update::Kind},
    session::v1::{IssueInvitationRequest, Way, session_service_client::SessionServiceClient},
};
use axum::{Json, Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use testkit::{StackOptions, key};
use tokio::{net::TcpListener, sync::watch};

const RECEIPT_KEY: &str = "the north wind and the sun";

/// Takes every message, and keeps the newest.
async fn gateway() -> (String, watch::Receiver<Value>) {
    let (keep, kept) = watch::channel(Value::Null);
    let take = move |Json(body): Json<Value>| async move {
        keep.send_replace(body);
        (StatusCode::CREATED, Json(json!({})))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/v2/notifications/sms", post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_cannot_speak_comes_by_a_link() {
    let (url, sent) = gateway().await;
    let env = [
        ("provider", "notify"),
        ("url", &url),
        ("key", "desk-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0"),
        ("template_id", "0d6ff4f5-1f2b-4c3c-9b9b-3f7b5e5a1f11"),
        ("receipt_key", RECEIPT_KEY),
    ];
    let env = env.map(|(name, value)| (key("video-session", &format!("texts__{name}")), value.to_owned()));
    let desk = Desk::open(StackOptions { env: env.into(), ..StackOptions::default() }).await.unwrap();
    let browser = Browser::start().await.unwrap();

    // Her messages are read: the same request that the console makes.
    let read = desk.accepted_call("3001", "pc-singh").await.unwrap();
    let request = IssueInvitationRequest {
        request_id: desk.control_room.request_id(),
        force_id: FORCE.into(),
        officer_id: "pc-singh".into(),
        call_id: read.call.call_id.clone(),
        way: Way::Sms.into(),
        ..Default::default()
    };
    let mut session = SessionServiceClient::new(desk.way("video-session", "pc-singh").unwrap());
    let refused = session.issue_invitation(request).await.err().unwrap();
    assert_eq!(chassis::status::reason_of(&refused).as_deref(), Some("MESSAGES_READ"));
    assert_eq!(*sent.borrow(), Value::Null);

    let officer = on_duty(&desk, &browser, "").await.unwrap();
    let room = &desk.control_room;
    let call = room.open("3002").await.unwrap();
    let triage = RecordTriageRequest {
        request_id: room.request_id(),
        force_id: FORCE.into(),
        call_id: call.call_id.clone(),
        device_safety: Some(DeviceSafety {
            shared: false,
            messages_read: false,
            overheard: true,
            ..Default::default()
        }),
        can_join: true,
        risk: RiskGrade::High.into(),
        ..Default::default()
    };
    room.client().record_triage(triage).await.unwrap();
    room.consent(&call.call_id).await.unwrap();
    room.transfer(&call.call_id).await.unwrap();
    let Invited { mut watch, .. } = Invited::accepted(&desk, officer, call.call_id).await.unwrap();

    // She rang withheld, and told the contact handler her number.
    officer.click("#text").await.unwrap();
    officer.fill("#text-number", "07700 900123").await.unwrap();
    officer.click("#text").await.unwrap();
    officer.see("#text-state[data-state=sent]").await.unwrap();
    let message = sent.borrow().clone();
    assert_eq!(message["phone_number"], "+447700900123");
    let receipt = json!({ "reference": message["reference"], "status": "delivered" });
    let receipts = desk.stack.service("video-session").url("receipts");
    let told = reqwest::Client::new().post(format!("{receipts}/receipts")).bearer_auth(RECEIPT_KEY).json(&receipt);
    assert_eq!(told.send().await.unwrap().status(), 204);
    officer.see("#text-state[data-state=delivered]").await.unwrap();

    let link = message["personalisation"]["words"].as_str().unwrap().split(' ').next_back().unwrap();
    let caller = browser.open("caller", link, PHONE).await.unwrap();
    for button in ["#on", "#in"] {
        caller.click(button).await.unwrap();
    }
    for (page, other) in [(officer, "#caller"), (caller, "#other")] {
        page.until(&format!("document.querySelector('{other}').videoWidth > 0")).await.unwrap();
    }
    watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
}
