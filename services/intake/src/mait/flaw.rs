//! What can be wrong with a message. Each names the rule, and the field by the schema's own name: never what was sent.

use super::schema::{Field, LARGEST};

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// More bytes than any message needs.
    #[error("a message has at most {LARGEST} bytes")]
    TooLarge,
    /// Not UTF-8, or says that it is something else.
    #[error("a message is in UTF-8")]
    Encoding,
    /// A character that XML doesn't have, written out or by its number.
    #[error("there is a character that XML doesn't have")]
    Character,
    /// A document type, and with it entities and what lies elsewhere.
    #[error("a message has no document type")]
    DocumentType,
    /// An instruction to some program.
    #[error("a message has no processing instruction")]
    Instruction,
    /// A reference to what isn't one of XML's own five, or a character.
    #[error("a message has no entities but XML's own five")]
    Entity,
    /// Not XML, or cut off.
    #[error("the message is not well-formed XML")]
    Malformed,
    /// An element of another namespace, or of none.
    #[error("there is an element of another namespace")]
    Namespace,
    /// Attributes other than the namespace's.
    #[error("{0} has an attribute")]
    Attribute(&'static str),
    /// Words between elements.
    #[error("{0} has words between its elements")]
    Stray(&'static str),
    /// An element that isn't known there.
    #[error("{0} has an element that it can't have")]
    Unknown(&'static str),
    /// One that must be there.
    #[error("{0} is missing, or comes too late")]
    Missing(&'static str),
    /// One that is there twice, or after what it must come before.
    #[error("{0} comes twice, or too late")]
    Repeated(&'static str),
    /// A field with too many characters.
    #[error("{} has more than {} characters", .0.rule().element, .0.rule().longest)]
    TooLong(Field),
    /// A field that isn't what it must be.
    #[error("{} is not what it must be", .0.rule().element)]
    Shape(Field),
}

impl Flaw {
    /// The reason word of a rejection.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "TOO_LARGE",
            Self::Encoding => "NOT_UTF8",
            Self::Character => "BAD_CHARACTER",
            Self::DocumentType => "DOCUMENT_TYPE",
            Self::Instruction => "INSTRUCTION",
            Self::Entity => "ENTITY",
            Self::Malformed => "NOT_XML",
            Self::Namespace => "OTHER_NAMESPACE",
            Self::Attribute(_) => "ATTRIBUTE",
            Self::Stray(_) => "STRAY_WORDS",
            Self::Unknown(_) => "UNKNOWN_FIELD",
            Self::Missing(_) => "MISSING_FIELD",
            Self::Repeated(_) => "REPEATED_FIELD",
            Self::TooLong(_) => "TOO_LONG",
            Self::Shape(_) => "INVALID_FIELD",
        }
    }

    /// The element that it is about, by the schema's own name.
    #[must_use]
    pub fn element(self) -> Option<&'static str> {
        match self {
            Self::Attribute(element)
            | Self::Stray(element)
            | Self::Unknown(element)
            | Self::Missing(element)
            | Self::Repeated(element) => Some(element),
            Self::TooLong(field) | Self::Shape(field) => Some(field.rule().element),
            _ => None,
        }
    }
}
