//! A caller who doesn't speak, as intake's triage found. No decision of the desk's goes by it: the officer does.

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
