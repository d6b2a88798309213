//! Words that nobody else writes, and every shape in which one of them might come out again.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// What must not come out: personal data, words, codes.
#[derive(Debug, Default)]
pub struct Canaries(Vec<(String, Vec<String>)>);

impl Canaries {
    /// These to begin with.
    pub fn of(words: &[&str]) -> Self {
        let mut canaries = Self::default();
        words.iter().for_each(|word| canaries.add(word));
        canaries
    }

    /// One more: a code or a token that is known only once it was made.
    pub fn add(&mut self, word: &str) {
        assert!(word.len() >= 7, "{word} may be met by chance");
        self.0.push((word.to_owned(), shapes(word)));
    }

    /// Those that are in this text, whatever its case.
    pub fn within(&self, text: &[u8]) -> Vec<&str> {
        let folded = String::from_utf8_lossy(text).to_ascii_lowercase();
        let is_in = |shape: &String| folded.contains(shape.as_str());
        self.0.iter().filter(|(_, shapes)| shapes.iter().any(is_in)).map(|(word, _)| word.as_str()).collect()
    }
}

/// As it is, in an address, in hex, in base64 wherever it begins, a number as one dials it here, a code without its hyphen.
fn shapes(word: &str) -> Vec<String> {
    let mut shapes = vec![word.to_owned(), word.replace(' ', "+"), word.replace(' ', "%20"), word.replace(' ', "_")];
    shapes.push(
        word.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { (b as char).into() } else { format!("%{b:02x}") })
            .collect(),
    );
    shapes.push(hex::encode(word));
    shapes.push(word.replace('-', ""));
    for offset in 0..3 {
        let coded = STANDARD_NO_PAD.encode([&vec![b'x'; offset], word.as_bytes()].concat());
        // Without what mixes with the letters around it.
        let (skipped, whole) = (offset.div_ceil(3) * 4, coded.len() / 4 * 4);
        shapes.push(coded[skipped..whole].to_owned());
    }
    if let Some(subscriber) = word.strip_prefix("+44") {
        let grouped = format!("{} {}", &subscriber[..4], &subscriber[4..]);
        shapes.extend([
            subscriber.to_owned(),
            grouped,
            format!("{} {} {}", &subscriber[..4], &subscriber[4..7], &subscriber[7..]),
        ]);
    }
    shapes.into_iter().map(|shape| shape.to_ascii_lowercase()).filter(|shape| shape.len() >= 6).collect()
}

#[test]
fn a_word_is_found_in_every_shape() {
    let canaries = Canaries::of(&["Quibble Lane 9", "+447700900777", "K7QF-2M9X"]);
    let coded = STANDARD_NO_PAD.encode("at Quibble Lane 9, upstairs");
    for text in [
        "at quibble lane 9.",
        "?q=Quibble+Lane+9",
        "/Quibble%20Lane%209",
        "51756962626c65204c616e652039",
        &coded,
        "rang 07700 900777",
        "tel:07700900777",
        "447700900777",
        "%2b447700900777",
        "code k7qf2m9x",
    ] {
        assert_eq!(canaries.within(text.as_bytes()).len(), 1, "{text}");
    }
    assert_eq!(canaries.within(b"Quibble Street 9, 07700 900778, K7QF-2M9Y"), Vec::<&str>::new());
}
