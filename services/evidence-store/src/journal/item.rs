//! What an item's record holds: `length of the facts (4 bytes, big-endian) || facts (RFC 8785 JSON) || data`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::ExhibitId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something to be kept beside the media, as it came in, its hash checked.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// The request that brought it: makes it idempotent.
    pub id: Uuid,
    /// Such as `still`, in kebab-case.
    pub kind: String,
    /// Such as `still-3`.
    pub name: String,
    /// Such as `image/jpeg`.
    pub media_type: String,
    /// SHA-256 of `data`.
    pub sha256: Digest,
    /// Its bytes.
    pub data: Bytes,
    /// When it was made, by whoever made it.
    pub made_at: DateTime<Utc>,
    /// When it came in.
    pub added_at: DateTime<Utc>,
}

/// What is known of an item beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFacts {
    /// When it came in.
    #[serde(with = "time")]
    pub added_at: DateTime<Utc>,
    /// Length of its data.
    #[serde(with = "integer")]
    pub bytes: u64,
    /// The request that brought it.
    pub id: Uuid,
    /// Such as `still`.
    pub kind: String,
    /// When it was made.
    #[serde(with = "time")]
    pub made_at: DateTime<Utc>,
    /// Such as `image/jpeg`.
    pub media_type: String,
    /// Such as `still-3`.
    pub name: String,
    /// SHA-256 of its data.
    pub sha256: Digest,
    /// 1, 2 ... for each kind and name.
    #[serde(with = "integer")]
    pub version: u64,
}

/// An item as it was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemContent {
    /// What is known of it.
    pub facts: ItemFacts,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl NewItem {
    /// Its facts, as this version.
    #[must_use]
    pub fn facts(&self, version: u64) -> ItemFacts {
        ItemFacts {
            added_at: self.added_at,
            bytes: self.data.len() as u64,
            id: self.id,
            kind: self.kind.clone(),
            made_at: self.made_at,
            media_type: self.media_type.clone(),
            name: self.name.clone(),
            sha256: self.sha256,
            version,
        }
    }
}

impl ItemFacts {
    /// The record's plain payload.
    ///
    /// # Errors
    /// The facts have no canonical form.
    pub fn payload(&self, data: &[u8]) -> Result<Vec<u8>, exhibit::jcs::Error> {
        let facts = exhibit::jcs::to_vec(self)?;
        let mut payload = Vec::with_capacity(4 + facts.len() + data.len());
        payload.extend((facts.len() as u32).to_be_bytes());
        payload.extend(facts);
        payload.extend(data);
        Ok(payload)
    }
}

impl ItemContent {
    /// Reads a payload; `None` if it isn't one, or its data isn't what its facts say.
    #[must_use]
    pub fn parse(mut payload: Vec<u8>) -> Option<Self> {
        let (len, rest) = payload.split_first_chunk::<4>()?;
        let len = u32::from_be_bytes(*len) as usize;
        let facts: ItemFacts = serde_json::from_slice(rest.get(..len)?).ok()?;
        payload.drain(..4 + len);
        let good = facts.bytes == payload.len() as u64 && facts.sha256 == Digest::of(&payload);
        good.then_some(Self { facts, data: payload })
    }
}

/// As the manifest spells them: numbers have no canonical form.
mod integer {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

mod time {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&exhibit::time::write(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        exhibit::time::read(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a time"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_payload_is_facts_and_data_and_nothing_else() {
        let at = DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap();
        let item = NewItem {
            exhibit: Uuid::from_u128(1).into(),
            id: Uuid::from_u128(2),
            kind: "still".into(),
            name: "still-3".into(),
            media_type: "image/jpeg".into(),
            sha256: Digest::of(b"jpeg"),
            data: Bytes::from_static(b"jpeg"),
            made_at: at,
            added_at: at,
        };
        let facts = item.facts(2);
        let payload = facts.payload(&item.data).unwrap();
        let text = std::str::from_utf8(&payload[4..payload.len() - 4]).unwrap();
        assert!(text.starts_with(r#"{"added_at":"2027-01-15T08:00:00.000001Z","bytes":"4","id":"#), "{text}");
        assert!(text.ends_with(r#""version":"2"}"#), "{text}");
        let read = ItemContent::parse(payload.clone()).unwrap();
        assert_eq!((read.facts, read.data.as_slice()), (facts, &b"jpeg"[..]));
        for len in 0..payload.len() {
            assert_eq!(ItemContent::parse(payload[..len].to_vec()), None, "{len}");
        }
        let mut other = payload;
        other[0] = 0xff;
        assert_eq!(ItemContent::parse(other), None);
    }
}
