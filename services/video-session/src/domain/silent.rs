//! A caller who doesn't speak, as intake's triage found: the officer begins with the chat.

/// How a caller who doesn't speak is known to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// They pressed 55 when they were asked to.
    Pressed55,
    /// They answer by taps or coughs.
    TapsOnly,
    /// They can't, whoever listens.
    CannotSpeak,
}

impl Silent {
    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pressed55 => "pressed_55",
            Self::TapsOnly => "taps_only",
            Self::CannotSpeak => "cannot_speak",
        }
    }

    /// As it was kept.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pressed55, Self::TapsOnly, Self::CannotSpeak].into_iter().find(|one| one.as_str() == word)
    }
}
