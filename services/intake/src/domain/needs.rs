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
}
