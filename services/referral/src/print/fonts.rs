//! The typefaces of a printed page, in the service itself: what is printed mustn't depend on what a machine has. A character that
//! none of them has is written as its number, and never as an empty box.

use std::cell::{Cell, OnceCell};

use krilla::text::Font;
use rustybuzz::Face;
use unicode_segmentation::UnicodeSegmentation;

/// How letters look. Scripts other than Latin, Greek and Cyrillic have one style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For reading.
    Regular,
    /// For what must be seen.
    Bold,
    /// Each as wide as any other: for what is compared by eye.
    Mono,
}

/// Every typeface, in the order in which they are asked after the one of the style that is wanted. `fonts/README.md` says where each
/// is from.
const FILES: [&[u8]; 18] = [
    include_bytes!("../../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../../fonts/NotoMono-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansGurmukhi-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansBengali-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansGujarati-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansTamil-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansTelugu-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansMalayalam-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansSinhala-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansEthiopic-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansThai-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansGeorgian-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansArmenian-Regular.ttf"),
    include_bytes!("../../fonts/DroidSansFallbackFull.ttf"),
];
const REGULAR: FontId = 0;
const BOLD: FontId = 1;
const MONO: FontId = 2;

/// Which typeface: its place among them.
pub type FontId = usize;

/// The typefaces, each read when it is first needed.
pub struct Fonts {
    shaping: [OnceCell<Option<Face<'static>>>; FILES.len()],
    drawing: [OnceCell<Option<Font>>; FILES.len()],
    named: Cell<bool>,
}

impl Fonts {
    /// None read yet.
    #[must_use]
    pub fn new() -> Self {
        let (shaping, drawing) = (std::array::from_fn(|_| OnceCell::new()), std::array::from_fn(|_| OnceCell::new()));
        Self { shaping, drawing, named: Cell::new(false) }
    }

    /// To shape with it; none if its file is broken, and then nothing is covered by it.
    #[must_use]
    pub fn face(&self, id: FontId) -> Option<&Face<'static>> {
        self.shaping.get(id)?.get_or_init(|| Face::from_slice(FILES[id], 0)).as_ref()
    }

    /// To draw with it.
    #[must_use]
    pub fn font(&self, id: FontId) -> Option<&Font> {
        self.drawing.get(id)?.get_or_init(|| Font::new(FILES[id].into(), 0)).as_ref()
    }

    /// Some character was written as its number.
    #[must_use]
    pub fn has_named(&self) -> bool {
        self.named.get()
    }

    /// The typeface for what is read as one letter: the last one if it may, so that words and their spaces stay together.
    #[must_use]
    pub fn covering(&self, letter: &str, style: Style, last: Option<FontId>) -> Option<FontId> {
        let first = match style {
            Style::Regular => REGULAR,
            Style::Bold => BOLD,
            Style::Mono => MONO,
        };
        let is_space = letter.chars().all(char::is_whitespace);
        let last = last.filter(|last| is_space && self.covers(*last, letter));
        last.or_else(|| std::iter::once(first).chain(REGULAR..FILES.len()).find(|id| self.covers(*id, letter)))
    }

    fn has(&self, c: char) -> bool {
        !is_named(c) && self.covering(c.encode_utf8(&mut [0; 4]), Style::Regular, None).is_some()
    }

    fn covers(&self, id: FontId, letter: &str) -> bool {
        let has = |face: &Face<'_>| letter.chars().all(|c| is_joiner(c) || face.glyph_index(c).is_some());
        self.face(id).is_some_and(has)
    }

    /// The text as it can be written: characters that no typeface has, and those that would be seen by what they do to others,
    /// by their numbers.
    #[must_use]
    pub fn written(&self, text: &str) -> String {
        let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'], "\n");
        let mut written = String::with_capacity(text.len());
        for letter in text.graphemes(true) {
            let is_whole = !letter.chars().any(is_named) && self.covering(letter, Style::Regular, None).is_some();
            for c in letter.chars() {
                match c {
                    '\n' => written.push('\n'),
                    '\t' => written.push(' '),
                    c if is_whole || self.has(c) => written.push(c),
                    c => {
                        self.named.set(true);
                        written.push_str(&format!("[U+{:04X}]", u32::from(c)));
                    }
                }
            }
        }
        written
    }
}

/// Shapes its neighbours, and has no shape of its own.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Nothing to be seen by itself, or nobody knows what: a mark that turns the order of letters must not do so unseen.
fn is_named(c: char) -> bool {
    let is_unseen = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
        | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let is_nothing = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() && c != '\n' && c != '\t' || is_unseen || is_private || is_nothing
}
