//! Whatever somebody writes into a case, the package's index can be printed, and each character is on a page of it: as itself, or by its
//! number. What is checked stands beside the printing itself (`kept`), for its tests have it, too.
#![no_main]

#[allow(dead_code, reason = "the service uses the rest")]
#[path = "../../../services/referral/src/print/mod.rs"]
mod print;

use std::sync::LazyLock;

use fuzzing::Target;
use print::kept;

/// Between two texts of an input: no text has it.
const END: u8 = 0xff;
/// More is only slower to print.
const LONGEST: usize = 8 * 1024;

/// Scripts that are shaped and turned, marks without letters, characters without shape, and what is joined without end.
const SEEDS: [(&str, &[&str]); 6] = [
    (
        "names",
        &[
            "Małgorzata Świętosława",
            "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
            "علي بن محمد الحسيني",
            "李小龍 (Li Xiaolong)",
            "שרה כהן, Ειρήνη, মৌসুমী",
        ],
    ),
    (
        "unseen",
        &[
            "Zoë \u{10900}\u{1f9ff} \u{202e}txt.exe\u{200b}",
            "\u{e000}\u{0}\u{7}",
            "a\u{ad}b\u{feff}",
            "\u{378}\u{fdd0}\u{10ffff}",
        ],
    ),
    ("marks", &["\u{301}\u{94d}\u{a4d}\u{9be} e\u{301}\u{301}", "ي\u{64e}", "ක්\u{200d}ෂ", "\u{fe0f}\u{200d}"]),
    ("breaks", &["one\r\ntwo\rthree\u{85}four\u{2028}five\u{2029}six\u{b}\u{c}", "\t a \t", "\n\n", ""]),
    (
        "joined",
        &["\u{1100}\u{1100}\u{1100}\u{1100}\u{1100}\u{1100}", "©\u{200d}©\u{200d}©\u{200d}©", "\u{600}\u{600}\u{600}1"],
    ),
    (
        "words",
        &[
            "https://example.org/clips/2026/11/24/0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b",
            "WWWWWWWWWWWWWWWWWWWW",
        ],
    ),
];

const TARGETS: [Target; 1] = [Target { name: "text", begin, fuzz }];

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| fuzzing::chosen(&TARGETS));

fn begin() {
    for (name, texts) in SEEDS {
        let texts: Vec<_> = texts.iter().map(|text| text.as_bytes()).collect();
        fuzzing::write_seed("text", name, &texts.join(&END));
    }
    // Nor is there an end of the shaper's syllables.
    fuzzing::write_seed("text", "syllable", "\u{b95}\u{bcd}".repeat(300).as_bytes());
    let long: Vec<_> = (1..=120).map(|n| format!("line {n}")).collect();
    fuzzing::write_seed("text", "long", long.join("\n").as_bytes());
}

fn fuzz(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let texts: Vec<_> = bytes.split(|byte| *byte == END).map(String::from_utf8_lossy).collect();
    let texts: Vec<_> = texts.iter().map(AsRef::as_ref).collect();
    kept::assert_laid(&texts);
    kept::assert_printed(&texts);
}

libfuzzer_sys::fuzz_target!(init: (CHOSEN.begin)(), |bytes: &[u8]| (CHOSEN.fuzz)(bytes));
