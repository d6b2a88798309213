//! How a caller asks for help without saying so, and how far that is known: all that the media core goes by.

use ids::SessionId;

/// How they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The word that was agreed at triage is in what they write.
    Word,
    /// Three taps on a dull corner of their page.
    Corner,
}

impl How {
    /// As the ledger and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Corner => "corner",
        }
    }

    /// The way spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Word, Self::Corner].into_iter().find(|how| how.as_str() == text)
    }
}

/// The newest of either kind that was heard of: a line has its number, and taps on the corner are counted by the page. A repeat, and
/// what was overtaken, are old news by this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// The line's number.
    pub word: u32,
    /// The page's own count.
    pub corner: u32,
}

impl Counted {
    /// Counts the nth of that kind. False: it was known, or overtaken.
    pub fn count(&mut self, how: How, n: u32) -> bool {
        let newest = match how {
            How::Word => &mut self.word,
            How::Corner => &mut self.corner,
        };
        let is_new = n > *newest;
        *newest = n.max(*newest);
        is_new
    }

    /// What either of the two has heard of.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { word: self.word.max(other.word), corner: self.corner.max(other.corner) }
    }
}

/// What the rows have heard of in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pleas {
    /// Which session.
    pub session: SessionId,
    /// How far.
    pub counted: Counted,
}
