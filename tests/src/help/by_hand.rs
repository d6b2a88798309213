//! What an officer does by hand, counted by the page itself (`tests/browser/typed.js`).

use serde::Deserialize;

use crate::browser::{BrowserError, Page};

/// Of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ByHand {
    /// Up to its end.
    pub during: Count,
    /// From there on.
    pub after: Count,
}

/// How much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// Names of the fields in which something was typed, once for each visit.
    pub typed: Vec<String>,
    /// Buttons, keys and choices.
    pub pressed: u32,
}

/// What counts on a page; it runs before the page's own script.
///
/// # Errors
/// When it can't be read.
pub fn script() -> std::io::Result<String> {
    std::fs::read_to_string(testkit::workspace().join("tests/browser/typed.js"))
}

/// From here on it is another call's.
///
/// # Errors
/// When the page doesn't count.
pub async fn anew(page: Page<'_>) -> Result<(), BrowserError> {
    page.evaluate("window.countAnew()").await.map(drop)
}

/// All of this call so far.
///
/// # Errors
/// When the page doesn't count.
pub async fn read(page: Page<'_>) -> Result<ByHand, Box<dyn std::error::Error + Send + Sync>> {
    Ok(serde_json::from_value(page.evaluate("window.byHand").await?)?)
}
