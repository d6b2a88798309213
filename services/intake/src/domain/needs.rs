//! What a caller needs of the desk, beside help: how soon, and from whom.

use serde::{Deserialize, Serialize};

/// How much a caller depends on help from others, beside the risk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vulnerability {
    /// Not, or not graded.
    #[default]
    None,
    /// Somewhat.
    Some,
    /// Very much.
    Great,
}

/// Of an officer whom a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as it says")]
pub enum Gender {
    Woman,
    Man,
}

/// How a caller who doesn't speak is known to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Silent {
    /// They pressed 55 when they were asked to.
    #[serde(rename = "pressed_55")]
    Pressed55,
    /// They answer by taps or coughs, so far.
    #[serde(rename = "taps_only")]
    TapsOnly,
    /// They can't, whoever listens.
    #[serde(rename = "cannot_speak")]
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
}

/// What a triage found that the caller needs. What was kept before this was asked needs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// How soon.
    pub vulnerability: Vulnerability,
    /// From whom, if they said.
    pub officer_asked_for: Option<Gender>,
    /// From one who is trained to speak with children.
    pub child_may_speak: bool,
    /// From one who writes, and asks them nothing aloud.
    pub silent: Option<Silent>,
}
