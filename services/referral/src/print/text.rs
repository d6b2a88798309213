//! Text set in lines: broken where it may be, its letters shaped, its right-to-left parts in their place.

use krilla::text::{GlyphId, KrillaGlyph};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};
use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

use super::fonts::{FontId, Fonts, Style};

/// No line has as many letters.
const MOST_LETTERS: usize = 256;

/// Of what may be joined, with no space between, of as many characters as somebody likes, so many are shaped at a time: the shaper counts those
/// of a syllable in one byte, and panics at more. A syllable may be one letter without end, and many letters (Tamil, Gurmukhi) without end;
/// and a character may become three.
const MOST_JOINED: usize = 64;

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Of its letters, in points.
    pub size: f32,
    /// Of its letters.
    pub style: Style,
}

/// A line of text, set. Personal data: no `Debug`.
#[derive(Clone)]
pub struct Line {
    /// From left to right, as they are drawn.
    pub runs: Vec<Run>,
    /// Without the space at its end.
    pub width: f32,
}

/// A part of a line in one typeface and one direction.
#[derive(Clone)]
pub struct Run {
    /// Its typeface.
    pub font: FontId,
    /// Its letters, from left to right; advances for a size of 1.
    pub glyphs: Vec<KrillaGlyph>,
    /// What they say.
    pub text: String,
    /// Where in the line's text it begins.
    pub start: usize,
    /// It is read from the right.
    pub is_rtl: bool,
    /// How wide it is.
    pub width: f32,
}

impl Line {
    /// What it says, in the order in which it is read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut runs: Vec<_> = self.runs.iter().collect();
        runs.sort_by_key(|run| run.start);
        runs.into_iter().map(|run| run.text.as_str()).collect()
    }
}

/// Sets text in lines that are not wider. A word that is wider by itself is broken between two letters.
#[must_use]
pub fn set(fonts: &Fonts, text: &str, look: Look, width: f32) -> Vec<Line> {
    let mut lines = vec![];
    for paragraph in text.trim_end().split('\n') {
        let (mut start, mut filled) = (0, 0.0);
        let mut last = 0;
        for (end, _) in linebreaks(paragraph) {
            let word = &paragraph[last..end];
            let needs = measure(fonts, word.trim_end(), look);
            if filled + needs > width && last > start {
                lines.push(line(fonts, &paragraph[start..last], look));
                (start, filled) = (last, 0.0);
            }
            if needs > width {
                let rest = broken(fonts, &paragraph[start..end], look, width, &mut lines);
                start = end - rest.len();
                filled = measure(fonts, rest, look);
            } else {
                filled += measure(fonts, word, look);
            }
            last = end;
        }
        lines.push(line(fonts, &paragraph[start..], look));
    }
    lines
}

/// Breaks a word that is too wide for a line by itself; what is left of it fits.
fn broken<'t>(fonts: &Fonts, mut word: &'t str, look: Look, width: f32, lines: &mut Vec<Line>) -> &'t str {
    let fits = |text: &str| measure(fonts, text.trim_end(), look) <= width;
    loop {
        let ends: Vec<_> =
            word.grapheme_indices(true).map(|(at, letter)| at + letter.len()).take(MOST_LETTERS).collect();
        let fitting = ends.partition_point(|end| fits(&word[..*end]));
        if fitting == ends.len() && ends.last().is_none_or(|end| *end == word.len()) {
            return word;
        }
        let end = match fitting {
            0 => within(&word[..ends[0]], fits),
            some => ends[some - 1],
        };
        let (head, rest) = word.split_at(end);
        lines.push(line(fonts, head, look));
        word = rest;
    }
}

/// Where what is read as one letter, and is too wide for a line (there is no end to what may be joined), is broken all the same: on paper what
/// leaves the page is lost. Behind one character at the least, or there would be no end of it.
fn within(letter: &str, fits: impl Fn(&str) -> bool) -> usize {
    let ends: Vec<_> = letter.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    let fitting = ends.partition_point(|end| fits(&letter[..*end]));
    ends.get(fitting.saturating_sub(1)).copied().unwrap_or(letter.len())
}

fn measure(fonts: &Fonts, text: &str, look: Look) -> f32 {
    runs(fonts, text, look).iter().map(|run| run.width).sum()
}

fn line(fonts: &Fonts, text: &str, look: Look) -> Line {
    Line { width: measure(fonts, text.trim_end(), look), runs: runs(fonts, text, look) }
}

/// The parts of a line, from left to right. The page is in English, so the line is from left to right as a whole.
fn runs(fonts: &Fonts, text: &str, look: Look) -> Vec<Run> {
    let bidi = BidiInfo::new(text, Some(Level::ltr()));
    let Some(paragraph) = bidi.paragraphs.first() else { return vec![] };
    let (levels, ranges) = bidi.visual_runs(paragraph, paragraph.range.clone());
    let mut runs = vec![];
    for range in ranges {
        let is_rtl = levels[range.start].is_rtl();
        let mut parts = parts(fonts, &text[range.clone()], look.style);
        if is_rtl {
            parts.reverse();
        }
        let shaped =
            |(font, at, part): (FontId, usize, &str)| shape(fonts, (font, part), range.start + at, is_rtl, look.size);
        runs.extend(parts.into_iter().filter_map(shaped));
    }
    runs
}

/// Parts of one typeface each, in the order in which they are read.
fn parts<'t>(fonts: &Fonts, text: &'t str, style: Style) -> Vec<(FontId, usize, &'t str)> {
    let mut parts: Vec<(FontId, usize, usize)> = vec![];
    let mut put = |at: usize, piece: &str, is_cut: bool| {
        let last = parts.last().map(|(font, ..)| *font);
        let Some(font) = fonts.covering(piece, style, last) else { return false };
        match parts.last_mut() {
            Some((same, _, end)) if *same == font && !is_cut => *end = at + piece.len(),
            _ => parts.push((font, at, at + piece.len())),
        }
        true
    };
    let mut joined = 0;
    for (at, letter) in text.grapheme_indices(true) {
        if letter.chars().all(char::is_whitespace) {
            joined = 0;
        }
        for (within, piece) in pieces(letter) {
            let (at, characters) = (at + within, piece.chars().count());
            let is_cut = joined + characters > MOST_JOINED;
            joined = if is_cut { characters } else { joined + characters };
            if !put(at, piece, is_cut) {
                // A mark on a letter of another script: each by a typeface that has it.
                let mut each = [0; 4];
                piece.char_indices().for_each(|(n, c)| _ = put(at + n, c.encode_utf8(&mut each), is_cut && n == 0));
            }
        }
    }
    parts.into_iter().map(|(font, at, end)| (font, at, &text[at..end])).collect()
}

/// What is shaped at a time of what is read as one letter, and where in it that begins: almost always all of it.
fn pieces(letter: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = letter.get(from..).filter(|rest| !rest.is_empty())?;
        let len = rest.char_indices().nth(MOST_JOINED).map_or(rest.len(), |(at, _)| at);
        let piece = (from, &rest[..len]);
        from += len;
        Some(piece)
    })
}

fn shape(fonts: &Fonts, (font, text): (FontId, &str), start: usize, is_rtl: bool, size: f32) -> Option<Run> {
    let face = fonts.face(font)?;
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(if is_rtl { Direction::RightToLeft } else { Direction::LeftToRight });
    let shaped = rustybuzz::shape(face, &[], buffer);
    // Where each cluster of letters ends: where the next begins.
    let mut begins: Vec<_> =
        shaped.glyph_infos().iter().map(|info| info.cluster as usize).chain([text.len()]).collect();
    begins.sort_unstable();
    begins.dedup();
    let em = |units: i32| units as f32 / face.units_per_em() as f32;
    let glyph = |(info, at): (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition)| {
        let from = info.cluster as usize;
        let to = begins.iter().copied().find(|begin| *begin > from).unwrap_or(text.len());
        let (id, range) = (GlyphId::new(info.glyph_id), from..to);
        KrillaGlyph::new(id, em(at.x_advance), em(at.x_offset), em(at.y_offset), em(at.y_advance), range, None)
    };
    let glyphs: Vec<_> = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).map(glyph).collect();
    let width = glyphs.iter().map(|glyph| glyph.x_advance * size).sum();
    Some(Run { font, glyphs, text: text.to_owned(), start, is_rtl, width })
}
