//! The server's side: the services that were added, health, reflection, a guard and a span around each RPC, and a drain
//! with a limit.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::response::IntoResponse;
use http::Request;
use tokio::net::TcpListener;
use tonic::{body::Body, server::NamedService, service::Routes, transport::server::Server as Transport};
use tower::Service;

use super::{
    guard::{GuardLayer, Identification},
    incoming,
    layer::TraceLayer,
    lent::Lent,
};
use crate::{
    Clock, Entropy, Error, Health, Shutdown,
    access::Rule,
    config::{Base, Profile},
    tls::Tls,
    tokens::Tokens,
};

/// How long requests may take to finish after the shutdown was asked for.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Calls at once over one connection: a console's has those of all its officers.
const STREAMS: u32 = 1024;
/// Bytes of a request's metadata: a token is the largest part of it.
const HEAD: u32 = 32 * 1024;
/// Until an answer begins, with all that a client streams before it. A stream that answers goes on for as long as it is wanted.
const ANSWER: Duration = Duration::from_secs(300);

/// A gRPC server: `Server::new(&base, &entropy, shutdown).guarded(RULES, clock).add(service).bind(&health).await?.serve().await?`.
pub struct Server {
    addr: SocketAddr,
    age: Duration,
    shutdown: Shutdown,
    routes: Routes,
    names: Vec<&'static str>,
    base: Base,
    rules: &'static [Rule],
    clock: Option<Clock>,
    lent: Option<Box<dyn Lent>>,
}

/// A server whose port is open, though nothing answers yet.
pub struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
    age: Duration,
    shutdown: Shutdown,
    routes: Routes,
    tls: Option<Tls>,
    guard: GuardLayer,
}

impl Server {
    /// A server for the address in `base.grpc`; without one, a free port on loopback. Chance keeps the connections of several
    /// instances from ending together.
    #[must_use]
    pub fn new(base: &Base, entropy: &Entropy, shutdown: Shutdown) -> Self {
        let grpc = base.grpc.clone().unwrap_or_default();
        let (addr, age) = (grpc.listen, at_most(Duration::from_millis(grpc.max_connection_age_ms), entropy));
        let (routes, names, rules) = (Routes::default(), Vec::new(), [].as_slice());
        Self { addr, age, shutdown, routes, names, base: base.clone(), rules, clock: None, lent: None }
    }

    /// Who may call what: an RPC without a rule is nobody's to call. Callers say who they are by certificate, and
    /// officers by a token over the console's; without `[tls]` everybody is anybody in the dev profile, and nobody in
    /// any other.
    #[must_use]
    pub fn guarded(self, rules: &'static [Rule], clock: Clock) -> Self {
        Self { rules, clock: Some(clock), ..self }
    }

    /// Who knows which calls are a lent officer's. Without it, rules that are marked `lent` let nobody of another force in.
    #[must_use]
    pub fn lent(self, lent: impl Lent) -> Self {
        Self { lent: Some(Box::new(lent)), ..self }
    }

    /// Adds a service.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it adds a service; nobody will take it for arithmetic")]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Opens the port. `grpc.health.v1` answers as `/readyz` does, for each service and for the whole.
    ///
    /// # Errors
    /// When the address can't be bound, or certificates or tokens are missing.
    pub async fn bind(self, health: &Health) -> Result<Bound, Error> {
        let Self { addr, age, shutdown, routes, names, base, rules, clock, lent } = self;
        let tls = Tls::read(base.tls.as_ref(), clock.clone().unwrap_or_else(Clock::system))?;
        let tokens = match (&base.tokens, clock) {
            (Some(tokens), Some(clock)) => Some(Tokens::new(tokens, clock)?),
            _ => None,
        };
        let identification = match (&tls, base.profile) {
            (None, Profile::Dev) => Identification::None,
            _ => Identification::Certificates(tokens),
        };
        let guard = GuardLayer::new(rules, identification, lent);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::DESCRIPTORS)
            .build_v1()?;
        let routes = routes.add_service(health.grpc(names, shutdown.clone())).add_service(reflection);
        let failed = |source| Error::Bind { what: "grpc", addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Bound { listener, addr, age, shutdown, routes, tls, guard })
    }
}

impl Bound {
    /// The address that was bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// As [`Bound::local_addr`], as whoever is on this machine calls it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.addr)
    }

    /// Answers until the shutdown is asked for, then lets what is running finish, within a limit.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self) -> Result<(), Error> {
        let Self { listener, age, shutdown, routes, tls, guard, .. } = self;
        let transport = Transport::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .max_concurrent_streams(STREAMS)
            // Without a grace: with one, tonic says no GOAWAY and breaks at its end whatever is under way.
            .max_connection_age(age)
            .http2_max_header_list_size(HEAD)
            .timeout(ANSWER)
            .layer(TraceLayer::new(shutdown.clone()))
            .layer(guard)
            .add_routes(routes);
        let asked = shutdown.clone().requested_owned();
        let serving = async move {
            match tls {
                Some(tls) => transport.serve_with_incoming_shutdown(incoming::secured(listener, tls), asked).await,
                None => transport.serve_with_incoming_shutdown(incoming::plain(listener), asked).await,
            }
        };
        tokio::select! {
            served = serving => served.map_err(Error::Grpc),
            () = shutdown.overdue(DRAIN_LIMIT) => {
                tracing::warn!(limit = ?DRAIN_LIMIT, "requests were still running at the drain limit");
                Ok(())
            }
        }
    }
}

/// This long, or by chance up to a tenth less.
fn at_most(age: Duration, entropy: &Entropy) -> Duration {
    let [chance] = entropy.bytes();
    age.mul_f64(1.0 - f64::from(chance) / f64::from(u8::MAX) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connections_age_is_never_more_than_was_set_and_differs_between_processes() {
        let minute = Duration::from_secs(60);
        let ages: Vec<Duration> = (0..64).map(|seed| at_most(minute, &Entropy::seeded(seed))).collect();
        assert!(ages.iter().all(|age| (minute * 9 / 10..=minute).contains(age)), "{ages:?}");
        assert!(ages.iter().any(|age| *age != ages[0]), "{ages:?}");
    }
}
