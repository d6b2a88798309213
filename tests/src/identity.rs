//! Who a test is to the services: a control room by its certificate, an officer by a token over the console's.

use chassis::{
    Clock, Role, Tls, config,
    grpc::{Channel, connect_lazy},
};
use serde_json::json;
use testkit::{Papers, Stack};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A way to a service in an officer's name.
pub type Way = InterceptedService<Channel, Bearer>;

/// Puts an officer's token on each request.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A force's control room's channel to intake.
///
/// # Errors
/// When it can't be given a certificate.
pub fn control_room(stack: &Stack, force: &str) -> Outcome<Channel> {
    channel(stack, "intake", &stack.secure().identities.control_room(force)?)
}

/// An officer's way to a service, in every role.
///
/// # Errors
/// When they can't be given a token.
pub fn officer(stack: &Stack, service: &str, force: &str, id: &str) -> Outcome<Way> {
    let now = Clock::system().now().timestamp();
    let roles = Role::ALL.map(Role::word);
    // A bench lasts for hours.
    let claims = json!({"sub": id, "force": force, "roles": roles, "iat": now, "exp": now + 86_400});
    let token = format!("Bearer {}", stack.issuer.token(claims)?).parse()?;
    Ok(InterceptedService::new(channel(stack, service, &stack.secure().papers("console"))?, Bearer(token)))
}

/// A channel to a service, for whoever has these papers.
///
/// # Errors
/// When they can't be read.
pub fn channel(stack: &Stack, service: &str, papers: &Papers) -> Outcome<Channel> {
    let Papers { certificate, key, roots, .. } = papers.clone();
    let section = config::Tls { certificate, key, roots };
    Ok(connect_lazy(&stack.grpc(service), Tls::read(Some(&section), chassis::Clock::system())?.as_ref())?)
}
