//! Where a path ends: an address, and what is spoken there. The same address over UDP and over TCP is two ends.

use std::net::SocketAddr;

use rtc::{
    ice::{
        candidate::{Candidate, CandidateConfig, candidate_host::CandidateHostConfig},
        tcp_type::TcpType,
    },
    shared::{TransportProtocol, error::Error},
};

/// One end of a path, ours or a phone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) transport: TransportProtocol,
}

/// What arrived, and by which path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    /// Our end, as it was advertised.
    pub(super) local: SocketAddr,
    pub(super) from: Endpoint,
    pub(super) bytes: &'a [u8],
}

impl Endpoint {
    pub(super) fn udp(address: SocketAddr) -> Self {
        Self { address, transport: TransportProtocol::UDP }
    }

    pub(super) fn tcp(address: SocketAddr) -> Self {
        Self { address, transport: TransportProtocol::TCP }
    }

    pub(super) fn is_tcp(self) -> bool {
        self.transport == TransportProtocol::TCP
    }

    /// As a candidate of ours. Over TCP it is a passive one (RFC 6544): phones dial, we never do.
    pub(super) fn candidate(self) -> Result<Candidate, Error> {
        let (network, tcp_type) = if self.is_tcp() { ("tcp", TcpType::Passive) } else { ("udp", TcpType::Unspecified) };
        let base_config = CandidateConfig {
            network: network.to_owned(),
            address: self.address.ip().to_string(),
            port: self.address.port(),
            component: 1,
            ..CandidateConfig::default()
        };
        CandidateHostConfig { base_config, tcp_type }.new_candidate_host()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn udp_is_preferred_and_tcp_waits_to_be_dialled() {
        let address = "192.0.2.1:7403".parse().unwrap();
        let [udp, tcp] = [Endpoint::udp(address), Endpoint::tcp(address)].map(|end| end.candidate().unwrap().marshal());
        assert!(udp.ends_with("192.0.2.1 7403 typ host") && udp.contains(" 1 udp "), "{udp}");
        assert!(tcp.ends_with("192.0.2.1 7403 typ host tcptype passive") && tcp.contains(" 1 tcp "), "{tcp}");
        let priority = |candidate: &str| candidate.split(' ').nth(3).unwrap().parse::<u32>().unwrap();
        assert!(priority(&udp) > priority(&tcp));
    }
}
