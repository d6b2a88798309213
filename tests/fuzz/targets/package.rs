//! Whatever lies in an archive, the verifier ends with a report; and nothing but what was sealed is called intact.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use exhibit::{
    seal::Roots,
    verify::{Outcome, Trust, verify},
};
use libfuzzer_sys::fuzz_target;

/// One file, written again for each input: the verifier reads nothing but files.
static PLACE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("alcove-fuzz-{}.tar", std::process::id())));
/// The archive that the seeds began with, and who signed it.
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| seed("package/package.tar"));
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let pem = String::from_utf8(seed("seal/roots.pem")).expect("PEM");
    Trust { signers: Some(Roots::from_pem(&pem).expect("roots")), ..Trust::default() }
});

fn seed(name: &str) -> Vec<u8> {
    let folder =
        PathBuf::from(std::env::var_os("ALCOVE_FUZZ_SEEDS").expect("ALCOVE_FUZZ_SEEDS, the folder of the seeds"));
    fs::read(folder.join(name)).expect("a seed")
}

fuzz_target!(|bytes: &[u8]| {
    fs::write(&*PLACE, bytes).expect("a temporary file");
    if let Ok(report) = verify(&PLACE, &TRUST) {
        let intact = report.failures.is_empty() && report.outcome() != Outcome::Failed;
        assert!(!intact || bytes == *SEALED, "an altered archive is called intact");
    }
});
