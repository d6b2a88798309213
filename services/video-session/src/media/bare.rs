//! An engine with nothing around it, for the tests that are inside of the media core and for `tests/fuzz`.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use chassis::{Clock, Entropy};
use ids::{ParticipantId, SessionId};
use ring::digest;
use rtc::{
    crypto::default_provider,
    dtls::{
        config::{ConfigBuilder, ExtendedMasterSecretType},
        crypto::Certificate,
        endpoint,
        extension::extension_use_srtp::SrtpProtectionProfile,
    },
    shared::{TransportContext, TransportProtocol},
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

use super::{MediaEvent, Publication, Seat, endpoint::Endpoint, engine::Engine};
use crate::domain::Recording;

/// The only session.
pub(super) fn session() -> SessionId {
    SessionId::from(Uuid::from_u128(9))
}

/// Participants are numbers.
pub(super) fn participant(number: u128) -> ParticipantId {
    ParticipantId::from(Uuid::from_u128(number))
}

/// A viewer's.
pub(super) fn seat(number: u128) -> Seat {
    Seat::unrecorded(session(), participant(number))
}

/// The engine, at one address, and what it tells.
pub(super) fn engine() -> (Engine, UnboundedReceiver<MediaEvent>) {
    let (sender, events) = unbounded_channel();
    let ours = Endpoint::udp(SocketAddr::from(([192, 0, 2, 1], 7_403)));
    (Engine::new(Clock::system(), Entropy::seeded(1), vec![ours], sender), events)
}

/// What one of them publishes.
#[expect(clippy::expect_used, reason = "a number makes a track's name")]
pub(super) fn publication(number: u128) -> Publication {
    let track = format!("caller-{number}").parse().expect("a track's name");
    let (session, participant) = (session(), participant(number));
    Publication { session, participant, track, recording: Recording::On, yields: false }
}

/// A phone that begins its handshake with these profiles, in its order; and the fingerprint of its certificate.
#[expect(clippy::unwrap_used, reason = "none of it depends on anything from outside")]
pub(super) fn phone(now: Instant, profiles: Vec<SrtpProtectionProfile>) -> (endpoint::Endpoint, [u8; 32]) {
    let crypto = default_provider().unwrap();
    let certificate = Certificate::generate_self_signed(vec!["phone".to_owned()], crypto.crypto()).unwrap();
    let fingerprint = digest::digest(&digest::SHA256, &certificate.certificate[0]).as_ref().try_into().unwrap();
    let config = ConfigBuilder::default()
        .with_crypto_provider(crypto)
        .with_certificates(vec![certificate])
        .with_srtp_protection_profiles(profiles)
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(true, None)
        .unwrap();
    let TransportContext { local_addr, peer_addr, .. } = TransportContext::default();
    let mut phone = endpoint::Endpoint::new(local_addr, TransportProtocol::UDP, None);
    phone.connect(now, peer_addr, Arc::new(config), None).unwrap();
    (phone, fingerprint)
}
