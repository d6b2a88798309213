//! A partial disclosure: the selection as it was signed, and the original inside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    LONGEST_SMALL_FILE, Trust,
    exhibit::{self, Absent, Examined},
    proofs::{self, Checksums, Contents, Stamped},
    report::{Report, Selection, plain},
    signed,
    source::{self, Source, Unreadable},
    track,
};
use crate::{
    Digest, Manifest, bag,
    disclosure::{DISCLOSURE, Disclosure, READ_ME, original_of, place_of},
    package::{self, StoredFile},
    seal::CheckedSeal,
    time,
};

/// What every disclosure has of its own.
const FIXED: [&str; 10] = [
    bag::BAGIT,
    bag::BAG_INFO,
    bag::PAYLOAD_MANIFEST,
    bag::TAGMANIFEST,
    READ_ME,
    DISCLOSURE,
    package::VERIFY,
    package::SEAL,
    package::SIGNER,
    package::CHECKSUMS,
];

/// What it may have.
const OPTIONAL: [&str; 2] = [package::TIMESTAMP, package::TSA];

/// Examines the disclosure that `source` found: first the original inside it, as far as it is there, then the selection itself.
pub fn examine(source: &Source, trust: &Trust, mut report: Report) -> Result<Report, Unreadable> {
    let contents = small_files(source, &mut report)?;
    let parsed = contents.get(DISCLOSURE).map(|bytes| Disclosure::parse(bytes));
    let disclosure = match parsed {
        Some(Ok(disclosure)) => Some(disclosure),
        Some(Err(why)) => {
            report.fail(DISCLOSURE, &why.to_string());
            None
        }
        None => None,
    };
    let withheld: BTreeSet<_> =
        disclosure.iter().flat_map(|d| &d.withheld).map(|path| format!("bag/data/{path}")).collect();
    let original =
        exhibit::examine(&source.renamed(original_of), trust, Absent::Withheld(&withheld), Report::default())?;
    let digests = digests(source, &contents, &original)?;
    let proofs: BTreeMap<_, _> = digests.iter().filter(|(path, _)| contents.contains_key(*path)).collect();
    let proofs = proofs.into_iter().map(|(path, digest)| (path.clone(), *digest)).collect();

    let sums = Checksums::read(&contents, &proofs, &mut report);
    // A selection may be made while the authority is away.
    let stamps = contents.contains_key(package::TIMESTAMP);
    let own = Trust { timestamps: trust.timestamps.clone().filter(|_| stamps), ..trust.clone() };
    let stamped = proofs::timestamp(&signed::SEAL, &contents, &own, &sums, &mut report);
    let (seal, tagmanifest) = exhibit::check_seal(&contents, stamped.as_ref(), &own, &mut report);
    let payload = exhibit::check_tags(&contents, &proofs, tagmanifest, &mut report);
    payload.check(|path| path.starts_with("bag/data/"), &digests, &mut report);
    sums.check(tagmanifest, &mut report);
    if let Some(disclosure) = &disclosure {
        compare(disclosure, &original, source, &mut report);
    }
    Ok(join(report, original, disclosure.as_ref(), seal.as_ref(), stamped.as_ref()))
}

fn small_files(source: &Source, report: &mut Report) -> Result<Contents, Unreadable> {
    let mut contents = BTreeMap::new();
    for path in FIXED.into_iter().chain(OPTIONAL) {
        match source.length(path) {
            None if OPTIONAL.contains(&path) => {}
            None => report.fail(path, "is missing"),
            Some(len) if len > LONGEST_SMALL_FILE => report.fail(path, "is far longer than it can be"),
            Some(_) => {
                contents.insert(path.to_owned(), source.read(path)?);
            }
        }
    }
    let own = |path: &str| original_of(path).is_none();
    for (path, _) in source.files().filter(|(path, _)| own(path) && !contents.contains_key(*path)) {
        report.fail(path, "is not part of the disclosure");
    }
    Ok(contents)
}

/// Every file's digest. Those of the original have been computed.
fn digests(source: &Source, contents: &Contents, original: &Examined) -> Result<BTreeMap<String, Digest>, Unreadable> {
    let mut digests = BTreeMap::new();
    for (path, _) in source.files() {
        let known = contents.get(path).map(|bytes| Digest::of(bytes));
        let known = known.or_else(|| original_of(path).and_then(|name: String| original.digests.get(&name).copied()));
        let digest = match known {
            Some(digest) => digest,
            None => track::read(source.reader(path)?, &[]).map_err(|e| Unreadable::io(path, e))?.sha256,
        };
        digests.insert(path.to_owned(), digest);
    }
    Ok(digests)
}

/// Whether `disclosure.json` tells of this original, and of the files that are here.
fn compare(disclosure: &Disclosure, original: &Examined, source: &Source, report: &mut Report) {
    if source.modified().is_some_and(|seconds| seconds != disclosure.made_at.timestamp()) {
        report.fail(source::ARCHIVE, "its files have another time than the disclosure");
    }
    let Some(manifest) = &original.manifest else { return };
    let about = (disclosure.exhibit, &disclosure.reference) == (manifest.exhibit, &manifest.reference);
    if !about || Some(disclosure.seal_sha256) != original.seal_sha256 {
        report.fail(DISCLOSURE, "is of another exhibit than the original that is inside");
    }
    for path in all(manifest) {
        let here = source.length(&format!("bag/data/{path}")).is_some();
        let said = [&disclosure.disclosed, &disclosure.withheld].map(|list| list.contains(&path));
        match (said, here) {
            ([true, false], true) | ([false, true], false) => {}
            ([true, false], false) => report.fail(&format!("bag/data/{path}"), "is missing: it was disclosed"),
            ([false, true], true) => report.fail(&format!("bag/data/{path}"), "is here, and was to be left out"),
            _ => report.fail(DISCLOSURE, &format!("says nothing of {path}")),
        }
    }
    for track in manifest.tracks.iter().filter(|track| disclosure.disclosed.contains(&track.path)) {
        if !disclosure.disclosed.contains(&track.segments.path) {
            report.fail(DISCLOSURE, &format!("leaves out {}, the list of what is here", track.segments.path));
        }
    }
    let known: BTreeSet<_> = all(manifest).collect();
    for path in disclosure.disclosed.iter().chain(&disclosure.withheld).filter(|path| !known.contains(*path)) {
        report.fail(DISCLOSURE, &format!("names {path}, which the exhibit doesn't have"));
    }
}

fn all(manifest: &Manifest) -> impl Iterator<Item = String> {
    let files = StoredFile::all(manifest).into_iter();
    files.map(|file| file.path.strip_prefix("bag/data/").unwrap_or(&file.path).to_owned())
}

/// One report: what is wrong with either, what was proved of both.
fn join(
    mut own: Report,
    original: Examined,
    disclosure: Option<&Disclosure>,
    seal: Option<&CheckedSeal>,
    stamped: Option<&Stamped>,
) -> Report {
    let mut report = original.report;
    let inside = std::mem::take(&mut report.failures);
    report.failures.append(&mut own.failures);
    for failure in inside {
        let file = place_of(&failure.file).unwrap_or(failure.file);
        report.fail(&file, &failure.what);
    }
    report.selection = disclosure.map(|d| Selection {
        who: plain(&d.who),
        reason: plain(&d.reason),
        made_at: time::write(d.made_at),
        disclosed: d.disclosed.iter().map(|path| plain(path)).collect(),
        withheld: d.withheld.iter().map(|path| plain(path)).collect(),
    });
    let (Some(disclosure), Some(seal), true) = (disclosure, seal, report.failures.is_empty()) else {
        if report.proved.drain(..).next().is_some() {
            report.not_proved.push("That this is what was disclosed: see what is wrong with it.".to_owned());
        }
        return report;
    };
    let by = plain(&seal.signer().subject());
    let vouched = if own.way_to_root.is_some() { ", which leads to a trust root that you gave" } else { "" };
    report.proved.insert(
        0,
        format!(
            "This is the PARTIAL DISCLOSURE that was signed with the certificate of {by}{vouched}: nothing was added, removed or \
             altered since. {} files were chosen, {} left out.",
            disclosure.disclosed.len(),
            disclosure.withheld.len()
        ),
    );
    match stamped.filter(|stamped| stamped.trusted) {
        Some(stamped) => report.proved.push(format!(
            "The selection's signature was there at {}, says the timestamp authority {}.",
            time::write(stamped.token.gen_time),
            plain(&stamped.token.authority)
        )),
        None => report.not_proved.push(format!(
            "WHEN the selection was made: {} is its signer's own word.",
            time::write(seal.signing_time())
        )),
    }
    report.not_proved.push(format!("What is in the {} files that were left out.", disclosure.withheld.len()));
    report
}
