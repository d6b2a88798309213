//! The link in a partner's letter: whatever somebody asks for, they get to nothing that wasn't signed; and what is read is what was signed.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac::{HMAC_SHA256, Key, sign};
use signed::{Keys, Link, NotALink};
use uuid::Uuid;

#[allow(dead_code, reason = "the service says with it why it doesn't start")]
#[path = "../../../services/referral/src/domain/link.rs"]
mod signed;

const SECRET: [u8; 32] = [9; 32];
/// The one that was signed.
static TEXT: LazyLock<String> = LazyLock::new(|| KEYS.sign(&LINK));
static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[SECRET.to_vec(), vec![8; 40]]).expect("strong keys"));
static LINK: LazyLock<Link> = LazyLock::new(|| Link {
    expires_at: now() + TimeDelta::days(30),
    force: "wmp".parse().expect("a force"),
    call: Uuid::from_u128(1).into(),
    referral: Uuid::from_u128(2).into(),
});

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

/// The seeds: a link, and what is signed in one.
pub fn begin() {
    fuzzing::write_seed("link", "link", TEXT.as_bytes());
    let bytes = URL_SAFE_NO_PAD.decode(&*TEXT).expect("base64");
    fuzzing::write_seed("link", "signed", &bytes[..bytes.len() - 32]);
}

/// One input: as a link, and as what somebody who has the key might have signed.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, |text| {
        assert!(KEYS.read(text, now()).map_or(true, |link| link == *LINK), "what was never signed is a link");
    });
    let signature = sign(&Key::new(HMAC_SHA256, &SECRET), bytes);
    let text = URL_SAFE_NO_PAD.encode([bytes, signature.as_ref()].concat());
    match KEYS.read(&text, now()) {
        Ok(link) => {
            assert!(link.expires_at > now());
            assert_eq!(KEYS.sign(&link), text, "a link has one spelling");
        }
        Err(why) => assert!(why != NotALink::Forged),
    }
}
