//! gRPC-web from the page, passed on as gRPC to the service that its path names. Messages are not looked into: streams flow.

mod held;

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::body::Body as WebBody;
use chassis::{
    Shutdown, Tls, chain,
    grpc::{Channel, TraceLayer, connect_lazy},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version, header};
use http_body_util::Limited;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    callable,
    config::Upstreams,
    door::Pass,
    error::{Error, upstream_away},
};
use held::Held;

/// What an officer sends is small; evidence goes another way.
const MAX_REQUEST: usize = 1 << 20;

/// The services behind us. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Proxy {
    channels: Arc<HashMap<&'static str, Channel>>,
    shutdown: Shutdown,
}

impl Proxy {
    /// Connections are made when they are first needed.
    ///
    /// # Errors
    /// Names the upstream whose address isn't one.
    pub fn new(upstreams: &Upstreams, tls: Option<&Tls>, shutdown: Shutdown) -> Result<Self, Error> {
        let Upstreams { intake, transfer, session, evidence, referral } = upstreams;
        let mut channels = HashMap::new();
        for (name, url) in [
            ("alcove.intake.v1.IntakeService", intake),
            ("alcove.transfer.v1.TransferService", transfer),
            ("alcove.session.v1.SessionService", session),
            ("alcove.evidence.v1.EvidenceService", evidence),
            ("alcove.referral.v1.ReferralService", referral),
        ] {
            channels.insert(name, connect_lazy(url, tls)?);
        }
        Ok(Self { channels: Arc::new(channels), shutdown })
    }

    /// Passes a request on in the name of an officer.
    ///
    /// # Errors
    /// It is nothing that a page may call, or it isn't gRPC-web.
    pub async fn pass_on(&self, pass: Pass, request: Request<WebBody>) -> Result<Response<Body>, Error> {
        let service = callable::service_of(request.uri().path()).ok_or(Error::NothingHere)?;
        let channel = self.channels.get(service).ok_or(Error::NothingHere)?.clone();
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/grpc-web")) {
            return Err(Error::NotGrpcWeb);
        }
        let (mut parts, body) = request.into_parts();
        parts.headers = headers(&parts.headers, &pass)?;
        let request = Request::from_parts(parts, Limited::new(body, MAX_REQUEST));

        // From the inside out: the upstream, while the session holds; a span and an end at shutdown; gRPC-web to gRPC and back.
        let Pass { ended, .. } = pass;
        let upstream = service_fn(move |request| {
            let (answer, ended) = (send(channel.clone(), request), ended.clone());
            async move { Ok(answer.await?.map(|body| Held::new(body, ended))) }
        });
        let traced = TraceLayer::new(self.shutdown.clone()).layer(upstream);
        let answer = GrpcWebLayer::new().layer(traced).oneshot(request).await;
        Ok(answer.unwrap_or_else(|never: Infallible| match never {}))
    }
}

/// What of the browser's headers concerns the services, and who it is that asks.
fn headers(from: &HeaderMap, pass: &Pass) -> Result<HeaderMap, Error> {
    const PASSED: [&str; 6] =
        ["content-type", "accept", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "x-user-agent"];
    let mut headers = HeaderMap::new();
    for name in PASSED.map(HeaderName::from_static) {
        if let Some(value) = from.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    // Who asks is said by the issuer's token alone; what the browser says of it never gets through.
    let bearer = format!("Bearer {}", pass.access.expose());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Error::NotSignedIn)?;
    bearer.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bearer);
    Ok(headers)
}

async fn send(channel: Channel, mut request: Request<Body>) -> Result<Response<Body>, Infallible> {
    *request.version_mut() = Version::HTTP_2;
    Ok(match channel.oneshot(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => {
            tracing::warn!(error = chain(&error), "an upstream is not there");
            upstream_away().into_http()
        }
    })
}
