//! Every field by the table: as long as may be, a character longer, and what it may not look like; missing, twice, out of place.

use intake::mait::{
    document::Document,
    flaw::Flaw,
    read::read,
    schema::{Field, Group, HEADER, Kind, Needed, Part},
    write::write,
};
use proptest::prelude::*;

use super::samples::{bad, complete, fields_of, good, xml};

/// The message with this instead of what the field says there.
pub fn saying(document: &Document, field: Field, value: &str) -> String {
    let (element, said) = (field.rule().element, document.get(field).unwrap());
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let old = format!("<{element}>{}</{element}>", escaped(said));
    let new = format!("<{element}>{}</{element}>", escaped(value));
    let whole = xml(document);
    assert!(whole.contains(&old), "{element}");
    whole.replacen(&old, &new, 1)
}

/// Messages that are refused for their structure, and what for.
pub fn misshapen() -> Vec<(String, Flaw)> {
    let mut all = vec![];
    for kind in Kind::ALL {
        let whole = complete(kind);
        let text = xml(&whole);
        for group in [&HEADER, kind.group()] {
            misplaced(&whole, group, &mut all);
        }
        let (opening, closing) = (format!("<{}>", kind.group().element), format!("</{}>", kind.group().element));
        let element = kind.group().element;
        let change = |from: &str, to: &str| text.replacen(from, to, 1);
        all.push((change(&closing, &format!("<Extra>1</Extra>{closing}")), Flaw::Unknown(element)));
        all.push((change(&opening, &format!("{opening}words of the caller")), Flaw::Stray(element)));
        all.push((change(&opening, &format!("<{element} id=\"1\">")), Flaw::Attribute(element)));
        all.push((change("</MAIT>", &format!("{opening}{closing}</MAIT>")), Flaw::Unknown("MAIT")));
        all.push((change("urn:alcove:mait:1.0", "urn:elsewhere"), Flaw::Namespace));
        all.push((change(" xmlns=\"urn:alcove:mait:1.0\"", ""), Flaw::Namespace));
    }
    let whole = xml(&complete(Kind::Creation));
    let from = whole.find("<Header>").unwrap();
    let to = whole.find("</Header>").unwrap() + "</Header>".len();
    all.push((format!("{}{}", &whole[..from], &whole[to..]), Flaw::Missing("Header")));
    all.push((format!("{}</MAIT>", &whole[..from]), Flaw::Missing("Header")));
    all.push((format!("{}</MAIT>", &whole[..to]), Flaw::Missing("MAIT")));
    all
}

/// Every field of the group left out, said twice, and said last.
fn misplaced(document: &Document, group: &Group, all: &mut Vec<(String, Flaw)>) {
    let text = xml(document);
    for part in group.parts {
        let element = part.element();
        let from = text.find(&format!("<{element}>")).unwrap();
        let closing = format!("</{element}>");
        let to = text[from..].find(&closing).unwrap() + from + closing.len();
        let said = &text[from..to];
        let left_out = format!("{}{}", &text[..from], &text[to..]);
        if part.needed() == Needed::Always {
            all.push((left_out, Flaw::Missing(element)));
        }
        all.push((format!("{}{said}{}", &text[..to], &text[to..]), Flaw::Repeated(element)));
        if let Part::Group(inner, _) = part {
            misplaced(document, inner, all);
        }
    }
}

#[test]
fn every_field_is_as_long_as_may_be_and_no_longer() {
    for kind in Kind::ALL {
        let whole = complete(kind);
        assert_eq!(read(xml(&whole).as_bytes()), Ok(whole.clone()), "{kind:?}");
        for field in fields_of(kind) {
            for value in good(field) {
                let said = whole.clone().with(field, &value);
                assert_eq!(read(xml(&said).as_bytes()), Ok(said), "{field:?}");
            }
            for value in bad(field) {
                let refused = if value.chars().count() > field.rule().longest {
                    Flaw::TooLong(field)
                } else {
                    Flaw::Shape(field)
                };
                assert_eq!(read(saying(&whole, field, &value).as_bytes()), Err(refused), "{field:?} {value:?}");
                assert_eq!(write(&whole.clone().with(field, &value)), Err(refused), "{field:?}");
                assert!(value.len() < 4 || !refused.to_string().contains(&value), "{refused}");
            }
        }
    }
}

#[test]
fn what_is_missing_twice_unknown_or_out_of_place_is_named() {
    for (text, flaw) in misshapen() {
        assert_eq!(read(text.as_bytes()), Err(flaw), "{text}");
        assert!(!flaw.to_string().contains("words of the caller"));
    }
    // And no message of ours leaves anything out, or has what another kind has.
    let ours = complete(Kind::Update);
    assert_eq!(write(&ours.clone().without(Field::Sequence)), Err(Flaw::Missing("Sequence")));
    assert_eq!(write(&ours.with(Field::CallerNumber, "+447700900123")), Err(Flaw::Unknown("IncidentUpdate")));
    let place = complete(Kind::Creation).without(Field::Latitude);
    assert_eq!(write(&place), Err(Flaw::Missing("Latitude")), "a place is whole, or not there");
}

#[test]
fn a_prefix_a_comment_white_space_and_character_data_are_all_the_same_to_it() {
    let whole = complete(Kind::Creation);
    let text = xml(&whole);
    let prefixed = text.replace("xmlns=", "xmlns:m=").replace("</", "</m:").replace("<M", "<m:M");
    let prefixed = Field::ALL.iter().fold(prefixed, |text, field| {
        text.replace(&format!("<{}>", field.rule().element), &format!("<m:{}>", field.rule().element))
    });
    let prefixed = ["Header", "IncidentCreation", "Location"]
        .iter()
        .fold(prefixed, |text, group| text.replace(&format!("<{group}>"), &format!("<m:{group}>")));
    assert_eq!(read(prefixed.as_bytes()), Ok(whole.clone()));
    let spaced = text.replace("><", ">\r\n\t<!-- a comment --><");
    assert_eq!(read(spaced.as_bytes()), Ok(whole.clone()));
    assert_eq!(read(format!("\u{feff}{text}").as_bytes()), Ok(whole.clone()));
    let said = saying(&whole, Field::Details, "x").replace(">x<", "><![CDATA[x]]>&#x26;&lt;y\r\nz<");
    assert_eq!(read(said.as_bytes()).unwrap().get(Field::Details), Some("x&<y\nz"));
}

#[test]
fn nothing_personal_is_printed() {
    let whole = complete(Kind::Creation).with(Field::CallerName, "Nobody's business");
    assert!(Field::CallerName.rule().personal && !format!("{whole:?}").contains("business"));
    let personal: Vec<_> = Field::ALL.iter().filter(|field| field.rule().personal).collect();
    assert_eq!(personal.len(), 8, "{personal:?}");
    // What goes out says nothing of the caller.
    assert!(fields_of(Kind::Update).iter().all(|field| !field.rule().personal));
}

fn any_message() -> impl Strategy<Value = Document> {
    let kinds = prop::sample::select(Kind::ALL.to_vec());
    (kinds, any::<u64>(), "\\PC{1,64}[\\r\\n\\t&<>\"']{0,9}x").prop_map(|(kind, choice, words)| {
        let whole = complete(kind);
        let fields = fields_of(kind).into_iter().enumerate();
        fields.fold(whole, |document, (number, field)| {
            let values = good(field);
            let document = match field.rule().shape {
                intake::mait::shape::Shape::Words => {
                    let words: String = words.chars().rev().take(field.rule().longest).collect();
                    document.with(field, words)
                }
                _ => document.with(field, values[(choice as usize).wrapping_add(number) % values.len()].clone()),
            };
            // Half of what may be left out is.
            let without = document.clone().without(field);
            if choice >> (number % 64) & 1 == 1 && without.checked().is_ok() { without } else { document }
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in any_message()) {
        let text = write(&message).unwrap();
        prop_assert_eq!(read(text.as_bytes()), Ok(message));
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in any::<usize>()) {
        let _ = read(&bytes);
        // Without the line's end: what lacks only that is whole.
        let mut text = xml(&complete(Kind::Creation)).trim_end().to_owned().into_bytes();
        let at = cut % text.len();
        prop_assert_eq!(read(&text[..at]).is_ok(), false, "cut off");
        text.splice(at..at, bytes);
        if let Ok(message) = read(&text) {
            let again = write(&message).unwrap();
            prop_assert_eq!(read(again.as_bytes()), Ok(message));
        }
    }
}
