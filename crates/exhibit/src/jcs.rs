//! RFC 8785 (JSON Canonicalization Scheme): one spelling a value, so that a JSON file can be hashed and re-made.
//!
//! Numbers are refused: JCS writes them as ECMAScript doubles, which lose integers over 2^53. The format says them as strings.

use serde::Serialize;
use serde_json::Value;

/// Why there is no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A JSON number.
    #[error("a number has no place in this format: write it as a string")]
    Number,
    /// The value can't be JSON at all.
    #[error("not representable as JSON")]
    Json(#[source] serde_json::Error),
}

/// The canonical bytes of anything that serialises without numbers.
///
/// # Errors
/// [`Error::Number`] if there is a number in it.
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let value = serde_json::to_value(value).map_err(Error::Json)?;
    let mut out = Vec::new();
    write(&value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Number(_) => return Err(Error::Number),
        Value::String(text) => write_text(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // Section 3.2.3: by UTF-16 code units, which is not the order of Rust's strings.
            fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, (name, value)) in fields.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(name, out)?;
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// `serde_json` escapes as section 3.2.2.2 wants: the short escapes, `\u00xx` in lower case, everything else as it is.
fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(out, text).map_err(Error::Json)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    /// From RFC 8785 section 3.2.3 (order) and 3.2.2.2 (escapes), without its numbers.
    #[test]
    fn the_examples_of_the_rfc() {
        let value: Value = serde_json::from_str(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
                "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
        )
        .unwrap();
        let names = ["Carriage Return", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let canonical = String::from_utf8(to_vec(&value).unwrap()).unwrap();
        let places: Vec<_> = names.iter().map(|name| canonical.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{canonical}");

        let value: Value =
            serde_json::from_str(r#"{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}"#).unwrap();
        assert_eq!(to_vec(&value).unwrap(), "{\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}".as_bytes());
    }

    #[test]
    fn numbers_are_refused() {
        assert!(matches!(to_vec(&serde_json::json!({"a": [1]})), Err(Error::Number)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool), ".*".prop_map(Value::String)];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec((".*", inner), 0..6).prop_map(|f| Value::Object(f.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_is_stable_and_loses_nothing(value in any_json()) {
            let once = to_vec(&value).unwrap();
            let back: Value = serde_json::from_slice(&once).unwrap();
            prop_assert_eq!(&back, &value);
            prop_assert_eq!(to_vec(&back).unwrap(), once);
        }
    }
}
