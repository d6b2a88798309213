//! Where a request comes from, as far as guessing is concerned.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

use super::Web;
use crate::subscriber::Subscriber;

impl FromRequestParts<Arc<Web>> for Subscriber {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Infallible> {
        let forwarded = || {
            let last = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let address = if web.behind_proxy { forwarded().or(peer) } else { peer };
        Ok(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).into())
    }
}
