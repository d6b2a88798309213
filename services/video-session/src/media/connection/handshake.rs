//! DTLS over whatever path ICE has found, and the keys for SRTP that come of it. Whoever does not have the certificate of the
//! offer's fingerprint gets none.
//!
//! `rtc` forgets that it waits as soon as anything comes that does not bring the handshake on: a phone that repeats its hello
//! because our answer was lost would never hear it again. So what was said last is kept here, and said again.
//!
//! It also takes the first of the phone's profiles that is among ours, and browsers name the dearest first (Chromium 156 AES-CM with
//! HMAC-SHA1, before AES-GCM). So a phone is first met with the best ones only, and with every one if it has none of them.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use ring::digest;
use rtc::{
    crypto::{RTCCryptoProvider, default_provider},
    dtls::{
        config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig, VerifyPeerCertificateFn},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
    },
    shared::{TransportContext, TransportProtocol, error::Error},
};

use super::keys::{Keys, best, every, keys};
use crate::media::negotiate::Offer;

/// How long a phone has for its part before it hears ours again, where `rtc` doesn't see to that (RFC 6347, section 4.2.4). The engine
/// gives up long before this is much.
const AGAIN: Duration = Duration::from_millis(400);
/// A hello comes in no more datagrams.
const HELLO: usize = 8;

/// One connection's handshake, and its goodbye.
pub(in crate::media) struct Handshake {
    endpoint: Endpoint,
    out: VecDeque<BytesMut>,
    /// What was said last, and when; nothing once that needs no repeating.
    said: Option<(Instant, Vec<BytesMut>)>,
    /// There are keys.
    done: bool,
    /// Where we begin: until we have.
    begins: Option<Arc<HandshakeConfig>>,
    /// Where they begin: what they are met with if they have none of the best profiles, and what they have said, until that is known.
    otherwise: Option<(Arc<HandshakeConfig>, Vec<BytesMut>)>,
    crypto: Arc<dyn RTCCryptoProvider>,
    /// When it wants to be woken: what was lost is sent again.
    next: Option<Instant>,
    over: bool,
    /// SHA-256 of our certificate.
    pub(super) fingerprint: String,
}

/// What has come of a datagram.
pub(in crate::media) enum Outcome {
    /// They have proved themselves.
    Done(Box<Keys>),
    /// They have closed their side.
    Goodbye,
}

impl Handshake {
    /// With a certificate of its own.
    pub(in crate::media) fn new(offer: &Offer) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let certificate = Certificate::generate_self_signed(vec!["alcove".to_owned()], crypto.crypto())?;
        let fingerprint = certificate.certificate.first().map(|der| {
            let digest = digest::digest(&digest::SHA256, der);
            digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
        });
        let config = |profiles| {
            let config = ConfigBuilder::default()
                .with_crypto_provider(Arc::clone(&crypto))
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(profiles)
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                // No authority has signed it: the fingerprint says whose it is.
                .with_insecure_skip_verify(true)
                .with_verify_peer_certificate(Some(verify(offer.fingerprints.clone())))
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                .build(offer.passive, None);
            config.map(Arc::new)
        };
        let (begins, waits, otherwise) = match offer.passive {
            true => (Some(config(every())?), None, None),
            false => (None, Some(config(best())?), Some((config(every())?, Vec::new()))),
        };
        let endpoint = Endpoint::new(TransportContext::default().local_addr, TransportProtocol::UDP, waits);
        Ok(Self {
            endpoint,
            out: VecDeque::new(),
            said: None,
            done: false,
            begins,
            otherwise,
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
        self.say(now, begun.is_ok());
        begun
    }

    /// A datagram came.
    pub(in crate::media) fn read(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<Outcome>, Error> {
        if self.over {
            // A server would take it for a new handshake.
            return Ok(None);
        }
        let mut outcome = None;
        let events = self.meet(now, datagram);
        self.say(now, events.is_ok());
        for event in events? {
            match event {
                EndpointEvent::HandshakeComplete => {
                    self.done = true;
                    (self.said, self.next) = (None, None);
                    let state = self
                        .endpoint
                        .get_connection_state(TransportContext::default().peer_addr)
                        .ok_or(Error::ErrNoSuchSrtpProfile)?;
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

    /// Reads it. If it shows that they have none of the best profiles, all they have said is read again with every one.
    fn meet(&mut self, now: Instant, datagram: &[u8]) -> Result<Vec<EndpointEvent>, Error> {
        let TransportContext { local_addr: local, peer_addr: peer, .. } = TransportContext::default();
        let datagram = BytesMut::from(datagram);
        if let Some((_, heard)) = self.otherwise.as_mut().filter(|(_, heard)| heard.len() < HELLO) {
            heard.push(datagram.clone());
        }
        match self.endpoint.read(now, peer, None, datagram) {
            Err(Error::ErrServerNoMatchingSrtpProfile) if let Some((config, heard)) = self.otherwise.take() => {
                self.endpoint = Endpoint::new(local, TransportProtocol::UDP, Some(config));
                let mut events = Vec::new();
                for datagram in heard {
                    events.extend(self.endpoint.read(now, peer, None, datagram)?);
                }
                Ok(events)
            }
            read => read,
        }
    }

    /// When it wants to be woken.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Time has passed.
    pub(in crate::media) fn wake(&mut self, now: Instant) -> Result<(), Error> {
        if self.next.is_none_or(|next| now < next) {
            return Ok(());
        }
        let peer = TransportContext::default().peer_addr;
        if let (None, Some((at, said))) = (self.endpoint.poll_timeout(&peer), &mut self.said) {
            self.out.extend(said.iter().cloned());
            *at = now;
            self.next = Some(now + AGAIN);
            return Ok(());
        }
        let woken = self.endpoint.handle_timeout(peer, now);
        self.say(now, woken.is_ok());
        woken
    }

    /// Takes what there is to say, and sets the alarm. If all is not well that was the last word.
    fn say(&mut self, now: Instant, well: bool) {
        let said: Vec<_> = std::iter::from_fn(|| self.endpoint.poll_transmit()).map(|sent| sent.message).collect();
        if !said.is_empty() {
            // What was answered was understood.
            self.otherwise = None;
            self.out.extend(said.iter().cloned());
            self.said = (well && !self.done).then_some((now, said));
        }
        let again = self.said.as_ref().map(|(at, _)| *at + AGAIN);
        self.next = self.endpoint.poll_timeout(&TransportContext::default().peer_addr).or(again);
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant) -> Result<(), Error> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(());
        }
        let closed = self.endpoint.close(now);
        self.say(now, false);
        self.next = None;
        closed
    }

    /// The next datagram to send.
    pub(in crate::media) fn transmit(&mut self) -> Option<BytesMut> {
        self.out.pop_front()
    }
}

fn verify(fingerprints: Vec<[u8; 32]>) -> VerifyPeerCertificateFn {
    Arc::new(move |certificates, _| {
        let digest = digest::digest(&digest::SHA256, certificates.first().ok_or(Error::ErrNonCertificate)?);
        let is_theirs = fingerprints.iter().any(|fingerprint| fingerprint == digest.as_ref());
        is_theirs.then_some(()).ok_or(Error::ErrNoMatchingCertificateFingerprint)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chassis::Entropy;
    use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile as Offered;

    use super::*;
    use crate::media::{bare, negotiate::Wanted};

    const CHROMIUM: &str = include_str!("../../../tests/media_support/chromium.sdp");

    /// A phone, and the fingerprint that it offers.
    fn phone(now: Instant) -> (Endpoint, [u8; 32]) {
        bare::phone(now, vec![Offered::Srtp_Aead_Aes_128_Gcm])
    }

    /// Carries datagrams both ways until there are no more: what came of them here.
    fn talk(now: Instant, ours: &mut Handshake, phone: &mut Endpoint) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let before = outcomes.len();
            let mut silent = true;
            while let Some(sent) = phone.poll_transmit() {
                silent = false;
                outcomes.extend(ours.read(now, &sent.message).ok().flatten());
            }
            while let Some(datagram) = ours.transmit() {
                silent = false;
                // A phone that is refused says so; what it makes of ours is not what this is about.
                let _ = phone.read(now, TransportContext::default().peer_addr, None, datagram);
            }
            if silent && outcomes.len() == before {
                return outcomes;
            }
        }
    }

    #[test]
    fn only_who_has_the_offers_certificate_gets_keys_and_is_heard_to_say_goodbye() {
        let now = Instant::now();
        let (mut caller, fingerprint) = phone(now);
        let mut offer = Offer::parse(CHROMIUM, Wanted::Publish).unwrap();
        let mut ours = Handshake::new(&offer).unwrap();
        assert!(talk(now, &mut ours, &mut caller).is_empty(), "whoever else comes by that path");

        let (mut caller, other) = phone(now);
        offer.fingerprints = vec![fingerprint, other];
        let mut ours = Handshake::new(&offer).unwrap();
        assert!(matches!(talk(now, &mut ours, &mut caller)[..], [Outcome::Done(_)]));
        assert_eq!(ours.next(), None, "nothing is sent again once it is done");
        caller.close(now).unwrap();
        assert!(matches!(talk(now, &mut ours, &mut caller)[..], [Outcome::Goodbye]));
        let (mut again, _) = phone(now);
        assert!(talk(now, &mut ours, &mut again).is_empty() && ours.next().is_none(), "it is over");
    }

    /// RFC 5764, section 4.1.2: the server chooses.
    #[test]
    fn the_best_of_a_phones_profiles_is_taken_whatever_its_order() {
        let (cm, gcm) = (Offered::Srtp_Aes128_Cm_Hmac_Sha1_80, Offered::Srtp_Aead_Aes_256_Gcm);
        let offers: [(&[Offered], Offered); 3] = [(&[cm, gcm], gcm), (&[gcm, cm], gcm), (&[cm], cm)];
        for (offered, taken) in offers {
            let now = Instant::now();
            let (mut caller, fingerprint) = bare::phone(now, offered.to_vec());
            let mut offer = Offer::parse(CHROMIUM, Wanted::Publish).unwrap();
            offer.fingerprints = vec![fingerprint];
            let mut ours = Handshake::new(&offer).unwrap();
            assert!(matches!(talk(now, &mut ours, &mut caller)[..], [Outcome::Done(_)]));
            let state = caller.get_connection_state(TransportContext::default().peer_addr).unwrap();
            assert_eq!(state.srtp_protection_profile(), taken);
        }
    }

    /// A handshake with a phone that says its part again every second, over a path that loses a third of what goes to the phone, and
    /// repeats a third of what comes from it. Whether both were done.
    fn over_a_bad_path(dice: &Entropy) -> (bool, bool) {
        const TRIP: Duration = Duration::from_millis(80);
        let (began, peer) = (Instant::now(), TransportContext::default().peer_addr);
        let (mut phone, fingerprint) = phone(began);
        let mut offer = Offer::parse(CHROMIUM, Wanted::Publish).unwrap();
        offer.fingerprints = vec![fingerprint];
        let mut ours = Handshake::new(&offer).unwrap();
        let (mut now, mut under_way, mut done) = (began, Vec::new(), (false, false));
        while done != (true, true) && now < began + Duration::from_secs(25) {
            while let Some(sent) = phone.poll_transmit() {
                let copies = 1 + u32::from(dice.bytes::<1>()[0] < 85);
                under_way.extend((1..=copies).map(|copy| (now + TRIP * copy, true, sent.message.clone())));
            }
            while let Some(datagram) = ours.transmit() {
                let arrives = dice.bytes::<1>()[0] >= 85;
                under_way.extend(arrives.then_some((now + TRIP, false, datagram)));
            }
            let next = under_way.iter().map(|(at, ..)| *at).chain(ours.next()).chain(phone.poll_timeout(&peer)).min();
            let Some(next) = next else { break };
            now = next.max(now);
            for (_, to_us, datagram) in under_way.extract_if(.., |(at, ..)| *at <= now) {
                if to_us {
                    done.0 |= matches!(ours.read(now, &datagram), Ok(Some(Outcome::Done(_))));
                } else {
                    let events = phone.read(now, peer, None, datagram).unwrap_or_default();
                    done.1 |= events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
                }
            }
            // A phone gives up in its own time.
            let _ = (ours.wake(now), phone.handle_timeout(peer, now));
        }
        done
    }

    #[test]
    fn a_bad_path_costs_time_and_no_more() {
        let all: Vec<_> = (0..100).map(|seed| over_a_bad_path(&Entropy::seeded(seed))).collect();
        assert!(all.iter().all(|done| *done == (true, true)), "{all:?}");
    }
}
