//! Before each RPC: who asks, whether they may, and whether it is about their own force and in their own name. Done here
//! once, for unary calls and streams alike, so that no handler can forget it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use api::addressed::{self, Address};
use futures::FutureExt;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use tonic::{
    Code, Status,
    body::Body,
    transport::{
        CertificateDer,
        server::{TcpConnectInfo, TlsConnectInfo},
    },
};
use tower::{Layer, Service};

use super::{
    first::{Unread, first_message},
    lent::{Lent, as_lent},
};
use crate::{
    access::{EVERY_SERVER, Rule, rule_for},
    principal::Principal,
    status::status,
    tokens::{Refused, Tokens},
};

/// Whose word is taken for which officer asks.
const CONSOLE: &str = "console";

/// However long a caller would wait: what one request asks for is done, or failed, long before.
const LONGEST: Duration = Duration::from_secs(30);

/// How callers say who they are.
#[derive(Debug, Clone)]
pub(super) enum Identification {
    /// They don't: the dev profile without `[tls]`.
    None,
    /// By certificate, and officers by a token over the console's.
    Certificates(Option<Tokens>),
}

/// Lets in whom the rules let in.
#[derive(Clone)]
pub(super) struct GuardLayer {
    guard: Arc<Guard>,
}

struct Guard {
    rules: &'static [Rule],
    identification: Identification,
    /// Says whose calls are whose; without it nobody is lent.
    lent: Option<Box<dyn Lent>>,
    longest: Duration,
}

/// The service that [`GuardLayer`] makes.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl GuardLayer {
    /// By these rules; what every server answers is added to them.
    pub(super) fn new(rules: &'static [Rule], identification: Identification, lent: Option<Box<dyn Lent>>) -> Self {
        Self { guard: Arc::new(Guard { rules, identification, lent, longest: LONGEST }) }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.guard.clone() }
    }
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that was polled ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let guard = self.guard.clone();
        async move {
            let unary = addressed::rpc(request.uri().path().trim_start_matches('/')).is_some_and(|rpc| rpc.unary);
            // A first message that never comes is not waited for, of a stream either.
            let admitted = tokio::time::timeout(guard.longest, guard.admit(request)).await;
            let request = match admitted.unwrap_or_else(|_| Err(too_late())) {
                Ok(request) => request,
                Err(refused) => return Ok(refused.into_http()),
            };
            let answer = inner.call(request);
            if unary {
                tokio::time::timeout(guard.longest, answer).await.unwrap_or_else(|_| Ok(too_late().into_http()))
            } else {
                answer.await
            }
        }
        .boxed()
    }
}

impl Guard {
    async fn admit(&self, mut request: Request<Body>) -> Result<Request<Body>, Status> {
        let path = request.uri().path();
        let rule = rule_for(self.rules.iter().chain(EVERY_SERVER), path).ok_or_else(not_for_you)?;
        if rule.admits(None) {
            return Ok(request);
        }
        let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
        let certificates = connection.and_then(TlsConnectInfo::peer_certs);
        let certificate = certificates.as_ref().and_then(|chain| chain.first());
        let mut caller = self.caller(certificate, request.headers()).await?;
        if !rule.admits(Some(&caller)) {
            return Err(not_for_you());
        }
        // Of whose requests we can't say what they are about, a caller of one force makes none: bindings are missing.
        let read = match addressed::rpc(rule.rpc) {
            Some(rpc) => rpc.address,
            None if EVERY_SERVER.iter().any(|every| every.rpc == rule.rpc) => None,
            None if caller.force().is_some() => return Err(not_for_you()),
            None => None,
        };
        if caller.force().is_some()
            && let Some(read) = read
        {
            let (parts, body) = request.into_parts();
            let (message, body) = first_message(body).await?.map_err(unread)?;
            let address = read(&message).map_err(|_| malformed("the request can't be decoded"))?;
            if let Some(lent) = self.lent(rule, &caller, &address).await? {
                caller = lent;
            }
            own(rule, &caller, &address)?;
            request = Request::from_parts(parts, body);
        }
        request.extensions_mut().insert(caller);
        Ok(request)
    }

    /// The officer as the other force knows them, if they ask about another force's call, and it is theirs.
    async fn lent(&self, rule: &Rule, caller: &Principal, address: &Address) -> Result<Option<Principal>, Status> {
        if caller.force().is_none_or(|force| force.as_str() == address.force) {
            return Ok(None);
        }
        let (Some(service), Some((asked, lent))) = (&self.lent, as_lent(rule, caller, address)) else {
            return Ok(None);
        };
        Ok(service.is_theirs(&asked).await?.then_some(lent))
    }

    async fn caller(
        &self,
        certificate: Option<&CertificateDer<'static>>,
        headers: &HeaderMap,
    ) -> Result<Principal, Status> {
        let Identification::Certificates(tokens) = &self.identification else { return Ok(Principal::Anybody) };
        let caller = certificate.and_then(Principal::of_certificate).ok_or_else(no_certificate)?;
        let console = matches!(&caller, Principal::Service(name) if name == CONSOLE);
        let Some(bearer) = bearer(headers).filter(|_| console) else { return Ok(caller) };
        let Some(tokens) = tokens else { return Err(token_refused(Refused::Invalid)) };
        let claims = tokens.check(bearer).await.map_err(token_refused)?;
        Ok(Principal::Officer { id: claims.officer, force: claims.force, roles: claims.roles })
    }
}

/// Whether a request is about its caller's own force, and in nobody else's name.
fn own(rule: &Rule, caller: &Principal, address: &Address) -> Result<(), Status> {
    if caller.force().is_some_and(|force| force.as_str() != address.force) {
        return Err(match rule.unknown {
            Some(reason) => status(Code::NotFound, reason, "there is no such thing"),
            None => status(Code::PermissionDenied, "NOT_YOUR_FORCE", "it is another force's"),
        });
    }
    match (caller, &address.officer) {
        (Principal::Officer { id, .. }, Some(officer)) if id.as_str() != officer => {
            Err(status(Code::PermissionDenied, "NOT_YOU", "it is in another officer's name"))
        }
        _ => Ok(()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn not_for_you() -> Status {
    status(Code::PermissionDenied, "NOT_FOR_YOU", "whoever asks may not call this")
}

fn too_late() -> Status {
    status(
        Code::DeadlineExceeded,
        "TOO_LATE",
        "it was not done in time; asked again by the same request_id it is done once",
    )
}

fn no_certificate() -> Status {
    status(Code::Unauthenticated, "NO_CERTIFICATE", "there is no certificate that says who asks")
}

fn malformed(message: &str) -> Status {
    status(Code::InvalidArgument, "MALFORMED_REQUEST", message)
}

fn token_refused(refused: Refused) -> Status {
    match refused {
        Refused::Expired => status(Code::Unauthenticated, "TOKEN_EXPIRED", "the officer's token has expired"),
        Refused::Invalid => status(Code::Unauthenticated, "TOKEN_INVALID", "the officer's token is not believed"),
        Refused::IssuerAway => {
            status(Code::Unavailable, "ISSUER_UNAVAILABLE", "the token can't be checked at the moment")
        }
    }
}

fn unread(unread: Unread) -> Status {
    match unread {
        Unread::Missing => malformed("there is no request"),
        Unread::Compressed => status(Code::Unimplemented, "COMPRESSED", "requests are not to be compressed"),
        Unread::TooLong => status(Code::OutOfRange, "TOO_LARGE", "the request is too large"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{convert::Infallible, future::pending};

    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::access::Who;

    #[tokio::test]
    async fn one_request_is_not_at_work_for_ever() {
        const RULES: &[Rule] = &[Rule::of("alcove.intake.v1.IntakeService/GetCall", &[Who::Everybody])];
        let longest = Duration::from_millis(1);
        let guard = Guard { rules: RULES, identification: Identification::None, lent: None, longest };
        let stuck = service_fn(|_: Request<Body>| pending::<Result<Response<Body>, Infallible>>());
        let guarded = GuardLayer { guard: Arc::new(guard) }.layer(stuck);
        let request = Request::builder().uri("/alcove.intake.v1.IntakeService/GetCall").body(Body::empty()).unwrap();
        let answer = guarded.oneshot(request).await.unwrap();
        let code = answer.headers().get(Status::GRPC_STATUS).unwrap();
        assert_eq!(code, &(Code::DeadlineExceeded as i32).to_string());
    }
}
