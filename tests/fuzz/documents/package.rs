//! Whatever lies in an archive, the verifier ends with a report; and nothing but what was sealed is called intact.

use std::{fs, path::PathBuf, sync::LazyLock};

use exhibit::{
    seal::Roots,
    verify::{Outcome, Trust, verify, verify_addendum},
};
use fuzzing::read_seed;

/// One file, written again for each input: the verifier reads nothing but files.
static PLACE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("alcove-fuzz-{}.tar", std::process::id())));
/// What an input may be an addendum to.
static PARENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("alcove-fuzz-{}-parent.tar", std::process::id()));
    fs::write(&path, &*SEALED).expect("a temporary file");
    path
});
/// The archive that the seeds began with, and who signed it.
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| read_seed("package/package.tar"));
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let pem = String::from_utf8(read_seed("seal/roots.pem")).expect("PEM");
    Trust { signers: Some(Roots::from_pem(&pem).expect("roots")), ..Trust::default() }
});

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fs::write(&*PLACE, bytes).expect("a temporary file");
    if let Ok(report) = verify(&PLACE, &TRUST) {
        let intact = report.failures.is_empty() && report.outcome() != Outcome::Failed;
        assert!(!intact || bytes == *SEALED, "an altered archive is called intact");
    }
    // Of these there is none: nobody has sealed one.
    if let Ok(report) = verify_addendum(&PLACE, &PARENT, &TRUST) {
        assert!(report.outcome() == Outcome::Failed, "something is called an addendum that nobody sealed");
    }
}
