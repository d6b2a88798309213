//! The caller's side: a channel that connects when first used, notices a dead peer, and passes the trace on.

use std::time::Duration;

use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Endpoint,
};

use crate::{
    config::ConfigError,
    tls::Tls,
    trace::{TRACEPARENT, Trace},
};

/// What every client of ours is built on: `SessionServiceClient::new(channel)`.
pub type Channel = InterceptedService<tonic::transport::Channel, InjectTrace>;

/// Puts the current span's `traceparent` into the metadata of each request.
#[derive(Debug, Clone, Copy, Default)]
pub struct InjectTrace;

/// A channel to `https://host:port` by our certificate, or to `http://host:port` if we have none. It connects on first
/// use and again after a loss; a call meanwhile is UNAVAILABLE.
///
/// # Errors
/// When the URL isn't one, or would leave unsaid who we are.
pub fn connect_lazy(url: &str, tls: Option<&Tls>) -> Result<Channel, ConfigError> {
    let unusable = |problem: &dyn std::fmt::Display| ConfigError::unusable(url, problem);
    let mut endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| unusable(&error))?;
    match (tls, endpoint.uri().scheme_str()) {
        (Some(tls), Some("https")) => endpoint = endpoint.tls_config(tls.client()).map_err(|error| unusable(&error))?,
        (None, Some("http")) => {}
        (Some(_), _) => return Err(unusable(&"with [tls] it has to begin with https://")),
        (None, _) => return Err(unusable(&"without [tls] it has to begin with http://")),
    }
    let endpoint = endpoint
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    Ok(InterceptedService::new(endpoint.connect_lazy(), InjectTrace))
}

impl Interceptor for InjectTrace {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Ok(value) = MetadataValue::try_from(Trace::current().as_str())
            && !value.is_empty()
        {
            request.metadata_mut().insert(TRACEPARENT, value);
        }
        Ok(request)
    }
}
