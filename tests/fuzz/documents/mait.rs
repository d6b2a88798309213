//! Whatever a control room sends, it is read or refused; what is read can be written, and is read again as the same.

#[allow(dead_code, reason = "intake says with it why a message is refused")]
mod parts;

use parts::{
    document::{Document, checked},
    read::read,
    schema::{Group, HEADER, Kind, Part},
    write::write,
};

/// For every field there is one that it may have.
const VALUES: [&str; 12] = [
    "1.0",
    "999",
    "yes",
    "2026-11-24",
    "2026-11-24T09:15:02Z",
    "+447700900123",
    "52.48",
    "20",
    "kent",
    "WAIT_LIMIT",
    "a",
    "fish & <chips>",
];

/// With everything that may be said in this group.
fn filled(message: Document, group: &Group) -> Document {
    group.parts.iter().fold(message, |message, part| match part {
        Part::Field(field, _) => {
            let value = VALUES.into_iter().find(|value| checked(*field, value).is_ok());
            message.with(*field, value.expect("a value for every shape"))
        }
        Part::Group(inner, _) => filled(message, inner),
    })
}

/// The seeds.
pub fn begin() {
    for kind in Kind::ALL {
        let message = filled(filled(Document::new(kind), &HEADER), kind.group());
        let text = write(&message).expect("a whole message");
        fuzzing::write_seed("mait", kind.group().element, text.as_bytes());
    }
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(message) = read(bytes) {
        let again = write(&message).expect("what was read can be written");
        assert_eq!(read(again.as_bytes()), Ok(message));
    }
}
