//! The spoken code: 40 bits in eight symbols of Crockford's base32, "K7QF-2M9X". Made to be heard on a bad line and
//! typed by shaking hands, so reading one back is forgiving.
//!
//! Its first three symbols (15 bits) find the invitation, the other five (25 bits) prove it. That is what makes "five
//! tries" mean something: a slip in the proof counts against the invitation it was meant for. Guessing gains nothing by
//! it: a stranger must still hit all 40 bits.

use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 8;
/// How many of the symbols find the invitation.
pub const SELECTOR_SYMBOLS: usize = 3;

/// A well-formed code. No `Display` and nothing in `Debug`: it lets whoever reads it into the call.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; SYMBOLS]);

/// Not eight symbols of the alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is eight letters and digits")]
pub struct CodeMalformed;

impl Code {
    /// The code that these 40 bits spell.
    #[must_use]
    pub fn from_bits(bits: [u8; 5]) -> Self {
        Self(spell(bits.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))))
    }

    /// Reads a code as people type it: any case, blanks and marks anywhere, O for 0, I and L for 1, on any of our languages' keyboards.
    ///
    /// # Errors
    /// When what is left isn't eight symbols.
    pub fn parse(typed: &str) -> Result<Self, CodeMalformed> {
        symbols_of(typed).map(Self)
    }

    /// What finds the invitation.
    #[must_use]
    pub fn selector(&self) -> &str {
        std::str::from_utf8(&self.0[..SELECTOR_SYMBOLS]).unwrap_or_default()
    }

    /// The eight symbols, to be hashed.
    #[must_use]
    pub fn symbols(&self) -> &[u8] {
        &self.0
    }

    /// As it is read out: "K7QF-2M9X".
    #[must_use]
    pub fn spoken(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        format!("{}-{}", &text[..4], &text[4..])
    }
}

/// The same letter or digit of ASCII, if it has one: of Arabic, of Persian and Urdu, of Bengali, of Panjabi, or of full width.
fn plain(letter: char) -> char {
    let zero = match letter {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{9e6}'..='\u{9ef}' => 0x9e6,
        '\u{a66}'..='\u{a6f}' => 0xa66,
        '\u{ff10}'..='\u{ff5a}' => 0xff10,
        _ => return letter,
    };
    char::from_u32(u32::from(letter) - zero + u32::from('0')).unwrap_or(letter)
}

/// So many symbols of the number's last bits.
pub(super) fn spell<const N: usize>(number: u128) -> [u8; N] {
    std::array::from_fn(|at| ALPHABET[(number >> (5 * (N - 1 - at)) & 31) as usize])
}

/// The symbols that were meant, of just so many.
pub(super) fn symbols_of<const N: usize>(typed: &str) -> Result<[u8; N], CodeMalformed> {
    let mut symbols = [0; N];
    let mut count = 0;
    for letter in typed.chars().filter(|c| c.is_alphanumeric()) {
        let symbol = match plain(letter).to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let symbol = u8::try_from(symbol).map_err(|_| CodeMalformed)?;
        if count == N || !ALPHABET.contains(&symbol) {
            return Err(CodeMalformed);
        }
        symbols[count] = symbol;
        count += 1;
    }
    if count == N { Ok(symbols) } else { Err(CodeMalformed) }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_code_is_read_back_however_it_is_typed(bits: [u8; 5], lower: bool, hyphen in "[ .,–-]{0,3}") {
            let code = Code::from_bits(bits);
            let mut typed = code.spoken().replace('-', &hyphen).replace('0', "O").replace('1', "l");
            if lower {
                typed = typed.to_lowercase();
            }
            prop_assert_eq!(Code::parse(&typed).unwrap(), code);
        }

        #[test]
        fn nothing_typed_panics(typed in ".{0,40}") {
            let _ = Code::parse(&typed);
        }
    }

    #[test]
    fn any_of_our_languages_keyboards_will_do() {
        for typed in ["\u{200e}“K7QF, 2M9X.”", "Ｋ７ｑｆ２ｍ９ｘ", "K٧QF-٢M٩X", "K۷QF-۲M۹X", "K৭QF-২M৯X", "K੭QF-੨M੯X"]
        {
            assert_eq!(Code::parse(typed).map(|code| code.spoken()), Ok("K7QF-2M9X".to_owned()), "{typed}");
        }
    }

    #[test]
    fn spells_its_bits() {
        assert_eq!(Code::from_bits([0; 5]).spoken(), "0000-0000");
        assert_eq!(Code::from_bits([0xff; 5]).spoken(), "ZZZZ-ZZZZ");
        assert_eq!(Code::from_bits([0, 0, 0, 0, 33]).spoken(), "0000-0011");
        assert_eq!(Code::from_bits([0xff; 5]).selector(), "ZZZ");
        for bad in ["", "K7QF-2M9", "K7QF-2M9XX", "K7QF-2M9U", "K7QF 2M9é"] {
            assert_eq!(Code::parse(bad), Err(CodeMalformed), "{bad}");
        }
        assert_eq!(format!("{:?}", Code::from_bits([1; 5])), "[redacted]");
    }
}
