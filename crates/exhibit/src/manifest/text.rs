//! How the manifest spells what JSON has no exact word for: integers, bytes, and the incident. One spelling each.

/// `u64` as decimal text without leading zeros.
pub mod integer {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value: Option<u64> = text.parse().ok();
        value
            .filter(|v| v.to_string() == text)
            .ok_or_else(|| D::Error::custom("not an integer as text: decimal digits, no leading zero"))
    }
}

/// As [`integer`], or null.
pub mod optional_integer {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Integer(#[serde(with = "super::integer")] u64);

    pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Integer>::deserialize(deserializer)?.map(|Integer(value)| value))
    }
}

/// 32 bytes as lower-case hex: the same spelling as a digest.
pub mod salt {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::sha256::Digest;

    pub fn serialize<S: Serializer>(value: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let digits: Digest =
            String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("not 64 lower-case hex digits"))?;
        Ok(*digits.as_bytes())
    }
}

/// The incident, refusing fields it doesn't know as everything in the manifest does.
pub mod incident {
    use ids::{IncidentDate, IncidentNumber, IncidentRef};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        date: IncidentDate,
        number: IncidentNumber,
    }

    pub fn serialize<S: Serializer>(value: &IncidentRef, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IncidentRef, D::Error> {
        let Strict { date, number } = Strict::deserialize(deserializer)?;
        Ok(IncidentRef { date, number })
    }
}
