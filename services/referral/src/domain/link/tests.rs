//! Nothing that was touched is a link.

#![allow(clippy::unwrap_used)]
use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn keys(of: &[u8]) -> Keys {
    Keys::new(&of.iter().map(|byte| vec![*byte; SHORTEST_KEY]).collect::<Vec<_>>()).unwrap()
}

fn link() -> impl Strategy<Value = Link> {
    (any::<u128>(), any::<u128>(), "[a-z0-9-]{2,16}", 1..100_000_000_i64).prop_map(|(call, referral, force, after)| {
        Link {
            expires_at: at(after),
            force: force.parse().unwrap(),
            call: Uuid::from_u128(call).into(),
            referral: Uuid::from_u128(referral).into(),
        }
    })
}

proptest! {
    #[test]
    fn a_link_is_what_was_signed_until_it_ends(link in link()) {
        let text = keys(&[1]).sign(&link);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        let last = link.expires_at - TimeDelta::seconds(1);
        prop_assert_eq!(keys(&[1]).read(&text, last), Ok(link.clone()));
        prop_assert_eq!(keys(&[1]).read(&text, link.expires_at), Err(NotALink::Expired));
    }

    #[test]
    fn one_with_any_flipped_bit_is_none(link in link(), bit in any::<prop::sample::Index>()) {
        let mut bytes = URL_SAFE_NO_PAD.decode(keys(&[1]).sign(&link)).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(keys(&[1]).read(&URL_SAFE_NO_PAD.encode(bytes), at(0)), Err(NotALink::Forged));
    }

    #[test]
    fn one_with_another_character_is_none(link in link(), place in any::<prop::sample::Index>(), other in any::<char>()) {
        let text = keys(&[1]).sign(&link);
        let mut characters: Vec<_> = text.chars().collect();
        let place = place.index(characters.len());
        prop_assume!(characters[place] != other);
        characters[place] = other;
        let read = keys(&[1]).read(&characters.into_iter().collect::<String>(), at(0));
        prop_assert!(matches!(read, Err(NotALink::Forged | NotALink::Malformed)), "{read:?}");
    }

    #[test]
    fn no_text_makes_it_stumble(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(keys(&[1]).read(&text, at(0)).is_err());
        prop_assert!(keys(&[1]).read(&URL_SAFE_NO_PAD.encode(bytes), at(0)).is_err());
    }
}

fn one() -> Link {
    Link {
        expires_at: at(60),
        force: "kent".parse().unwrap(),
        call: "01900000-0000-7000-8000-00a1b2c3d4e5".parse().unwrap(),
        referral: "01900000-0000-7000-8000-00a1b2c3d4e6".parse().unwrap(),
    }
}

#[test]
fn a_new_key_signs_and_the_one_before_is_known_until_it_is_taken_away() {
    let before = keys(&[1]).sign(&one());
    let both = keys(&[2, 1]);
    assert_eq!(both.read(&before, at(0)), Ok(one()));
    let after = both.sign(&one());
    assert_eq!((keys(&[2]).read(&after, at(0)), keys(&[2]).read(&before, at(0))), (Ok(one()), Err(NotALink::Forged)));
}

#[test]
fn what_is_signed_by_us_and_no_link_is_malformed() {
    let signed = |bytes: &[u8]| {
        let key = Key::new(HMAC_SHA256, &[1; SHORTEST_KEY]);
        URL_SAFE_NO_PAD.encode([bytes, sign(&key, bytes).as_ref()].concat())
    };
    let good = URL_SAFE_NO_PAD.decode(keys(&[1]).sign(&one())).unwrap();
    let good = &good[..good.len() - SIGNATURE];
    assert_eq!(keys(&[1]).read(&signed(good), at(0)), Ok(one()));
    let later = [&[2], &good[1..]].concat();
    let shouted = [&good[..FIXED], b"KENT"].concat();
    for bad in [&later, &shouted, &good[..FIXED], &good[..FIXED - 1], &[]] {
        assert_eq!(keys(&[1]).read(&signed(bad), at(0)), Err(NotALink::Malformed));
    }
}

#[test]
fn keys_that_could_be_guessed_are_refused() {
    assert_eq!(Keys::new(&[]).err(), Some(WeakKeys::None));
    assert_eq!(Keys::new(&[vec![1; 32], vec![1; 31]]).err(), Some(WeakKeys::Short));
    assert!(!format!("{:?}", keys(&[7])).contains('7'));
}
