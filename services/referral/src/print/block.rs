//! What a document is made of, before anything is laid out.

use super::fonts::Style;

/// A part of a document, from top to bottom. Personal data: no `Debug`.
#[derive(Clone)]
pub enum Block {
    /// The document's title.
    Title(String),
    /// Over a section.
    Heading(String),
    /// Running text.
    Paragraph(String),
    /// Labels, and what is so.
    Facts(Vec<(&'static str, Cell)>),
    /// A table.
    Table {
        /// Each column's title, and its share of the width.
        columns: Vec<(&'static str, u16)>,
        /// As many cells as columns, each.
        rows: Vec<Vec<Cell>>,
    },
}

/// What stands in a table.
#[derive(Clone)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// How its letters look.
    pub style: Style,
}

impl Cell {
    /// To be seen.
    #[must_use]
    pub fn bold(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Bold }
    }

    /// To be compared by eye.
    #[must_use]
    pub fn mono(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Mono }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), style: Style::Regular }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: Style::Regular }
    }
}
