//! Whatever lies in an archive, the verifier ends with a report; and nothing but what was sealed is called intact.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use exhibit::verify::{Outcome, Trust, verify};
use libfuzzer_sys::fuzz_target;

#[path = "../../../crates/exhibit/tests/sample/mod.rs"]
mod sample;

/// One file, written again for each input: the verifier reads nothing but files.
static PLACE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("alcove-fuzz-{}.tar", std::process::id())));
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| sample::Sample::new(2_000).tar());
static TRUST: LazyLock<Trust> = LazyLock::new(|| sample::Sample::new(2_000).trust());

fuzz_target!(|bytes: &[u8]| {
    fs::write(&*PLACE, bytes).expect("a temporary file");
    if let Ok(report) = verify(&PLACE, &TRUST) {
        let intact = report.failures.is_empty() && report.outcome() != Outcome::Failed;
        assert!(!intact || bytes == *SEALED, "an altered archive is called intact");
    }
});
