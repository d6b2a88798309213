//! DTLS over whatever path ICE has found, and the keys for SRTP that come of it. Whoever does not have the certificate of the
//! offer's fingerprint gets none.

use std::{sync::Arc, time::Instant};

use bytes::BytesMut;
use ring::digest;
use rtc::{
    crypto::{RTCCryptoProvider, default_provider},
    dtls::{
        config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig, VerifyPeerCertificateFn},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile as Offered,
        state::State,
    },
    shared::{TransportContext, TransportProtocol, error::Error},
    srtp::{
        config::{Config, LABEL_EXTRACTOR_DTLS_SRTP},
        context::Context,
        option::{srtcp_replay_protection, srtp_replay_protection},
        protection_profile::ProtectionProfile as Profile,
    },
};

use crate::media::negotiate::Offer;

/// In what order we like to protect: by the processor's own instructions first.
const PROFILES: [(Offered, Profile); 4] = [
    (Offered::Srtp_Aead_Aes_128_Gcm, Profile::AeadAes128Gcm),
    (Offered::Srtp_Aead_Aes_256_Gcm, Profile::AeadAes256Gcm),
    (Offered::Srtp_Aes128_Cm_Hmac_Sha1_80, Profile::Aes128CmHmacSha1_80),
    (Offered::Srtp_Aes128_Cm_Hmac_Sha1_32, Profile::Aes128CmHmacSha1_32),
];
/// Packets, and reports, that may come late without being taken for somebody's replay.
const REPLAY: (usize, usize) = (1_024, 64);

/// One connection's handshake, and its goodbye.
pub(super) struct Handshake {
    endpoint: Endpoint,
    /// Where we begin: until we have.
    begins: Option<Arc<HandshakeConfig>>,
    crypto: Arc<dyn RTCCryptoProvider>,
    /// When it wants to be woken: what was lost is sent again.
    next: Option<Instant>,
    over: bool,
    /// SHA-256 of our certificate.
    pub(super) fingerprint: String,
}

/// What packets are protected with.
pub(super) struct Keys {
    pub(super) ours: Context,
    pub(super) theirs: Context,
}

/// What has come of a datagram.
pub(super) enum Outcome {
    /// They have proved themselves.
    Done(Box<Keys>),
    /// They have closed their side.
    Goodbye,
}

impl Handshake {
    /// With a certificate of its own.
    pub(super) fn new(offer: &Offer) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let certificate = Certificate::generate_self_signed(vec!["alcove".to_owned()], crypto.crypto())?;
        let fingerprint = certificate.certificate.first().map(|der| {
            let digest = digest::digest(&digest::SHA256, der);
            digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
        });
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&crypto))
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(PROFILES.map(|(offered, _)| offered).to_vec())
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // No authority has signed it: the fingerprint says whose it is.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(verify(offer.fingerprints.clone())))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(offer.passive, None)?;
        let (begins, waits) = match offer.passive {
            true => (Some(Arc::new(config)), None),
            false => (None, Some(Arc::new(config))),
        };
        let endpoint = Endpoint::new(TransportContext::default().local_addr, TransportProtocol::UDP, waits);
        Ok(Self {
            endpoint,
            begins,
            crypto,
            next: None,
            over: false,
            fingerprint: fingerprint.ok_or(Error::ErrNonCertificate)?,
        })
    }

    /// There is a path: begins, if that is our part.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Error> {
        let Some(config) = self.begins.take() else { return Ok(()) };
        let begun = self.endpoint.connect(now, TransportContext::default().peer_addr, config, None);
        self.set_alarm();
        begun
    }

    /// A datagram came.
    pub(super) fn read(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<Outcome>, Error> {
        if self.over {
            // A server would take it for a new handshake.
            return Ok(None);
        }
        let peer = TransportContext::default().peer_addr;
        let mut outcome = None;
        let events = self.endpoint.read(now, peer, None, BytesMut::from(datagram));
        self.set_alarm();
        for event in events? {
            match event {
                EndpointEvent::HandshakeComplete => {
                    let state = self.endpoint.get_connection_state(peer).ok_or(Error::ErrNoSuchSrtpProfile)?;
                    outcome = Some(Outcome::Done(Box::new(keys(state, &*self.crypto)?)));
                }
                EndpointEvent::PeerClosed => {
                    self.over = true;
                    outcome = Some(Outcome::Goodbye);
                }
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// When it wants to be woken.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant) -> Result<(), Error> {
        if self.next.is_none_or(|next| now < next) {
            return Ok(());
        }
        let woken = self.endpoint.handle_timeout(TransportContext::default().peer_addr, now);
        self.set_alarm();
        woken
    }

    fn set_alarm(&mut self) {
        self.next = self.endpoint.poll_timeout(&TransportContext::default().peer_addr);
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant) -> Result<(), Error> {
        self.next = None;
        match std::mem::replace(&mut self.over, true) {
            true => Ok(()),
            false => self.endpoint.close(now),
        }
    }

    /// The next datagram to send.
    pub(super) fn transmit(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }
}

fn verify(fingerprints: Vec<[u8; 32]>) -> VerifyPeerCertificateFn {
    Arc::new(move |certificates, _| {
        let digest = digest::digest(&digest::SHA256, certificates.first().ok_or(Error::ErrNonCertificate)?);
        let is_theirs = fingerprints.iter().any(|fingerprint| fingerprint == digest.as_ref());
        is_theirs.then_some(()).ok_or(Error::ErrNoMatchingCertificateFingerprint)
    })
}

fn keys(state: &State, crypto: &dyn RTCCryptoProvider) -> Result<Keys, Error> {
    let negotiated = state.srtp_protection_profile();
    let known = PROFILES.into_iter().find(|(offered, _)| *offered == negotiated);
    let (_, profile) = known.ok_or(Error::ErrNoSuchSrtpProfile)?;
    let mut config = Config { profile, ..Config::default() };
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())?;
    config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
    let (keys, crypto) = (&config.keys, crypto.crypto());
    let replay = (srtp_replay_protection(REPLAY.0), srtcp_replay_protection(REPLAY.1));
    Ok(Keys {
        ours: Context::new(&keys.local_master_key, &keys.local_master_salt, profile, None, None, crypto)?,
        theirs: Context::new(
            &keys.remote_master_key,
            &keys.remote_master_salt,
            profile,
            Some(replay.0),
            Some(replay.1),
            crypto,
        )?,
    })
}
