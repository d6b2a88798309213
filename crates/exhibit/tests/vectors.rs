//! The chain's encoding, against vectors made by another implementation (Python's hashlib and struct): it must never change.

use chrono::{DateTime, Utc};
use exhibit::{
    Digest,
    chain::{self, Link},
};
use serde_json::Value;

fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(text(value)).unwrap()
}

#[test]
fn the_chain_is_as_written_down() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/chain-vectors.json")).unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (exhibit, track) = (text(&case["exhibit"]), text(&case["track"]));
        let mut head = chain::genesis(exhibit, &track);
        assert_eq!(head, text::<Digest>(&case["genesis"]));
        for segment in case["segments"].as_array().unwrap() {
            let link = Link {
                exhibit,
                track: &track,
                seq: text(&segment["seq"]),
                plain: text(&segment["plain_sha256"]),
                stored: text(&segment["stored_sha256"]),
                starts_at: instant(&segment["starts_us"]),
                ends_at: instant(&segment["ends_us"]),
                bytes: text(&segment["bytes"]),
            };
            assert_eq!(hex::encode(link.encode(head)), segment["encoded"].as_str().unwrap());
            head = link.after(head);
            assert_eq!(head, text::<Digest>(&segment["chain"]));
        }
    }
}
