//! A gRPC server with a small service that does what it is asked.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use api::referral::v1::{GetPackageRequest, GetPackageResponse, referral_service_client::ReferralServiceClient};
use chassis::{
    Clock, Entropy, Error, Health, Principal, Role, Shutdown, Trace,
    access::{Rule, Who},
    config::{Base, Grpc, Listen, LogFormat, Profile, Telemetry},
    grpc::{Channel, Server, connect_lazy},
    status::status_with,
};
use futures::{FutureExt, future::BoxFuture};
use tokio::{sync::Notify, task::JoinHandle};
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    server::{NamedService, UnaryService},
};
use tonic_prost::ProstCodec;
use tower::Service;

pub fn base() -> Base {
    Base {
        profile: Profile::Dev,
        telemetry: Telemetry {
            log: "info".to_owned(),
            format: LogFormat::Text,
            otlp_endpoint: None,
            metrics_every_ms: 60_000,
            sample_ratio: 1.0,
        },
        grpc: Some(Grpc::default()),
        nats: None,
        health: Listen { listen: SocketAddr::from(([127, 0, 0, 1], 0)) },
        address_file: None,
        tls: None,
        tokens: None,
    }
}

/// Who may ask it.
pub const RULES: &[Rule] = &[Rule::about(
    "alcove.referral.v1.ReferralService/GetPackage",
    &[Who::ControlRoom, Who::Service("intake"), Who::Officer(Role::Investigator)],
    "UNKNOWN_PACKAGE",
)];

/// `call_id` says what to do. The answer's `package_id` is the trace that the handler is in.
#[derive(Clone, Default)]
pub struct Obedient {
    pub started: Arc<Notify>,
    pub go_on: Arc<Notify>,
}

/// The one RPC of the contract that it answers: by hand, so that a contract that grows is no matter of this test's.
impl Service<http::Request<Body>> for Obedient {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let obedient = self.clone();
        async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<GetPackageResponse, GetPackageRequest>::default());
            Ok(match request.uri().path() {
                "/alcove.referral.v1.ReferralService/GetPackage" => grpc.unary(obedient, request).await,
                _ => Status::unimplemented("not this one").into_http(),
            })
        }
        .boxed()
    }
}

impl NamedService for Obedient {
    const NAME: &'static str = "alcove.referral.v1.ReferralService";
}

impl UnaryService<GetPackageRequest> for Obedient {
    type Response = GetPackageResponse;
    type Future = BoxFuture<'static, Result<Response<GetPackageResponse>, Status>>;

    fn call(&mut self, request: Request<GetPackageRequest>) -> Self::Future {
        let obedient = self.clone();
        async move { obedient.obey(request).await }.boxed()
    }
}

impl Obedient {
    async fn obey(&self, request: Request<GetPackageRequest>) -> Result<Response<GetPackageResponse>, Status> {
        let who = request.extensions().get::<Principal>().cloned();
        match request.into_inner().call_id.as_str() {
            "who" => {
                let package_id = format!("{:?}", who.expect("a guard has let it in"));
                return Ok(Response::new(GetPackageResponse { package_id, ..GetPackageResponse::default() }));
            }
            "panic" => std::panic::panic_any("told to"),
            "wait" => {
                self.started.notify_one();
                self.go_on.notified().await;
            }
            "refuse" => {
                let facts = [("state", "RETURNED".to_owned())];
                return Err(status_with(Code::FailedPrecondition, "WRONG_STATE", "the call is over", &facts));
            }
            stored if stored.starts_with("00-") => {
                let _inside = Trace::parse(stored).follow(tracing::info_span!("use_case")).entered();
                return Ok(answer());
            }
            _ => {}
        }
        Ok(answer())
    }
}

fn answer() -> Response<GetPackageResponse> {
    Response::new(GetPackageResponse { package_id: Trace::current().to_string(), ..GetPackageResponse::default() })
}

pub async fn serve(
    service: Obedient,
    health: &Health,
    shutdown: Shutdown,
) -> (SocketAddr, JoinHandle<Result<(), Error>>, ReferralServiceClient<Channel>) {
    let server = Server::new(&base(), &Entropy::os(), shutdown).guarded(RULES, Clock::system());
    let server = server.add(service).bind(health).await.unwrap();
    let addr = server.local_addr();
    let client = ReferralServiceClient::new(connect_lazy(&format!("http://{addr}"), None).unwrap());
    (addr, tokio::spawn(server.serve()), client)
}

pub fn ask(what: &str) -> GetPackageRequest {
    GetPackageRequest { call_id: what.to_owned(), ..GetPackageRequest::default() }
}
