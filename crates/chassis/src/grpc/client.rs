//! The caller's side: a channel that connects when first used, notices a dead peer, loses no request to a connection's end, and passes the
//! trace on.

use std::{io, time::Duration};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Endpoint,
};
use tower::{Service, service_fn};

use super::resend::Resending;
use crate::{
    config::ConfigError,
    tls::Tls,
    trace::{TRACEPARENT, Trace},
};

/// What every client of ours is built on: `SessionServiceClient::new(channel)`.
pub type Channel = InterceptedService<Resending, InjectTrace>;

/// Puts the current span's `traceparent` into the metadata of each request.
#[derive(Debug, Clone, Copy, Default)]
pub struct InjectTrace;

/// A channel to `https://host:port` by our certificate, or to `http://host:port` if we have none. It connects on first
/// use and again after a loss or when the server ends a connection, and each time asks anew where the host is; a call
/// while nobody is there is UNAVAILABLE.
///
/// # Errors
/// When the URL isn't one, or would leave unsaid who we are.
pub fn connect_lazy(url: &str, tls: Option<&Tls>) -> Result<Channel, ConfigError> {
    let unusable = |problem: &dyn std::fmt::Display| ConfigError::unusable(url, problem);
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| unusable(&error))?;
    let channel = match (tls, endpoint.uri().scheme_str()) {
        (Some(tls), Some("https")) => {
            // We do the TLS ourselves, which tonic takes for none: to it this is a connection in the clear.
            let origin = endpoint.uri().clone();
            let within = Endpoint::from_shared(url.replacen("https", "http", 1)).map_err(|error| unusable(&error))?;
            lasting(within.origin(origin)).connect_with_connector_lazy(connector(tls.clone()))
        }
        (None, Some("http")) => lasting(endpoint).connect_lazy(),
        (Some(_), _) => return Err(unusable(&"with [tls] it has to begin with https://")),
        (None, _) => return Err(unusable(&"without [tls] it has to begin with http://")),
    };
    Ok(InterceptedService::new(Resending::new(channel), InjectTrace))
}

fn lasting(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true)
}

/// By the certificate of the moment: a channel connects again and again.
fn connector(
    tls: Tls,
) -> impl Service<Uri, Response = TokioIo<TlsStream<TcpStream>>, Error = io::Error, Future: Send> + Send + 'static {
    service_fn(move |uri: Uri| {
        let tls = tls.clone();
        async move { tls.connect(uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443)).await.map(TokioIo::new) }
    })
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
