//! The tombstone in a package whose exhibit was disposed of: is it this exhibit's, and did it come about as it must?

use super::{
    Trust,
    proofs::{self, CLOCK_TOLERANCE, Checksums, Contents, InLog, Opened, Stamped},
    report::{Report, with_sources},
    signed::{SEAL, TOMBSTONE},
    source::Source,
};
use crate::{
    Manifest,
    seal::seal_sha256,
    tombstone::{self, Tombstone},
};

/// What it must have.
pub const FIXED: [&str; 2] = [tombstone::TOMBSTONE, tombstone::SIGNATURE];

/// What it may have: the proofs that come after the signature.
pub const OPTIONAL: [&str; 3] = [tombstone::TIMESTAMP, tombstone::LOG_ENTRY, tombstone::LOG_PROOF];

/// Whether any part of a tombstone is there: then all of it must be, and no recording.
pub fn lies_in(source: &Source) -> bool {
    FIXED.into_iter().chain(OPTIONAL).any(|path| source.length(path).is_some())
}

/// What was found of it.
pub struct Seen {
    /// What it says.
    pub tombstone: Tombstone,
    /// Its signature.
    pub opened: Opened,
    /// The timestamp over that.
    pub stamped: Option<Stamped>,
    /// Its own place in the log.
    pub in_log: Option<InLog>,
}

/// What is known of the exhibit that it must be about.
pub struct Of<'a> {
    /// The manifest, as far as it is believed.
    pub manifest: Option<&'a Manifest>,
    /// The seal's place in the log.
    pub in_log: Option<&'a InLog>,
}

/// Checks the tombstone, which must be there.
pub fn check(
    of: &Of<'_>,
    contents: &Contents,
    trust: &Trust,
    sums: &Checksums<'_>,
    report: &mut Report,
) -> Option<Seen> {
    let stamped = proofs::timestamp(&TOMBSTONE, contents, trust, sums, report);
    let opened = proofs::signature(&TOMBSTONE, contents, stamped.as_ref(), trust, report);
    if let Some(opened) = &opened {
        proofs::is_as_signed(&TOMBSTONE, &opened.seal, contents, report);
    }
    let in_log = proofs::logged(&TOMBSTONE, contents, of.manifest, trust, sums, report);
    let read = Tombstone::parse(contents.get(TOMBSTONE.content)?);
    let tombstone = read.map_err(|why| report.fail(TOMBSTONE.content, &with_sources(&why))).ok()?;
    is_of(of, &tombstone, contents, sums, report);
    in_order(&tombstone, stamped.as_ref(), report);
    Some(Seen { tombstone, opened: opened?, stamped, in_log })
}

/// Whether it names this exhibit and the very seal that is here.
fn is_of(of: &Of<'_>, tombstone: &Tombstone, contents: &Contents, sums: &Checksums<'_>, report: &mut Report) {
    if let Some(manifest) = of.manifest {
        if tombstone.exhibit != manifest.exhibit {
            report.fail(TOMBSTONE.content, "is another exhibit's");
        } else if tombstone.reference != manifest.reference {
            report.fail(TOMBSTONE.content, "gives the exhibit another reference");
        }
    }
    if contents.get(SEAL.signature).is_some_and(|seal| seal_sha256(seal) != tombstone.seal_sha256) {
        let blamed = sums.blame(TOMBSTONE.content, SEAL.signature);
        report.fail(blamed, "the tombstone is of another seal than the one here");
    }
    match (tombstone.log_index, of.in_log) {
        (Some(said), Some(found)) if said != found.index => {
            report.fail(TOMBSTONE.content, "names another place of the seal in the log than the seal's own proof");
        }
        (None, Some(_)) => report.fail(TOMBSTONE.content, "says that the seal is in no log, and it is in one"),
        // What is wrong with a proof that is here has been said.
        (Some(_), None) if !contents.contains_key(SEAL.proof) => {
            report.fail(TOMBSTONE.content, "says that the seal is in a log, and the package has no proof of that");
        }
        _ => {}
    }
}

/// Reviewed, then disposed of, then stamped, by clocks that differ a little.
fn in_order(tombstone: &Tombstone, stamped: Option<&Stamped>, report: &mut Report) {
    let disposed_at = tombstone.disposed_at;
    if tombstone.reviews.iter().any(|review| review.at > disposed_at + CLOCK_TOLERANCE) {
        report.fail(TOMBSTONE.content, "states a review that came after the disposal");
    }
    if stamped.is_some_and(|stamped| stamped.trusted && disposed_at > stamped.latest()) {
        report.fail(TOMBSTONE.content, "states a time of disposal after that of its own timestamp");
    }
}
