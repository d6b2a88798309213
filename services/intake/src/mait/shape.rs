//! What a field may look like: the same rule twice, as code for the reader and as a pattern for the XSD. A test has another
//! maker's validator say that the two agree.

/// What a field may look like; its length is a rule of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Anything that is more than white space.
    Words,
    /// An id of somebody's.
    Id,
    /// A word of a list: `WAIT_LIMIT`.
    Word,
    /// A force, or us.
    Organisation,
    /// A day.
    Date,
    /// A time, in UTC.
    Time,
    /// The number of an incident.
    Number,
    /// A telephone number with its country.
    Phone,
    /// Degrees, as a decimal.
    Degrees,
    /// A whole number, not below 0.
    Count,
    /// One of these.
    OneOf(&'static [&'static str]),
}

impl Shape {
    /// Does it look like that?
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Words => text.bytes().any(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')),
            Self::Id => all(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-')),
            Self::Word => all(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
            Self::Organisation => {
                text.len() >= 2 && all(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            }
            Self::Date => like(text, "dddd-dd-dd"),
            Self::Time => {
                let Some(text) = text.strip_suffix('Z') else { return false };
                let (seconds, fraction) = text.split_once('.').map_or((text, None), |(s, f)| (s, Some(f)));
                like(seconds, "dddd-dd-ddTdd:dd:dd") && fraction.is_none_or(|f| f.len() <= 9 && digits(f))
            }
            Self::Number => all(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/')),
            Self::Phone => text
                .strip_prefix('+')
                .is_some_and(|rest| (7..=15).contains(&rest.len()) && digits(rest) && !rest.starts_with('0')),
            Self::Degrees => {
                let text = text.strip_prefix('-').unwrap_or(text);
                let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
                whole.len() <= 3 && digits(whole) && fraction.is_none_or(digits)
            }
            Self::Count => digits(text),
            Self::OneOf(words) => words.contains(&text),
        }
    }

    /// The same as a pattern of XML Schema, which is anchored at both ends.
    #[must_use]
    pub fn pattern(self) -> String {
        match self {
            Self::Words => r"[\s\S]*\S[\s\S]*".to_owned(),
            Self::Id => "[A-Za-z0-9._:\\-]+".to_owned(),
            Self::Word => "[A-Z0-9_]+".to_owned(),
            Self::Organisation => "[a-z0-9\\-]{2,}".to_owned(),
            Self::Date => "[0-9]{4}-[0-9]{2}-[0-9]{2}".to_owned(),
            Self::Time => r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z".to_owned(),
            Self::Number => "[A-Za-z0-9/\\-]+".to_owned(),
            Self::Phone => r"\+[1-9][0-9]{6,14}".to_owned(),
            Self::Degrees => r"-?[0-9]{1,3}(\.[0-9]+)?".to_owned(),
            Self::Count => "[0-9]+".to_owned(),
            Self::OneOf(words) => words.join("|").replace('.', r"\."),
        }
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

fn digits(text: &str) -> bool {
    all(text, |b| b.is_ascii_digit())
}

/// Like the model, in which `d` is a digit and everything else itself.
fn like(text: &str, model: &str) -> bool {
    let same = |(b, m): (u8, u8)| if m == b'd' { b.is_ascii_digit() } else { b == m };
    text.len() == model.len() && text.bytes().zip(model.bytes()).all(same)
}
