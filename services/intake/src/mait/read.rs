//! Reads a message in one pass, by the table. No tree is built, nothing is expanded and nothing is fetched: what isn't on the
//! table ends the reading where it stands, so no message is deeper, or has more elements, than the table.

use quick_xml::{
    NsReader,
    escape::resolve_xml_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::{
    document::{Document, checked, is_legal},
    flaw::Flaw,
    schema::{Field, Group, HEADER, Kind, LARGEST, NAMESPACE, Needed, Part, ROOT},
};

/// The most attributes of an element; only the root may have any, and only namespaces.
const MOST_NAMESPACES: usize = 8;

/// A message of these bytes.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Document, Flaw> {
    if bytes.len() > LARGEST {
        return Err(Flaw::TooLarge);
    }
    let text = str::from_utf8(bytes).map_err(|_| Flaw::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.chars().all(is_legal) {
        return Err(Flaw::Character);
    }
    let mut xml = NsReader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    xml.config_mut().check_comments = true;
    xml.resolver_mut().set_max_declarations_per_element(MOST_NAMESPACES);

    let mut reading = Reading::default();
    let mut first = true;
    loop {
        let (resolved, event) = xml.read_resolved_event().map_err(|_| Flaw::Malformed)?;
        match event {
            Event::Decl(declaration) if first => declared(&declaration)?,
            Event::Decl(_) | Event::PI(_) => return Err(Flaw::Instruction),
            Event::DocType(_) => return Err(Flaw::DocumentType),
            Event::Start(start) => {
                let ours = resolved == ResolveResult::Bound(Namespace(NAMESPACE.as_bytes()));
                reading.start(&start, ours)?;
            }
            Event::End(_) => reading.end()?,
            Event::Text(text) => {
                let text = text.decode().map_err(|_| Flaw::Encoding)?;
                if text.contains("]]>") {
                    return Err(Flaw::Malformed);
                }
                reading.text(&text.replace("\r\n", "\n").replace('\r', "\n"))?;
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|_| Flaw::Encoding)?;
                reading.words(&text.replace("\r\n", "\n").replace('\r', "\n"))?;
            }
            Event::GeneralRef(reference) => reading.words(&referred(&reference)?)?,
            Event::Comment(_) => {}
            Event::Eof => return reading.done(),
            // Not with `expand_empty_elements`.
            Event::Empty(_) => return Err(Flaw::Malformed),
        }
        first = false;
    }
}

fn declared(declaration: &BytesDecl<'_>) -> Result<(), Flaw> {
    if declaration.version().map_err(|_| Flaw::Malformed)?.as_ref() != b"1.0" {
        return Err(Flaw::Malformed);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        Some(_) => Err(Flaw::Encoding),
    }
}

/// A character by its number, or one of XML's own five.
fn referred(reference: &BytesRef<'_>) -> Result<String, Flaw> {
    if reference.is_char_ref() {
        let c = reference.resolve_char_ref().map_err(|_| Flaw::Character)?.ok_or(Flaw::Character)?;
        return if is_legal(c) { Ok(c.to_string()) } else { Err(Flaw::Character) };
    }
    let name = reference.decode().map_err(|_| Flaw::Encoding)?;
    resolve_xml_entity(&name).map(str::to_owned).ok_or(Flaw::Entity)
}

/// Where the reading stands.
#[derive(Default)]
struct Reading {
    /// What has come of the root: nothing, the header, the message.
    stage: Stage,
    open: Vec<Open>,
    field: Option<(Field, String)>,
    values: Vec<(Field, String)>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Begun,
    Root,
    Headed,
    Said(Kind),
    Closed(Kind),
}

/// A group that is open, and the first of its parts that may still come.
struct Open {
    group: &'static Group,
    next: usize,
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>, ours: bool) -> Result<(), Flaw> {
        if let Stage::Closed(_) = self.stage {
            return Err(Flaw::Malformed);
        }
        if !ours {
            return Err(Flaw::Namespace);
        }
        let name = start.local_name();
        let name = str::from_utf8(name.as_ref()).map_err(|_| Flaw::Encoding)?;
        let element = self.enter(name)?;
        attributes(start, element)
    }

    /// Takes the place of this name in what is open; answers with the table's own name of it.
    fn enter(&mut self, name: &str) -> Result<&'static str, Flaw> {
        if let Some((field, _)) = &self.field {
            return Err(Flaw::Unknown(field.rule().element));
        }
        let Some(open) = self.open.last_mut() else { return self.enter_root(name) };
        let place = open.group.parts.iter().position(|part| part.element() == name);
        let place = place.ok_or(Flaw::Unknown(open.group.element))?;
        if place < open.next {
            return Err(Flaw::Repeated(open.group.parts[place].element()));
        }
        open.group.parts[open.next..place].iter().try_for_each(skipped)?;
        open.next = place + 1;
        let part = &open.group.parts[place];
        match part {
            Part::Field(field, _) => self.field = Some((*field, String::new())),
            Part::Group(group, _) => self.open.push(Open { group, next: 0 }),
        }
        Ok(part.element())
    }

    fn enter_root(&mut self, name: &str) -> Result<&'static str, Flaw> {
        let group = match self.stage {
            Stage::Begun if name == ROOT => {
                self.stage = Stage::Root;
                return Ok(ROOT);
            }
            Stage::Begun => return Err(Flaw::Missing(ROOT)),
            Stage::Root if name == HEADER.element => {
                self.stage = Stage::Headed;
                &HEADER
            }
            Stage::Root => return Err(Flaw::Missing(HEADER.element)),
            Stage::Headed => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.group().element == name);
                let kind = kind.ok_or(Flaw::Unknown(ROOT))?;
                self.stage = Stage::Said(kind);
                kind.group()
            }
            Stage::Said(_) | Stage::Closed(_) => return Err(Flaw::Unknown(ROOT)),
        };
        self.open.push(Open { group, next: 0 });
        Ok(group.element)
    }

    fn end(&mut self) -> Result<(), Flaw> {
        if let Some((field, value)) = self.field.take() {
            checked(field, &value)?;
            self.values.push((field, value));
        } else if let Some(Open { group, next }) = self.open.pop() {
            group.parts[next..].iter().try_for_each(skipped)?;
        } else {
            self.stage = match self.stage {
                Stage::Said(kind) => Stage::Closed(kind),
                Stage::Root => return Err(Flaw::Missing(HEADER.element)),
                _ => return Err(Flaw::Missing(ROOT)),
            };
        }
        Ok(())
    }

    /// Between elements there is white space, and nothing else.
    fn text(&mut self, text: &str) -> Result<(), Flaw> {
        if self.field.is_none() && text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n')) {
            return Ok(());
        }
        self.words(text)
    }

    fn words(&mut self, text: &str) -> Result<(), Flaw> {
        match (&mut self.field, self.stage) {
            (Some((_, value)), _) => value.push_str(text),
            (None, Stage::Begun | Stage::Closed(_)) => return Err(Flaw::Malformed),
            (None, _) => return Err(Flaw::Stray(self.open.last().map_or(ROOT, |open| open.group.element))),
        }
        Ok(())
    }

    fn done(self) -> Result<Document, Flaw> {
        // What is open at the end was cut off.
        let Stage::Closed(kind) = self.stage else { return Err(Flaw::Malformed) };
        Ok(self.values.into_iter().fold(Document::new(kind), |document, (field, value)| document.with(field, value)))
    }
}

fn skipped(part: &Part) -> Result<(), Flaw> {
    match part.needed() {
        Needed::Always => Err(Flaw::Missing(part.element())),
        Needed::Sometimes => Ok(()),
    }
}

/// Namespaces may be declared, on the root and anywhere else; there is nothing else to be said in an attribute.
fn attributes(start: &BytesStart<'_>, element: &'static str) -> Result<(), Flaw> {
    for (number, attribute) in start.attributes().enumerate() {
        // Counted before the next is compared with all before it.
        if number >= MOST_NAMESPACES {
            return Err(Flaw::Attribute(element));
        }
        let attribute = attribute.map_err(|_| Flaw::Malformed)?;
        if attribute.key.as_namespace_binding().is_none() {
            return Err(Flaw::Attribute(element));
        }
        if attribute.value.contains(&b'<') {
            return Err(Flaw::Malformed);
        }
    }
    Ok(())
}
