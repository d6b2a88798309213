//! The link's key: 128 bits in 26 symbols of the codes' alphabet, short enough for one text message with words around it. It is a second
//! key to an invitation, beside its spoken code; whichever is used first spends both.
//!
//! It has no part that finds and none that proves, and no tries are counted against its invitation: nobody guesses 128 bits.

use std::fmt;

use super::{
    Code, CodeMalformed,
    code::{spell, symbols_of},
};

const SYMBOLS: usize = 26;

/// A well-formed key of a link. No `Display` and nothing in `Debug`, like a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Link([u8; SYMBOLS]);

/// What somebody who wants to come in shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// A code that they typed.
    Code(Code),
    /// The key of a link that they followed.
    Link(Link),
}

impl Link {
    /// The key that these bits spell.
    #[must_use]
    pub fn from_bits(bits: [u8; 16]) -> Self {
        Self(spell(u128::from_be_bytes(bits)))
    }

    /// Reads one back, as forgiving as a code: some messengers change the case.
    ///
    /// # Errors
    /// When it isn't 26 symbols.
    pub fn parse(text: &str) -> Result<Self, CodeMalformed> {
        symbols_of(text).map(Self)
    }

    /// The symbols, for the address that is sent, or to be hashed.
    #[must_use]
    pub fn symbols(&self) -> &[u8] {
        &self.0
    }

    /// As it stands in the address.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl Presented {
    /// The symbols, to be hashed.
    #[must_use]
    pub fn symbols(&self) -> &[u8] {
        match self {
            Self::Code(code) => code.symbols(),
            Self::Link(link) => link.symbols(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_link_is_read_back_in_either_case(bits: [u8; 16]) {
            let link = Link::from_bits(bits);
            prop_assert_eq!(&Link::parse(&link.text()).unwrap(), &link);
            prop_assert_eq!(&Link::parse(&link.text().to_lowercase()).unwrap(), &link);
            prop_assert_eq!(link.text().len(), SYMBOLS);
        }
    }

    #[test]
    fn spells_its_bits_and_shows_them_to_nobody() {
        assert_eq!(Link::from_bits([0xff; 16]).text(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(Link::from_bits(33_u128.to_be_bytes()).text(), format!("{}11", "0".repeat(24)));
        for bad in ["", "K7QF-2M9X", &"0".repeat(25), &"0".repeat(27), &"U".repeat(26)] {
            assert_eq!(Link::parse(bad), Err(CodeMalformed), "{bad}");
        }
        assert_eq!(format!("{:?}", Presented::Link(Link::from_bits([1; 16]))), "Link([redacted])");
    }
}
