//! Whose connectivity checks are whose. What comes in without the password of its ICE session is dropped here, before `rtc`
//! sees it: it is never answered, claims no address, and costs one hash.

use std::{collections::HashSet, time::Instant};

use ring::hmac;

use super::{endpoint::Endpoint, gate::Gate, stun};

/// From how many addresses one ICE session is checked. A phone has a handful; more are forged, and each would have us check
/// back. (A phone whose network moves it on this often asks for another ICE session.)
const ADDRESSES: usize = 32;

/// One ICE session: both user names, and our password (RFC 8445, section 7.3).
pub(super) struct Checks {
    /// Our half of USERNAME, which is also the session's name.
    pub(super) ours: String,
    /// The phone's half.
    pub(super) theirs: String,
    password: hmac::Key,
    gate: Gate,
    /// Where good ones came from.
    pub(super) addresses: HashSet<Endpoint>,
}

impl Checks {
    pub(super) fn new(now: Instant, ours: String, password: &str, theirs: String) -> Self {
        let password = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        Self { ours, theirs, password, gate: Gate::of_checks(now), addresses: HashSet::new() }
    }

    /// Is this one of them, may it come from there, and is it not too many?
    pub(super) fn admit(&mut self, now: Instant, from: Endpoint, theirs: &str, datagram: &[u8]) -> bool {
        let is_ours = self.theirs == theirs
            && (self.addresses.contains(&from) || self.addresses.len() < ADDRESSES)
            && stun::signed(datagram).is_some_and(|(text, tag)| hmac::verify(&self.password, &text, tag).is_ok())
            && self.gate.pass(now, 1.0);
        if is_ours {
            self.addresses.insert(from);
        }
        is_ours
    }
}
