//! Who a test is to the services: a control room by its certificate, an officer by a token over the console's. In a stack
//! whose services don't ask, nobody in particular.

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

/// Puts an officer's token, if there is one, on each request.
#[derive(Debug, Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A force's control room's channel to intake.
///
/// # Errors
/// When it can't be given a certificate.
pub fn control_room(stack: &Stack, force: &str) -> Outcome<Channel> {
    let papers = stack.secure().map(|secure| secure.identities.control_room(force)).transpose()?;
    channel(stack, "intake", papers)
}

/// An officer's way to a service, in every role.
///
/// # Errors
/// When they can't be given a token.
pub fn officer(stack: &Stack, service: &str, force: &str, id: &str) -> Outcome<Way> {
    let papers = stack.secure().map(|secure| secure.papers("console"));
    let token = match stack.secure() {
        None => None,
        Some(_) => {
            let now = Clock::system().now().timestamp();
            let roles = Role::ALL.map(Role::word);
            let claims = json!({"sub": id, "force": force, "roles": roles, "iat": now, "exp": now + 3600});
            Some(format!("Bearer {}", stack.issuer.token(claims)?).parse()?)
        }
    };
    Ok(InterceptedService::new(channel(stack, service, papers)?, Bearer(token)))
}

fn channel(stack: &Stack, service: &str, papers: Option<Papers>) -> Outcome<Channel> {
    let section = papers.map(|Papers { certificate, key, roots }| config::Tls { certificate, key, roots });
    Ok(connect_lazy(&stack.grpc(service), Tls::read(section.as_ref())?.as_ref())?)
}
