//! Writes a message, checked as its reader will check it.

use super::{
    document::Document,
    flaw::Flaw,
    schema::{Group, HEADER, NAMESPACE, Needed, Part, ROOT},
};

/// The message as XML.
///
/// # Errors
/// It isn't one that a reader would take.
pub fn write(document: &Document) -> Result<String, Flaw> {
    document.checked()?;
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{ROOT} xmlns=\"{NAMESPACE}\">");
    group(&mut xml, document, &HEADER);
    group(&mut xml, document, document.kind.group());
    xml.push_str(&format!("</{ROOT}>\n"));
    Ok(xml)
}

fn group(xml: &mut String, document: &Document, group: &Group) {
    open(xml, group.element);
    for part in group.parts {
        match part {
            Part::Field(field, _) => {
                if let Some(value) = document.get(*field) {
                    open(xml, part.element());
                    escape(xml, value);
                    close(xml, part.element());
                }
            }
            Part::Group(inner, needed) => {
                if *needed == Needed::Always || document.has_any_of(inner) {
                    self::group(xml, document, inner);
                }
            }
        }
    }
    close(xml, group.element);
}

fn open(xml: &mut String, element: &str) {
    xml.extend(["<", element, ">"]);
}

fn close(xml: &mut String, element: &str) {
    xml.extend(["</", element, ">"]);
}

fn escape(xml: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // Written out it would be read as a line feed.
            '\r' => xml.push_str("&#13;"),
            c => xml.push(c),
        }
    }
}
