//! What strangers, and guests who misbehave, can do to the open port: as little as can be.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use super::*;
use crate::media::{Answer, Condition, Patched, bare};

const OFFER: &str = include_str!("../../../tests/media_support/chromium.sdp");
const THEIRS: &str = "chr0";

struct Port {
    engine: Engine,
    start: Instant,
}

impl Port {
    fn open() -> Self {
        // Nobody listens: what the engine tells is not what these tests are about.
        let (engine, _) = bare::engine();
        Self { engine, start: Instant::now() }
    }

    fn publish(&mut self, number: u128) -> Answer {
        let answer = self.engine.publish(self.start, bare::publication(number), OFFER).unwrap();
        self.sent(self.start);
        answer
    }

    /// What it wants to send by then.
    fn sent(&mut self, now: Instant) -> Vec<(Endpoint, BytesMut)> {
        self.engine.wake(now);
        std::mem::take(&mut self.engine.out)
    }

    /// The same, looked at every 10 ms.
    fn sent_within(&mut self, from: Instant, time: Duration) -> Vec<(Endpoint, BytesMut)> {
        let steps = u32::try_from(time.as_millis() / 10).unwrap();
        (0..steps).flat_map(|step| self.sent(from + Duration::from_millis(10) * step)).collect()
    }

    fn addresses(&self, answer: &Answer) -> usize {
        self.engine.by_address.values().filter(|resource| **resource == answer.resource).count()
    }
}

/// Our user name and password in an answer: its ICE session.
fn ice_session(answer: &str) -> Option<(&str, &str)> {
    let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name));
    value("a=ice-ufrag:").zip(value("a=ice-pwd:"))
}

pub(super) fn address(number: u32) -> Endpoint {
    let [_, a, b, c] = number.to_be_bytes();
    Endpoint::udp(SocketAddr::from(([10, a, b, c], 4_000)))
}

/// A good check: what only the phone can make, who has the answer.
pub(super) fn check(answer: &str, number: u32) -> Vec<u8> {
    let (ours, password) = ice_session(answer).unwrap();
    signed_check(&format!("{ours}:{THEIRS}"), password, number)
}

fn signed_check(user: &str, password: &str, number: u32) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        attributes.extend_from_slice(&kind.to_be_bytes());
        attributes.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        attributes.extend_from_slice(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    add(0x0006, user.as_bytes());
    add(0x802a, &[1; 8]); // ICE-CONTROLLING
    add(0x0024, &0x6e7f_1eff_u32.to_be_bytes()); // PRIORITY
    let transaction = [&number.to_be_bytes()[..], &[7; 8]].concat();
    let length = u16::try_from(attributes.len() + 24).unwrap();
    let mut message =
        [&[0, 1], &length.to_be_bytes()[..], &[0x21, 0x12, 0xa4, 0x42], &transaction, &attributes].concat();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let tag = ring::hmac::sign(&key, &message);
    message.extend_from_slice(&[0, 8, 0, 20]);
    message.extend_from_slice(tag.as_ref());
    message
}

fn bytes(datagrams: &[(Endpoint, BytesMut)]) -> usize {
    datagrams.iter().map(|(_, datagram)| datagram.len()).sum()
}

#[test]
fn the_names_without_the_password_get_nothing() {
    let mut port = Port::open();
    let answer = port.publish(1);
    let good = check(&answer.sdp, 0);
    let (ours, _) = ice_session(&answer.sdp).unwrap();
    let entropy = Entropy::seeded(2);
    for number in 0..10_000 {
        let hostile = match number % 4 {
            0 => signed_check(&format!("{ours}:{THEIRS}"), "not the password at all", number),
            1 => good[..good.len() - 24].to_vec(),
            2 => signed_check(&format!("{ours}:else"), ice_session(&answer.sdp).unwrap().1, number),
            // One byte changed, anywhere that is signed.
            _ => {
                let [at, flip, ..] = entropy.bytes::<8>();
                let mut changed = good.clone();
                changed[usize::from(at) % good.len()] ^= flip.max(1);
                changed
            }
        };
        assert!(!port.engine.datagram(port.start, address(number), &hostile), "{hostile:02x?}");
    }
    assert_eq!(port.addresses(&answer), 0, "no address is theirs");
    assert!(port.sent_within(port.start, Duration::from_secs(5)).is_empty(), "nothing is ever said to them");

    assert!(port.engine.datagram(port.start, address(1), &good));
    let answered = port.sent(port.start);
    assert!(answered.iter().any(|(to, _)| *to == address(1)), "the phone is answered");
}

#[test]
fn whoever_has_the_password_can_not_turn_us_on_others() {
    let mut port = Port::open();
    let answer = port.publish(1);
    let mut received = 0;
    let mut sent = Vec::new();
    for number in 0..10_000 {
        let (now, check) = (port.start + Duration::from_millis(2) * number, check(&answer.sdp, number));
        received += check.len();
        port.engine.datagram(now, address(number % 40), &check);
        sent.extend(port.sent(now));
    }
    assert_eq!(port.addresses(&answer), 32);
    assert!(bytes(&sent) < received, "{} of {received}", bytes(&sent));
    let mut by_victim = HashMap::new();
    for (to, datagram) in &sent {
        *by_victim.entry(*to).or_insert(0) += datagram.len();
    }
    println!("{received} in, {} out, at most {:?} to one", bytes(&sent), by_victim.values().max());
    assert_eq!(by_victim.len(), 32);
}

/// Neither at once nor later, by trickling.
#[test]
fn addresses_that_are_only_named_are_not_asked() {
    let candidate = |number: u32| format!("a=candidate:{number} 1 udp 2122260223 10.9.9.{number} 4000 typ host");
    let named = |numbers: std::ops::Range<u32>| numbers.map(candidate).collect::<Vec<_>>().join("\n");
    let mid = OFFER.lines().find(|line| line.starts_with("a=mid:")).unwrap();
    let offer = OFFER.replacen(mid, &format!("{mid}\n{}", named(1..17)), 1);
    for (lite, asked) in [("", 0), ("a=ice-lite\n", 4)] {
        let mut port = Port::open();
        let offer = offer.replacen("t=0 0\n", &format!("t=0 0\n{lite}"), 1);
        let answer = port.engine.publish(port.start, bare::publication(1), &offer).unwrap();
        let (ours, password) = ice_session(OFFER).unwrap();
        let trickled = format!("a=ice-ufrag:{ours}\r\na=ice-pwd:{password}\r\n{mid}\r\n{}\r\n", named(17..33));
        let patched = port.engine.patch(port.start, answer.resource, &Condition::Any, &trickled);
        assert!(matches!(patched, Ok(Patched::Trickled)), "{patched:?}");
        let sent = port.sent_within(port.start, Duration::from_secs(5));
        let asks: HashSet<_> = sent.iter().map(|(to, _)| *to).collect();
        assert_eq!(asks.len(), asked, "{lite:?}: {asks:?}");
    }
}

#[test]
fn an_ice_restart_frees_addresses_and_keeps_the_last_sessions() {
    let mut port = Port::open();
    let answer = port.publish(1);
    let (mut sdp, mut theirs) = (answer.sdp.clone(), THEIRS.to_owned());
    for session in 0..5_u32 {
        let (ours, password) = ice_session(&sdp).unwrap();
        for number in 0..40 {
            let check = signed_check(&format!("{ours}:{theirs}"), password, number);
            port.engine.datagram(port.start, address(100 * session + number), &check);
        }
        assert_eq!(port.addresses(&answer), if session == 0 { 32 } else { 64 }, "this session's, and the last one's");
        theirs = format!("new{session}");
        let other = format!("a=ice-ufrag:{theirs}\r\na=ice-pwd:0123456789012345678901\r\na=mid:0\r\n");
        let restarted = port.engine.patch(port.start, answer.resource, &Condition::Any, &other);
        let Ok(Patched::Restarted { fragment, .. }) = restarted else { panic!("{restarted:?}") };
        sdp = fragment;
    }
    port.engine.end(port.start, answer.resource, EndedWhy::Closed);
    assert!(port.engine.by_address.is_empty() && port.engine.by_ufrag.is_empty());
}

#[test]
fn a_flood_is_turned_away_and_others_are_heard() {
    let mut port = Port::open();
    let (loud, quiet) = (port.publish(1), port.publish(2));
    let (flood, one) = (check(&loud.sdp, 1), check(&quiet.sdp, 1));
    assert!(port.engine.datagram(port.start, address(1), &flood));
    for _ in 0..10_000 {
        port.engine.datagram(port.start, address(1), &flood);
        // Shaped like SRTP, from where it would come.
        port.engine.datagram(port.start, address(1), &[0x80; 1_200]);
    }
    assert!(port.engine.peers[&loud.resource].gate.turned_away > 5_000);
    let sent = port.sent(port.start);
    assert!(bytes(&sent) < 250 * flood.len(), "{} for {} checks of {}", bytes(&sent), 10_000, flood.len());
    assert!(port.engine.datagram(port.start, address(2), &one));
    assert!(port.sent(port.start).iter().any(|(to, _)| *to == address(2)));
}
