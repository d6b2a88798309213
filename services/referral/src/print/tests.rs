//! What is printed, page by page.

mod sample;

use proptest::prelude::*;

use super::{
    Index, Item, Person, State,
    fonts::Fonts,
    index, kept, lay,
    layout::{AREA, Kind, Laid, Of, PAGE, Piece},
};

/// What a piece says, and the kind of node that it is of; none if it is the page's.
fn said<'l>(laid: &'l Laid, piece: &'l Piece) -> Option<(String, Option<Kind>)> {
    match piece {
        Piece::Text { line, of: Of::Node(node), .. } => Some((line.text(), Some(laid.nodes[*node].kind))),
        Piece::Text { line, of: Of::Page, .. } => Some((line.text(), None)),
        Piece::Rule { .. } => None,
    }
}

/// All that is said on a page, a line each.
fn lines(laid: &Laid, page: usize) -> Vec<String> {
    laid.pages[page].iter().filter_map(|piece| said(laid, piece)).map(|(text, _)| text.trim_end().to_owned()).collect()
}

fn laid(index: &Index) -> Laid {
    lay(&Fonts::new(), index)
}

/// Everything, without the breaks of lines.
fn whole(laid: &Laid) -> String {
    let said: Vec<_> =
        laid.pages.iter().flatten().filter_map(|piece| said(laid, piece)).map(|(text, _)| text).collect();
    said.join(" ")
}

fn long() -> Index {
    let line = |n| format!("still/still-{n}: a still of the recording. Disclosed.");
    Index { schedule: (1..=120).map(line).collect(), ..sample::index() }
}

/// A checklist of one item, filled by this.
fn filled_by(evidence: &str) -> Index {
    let item = Item { title: "Bail".into(), required: true, state: State::Present, evidence: evidence.into() };
    Index { checklist: vec![item], ..Index::default() }
}

#[test]
fn the_same_index_is_the_same_bytes_and_keeps_and_can_be_read_aloud() {
    let (first, again) = (index(&sample::index()).unwrap(), index(&sample::index()).unwrap());
    assert!(first == again, "it gets sealed");
    let later = Index { printed_at: sample::at(96), ..sample::index() };
    assert!(first != index(&later).unwrap(), "the time is on it");
    let has = |part: &str| first.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    for said in ["pdfaid:part>2", "pdfaid:conformance>A", "pdfuaid:part>1", "/Lang(en-GB)", "incident 2026-11-24/1123"]
    {
        assert!(has(said), "{said}");
    }
}

#[test]
fn of_a_long_table_each_page_has_its_header_and_each_page_its_number_and_marking() {
    let laid = laid(&long());
    let count = laid.pages.len();
    assert!(count > 3);
    let first = (0..count).find(|page| lines(&laid, *page).iter().any(|line| line == "Disclosure schedule")).unwrap();
    for page in 0..count {
        let lines = lines(&laid, page);
        let times = |text: &str| lines.iter().filter(|line| *line == text).count();
        assert_eq!(times("OFFICIAL-SENSITIVE"), 2);
        assert_eq!(times(&format!("Page {} of {count}", page + 1)), 1);
        assert_eq!(times("Incident 2026-11-24/1123"), 1);
        assert_eq!(times("Material, and how it is to be handled"), usize::from(page >= first), "page {page}");
    }
    // It is part of the table once; what is only seen again isn't read out again.
    let heads = laid.pages.iter().flatten().filter_map(|piece| said(&laid, piece));
    let read = heads.filter(|(text, kind)| text.starts_with("Material") && *kind == Some(Kind::ColumnHead)).count();
    assert_eq!(read, 1);
    // Each entry, in order.
    let entries = whole(&laid);
    let at: Vec<_> = (1..=120).map(|n| entries.find(&format!("still/still-{n}: ")).unwrap()).collect();
    assert!(at.is_sorted());
}

#[test]
fn a_heading_is_never_the_last_of_its_page() {
    // Whatever the length of what is before it.
    let fonts = Fonts::new();
    for entries in 0..60 {
        let index = Index { schedule: long().schedule[..entries].to_vec(), ..sample::index() };
        let laid = lay(&fonts, &index);
        for page in &laid.pages {
            let kinds: Vec<_> = page.iter().filter_map(|piece| said(&laid, piece)?.1).collect();
            assert_ne!(kinds.last(), Some(&Kind::Heading));
            assert_ne!(kinds.last(), Some(&Kind::ColumnHead));
        }
    }
}

#[test]
fn nothing_is_drawn_outside_of_the_page_however_long_a_word_is() {
    let word = "W".repeat(400);
    let mut index = long();
    index.checklist.push(Item { title: word.clone(), required: true, state: State::Present, evidence: word.clone() });
    let told = |text: &str| text.to_owned();
    index.people.push(Person {
        name: told(&word),
        part: told(&word),
        born: told(&word),
        present: told(&word),
        saw_or_heard: told(&word),
        spoken_to: told(&word),
    });
    index.incident = word[..300].to_owned();
    index.seal = "f".repeat(64);
    let laid = laid(&index);
    let (left, top, right, bottom) = AREA;
    for piece in laid.pages.iter().flatten() {
        match piece {
            Piece::Text { x, baseline, size, line, of, .. } => {
                let (above, below) = if matches!(of, Of::Node(_)) { (top, bottom) } else { (0.0, PAGE.1) };
                assert!(*x >= left && x + line.width <= right + 0.5, "{}", line.text());
                assert!(baseline - size * 0.9 >= above && baseline + size * 0.3 <= below, "{}", line.text());
            }
            Piece::Rule { y, .. } => assert!((top..=bottom + 0.5).contains(y)),
        }
    }
    // No letter is lost where it is broken.
    let letters = whole(&laid).matches('W').count();
    assert!(letters >= 8 * 400 + 300, "{letters}");
    super::index(&index).unwrap();
}

#[test]
fn a_long_note_is_broken_over_pages_and_never_so_that_one_line_stands_alone() {
    let note = (1..=230).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
    let laid = laid(&filled_by(&note));
    assert!(laid.pages.len() > 3);
    let on_page = |page| lines(&laid, page).iter().filter(|line| line.starts_with("line ")).count();
    let counts: Vec<_> = (0..laid.pages.len()).map(on_page).collect();
    assert_eq!(counts.iter().sum::<usize>(), 230);
    assert!(counts.iter().all(|count| *count != 1), "{counts:?}");
}

#[test]
fn names_of_many_scripts_are_as_they_were_written() {
    let laid = laid(&sample::index());
    let text = whole(&laid);
    for name in [
        "Świętosława",
        "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
        "علي بن محمد الحسيني",
        "李小龍 (Li Xiaolong)",
        "Олена Шевченко",
        "שרה כהן, Ειρήνη, মৌসুমী",
    ] {
        assert!(text.contains(name), "{name}");
    }
    // Drawn from the left, each by a typeface that has it.
    let all = laid.pages.iter().flatten();
    let lines = all.filter_map(|piece| if let Piece::Text { line, .. } = piece { Some(line) } else { None });
    let runs: Vec<_> = lines.flat_map(|line| &line.runs).collect();
    assert!(runs.iter().flat_map(|run| &run.glyphs).all(|glyph| glyph.glyph_id.to_u32() != 0));
    assert!(runs.iter().filter(|run| run.is_rtl).count() >= 2);
}

#[test]
fn what_no_typeface_has_or_nobody_can_see_stands_as_its_number_and_the_page_says_so() {
    let odd = laid(&filled_by("Zoë \u{10900}\u{1f9ff} \u{202e}txt.exe\u{200b} \u{e000}\u{0}\u{7}"));
    let text = whole(&odd);
    let written = "Zoë [U+10900][U+1F9FF] [U+202E]txt.exe[U+200B] [U+E000][U+0000][U+0007]";
    assert!(squeezed(&text).contains(&squeezed(written)), "{text}");
    assert!(text.contains("stand as their Unicode numbers"));
    let plain = whole(&laid(&filled_by("Zoë")));
    assert!(!plain.contains("Unicode"));
}

#[test]
fn there_is_no_character_that_keeps_an_index_from_being_printed() {
    // All of the scripts in use, and something of all the rest.
    let every = (0..0x3100u32).chain((0x3100..0x11_0000).step_by(613));
    let text: Vec<_> = every.filter_map(char::from_u32).collect();
    for part in text.chunks(4_000) {
        index(&filled_by(&part.iter().collect::<String>())).unwrap();
    }
    // Marks without a letter, and letters with more marks than anybody has use for.
    index(&filled_by(&format!("\u{301}\u{94d}\u{a4d}\u{9be} e{} ي\u{64e}", "\u{301}".repeat(60)))).unwrap();
}

/// What is read as one letter may be joined of as many characters as somebody likes; so may a syllable, of as many letters.
#[test]
fn a_letter_without_end_is_broken_before_it_leaves_the_page() {
    for one in ["\u{1100}", "©\u{200d}", "\u{9be}", "\u{600}", "\u{d4b}\u{d3e}", "\u{b95}\u{bcd}", "\u{a15}\u{a4d}"] {
        let letter = format!("a {} b", one.repeat(300));
        kept::assert_laid(&[letter.as_str(); 6]);
    }
}

/// What is put together in the short form of `tests/fuzz` (`text`), which has a coverage to go by.
const PARTS: [&str; 32] = [
    "Zoë",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{85}",
    "\u{2029}",
    "\u{1c}",
    "[U+0041]",
    "علي",
    "שרה",
    "ਗੁਰ",
    "১২",
    "ක්‍ෂ",
    "李",
    "🙂",
    "\u{202e}",
    "\u{2067}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{301}",
    "\u{93e}",
    "\u{600}",
    "\u{1100}",
    "\u{378}",
    "\u{fdfd}",
    "\u{10ffff}",
    "\u{0}",
    "/",
    "-",
    "1",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn whatever_is_written_is_on_the_page_whole(
        texts in prop::collection::vec(prop::collection::vec(prop::sample::select(&PARTS[..]), 0..40), 1..7),
    ) {
        let texts: Vec<_> = texts.iter().map(|parts| parts.concat()).collect();
        kept::assert_laid(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn whatever_is_written_is_printed() {
    let jumble = PARTS.concat();
    kept::assert_printed(&[&jumble, &jumble.repeat(20), &"\u{1100}".repeat(300)]);
}

#[test]
fn an_index_of_nothing_says_so_in_each_section() {
    let text = whole(&laid(&Index::default()));
    for said in [
        "The checklist is empty.",
        "There is no exhibit.",
        "Nobody has been written down.",
        "The risk has not been graded.",
        "None has been drafted.",
        "None has begun.",
        "None has been saved.",
        "No schedule has been saved.",
        "The package has not been sealed.",
        "Not sealed yet",
    ] {
        assert!(text.contains(said), "{said}");
    }
    index(&Index::default()).unwrap();
}

/// In the order of the page, spaces aside: where a line ends is nobody's words.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn what_is_given_is_in_the_pdf() {
    let pdf = index(&sample::index()).unwrap();
    let text = squeezed(&pdf_extract::extract_text_from_mem(&pdf).unwrap());
    for said in [
        "Małgorzata Świętosława",
        "李小龍 (Li Xiaolong)",
        "Олена Шевченко",
        "3f2a 91bc 00d4 e877",
        "Page 1 of",
        "Heard on 2 December",
        "version 3, declared by pc.2210.kaur",
        "still-1, still-2, still-3",
    ] {
        assert!(text.contains(&squeezed(said)), "{said}\n{text}");
    }
}
