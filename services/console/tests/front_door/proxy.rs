//! gRPC-web passed on: to a real call-transfer, and to one that writes down what it was sent.

use api::transfer::v1::{
    HeartbeatRequest, HeartbeatResponse, Presence, SetPresenceRequest, SetPresenceResponse, WatchDeskRequest,
    WatchDeskResponse,
};
use chassis::{Clock, Tokens, config};
use testkit::{Durability, Postgres, Service, TestNats};
use tonic::Status;

use crate::{
    browser::Browser,
    scribe::{HEARTBEAT, Scribe, WATCH},
    support::{Console, Frame, problem},
};

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
        WatchDeskRequest { force_id: "wmp".to_owned(), officer_id: "pc-okafor".to_owned(), with_alerts: false };
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

#[tokio::test]
async fn a_forged_identity_header_never_gets_through() {
    let scribe = Scribe::open().await;
    let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone())]).await;

    let request = HeartbeatRequest { force_id: "wmp".to_owned(), officer_id: "pc-singh".to_owned() };
    for (name, value) in [("other", "1"), ("__Host-alcove", "0000"), ("__Host-alcovex", "2"), ("alcove_console", "3")] {
        let stranger = console.browser();
        stranger.set_cookie(name, value);
        let refused = stranger.rpc(HEARTBEAT, &request).header("authorization", "Bearer x").send().await.unwrap();
        assert_eq!(problem(refused).await, (401, "NOT_SIGNED_IN".to_owned()), "{name}");
    }
    assert!(scribe.seen().is_none(), "nothing was passed on for a stranger");

    let browser = console.signed_in("pc-singh").await;
    let forged = browser
        .rpc(HEARTBEAT, &request)
        .header("x-alcove-officer", "sgt-price")
        .header("x-alcove-force", "kent")
        .header("authorization", "Bearer x")
        .header("traceparent", "00-1-2-3")
        .header("x-user-agent", "test");
    assert_eq!(forged.send().await.unwrap().status(), 200);
    let metadata = scribe.seen().unwrap();
    let all = |name: &str| metadata.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    let bearers = all("authorization");
    let [bearer] = bearers.as_slice() else { panic!("{} tokens", bearers.len()) };
    // As a service checks it: the issuer's word, for the services.
    let (issuer, audience) = (console.issuer.url().to_owned(), "alcove".to_owned());
    let tokens = Tokens::new(&config::Tokens { issuer, audience, jwks_url: None }, Clock::system()).unwrap();
    let claims = tokens.check(bearer.strip_prefix("Bearer ").unwrap()).await.unwrap();
    assert_eq!((claims.officer.as_str(), claims.force.as_str()), ("pc-singh", "wmp"));
    assert_eq!(all("x-user-agent"), ["test"]);
    for name in ["cookie", "x-alcove-officer", "x-alcove-force", "host", "referer"] {
        assert_eq!(all(name), Vec::<String>::new(), "{name} got through");
    }
    assert!(!all("traceparent").contains(&"00-1-2-3".to_owned()));
    console.stop().await;
}

#[tokio::test]
async fn streams_flow_and_what_is_no_call_of_the_page_goes_nowhere() {
    let scribe = Scribe::open().await;
    let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone())]).await;
    let browser = console.signed_in("pc-singh").await;
    // Message by message, as they come; then the status.
    let request =
        WatchDeskRequest { force_id: "wmp".to_owned(), officer_id: "pc-singh".to_owned(), with_alerts: false };
    let mut stream = browser.call(WATCH, &request).await;
    for id in ["a", "b"] {
        scribe.say(Ok(WatchDeskResponse { current_call_id: id.to_owned(), ..Default::default() })).await;
        assert_eq!(stream.message::<WatchDeskResponse>().await.current_call_id, id);
    }
    scribe.say(Err(Status::data_loss("gone"))).await;
    assert_eq!(stream.end().await.0, tonic::Code::DataLoss as i32);

    // Another site's page, other paths, other content.
    let sent = browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).header("origin", "https://evil.example");
    assert_eq!(problem(sent.send().await.unwrap()).await, (403, "CROSS_ORIGIN".to_owned()));
    // What the page has no use for is not there: their word, and how they may be reached, are for nobody's screen.
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
    assert!(scribe.seen().is_none());
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
