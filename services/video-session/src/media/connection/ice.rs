//! Full ICE, with host candidates of ours: finds the path, and keeps asking whether it still is one.
//!
//! Where an offerer says that it is, is not asked: its own checks show where it is, and have its password. So nobody can point us at
//! addresses of their choice. Only one that never checks (ICE-lite) has to be looked for, at a few addresses.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    crypto::default_provider,
    ice::{
        Agent, AgentConfig, Credentials, Event,
        candidate::{Candidate, unmarshal_candidate},
        mdns::MulticastDnsMode,
        state::ConnectionState,
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, error::Error},
};

use crate::media::{
    endpoint::{Datagram, Endpoint},
    negotiate::Offer,
};

/// Without an answer for so long, a peer is away,
const AWAY: Duration = Duration::from_secs(5);
/// and after so much longer it is gone.
const GONE: Duration = Duration::from_secs(25);
/// At so many addresses in one session an ICE-lite offerer is looked for.
const LITE: usize = 4;
/// How often it is asked.
const ASKED: Duration = Duration::from_secs(2);

/// One connection's ICE, session after session.
pub(super) struct Ice {
    agent: Agent,
    /// At how many more addresses they are looked for in this session.
    looks: usize,
    lite: bool,
    /// Where they are: the last path that was chosen. While another session is looking for a new one, media goes on over the old.
    pub(super) route: Option<Endpoint>,
}

impl Ice {
    /// Begins to look for the offerer.
    pub(super) fn new(now: Instant, offer: &Offer, ours: &[Endpoint]) -> Result<Self, Error> {
        let config = AgentConfig {
            disconnected_timeout: Some(AWAY),
            failed_timeout: Some(GONE),
            keepalive_interval: Some(ASKED),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            ..AgentConfig::default()
        };
        let crypto = default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let mut agent = Agent::new(now, Arc::new(config), crypto)?;
        for candidate in ours {
            agent.add_local_candidate(candidate.candidate()?)?;
        }
        let mut ice = Self { agent, looks: LITE, lite: offer.lite, route: None };
        for candidate in &offer.candidates {
            // One that is unusable makes the others no worse.
            if let Err(error) = ice.trickle(candidate) {
                tracing::debug!(%error, "candidate refused");
            }
        }
        // We answer: it is the offerer who chooses, unless it is one of those that only wait.
        ice.agent.start_connectivity_checks(now, offer.lite, offer.ufrag.clone(), offer.pwd.clone())?;
        Ok(ice)
    }

    /// Our user name and password in this session.
    pub(super) fn credentials(&self) -> &Credentials {
        self.agent.get_local_credentials()
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        self.agent.get_local_candidates()
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.agent.state()
    }

    /// Another candidate of theirs. Phones dial by TCP, we never do: theirs for that is left alone.
    pub(super) fn trickle(&mut self, candidate: &str) -> Result<(), Error> {
        let candidate = unmarshal_candidate(candidate)?;
        if self.lite && self.looks > 0 {
            self.looks -= 1;
            self.agent.add_remote_candidate(candidate)?;
        }
        Ok(())
    }

    /// Another session, with other credentials on both sides.
    pub(super) fn restart(&mut self, now: Instant, (ufrag, pwd): (&str, &str)) -> Result<(), Error> {
        self.looks = LITE;
        self.agent.restart(now, String::new(), String::new(), true)?;
        self.agent.set_remote_credentials(ufrag.to_owned(), pwd.to_owned())
    }

    /// A check came, or the answer to one.
    pub(super) fn read(&mut self, now: Instant, datagram: Datagram<'_>) -> Result<(), Error> {
        let Datagram { local, from, bytes } = datagram;
        let transport = TransportContext {
            local_addr: local,
            peer_addr: from.address,
            transport_protocol: from.transport,
            ecn: None,
        };
        self.agent.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(bytes) })
    }

    /// When it wants to be woken.
    pub(super) fn next(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant) -> Result<(), Error> {
        self.agent.handle_timeout(now)
    }

    /// True if a path was chosen since it was last asked.
    pub(super) fn has_chosen(&mut self) -> bool {
        let mut chosen = false;
        while let Some(event) = self.agent.poll_event() {
            if let Event::SelectedCandidatePairChange(ours, theirs) = event.event {
                let transport = ours.network_type().to_protocol();
                self.route = Some(Endpoint { address: theirs.addr(), transport });
                chosen = true;
            }
        }
        chosen
    }

    /// The next datagram to send.
    pub(super) fn transmit(&mut self) -> Option<(Endpoint, BytesMut)> {
        let TaggedBytesMut { transport, message, .. } = self.agent.poll_write()?;
        Some((Endpoint { address: transport.peer_addr, transport: transport.transport_protocol }, message))
    }
}
