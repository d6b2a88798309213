//! What happened, in order: as a hash always, in words when somebody wants to read it.

use std::fmt::Write as _;

/// One story.
#[derive(Debug, Clone)]
pub struct Story {
    hash: u64,
    words: Option<Vec<String>>,
    line: String,
}

impl Story {
    pub fn new(is_told: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, words: is_told.then(Vec::new), line: String::new() }
    }

    /// Something has happened (FNV-1a).
    pub fn tell(&mut self, what: std::fmt::Arguments<'_>) {
        self.line.clear();
        self.line.write_fmt(what).unwrap();
        for byte in self.line.bytes().chain([0xff]) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(words) = &mut self.words {
            words.push(self.line.clone());
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The end of it.
    pub fn last(&self, lines: usize) -> String {
        let words = self.words.as_deref().unwrap_or_default();
        words[words.len().saturating_sub(lines)..].join("\n")
    }
}
