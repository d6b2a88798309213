//! Stand-ins, at the process boundary, for whoever delivers text messages and for intake: they take what is well-formed and signed, keep
//! it for the test to look at, and answer as they are told.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
};

use api::{
    intake::v1::{
        self as intake,
        intake_service_server::{IntakeService, IntakeServiceServer},
    },
    session::v1::{Invitation, IssueInvitationRequest, IssueInvitationResponse, TextState, Way},
};
use axum::{Json, Router, body::Bytes, extract::State, response::IntoResponse, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use futures::Stream;
use http::{HeaderMap, StatusCode};
use ids::CallId;
use ring::hmac;
use serde_json::{Value, json};
use testkit::until;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::{FORCE, OFFICER, Rig};

pub const SERVICE: &str = "26785a09-ab16-4eb0-8407-a37497a57506";
pub const SECRET: &str = "3d844edf-8d35-48ac-975b-e847b4f122b0";
pub const RECEIPT_KEY: &str = "the north wind and the sun";
pub const WEBHOOK_KEY: &str = "a gateway's own secret";
pub const NUMBER: &str = "+447700900123";
pub const WITHHELD: &str = "+447700900456";

/// Notify, or a gateway.
#[derive(Clone)]
pub struct Delivery {
    pub url: String,
    clock: Arc<Mutex<Clock>>,
    /// The bodies of what was taken or refused, in order.
    asked: Arc<Mutex<Vec<Value>>>,
    /// What to answer next; 201 when there is nothing.
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
}

impl Delivery {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(Mutex::new(Clock::system()));
        let delivery = Self { url, clock, asked: Arc::default(), answers: Arc::default() };
        let routes = Router::new().route("/v2/notifications/sms", post(notify)).route("/gateway", post(gateway));
        let routes = routes.with_state(delivery.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        delivery
    }

    /// The settings of a service that sends by Notify.
    pub fn notify(&self) -> Vec<(&'static str, String)> {
        [
            ("texts__provider", "notify"),
            ("texts__url", &self.url),
            ("texts__key", &format!("desk-{SERVICE}-{SECRET}")),
            ("texts__template_id", "0d6ff4f5-1f2b-4c3c-9b9b-3f7b5e5a1f11"),
            ("texts__receipt_key", RECEIPT_KEY),
        ]
        .map(|(key, value)| (key, value.to_owned()))
        .into()
    }

    /// The settings of a service that sends by a gateway.
    pub fn webhook(&self) -> Vec<(&'static str, String)> {
        [
            ("texts__provider", "webhook"),
            ("texts__url", &format!("{}/gateway", self.url)),
            ("texts__key", WEBHOOK_KEY),
            ("texts__sender", "Garden"),
            ("texts__receipt_key", RECEIPT_KEY),
        ]
        .map(|(key, value)| (key, value.to_owned()))
        .into()
    }

    /// Goes by another clock than the system's.
    pub fn goes_by(&self, clock: Clock) {
        *self.clock.lock().unwrap() = clock;
    }

    pub fn answer(&self, status: u16, body: Value) {
        self.answers.lock().unwrap().push_back((status, body));
    }

    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    fn take(&self, body: Value) -> (StatusCode, Json<Value>) {
        self.asked.lock().unwrap().push(body);
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or((201, json!({ "id": SERVICE })));
        (StatusCode::from_u16(status).unwrap(), Json(body))
    }
}

/// As Notify does: no message without a fresh token that its own secret has signed.
async fn notify(State(delivery): State<Delivery>, headers: HeaderMap, Json(body): Json<Value>) -> impl IntoResponse {
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let is_signed = hmac::verify(&key, format!("{header}.{claims}").as_bytes(), &signature).is_ok();
    let (header, claims) = (read(header), read(claims));
    let age = delivery.clock.lock().unwrap().now().timestamp() - claims["iat"].as_i64().unwrap();
    let is_ours = header["alg"] == "HS256" && claims["iss"] == SERVICE && (-30..=30).contains(&age);
    if !is_signed || !is_ours {
        return (
            StatusCode::FORBIDDEN,
            Json(json!({ "errors": [{ "error": "AuthError", "message": "Invalid token" }] })),
        );
    }
    delivery.take(body)
}

async fn gateway(State(delivery): State<Delivery>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let signature = headers["x-signature"].to_str().unwrap().strip_prefix("sha256=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_KEY.as_bytes());
    hmac::verify(&key, &body, &hex::decode(signature).unwrap()).expect("it is signed");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(headers["idempotency-key"], body["id"].as_str().unwrap());
    delivery.take(body)
}

/// Intake, as far as video-session asks it.
#[derive(Clone)]
pub struct ControlRoom {
    pub url: String,
    reach: Arc<Mutex<Result<intake::GetReachResponse, Status>>>,
    word: Arc<Mutex<Result<String, Status>>>,
}

impl ControlRoom {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (reach, word) = (Err(Status::unavailable("not yet")), Err(Status::unavailable("not yet")));
        let room = Self { url, reach: Arc::new(Mutex::new(reach)), word: Arc::new(Mutex::new(word)) };
        let server = tonic::transport::Server::builder().add_service(IntakeServiceServer::new(room.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        room
    }

    pub fn says(&self, sms_allowed: bool, caller_number: &str) {
        let reach = intake::GetReachResponse { sms_allowed, caller_number: caller_number.to_owned() };
        *self.reach.lock().unwrap() = Ok(reach);
    }

    /// From now on it tells which word means "come now".
    pub fn says_word(&self, word: &str) {
        *self.word.lock().unwrap() = Ok(word.to_owned());
    }

    pub fn is_away(&self) {
        *self.reach.lock().unwrap() = Err(Status::unavailable("away"));
    }

    pub fn setting(&self) -> (&'static str, String) {
        ("intake__url", self.url.clone())
    }
}

type Never<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IntakeService for ControlRoom {
    async fn get_reach(&self, request: Request<intake::GetReachRequest>) -> Never<intake::GetReachResponse> {
        assert_eq!(request.get_ref().force_id, FORCE);
        self.reach.lock().unwrap().clone().map(Response::new)
    }

    async fn get_come_now_word(
        &self,
        request: Request<intake::GetComeNowWordRequest>,
    ) -> Never<intake::GetComeNowWordResponse> {
        assert_eq!(request.get_ref().force_id, FORCE);
        let word = self.word.lock().unwrap().clone();
        word.map(|word| Response::new(intake::GetComeNowWordResponse { word }))
    }

    async fn open_call(&self, _: Request<intake::OpenCallRequest>) -> Never<intake::OpenCallResponse> {
        Err(Status::unimplemented(""))
    }
    async fn record_triage(&self, _: Request<intake::RecordTriageRequest>) -> Never<intake::RecordTriageResponse> {
        Err(Status::unimplemented(""))
    }
    async fn record_consent(&self, _: Request<intake::RecordConsentRequest>) -> Never<intake::RecordConsentResponse> {
        Err(Status::unimplemented(""))
    }
    async fn withdraw_consent(
        &self,
        _: Request<intake::WithdrawConsentRequest>,
    ) -> Never<intake::WithdrawConsentResponse> {
        Err(Status::unimplemented(""))
    }
    async fn request_transfer(
        &self,
        _: Request<intake::RequestTransferRequest>,
    ) -> Never<intake::RequestTransferResponse> {
        Err(Status::unimplemented(""))
    }
    async fn cancel_transfer(
        &self,
        _: Request<intake::CancelTransferRequest>,
    ) -> Never<intake::CancelTransferResponse> {
        Err(Status::unimplemented(""))
    }
    async fn start_follow_up(&self, _: Request<intake::StartFollowUpRequest>) -> Never<intake::StartFollowUpResponse> {
        Err(Status::unimplemented(""))
    }
    async fn acknowledge_fast_track(
        &self,
        _: Request<intake::AcknowledgeFastTrackRequest>,
    ) -> Never<intake::AcknowledgeFastTrackResponse> {
        Err(Status::unimplemented(""))
    }
    async fn get_location(&self, _: Request<intake::GetLocationRequest>) -> Never<intake::GetLocationResponse> {
        Err(Status::unimplemented(""))
    }
    async fn get_call(&self, _: Request<intake::GetCallRequest>) -> Never<intake::GetCallResponse> {
        Err(Status::unimplemented(""))
    }
    async fn list_calls(&self, _: Request<intake::ListCallsRequest>) -> Never<intake::ListCallsResponse> {
        Err(Status::unimplemented(""))
    }
    type WatchCallStream = Pin<Box<dyn Stream<Item = Result<intake::WatchCallResponse, Status>> + Send>>;
    async fn watch_call(&self, _: Request<intake::WatchCallRequest>) -> Never<Self::WatchCallStream> {
        Err(Status::unimplemented(""))
    }
    type WatchForceStream = Pin<Box<dyn Stream<Item = Result<intake::WatchForceResponse, Status>> + Send>>;
    async fn watch_force(&self, _: Request<intake::WatchForceRequest>) -> Never<Self::WatchForceStream> {
        Err(Status::unimplemented(""))
    }
}

impl Rig {
    /// An invitation by text message, not yet sent.
    pub fn texting(&self, call: CallId, to_number: &str) -> IssueInvitationRequest {
        IssueInvitationRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            way: Way::Sms.into(),
            to_number: to_number.to_owned(),
            ..Default::default()
        }
    }

    pub async fn text(&self, request: &IssueInvitationRequest) -> Result<IssueInvitationResponse, Status> {
        self.desk.clone().issue_invitation(request.clone()).await.map(Response::into_inner)
    }

    /// How the caller was asked in, once it stands so.
    pub async fn asked(&self, call: CallId, state: TextState) -> Invitation {
        let stands = |asked: &Invitation| asked.state() == state;
        let session = self.watched(call, |session| session.invitation.as_ref().is_some_and(stands)).await;
        session.invitation.unwrap()
    }

    /// Follows a link, or types a code.
    pub async fn come_in(&self, shown: Value) -> (u16, Value) {
        let answer = self.http.post(format!("{}/join", self.base)).json(&shown).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// What a message through Notify says.
pub fn words(body: &Value) -> &str {
    body["personalisation"]["words"].as_str().unwrap()
}

/// The one message that is to be sent has been tried, in vain, and waits for less than a try lasts.
pub async fn pauses(rig: &Rig, now: DateTime<Utc>) {
    let due = "select count(*) from session.texts where state = 'queued' and tries > 0 and due_at < $1";
    let soon = now + TimeDelta::seconds(20);
    until("the pause after a try", async || {
        sqlx::query_scalar::<_, i64>(due).bind(soon).fetch_one(&rig.database.pool()).await.unwrap() == 1
    })
    .await;
}

/// The key in a message's link.
pub fn key_in(words: &str) -> String {
    words.split_once("/#").expect("a link").1.to_owned()
}

/// Notify calls back.
pub async fn call_back(receipts: &str, bearer: &str, reference: &Value, status: &str) -> u16 {
    let body = json!({
        "id": "740e5834-3a29-46b4-9a6f-16142fde533a", "reference": reference, "to": NUMBER, "status": status,
        "created_at": "2026-11-24T12:00:00.000000Z", "completed_at": null, "sent_at": null,
        "notification_type": "sms", "template_id": "0d6ff4f5-1f2b-4c3c-9b9b-3f7b5e5a1f11", "template_version": 1,
    });
    let request = reqwest::Client::new().post(format!("http://{receipts}/receipts")).bearer_auth(bearer).json(&body);
    request.send().await.unwrap().status().as_u16()
}
