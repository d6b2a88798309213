//! RFC 3161's structures, and RFC 5035's, as they go over the wire.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use const_oid::ObjectIdentifier;
use der::{
    Any, Sequence, Tag, Tagged,
    asn1::{BitString, Int, OctetString, SetOfVec},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct MessageImprint {
    pub algorithm: AlgorithmIdentifierOwned,
    pub digest: OctetString,
}

#[derive(Sequence)]
pub(super) struct TimeStampReq {
    pub version: u8,
    pub imprint: MessageImprint,
    #[asn1(optional = "true")]
    pub policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    #[asn1(default = "Default::default")]
    pub certificate_wanted: bool,
}

#[derive(Debug, Clone, Sequence)]
pub(super) struct TimeStampResp {
    pub status: PkiStatusInfo,
    #[asn1(optional = "true")]
    pub token: Option<Any>,
}

#[derive(Debug, Clone, Sequence)]
pub(super) struct PkiStatusInfo {
    pub status: u32,
    #[asn1(optional = "true")]
    pub text: Option<Vec<Any>>,
    #[asn1(optional = "true")]
    pub failures: Option<BitString>,
}

/// `time` is `Any`, because the crate's own type refuses fractions of a second.
#[derive(Debug, Clone, Sequence)]
pub(super) struct TstInfo {
    pub version: u8,
    pub policy: ObjectIdentifier,
    pub imprint: MessageImprint,
    pub serial: Int,
    pub time: Any,
    #[asn1(optional = "true")]
    pub accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    pub ordering: bool,
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub extensions: Option<Vec<Extension>>,
}

#[derive(Debug, Clone, Copy, Sequence)]
pub(super) struct Accuracy {
    #[asn1(optional = "true")]
    pub seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub micros: Option<u16>,
}

impl Accuracy {
    pub(super) fn as_delta(self) -> TimeDelta {
        TimeDelta::seconds(self.seconds.unwrap_or(0).into())
            + TimeDelta::milliseconds(self.millis.unwrap_or(0).into())
            + TimeDelta::microseconds(self.micros.unwrap_or(0).into())
    }
}

/// A SignedData that keeps its certificates as the bytes they came in: reading and writing them again might change them.
#[derive(Sequence)]
pub(super) struct SignedData {
    pub version: u8,
    pub digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    pub content: cms::signed_data::EncapsulatedContentInfo,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub certificates: Option<SetOfVec<Any>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub crls: Option<SetOfVec<Any>>,
    pub signers: SetOfVec<cms::signed_data::SignerInfo>,
}

/// RFC 2634 (`hash` is SHA-1) and, with an algorithm before the hash, RFC 5035.
#[derive(Sequence)]
pub(super) struct SigningCertificate {
    pub certificates: Vec<EssCertId>,
    #[asn1(optional = "true")]
    pub policies: Option<Any>,
}

#[derive(Sequence)]
pub(super) struct EssCertId {
    #[asn1(optional = "true")]
    pub algorithm: Option<AlgorithmIdentifierOwned>,
    pub hash: OctetString,
    #[asn1(optional = "true")]
    pub issuer_serial: Option<Any>,
}

/// A GeneralizedTime as RFC 3161 allows it: `YYYYMMDDhhmmss[.s...]Z`. What is finer than a nanosecond is dropped.
pub(super) fn generalized_time(value: &Any) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(value.value()).ok().filter(|_| value.tag() == Tag::GeneralizedTime)?;
    let (whole, fraction) = match text.strip_suffix('Z')?.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text.strip_suffix('Z')?, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to)?.parse::<u32>().ok();
    let nanos = format!("{:0<9.9}", fraction.unwrap_or("")).parse().ok()?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(4, 6)?, part(6, 8)?)?;
    Some(date.and_hms_nano_opt(part(8, 10)?, part(10, 12)?, part(12, 14)?, nanos)?.and_utc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn fractions_of_a_second_are_kept_and_nonsense_is_not_a_time() {
        let read = |text: &str| generalized_time(&Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap());
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(read("20261124183900Z"), at("2026-11-24T18:39:00Z"));
        assert_eq!(read("20261124183900.5Z"), at("2026-11-24T18:39:00.5Z"));
        assert_eq!(read("20261124183900.123456789123Z"), at("2026-11-24T18:39:00.123456789Z"));
        for bad in ["", "Z", "20261124183900", "20261124183900.Z", "20261124183900+0000", "20261324183900Z"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(generalized_time(&Any::new(Tag::UtcTime, &b"261124183900Z"[..]).unwrap()), None);
    }
}
