//! Messages, and for every field values that it may have and values that it may not.

use intake::mait::{
    document::Document,
    schema::{Field, Group, HEADER, Kind, Part},
    shape::Shape,
    write::write,
};

use crate::support::{FORCE, NUMBER};

/// An incident as a control room sends it, with no more than must be there.
pub fn plain(id: &str, number: &str) -> Document {
    Document::new(Kind::Creation)
        .with(Field::Version, "1.0")
        .with(Field::MessageId, id)
        .with(Field::SentAt, "2026-11-24T09:15:02Z")
        .with(Field::From, FORCE)
        .with(Field::To, "alcove")
        .with(Field::IncidentDate, "2026-11-24")
        .with(Field::IncidentNumber, number)
        .with(Field::Line, "999")
}

/// The same with all that may be said.
pub fn full(id: &str, number: &str) -> Document {
    plain(id, number)
        .with(Field::IncidentType, "DOMESTIC")
        .with(Field::CallerNumber, NUMBER)
        .with(Field::CallerName, "Words of the caller")
        .with(Field::Latitude, "52.4801")
        .with(Field::Longitude, "-1.9025")
        .with(Field::AccuracyMetres, "20")
        .with(Field::TakenAt, "2026-11-24T09:15:00.250Z")
        .with(Field::PlaceDescription, "top flat, blue door")
        .with(Field::Details, "words of the caller")
}

pub fn xml(document: &Document) -> String {
    write(document).unwrap()
}

/// The fields of a kind of message, header first.
pub fn fields_of(kind: Kind) -> Vec<Field> {
    fn collect(group: &Group, fields: &mut Vec<Field>) {
        for part in group.parts {
            match part {
                Part::Field(field, _) => fields.push(*field),
                Part::Group(inner, _) => collect(inner, fields),
            }
        }
    }
    let mut fields = vec![];
    collect(&HEADER, &mut fields);
    collect(kind.group(), &mut fields);
    fields
}

/// A message of this kind with every field that it may have.
pub fn complete(kind: Kind) -> Document {
    let with = |document: Document, field| document.with(field, good(field).remove(0));
    fields_of(kind).into_iter().fold(Document::new(kind), with)
}

/// Values that the field may have, one of them as long as may be.
pub fn good(field: Field) -> Vec<String> {
    let rule = field.rule();
    let most = |c: &str| c.repeat(rule.longest);
    let good: Vec<String> = match rule.shape {
        Shape::Words => {
            let odd = "é 🙂 <&> \"'\r\n\t]]>".chars().take(rule.longest).collect();
            vec!["a".into(), odd, most("x"), most("🙂"), " a ".into()]
        }
        Shape::Id => vec!["a".into(), "A.z_9:-".into(), most("a")],
        Shape::Word => vec!["A".into(), "WAIT_LIMIT1".into(), most("A")],
        Shape::Organisation => vec!["kent".into(), "a1-".into(), most("a")],
        Shape::Date => vec!["2026-11-24".into()],
        Shape::Time => {
            vec![
                "2026-11-24T09:15:02Z".into(),
                "2026-11-24T09:15:02.1Z".into(),
                "2026-11-24T09:15:02.123456789Z".into(),
            ]
        }
        Shape::Number => vec!["1".into(), "1123/A-7".into(), most("9")],
        Shape::Phone => vec!["+447700900123".into(), "+1234567".into(), format!("+{}", "9".repeat(15))],
        Shape::Degrees => vec!["52.48".into(), "-1.9".into(), "0".into(), "179.12345678".into()],
        Shape::Count => vec!["0".into(), most("9")],
        Shape::OneOf(words) => words.iter().map(ToString::to_string).collect(),
    };
    good.into_iter().filter(|value| value.chars().count() <= rule.longest).collect()
}

/// Values that it may not have, one of them a character too long.
pub fn bad(field: Field) -> Vec<String> {
    let rule = field.rule();
    let over = |c: &str| c.repeat(rule.longest + 1);
    let mut bad = match rule.shape {
        Shape::Words => vec!["  \t\n ".to_owned(), over("x"), over("🙂")],
        Shape::Id => vec!["a b".into(), "é".into(), " a".into(), "a\n".into(), over("a")],
        Shape::Word => vec!["wait".into(), "A-B".into(), over("A")],
        Shape::Organisation => vec!["a".into(), "Kent".into(), "a.b".into(), over("a")],
        Shape::Date => vec!["2026-1-24".into(), "24/11/2026".into(), "2026-11-24 ".into(), "٢٠٢٦-11-24".into()],
        Shape::Time => vec![
            "2026-11-24T09:15:02".into(),
            "2026-11-24T09:15:02+01:00".into(),
            "2026-11-24T09:15:02.Z".into(),
            "2026-11-24T09:15:02.1234567890Z".into(),
            "2026-11-24 09:15:02Z".into(),
        ],
        Shape::Number => vec!["11 23".into(), "é".into(), over("9")],
        Shape::Phone => vec!["07700900123".into(), "+0447700900".into(), "+123456".into(), over("9")],
        Shape::Degrees => vec!["1e3".into(), "NaN".into(), "+1".into(), "1.".into(), ".5".into(), "1234".into()],
        Shape::Count => vec!["-1".into(), "1.5".into(), "٣".into(), over("9")],
        Shape::OneOf(_) => vec!["x".into(), "1x0".into()],
    };
    bad.push(String::new());
    bad
}
