//! Verifies a package, folder or tar, with nothing but its bytes and trust roots from elsewhere.
//!
//! Trust runs downwards: roots -> certificate -> seal -> tagmanifest -> payload list -> manifest and tracks -> segments.
//! A mismatch is laid at the door of whichever side nothing above vouches for, so that the altered file is the one named.

mod archive;
mod directory;
mod lists;
mod report;
mod source;
mod track;

use std::{collections::BTreeMap, path::Path};

pub use report::{About, Failure, Outcome, Report};
pub use source::Unreadable;

use crate::{
    Digest, Manifest, bag,
    package::{self, TAGMANIFEST},
    seal::{CheckedSeal, Roots, seal_sha256},
};
use lists::{List, Standing};
use source::Source;

/// What every package has, besides its tracks.
const FIXED: [&str; 10] = [
    bag::BAGIT,
    bag::BAG_INFO,
    bag::PAYLOAD_MANIFEST,
    bag::TAGMANIFEST,
    bag::READ_ME_FIRST,
    bag::MANIFEST,
    package::HOW_TO_VERIFY,
    package::SEAL,
    package::SIGNER,
    package::CHECKSUMS,
];

/// No honest small file is longer: a two-hour call with four tracks has a manifest of some 15 MB.
const LONGEST_SMALL_FILE: u64 = 256 << 20;

/// Verifies the package at this path. Tracks are streamed, never held. Without roots, who signed stays open, and the report says so.
///
/// # Errors
/// [`Unreadable`] if there is no package there, or reading it fails. What is *wrong* with a package is in the report.
pub fn verify(package: &Path, roots: Option<&Roots>) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    let source = Source::open(package, &mut report)?;
    let contents = small_files(&source, &mut report)?;
    let content = |path: &str| contents.get(path).map(Vec::as_slice);

    let (seal, tagmanifest) = check_seal(content(package::SEAL), content(TAGMANIFEST), roots, &mut report);
    let manifest = content(bag::MANIFEST).and_then(|bytes| check_manifest(bytes, &source, &mut report));
    report.about = Some(About::new(manifest.as_ref(), content(package::SEAL).map(seal_sha256), seal.as_ref()));

    let mut digests: BTreeMap<&str, Digest> = BTreeMap::new();
    digests.extend(contents.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes))));
    let payload = check_tags(&contents, &digests, tagmanifest, &mut report);
    let manifest_standing = payload.standing_of(bag::MANIFEST, digests.get(bag::MANIFEST).copied());
    for (path, len) in source.files().filter(|(path, _)| !FIXED.contains(path)) {
        let track = manifest.as_ref().and_then(|m| m.tracks.iter().find(|t| path == format!("bag/data/{}", t.path)));
        if track.is_none() && (manifest.is_some() || !path.starts_with("bag/data/tracks/")) {
            report.fail(path, "is not part of the exhibit");
        }
        let read = track::read(source.reader(path)?, track).map_err(|e| Unreadable::io(path, e))?;
        if let Some(track) = track {
            track::check(path, len, &read, track, manifest_standing, &mut report);
        }
        digests.insert(path, read.sha256);
    }
    if let Some(manifest) = &manifest {
        for path in manifest.tracks.iter().map(|t| format!("bag/data/{}", t.path)) {
            if !digests.contains_key(path.as_str()) {
                report.fail(&path, "is missing");
            }
        }
    }
    payload.check(|path| path.starts_with("bag/data/"), &digests, &mut report);
    check_proofs(&contents, &digests, seal.as_ref(), tagmanifest, &mut report);
    report.conclude(manifest.as_ref(), seal.as_ref(), &source);
    Ok(report)
}

/// Reads what must be there. Each file is read once: what is hashed is what is parsed.
fn small_files(source: &Source, report: &mut Report) -> Result<BTreeMap<String, Vec<u8>>, Unreadable> {
    let mut contents = BTreeMap::new();
    for path in FIXED {
        match source.length(path) {
            None => report.fail(path, "is missing"),
            Some(len) if len > LONGEST_SMALL_FILE => report.fail(path, "is far longer than it can be"),
            Some(_) => {
                contents.insert(path.to_owned(), source.read(path)?);
            }
        }
    }
    Ok(contents)
}

/// Whose signature it is, and whether the tagmanifest is what it signed.
fn check_seal(
    seal: Option<&[u8]>,
    tagmanifest: Option<&[u8]>,
    roots: Option<&Roots>,
    report: &mut Report,
) -> (Option<CheckedSeal>, Standing) {
    let Some(seal) = seal else { return (None, Standing::Unknown) };
    let seal = match CheckedSeal::open(seal) {
        Ok(seal) => seal,
        Err(why) => {
            report.fail(package::SEAL, &format!("is not a good signature: {why}"));
            return (None, Standing::Unknown);
        }
    };
    if let Some(roots) = roots {
        match roots.establish(&seal) {
            Ok(way) => report.way_to_root = Some(way),
            Err(why) => report.fail(package::SEAL, &format!("its signer is not to be trusted: {why}")),
        }
    }
    let standing = match tagmanifest {
        None => Standing::Unknown,
        Some(bytes) if seal.is_over(bytes) => Standing::Good,
        Some(_) => {
            report.fail(TAGMANIFEST, "is not what was signed");
            Standing::Altered
        }
    };
    (Some(seal), standing)
}

fn check_manifest(bytes: &[u8], source: &Source, report: &mut Report) -> Option<Manifest> {
    let manifest = match Manifest::parse(bytes) {
        Ok(manifest) => manifest,
        Err(why) => {
            report.fail(bag::MANIFEST, &report::with_sources(&why));
            return None;
        }
    };
    if source.modified().is_some_and(|seconds| seconds != manifest.fenced_at.timestamp()) {
        report.fail(source::ARCHIVE, "its files have another time than the exhibit's fence");
    }
    Some(manifest)
}

/// The tagmanifest against the tag files; then the payload list, with how far it can be believed.
fn check_tags(
    contents: &BTreeMap<String, Vec<u8>>,
    digests: &BTreeMap<&str, Digest>,
    tagmanifest: Standing,
    report: &mut Report,
) -> List {
    let list = |path, standing, report: &mut Report| List::read(path, "bag/", contents.get(path), standing, report);
    let tags = list(bag::TAGMANIFEST, tagmanifest, report);
    tags.check(
        |path| !path.starts_with("bag/data/") && path.starts_with("bag/") && path != TAGMANIFEST,
        digests,
        report,
    );
    let standing = tags.standing_of(bag::PAYLOAD_MANIFEST, digests.get(bag::PAYLOAD_MANIFEST).copied());
    list(bag::PAYLOAD_MANIFEST, standing, report)
}

/// The proofs lie outside of the bag and their list is not signed: of a pair that disagrees either may be altered, unless
/// the seal vouches for one.
fn check_proofs(
    contents: &BTreeMap<String, Vec<u8>>,
    digests: &BTreeMap<&str, Digest>,
    seal: Option<&CheckedSeal>,
    tagmanifest: Standing,
    report: &mut Report,
) {
    let mut list = List::read(package::CHECKSUMS, "", contents.get(package::CHECKSUMS), Standing::Unknown, report);
    let signed = (tagmanifest == Standing::Good).then_some(TAGMANIFEST);
    if list.standing_of(TAGMANIFEST, signed.and_then(|path| digests.get(path).copied())) == Standing::Altered {
        report.fail(package::CHECKSUMS, "its line for what was signed is not what was signed");
        list.settle(TAGMANIFEST, digests);
    }
    let own = |path: &str| path.starts_with("proof/") && path != package::CHECKSUMS || path == TAGMANIFEST;
    if !list.check(own, digests, report) {
        report.fail(package::CHECKSUMS, "doesn't fit the files that it lists: they were altered, or it was");
    }
    let shown = contents.get(package::SIGNER).map(|pem| String::from_utf8_lossy(pem));
    if let (Some(seal), Some(pem)) = (seal, shown) {
        let same = crate::seal::Certificate::all_from_pem(&pem).is_ok_and(|all| all[..] == [seal.signer().clone()]);
        if !same {
            report.fail(package::SIGNER, "is not the certificate in the seal");
        }
    }
}
