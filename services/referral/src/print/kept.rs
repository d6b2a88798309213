//! What must hold of an index whatever is written into it, for tests and for `tests/fuzz` (`text`): each character is there, as itself or by
//! its number, on the page and not beside it, and there is a PDF of it.

use chrono::DateTime;

use super::{
    Clock, Index, Item, Person, Referral, State,
    fonts::Fonts,
    lay,
    layout::{AREA, Laid, Of, PAGE, Piece},
};

/// An index that says each of these in a cell of its own; the first is the incident's number, too.
fn of(texts: &[&str]) -> Index {
    let mut index = Index { incident: texts.first().copied().unwrap_or_default().to_owned(), ..Index::default() };
    for (n, text) in texts.iter().copied().enumerate() {
        let text = text.to_owned();
        match n % 6 {
            0 => index.people.push(Person { name: text, ..Person::default() }),
            1 => {
                let (state, evidence) = (State::Missing, String::new());
                index.checklist.push(Item { title: text, required: true, state, evidence });
            }
            2 => index.schedule.push(text),
            3 => index.referrals.push(Referral { partner: text, ..Referral::default() }),
            4 => index.clocks.push(Clock { title: text, due_at: DateTime::UNIX_EPOCH, state: String::new() }),
            _ => index.sealed.push(text),
        }
    }
    index
}

/// Each of these texts is on a page, whole.
///
/// # Panics
/// It isn't.
pub fn assert_laid(texts: &[&str]) {
    let fonts = Fonts::new();
    let laid = lay(&fonts, &of(texts));
    let cells = cells(&laid);
    let mut by_number = 0;
    for (n, text) in texts.iter().enumerate() {
        let written = fonts.written(text);
        let numbers = numbers(&written, text);
        by_number += numbers.unwrap_or_else(|| panic!("{text:?} became {written:?}"));
        let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(
            !written.contains(|c: char| turns(c) || c.is_control() && c != '\n'),
            "unseen, and does something: {text:?}"
        );
        let said: String = match written.trim() {
            "" => "\u{2013}".to_owned(),
            _ => written.trim_end().split('\n').collect(),
        };
        let times = cells.iter().filter(|cell| **cell == said).count();
        assert!(times > usize::from(n == 0), "{text:?} is on no page");
    }
    let told = cells.iter().any(|cell| cell.contains("stand as their Unicode numbers"));
    assert!(told || by_number == 0, "nothing says what the numbers are: {texts:?}");
    for piece in laid.pages.iter().flatten() {
        let (x, until, y) = match piece {
            Piece::Text { x, baseline, line, .. } => (*x, x + line.width, *baseline),
            Piece::Rule { y, .. } => (AREA.0, AREA.2, *y),
        };
        assert!(x >= 0.0 && until <= PAGE.0 && y >= 0.0 && y <= PAGE.1, "beside the page: {x}-{until}, {y}: {texts:?}");
    }
}

/// There is a PDF of these texts, with as many pages as were laid out, and it is always the same: it gets sealed.
///
/// # Panics
/// There isn't.
pub fn assert_printed(texts: &[&str]) {
    let index = of(texts);
    let print = || super::index(&index).unwrap_or_else(|error| panic!("{error}: {texts:?}"));
    let pdf = print();
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    assert!(pdf == print(), "two of one: {texts:?}");
    let is_page = |bytes: &[u8]| bytes.starts_with(b"/Type/Page") && bytes.get(10) != Some(&b's');
    assert_eq!(pdf.windows(11).filter(|bytes| is_page(bytes)).count(), lay(&Fonts::new(), &index).pages.len());
}

/// What each cell, paragraph and heading says, whichever pages it is on.
fn cells(laid: &Laid) -> Vec<String> {
    let mut cells = vec![String::new(); laid.nodes.len()];
    for piece in laid.pages.iter().flatten() {
        if let Piece::Text { line, of: Of::Node(node), .. } = piece {
            cells[*node] += &line.text();
        }
    }
    cells
}

/// How many characters of the text stand by their numbers, if each is there, in order, and nothing else is.
fn numbers(written: &str, text: &str) -> Option<usize> {
    let (mut rest, mut numbers) = (written, 0);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        rest = match c {
            // With the next, one break.
            '\r' if characters.peek() == Some(&'\n') => rest,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => rest.strip_prefix('\n')?,
            '\t' => rest.strip_prefix(' ')?,
            c if rest.starts_with(c) => rest.strip_prefix(c)?,
            c => {
                numbers += 1;
                rest.strip_prefix(&format!("[U+{:04X}]", u32::from(c)))?
            }
        };
    }
    rest.is_empty().then_some(numbers)
}
