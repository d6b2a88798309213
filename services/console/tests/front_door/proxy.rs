//! gRPC-web passed on: to a real call-transfer, and to one that writes down what it was sent.

use std::sync::{Arc, Mutex};

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, AcknowledgeAlertRequest, AcknowledgeAlertResponse, DeclineOfferRequest,
    DeclineOfferResponse, GetDeskFiguresRequest, GetDeskFiguresResponse, HeartbeatRequest, HeartbeatResponse, Presence,
    ReturnToControlRoomRequest, ReturnToControlRoomResponse, SetPresenceRequest, SetPresenceResponse, WatchDeskRequest,
    WatchDeskResponse, WatchFiguresRequest, WatchFiguresResponse,
    transfer_service_server::{TransferService, TransferServiceServer},
};
use testkit::{Durability, Postgres, Service, TestNats};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use crate::support::{Browser, Console, Frame, problem};

const WATCH: &str = "/alcove.transfer.v1.TransferService/WatchDesk";
const HEARTBEAT: &str = "/alcove.transfer.v1.TransferService/Heartbeat";
const GET_REACH: &str = "/alcove.intake.v1.IntakeService/GetReach";
const GET_COME_NOW_WORD: &str = "/alcove.intake.v1.IntakeService/GetComeNowWord";
const SET_PRESENCE: &str = "/alcove.transfer.v1.TransferService/SetPresence";

async fn set_presence(browser: &Browser, n: u8, presence: Presence) {
    let request = SetPresenceRequest {
        request_id: format!("01900000-0000-7000-8000-0000000000{n:02x}"),
        force_id: "wmp".to_owned(),
        officer_id: "pc-okafor".to_owned(),
        presence: presence.into(),
        ..Default::default()
    };
    let mut answer = browser.call(SET_PRESENCE, &request).await;
    assert_eq!(answer.message::<SetPresenceResponse>().await.presence(), presence);
    assert_eq!(answer.end().await.0, 0);
}

#[tokio::test]
async fn an_officer_works_at_a_real_desk_through_the_console() {
    let (postgres, nats) = (Postgres::launch(Durability::Off).await.unwrap(), TestNats::launch().await.unwrap());
    postgres.create_database("call_transfer").await.unwrap();
    let database = postgres.url("call_transfer");
    let env =
        [("ALCOVE_CALL_TRANSFER__DATABASE__URL", database.as_str()), ("ALCOVE_CALL_TRANSFER__NATS__URL", nats.url())];
    Service::migrate("call-transfer", &env).await.unwrap();
    let transfer = Service::start("call-transfer", &env).await.unwrap();
    let console = Console::start(&[("UPSTREAMS__TRANSFER", transfer.url("grpc"))]).await;
    let browser = console.signed_in("pc-okafor").await;

    let request =
        WatchDeskRequest { force_id: "wmp".to_owned(), officer_id: "pc-okafor".to_owned(), ..Default::default() };
    let mut desk = browser.call(WATCH, &request).await;
    assert_eq!(desk.message::<WatchDeskResponse>().await.presence(), Presence::Away);
    // The stream goes on while other requests come and go.
    for (n, presence) in [Presence::Free, Presence::Away, Presence::Free].into_iter().enumerate() {
        set_presence(&browser, n as u8, presence).await;
        assert_eq!(desk.message::<WatchDeskResponse>().await.presence(), presence);
    }

    // A refusal comes through with its reason.
    let request = HeartbeatRequest { force_id: "wmp".to_owned(), officer_id: "nobody".to_owned() };
    let (code, said) = browser.call(HEARTBEAT, &request).await.end().await;
    assert_eq!(code, tonic::Code::NotFound as i32);
    assert!(said.contains("grpc-status-details-bin"), "{said}");

    // The console goes, and says so to who is still watching.
    console.stop.request();
    assert_eq!(desk.end().await.0, tonic::Code::Unavailable as i32);
    console.stop().await;
}

/// Writes down what it was sent; its stream says what the test says.
struct Scribe {
    seen: Arc<Mutex<Vec<MetadataMap>>>,
    stream: Mutex<Option<mpsc::Receiver<Result<WatchDeskResponse, Status>>>>,
}

#[tonic::async_trait]
impl TransferService for Scribe {
    async fn heartbeat(&self, request: Request<HeartbeatRequest>) -> Result<Response<HeartbeatResponse>, Status> {
        self.seen.lock().unwrap().push(request.metadata().clone());
        Ok(Response::new(HeartbeatResponse::default()))
    }

    type WatchDeskStream = ReceiverStream<Result<WatchDeskResponse, Status>>;

    async fn watch_desk(&self, _: Request<WatchDeskRequest>) -> Result<Response<Self::WatchDeskStream>, Status> {
        let stream = self.stream.lock().unwrap().take();
        Ok(Response::new(ReceiverStream::new(stream.ok_or_else(|| Status::internal("once only"))?)))
    }

    async fn set_presence(&self, _: Request<SetPresenceRequest>) -> Result<Response<SetPresenceResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn accept_offer(&self, _: Request<AcceptOfferRequest>) -> Result<Response<AcceptOfferResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn decline_offer(&self, _: Request<DeclineOfferRequest>) -> Result<Response<DeclineOfferResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn return_to_control_room(
        &self,
        _: Request<ReturnToControlRoomRequest>,
    ) -> Result<Response<ReturnToControlRoomResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn acknowledge_alert(
        &self,
        _: Request<AcknowledgeAlertRequest>,
    ) -> Result<Response<AcknowledgeAlertResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_desk_figures(
        &self,
        _: Request<GetDeskFiguresRequest>,
    ) -> Result<Response<GetDeskFiguresResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    type WatchFiguresStream = ReceiverStream<Result<WatchFiguresResponse, Status>>;

    async fn watch_figures(
        &self,
        _: Request<WatchFiguresRequest>,
    ) -> Result<Response<Self::WatchFiguresStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[tokio::test]
async fn who_asks_is_said_by_the_console_and_by_nobody_else() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (send, stream) = mpsc::channel(4);
    let scribe = Scribe { seen: seen.clone(), stream: Mutex::new(Some(stream)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(TransferServiceServer::new(scribe));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let console = Console::start(&[("UPSTREAMS__TRANSFER", upstream)]).await;

    let request = HeartbeatRequest { force_id: "wmp".to_owned(), officer_id: "pc-singh".to_owned() };
    for cookie in ["", "alcove_console=", "alcove_console=0000", "other=1; alcove_consolex=2"] {
        let stranger = Browser { cookie: cookie.to_owned(), ..console.browser() };
        let refused = stranger.rpc(HEARTBEAT, &request).send().await.unwrap();
        assert_eq!(problem(refused).await, (401, "NOT_SIGNED_IN".to_owned()), "{cookie}");
    }
    assert!(seen.lock().unwrap().is_empty(), "nothing was passed on for a stranger");

    let browser = console.signed_in("pc-singh").await;
    let forged =
        browser.rpc(HEARTBEAT, &request).header("x-alcove-officer", "sgt-price").header("x-alcove-force", "kent");
    let forged =
        forged.header("authorization", "Bearer x").header("traceparent", "00-1-2-3").header("x-user-agent", "test");
    assert_eq!(forged.send().await.unwrap().status(), 200);
    let metadata = seen.lock().unwrap().pop().unwrap();
    let all = |name: &str| metadata.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!((all("x-alcove-officer"), all("x-alcove-force")), (vec!["pc-singh".to_owned()], vec!["wmp".to_owned()]));
    assert_eq!(all("x-user-agent"), ["test"]);
    for name in ["cookie", "authorization", "host", "referer"] {
        assert_eq!(all(name), Vec::<String>::new(), "{name} got through");
    }
    assert!(!all("traceparent").contains(&"00-1-2-3".to_owned()));

    // Message by message, as they come; then the status.
    let request =
        WatchDeskRequest { force_id: "wmp".to_owned(), officer_id: "pc-singh".to_owned(), ..Default::default() };
    let mut stream = browser.call(WATCH, &request).await;
    for id in ["a", "b"] {
        send.send(Ok(WatchDeskResponse { current_call_id: id.to_owned(), ..Default::default() })).await.unwrap();
        assert_eq!(stream.message::<WatchDeskResponse>().await.current_call_id, id);
    }
    send.send(Err(Status::data_loss("gone"))).await.unwrap();
    assert_eq!(stream.end().await.0, tonic::Code::DataLoss as i32);

    // Another site's page, other paths, other content.
    let sent = browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).header("origin", "https://evil.example");
    assert_eq!(problem(sent.send().await.unwrap()).await, (403, "CROSS_ORIGIN".to_owned()));
    // What the page has no use for is not there: a caller's number and their word are for nobody's screen.
    for nothing in ["/alcove.transfer.v1.Other/Heartbeat", GET_REACH, GET_COME_NOW_WORD] {
        let sent = browser.rpc(nothing, &HeartbeatRequest::default());
        assert_eq!(problem(sent.send().await.unwrap()).await, (404, "NOTHING_HERE".to_owned()), "{nothing}");
    }
    let sent = browser.post(HEARTBEAT).header("content-type", "application/json").body("{}");
    assert_eq!(problem(sent.send().await.unwrap()).await, (415, "NOT_GRPC_WEB".to_owned()));
    let sent = browser.rpc(HEARTBEAT, &HeartbeatRequest { force_id: "x".repeat(2 << 20), officer_id: String::new() });
    if let Ok(answer) = sent.send().await {
        let mut frames = crate::support::Frames::of(answer);
        assert!(matches!(frames.next::<HeartbeatResponse>().await, Frame::End(code, _) if code != 0), "too large");
    }
    assert!(seen.lock().unwrap().is_empty());
    console.stop().await;
}

#[tokio::test]
async fn an_upstream_that_is_away_is_said_to_be() {
    let console = Console::start(&[("UPSTREAMS__TRANSFER", "http://127.0.0.1:9".to_owned())]).await;
    let browser = console.signed_in("pc-okafor").await;
    let (code, said) = browser.call(HEARTBEAT, &HeartbeatRequest::default()).await.end().await;
    assert_eq!(code, tonic::Code::Unavailable as i32, "{said}");
    console.stop().await;
}
