//! A message as its fields: what the reader makes, and the writer takes.

use std::{collections::BTreeMap, fmt};

use super::{
    flaw::Flaw,
    schema::{Field, Group, HEADER, Kind, Needed, Part},
};

/// A message. What is personal in it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    values: BTreeMap<Field, String>,
}

impl Document {
    /// One with nothing in it.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, values: BTreeMap::new() }
    }

    /// With this field.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.values.insert(field, value.into());
        self
    }

    /// Without this field.
    #[must_use]
    pub fn without(mut self, field: Field) -> Self {
        self.values.remove(&field);
        self
    }

    /// What is said, if anything is.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.values.get(&field).map(String::as_str)
    }

    /// Is anything of this group said?
    pub(super) fn has_any_of(&self, group: &Group) -> bool {
        group.parts.iter().any(|part| match part {
            Part::Field(field, _) => self.values.contains_key(field),
            Part::Group(inner, _) => self.has_any_of(inner),
        })
    }

    /// Checks it as a reader will.
    ///
    /// # Errors
    /// The first field that is missing, has no place in such a message, or isn't what it must be.
    pub fn checked(&self) -> Result<(), Flaw> {
        let placed = self.placed(&HEADER)? + self.placed(self.kind.group())?;
        if placed != self.values.len() {
            return Err(Flaw::Unknown(self.kind.group().element));
        }
        self.values.iter().try_for_each(|(field, value)| checked(*field, value))
    }

    /// How many of its fields have their place in this group.
    fn placed(&self, group: &Group) -> Result<usize, Flaw> {
        let mut placed = 0;
        for part in group.parts {
            match part {
                Part::Field(field, _) if self.values.contains_key(field) => placed += 1,
                Part::Group(inner, needed) if *needed == Needed::Always || self.has_any_of(inner) => {
                    placed += self.placed(inner)?;
                }
                Part::Field(_, Needed::Always) => return Err(Flaw::Missing(part.element())),
                _ => {}
            }
        }
        Ok(placed)
    }
}

/// Is this what the field must be?
///
/// # Errors
/// It is too long, has another shape, or a character that XML doesn't have.
pub fn checked(field: Field, value: &str) -> Result<(), Flaw> {
    let rule = field.rule();
    if value.chars().nth(rule.longest).is_some() {
        return Err(Flaw::TooLong(field));
    }
    if !value.chars().all(is_legal) {
        return Err(Flaw::Character);
    }
    if rule.shape.fits(value) { Ok(()) } else { Err(Flaw::Shape(field)) }
}

/// Does XML 1.0 have this character?
pub(super) fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(field, value)| {
            let rule = field.rule();
            (rule.element, if rule.personal { "[redacted]" } else { value.as_str() })
        });
        write!(f, "{:?} ", self.kind)?;
        f.debug_map().entries(shown).finish()
    }
}
