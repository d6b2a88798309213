//! One phone's path to a server, without I/O: connectivity checks, the DTLS handshake, and the keys that come of it.
//!
//! Not `rtc`'s peer connection: a crowd of those would take as much of the machine as the server that is to be measured.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    crypto::{HashAlgorithm, RTCCryptoProvider},
    dtls::{
        config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile,
        state::State,
    },
    shared::TransportProtocol,
    srtp::{
        config::{Config, LABEL_EXTRACTOR_DTLS_SRTP},
        context::Context,
        protection_profile::ProtectionProfile,
    },
    stun::{
        attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME},
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter},
        xoraddr::XorMappedAddress,
    },
};

use super::sdp::{Credentials, Remote};
use crate::Failure;

/// How often a server is asked whether it is there, until it answers and afterwards.
const CHECKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// A server that has not checked by then never does.
const LITE: Duration = Duration::from_millis(150);
/// How long a server has for its part of the handshake. `rtc` forgets that it waits once anything comes that doesn't bring it on.
const AGAIN: Duration = Duration::from_millis(400);
/// Of a peer-reflexive candidate: the server learns our address from the check itself.
const PRIORITY: u32 = 0x6eff_ffff;

/// What Chromium 156 offers, in its order.
const PROFILES: [(SrtpProtectionProfile, ProtectionProfile); 3] = [
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, ProtectionProfile::AeadAes256Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm),
];

/// What all phones of the crowd have in common: one certificate. To the server a handshake is a handshake.
pub struct Identity {
    /// SHA-256, as SDP has it.
    pub fingerprint: String,
    handshake: Arc<HandshakeConfig>,
    crypto: Arc<dyn RTCCryptoProvider>,
}

impl Identity {
    /// A fresh one.
    pub fn new() -> Result<Self, Failure> {
        let crypto = rtc::crypto::default_provider()?;
        let certificate = Certificate::generate_self_signed(vec!["crowd".to_owned()], crypto.crypto())?;
        let der = certificate.certificate.first().ok_or("a certificate without itself")?;
        let digest = crypto.crypto().hash(HashAlgorithm::Sha256, der)?;
        let fingerprint = digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        let handshake = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&crypto))
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(PROFILES.map(|(offered, _)| offered).to_vec())
            // Whoever answers on loopback is the server.
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(true, None)?;
        Ok(Self { fingerprint, handshake: Arc::new(handshake), crypto })
    }
}

/// What packets are protected with.
pub struct Keys {
    /// Towards the server.
    pub ours: Context,
    /// From the server.
    pub theirs: Context,
}

/// What a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Protected media.
    Rtp,
    /// Protected reports.
    Rtcp,
    /// Something of the line's own.
    Nothing,
}

/// The line.
pub struct Line {
    identity: Arc<Identity>,
    local: SocketAddr,
    ours: Credentials,
    theirs: Remote,
    dtls: Endpoint,
    /// When the server first answered a check.
    met: Option<Instant>,
    /// The server has checked, too, and was answered.
    asked: bool,
    begun: bool,
    /// What was last said of the handshake, and when.
    said: Option<(Instant, Vec<BytesMut>)>,
    checked: Option<Instant>,
    /// Once the handshake is over.
    pub keys: Option<Keys>,
    /// Datagrams to send.
    pub out: Vec<BytesMut>,
}

impl Line {
    /// From our socket to what the server's description says.
    pub fn new(identity: &Arc<Identity>, local: SocketAddr, ours: Credentials, theirs: Remote) -> Self {
        let dtls = Endpoint::new(local, TransportProtocol::UDP, None);
        let identity = Arc::clone(identity);
        Self {
            identity,
            local,
            ours,
            theirs,
            dtls,
            met: None,
            asked: false,
            begun: false,
            said: None,
            checked: None,
            keys: None,
            out: Vec::new(),
        }
    }

    /// Time has passed: checks and the handshake go on.
    pub fn wake(&mut self, now: Instant) -> Result<(), Failure> {
        let every = if self.met.is_some() { CHECKS.1 } else { CHECKS.0 };
        if self.checked.is_none_or(|checked| now >= checked + every) {
            self.checked = Some(now);
            self.check()?;
        }
        self.begin(now)?;
        let due = self.dtls.poll_timeout(&self.theirs.address);
        if due.is_some_and(|due| due <= now) {
            // Once it has given up there never is a line, and whoever waits for it finds out.
            let _ = self.dtls.handle_timeout(self.theirs.address, now);
            self.flush(now);
        }
        if let (None, None, Some((at, said))) = (due, &self.keys, &mut self.said)
            && now >= *at + AGAIN
        {
            self.out.extend(said.iter().cloned());
            *at = now;
        }
        Ok(())
    }

    /// Something came.
    pub fn datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<Came, Failure> {
        match datagram {
            [128..=191, 192..=223, ..] => return Ok(Came::Rtcp),
            [128..=191, ..] => return Ok(Came::Rtp),
            [20..=63, ..] => self.handshake(now, datagram)?,
            [0..=3, ..] => self.stun(now, datagram)?,
            _ => {}
        }
        Ok(Came::Nothing)
    }

    fn stun(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Failure> {
        let mut came = Message::new();
        came.unmarshal_binary(datagram)?;
        if came.typ == BINDING_REQUEST {
            let answer = self.message(BINDING_SUCCESS, Some(&came), self.ours.password.clone(), |answer| {
                XorMappedAddress { ip: self.theirs.address.ip(), port: self.theirs.address.port() }.add_to(answer)
            })?;
            self.out.push(answer);
            self.asked = true;
        } else if came.typ == BINDING_SUCCESS {
            self.met.get_or_insert(now);
        }
        self.begin(now)
    }

    /// Begins the handshake once the server listens to it: one that checks, too, does so after its own check.
    fn begin(&mut self, now: Instant) -> Result<(), Failure> {
        let listens = self.met.is_some_and(|met| self.asked || now >= met + LITE);
        if listens && !std::mem::replace(&mut self.begun, true) {
            self.dtls.connect(now, self.theirs.address, Arc::clone(&self.identity.handshake), None)?;
            self.flush(now);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), Failure> {
        let name = format!("{}:{}", self.theirs.credentials.name, self.ours.name);
        let check = self.message(BINDING_REQUEST, None, self.theirs.credentials.password.clone(), |check| {
            check.add(ATTR_USERNAME, name.as_bytes());
            check.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
            check.add(ATTR_ICE_CONTROLLING, &u64::from(self.local.port()).to_be_bytes());
            check.add(ATTR_USE_CANDIDATE, &[]);
            Ok(())
        })?;
        self.out.push(check);
        Ok(())
    }

    fn message(
        &self,
        kind: MessageType,
        answers: Option<&Message>,
        password: String,
        fill: impl FnOnce(&mut Message) -> Result<(), rtc::shared::error::Error>,
    ) -> Result<BytesMut, Failure> {
        let mut message = Message::new();
        message.set_type(kind);
        match answers {
            Some(request) => message.transaction_id = request.transaction_id,
            None => message.new_transaction_id()?,
        }
        message.write_header();
        fill(&mut message)?;
        let crypto = self.identity.crypto.crypto();
        MessageIntegrity::new_short_term_integrity_with_provider(password, crypto).add_to(&mut message)?;
        FINGERPRINT.add_to(&mut message)?;
        Ok(BytesMut::from(&message.raw[..]))
    }

    fn handshake(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Failure> {
        // Before the first check is answered, or after a goodbye.
        let events = self.dtls.read(now, self.theirs.address, None, BytesMut::from(datagram));
        self.flush(now);
        for event in events.unwrap_or_default() {
            if let (EndpointEvent::HandshakeComplete, Some(state)) =
                (event, self.dtls.get_connection_state(self.theirs.address))
            {
                self.keys = Some(keys(state, &*self.identity.crypto)?);
            }
        }
        Ok(())
    }

    fn flush(&mut self, now: Instant) {
        let said: Vec<_> = std::iter::from_fn(|| self.dtls.poll_transmit()).map(|sent| sent.message).collect();
        if !said.is_empty() {
            self.out.extend(said.iter().cloned());
            self.said = Some((now, said));
        }
    }
}

fn keys(state: &State, crypto: &dyn RTCCryptoProvider) -> Result<Keys, Failure> {
    let chosen = state.srtp_protection_profile();
    let (_, profile) = PROFILES.into_iter().find(|(offered, _)| *offered == chosen).ok_or("not what was offered")?;
    let mut config = Config { profile, ..Config::default() };
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())?;
    config.set_session_keys_from_keying_material(material.as_ref(), true)?;
    let context = |key: &[u8], salt: &[u8]| Context::new(key, salt, profile, None, None, crypto.crypto());
    Ok(Keys {
        ours: context(&config.keys.local_master_key, &config.keys.local_master_salt)?,
        theirs: context(&config.keys.remote_master_key, &config.keys.remote_master_salt)?,
    })
}
