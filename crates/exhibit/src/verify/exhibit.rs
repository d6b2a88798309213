//! One exhibit: every file of its package, from the seal down and from the seal up.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    LONGEST_SMALL_FILE, Trust, access, item,
    lists::{List, Standing},
    proofs::{self, Checksums, Contents, InLog, Stamped},
    report::{self, About, Report},
    source::{self, Source, Unreadable},
    track, words,
};
use crate::{
    Digest, Item, Manifest, Track,
    access::{ACCESS_ENTRY, ACCESS_LOG, ACCESS_PROOF},
    bag,
    package::{self, TAGMANIFEST},
    seal::{CheckedSeal, seal_sha256},
};

/// What every package has, besides its tracks and items.
const FIXED: [&str; 10] = [
    bag::BAGIT,
    bag::BAG_INFO,
    bag::PAYLOAD_MANIFEST,
    bag::TAGMANIFEST,
    bag::READ_ME_FIRST,
    bag::MANIFEST,
    package::VERIFY,
    package::SEAL,
    package::SIGNER,
    package::CHECKSUMS,
];

/// What a package may also have: the proofs that come after the signature, and the access log of an export.
const OPTIONAL: [&str; 7] =
    [package::TIMESTAMP, package::TSA, package::LOG_ENTRY, package::LOG_PROOF, ACCESS_LOG, ACCESS_ENTRY, ACCESS_PROOF];

/// An exhibit's report, and what else may have to be compared.
pub struct Examined {
    pub report: Report,
    pub manifest: Option<Manifest>,
    pub seal_sha256: Option<Digest>,
    pub in_log: Option<InLog>,
    pub digests: BTreeMap<String, Digest>,
}

/// What was found of everything but the payload.
pub struct Findings {
    pub seal: Option<CheckedSeal>,
    pub stamped: Option<Stamped>,
    pub in_log: Option<InLog>,
    pub access: Option<access::Seen>,
}

/// What the manifest says of a file.
enum Known<'a> {
    Track(&'a Track),
    Item(&'a Item),
}

/// Examines the package that `source` found. Of a partial disclosure, `withheld` are the files that are rightly not there.
pub fn examine(
    source: &Source,
    trust: &Trust,
    withheld: &BTreeSet<String>,
    mut report: Report,
) -> Result<Examined, Unreadable> {
    let contents = small_files(source, &mut report)?;
    let content = |path: &str| contents.get(path).map(Vec::as_slice);
    let mut digests: BTreeMap<String, Digest> =
        contents.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
    let proofs = digests.clone();

    let manifest = content(bag::MANIFEST).and_then(|bytes| check_manifest(bytes, source, &mut report));
    let sums = Checksums::read(&contents, &proofs, &mut report);
    let stamped = proofs::timestamp(&contents, trust, &sums, &mut report);
    let (seal, tagmanifest) = check_seal(&contents, stamped.as_ref(), trust, &mut report);
    let mut payload = check_tags(&contents, &digests, tagmanifest, &mut report);
    let standing = payload.standing_of(bag::MANIFEST, digests.get(bag::MANIFEST).copied());
    let believed = manifest.as_ref().filter(|_| standing != Standing::Altered);
    let in_log = proofs::logged(&contents, believed, trust, &sums, &mut report);
    check_payload(source, manifest.as_ref(), standing, &mut digests, &mut report)?;
    let known = manifest.as_ref().map(known).unwrap_or_default();
    for path in known.keys().filter(|path| !digests.contains_key(*path) && !withheld.contains(*path)) {
        report.fail(path, "is missing");
    }
    payload.without(|path| withheld.contains(path) && known.contains_key(path));
    payload.check(|path| path.starts_with("bag/data/"), &digests, &mut report);
    sums.check(tagmanifest, &mut report);
    let access = manifest.as_ref().and_then(|manifest| access::check(&contents, manifest, trust, &mut report));

    let seal_sha256 = content(package::SEAL).map(seal_sha256);
    report.about = Some(About::new(manifest.as_ref(), seal_sha256, seal.as_ref()));
    let found = Findings { seal, stamped, in_log, access };
    words::conclude(&mut report, manifest.as_ref(), &found, trust, source);
    Ok(Examined { report, manifest, seal_sha256, in_log: found.in_log, digests })
}

/// Every track and item, by its path from the package's root.
fn known(manifest: &Manifest) -> BTreeMap<String, Known<'_>> {
    let at = |path: &str| format!("bag/data/{path}");
    let tracks = manifest.tracks.iter().map(|track| (at(&track.path), Known::Track(track)));
    tracks.chain(manifest.items.iter().map(|item| (at(&item.path), Known::Item(item)))).collect()
}

/// Reads what must be there, and what may be. Each file is read once: what is hashed is what is parsed.
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
    Ok(contents)
}

/// Whose signature it is, and whether the tagmanifest is what it signed.
pub fn check_seal(
    contents: &Contents,
    stamped: Option<&Stamped>,
    trust: &Trust,
    report: &mut Report,
) -> (Option<CheckedSeal>, Standing) {
    let Some(seal) = contents.get(package::SEAL) else { return (None, Standing::Unknown) };
    let seal = match CheckedSeal::open(seal) {
        Ok(seal) => seal,
        Err(why) => {
            report.fail(package::SEAL, &format!("is not a good signature: {why}"));
            return (None, Standing::Unknown);
        }
    };
    let trusted = stamped.filter(|stamped| stamped.trusted);
    if let Some(stamped) = trusted {
        proofs::in_order(&seal, stamped, report);
    }
    if let Some(roots) = &trust.signers {
        // A time that the signer can't have made up is better than its own word.
        let then = trusted.map_or(seal.signing_time(), |stamped| stamped.token.gen_time);
        match roots.establish(&seal, then) {
            Ok(way) => report.way_to_root = Some(way),
            Err(why) => report.fail(package::SEAL, &format!("its signer is not to be trusted: {why}")),
        }
    }
    proofs::signer(contents, &seal, report);
    let standing = match contents.get(TAGMANIFEST) {
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
pub fn check_tags(
    contents: &Contents,
    digests: &BTreeMap<String, Digest>,
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

/// Streams everything that is not a small file.
fn check_payload(
    source: &Source,
    manifest: Option<&Manifest>,
    standing: Standing,
    digests: &mut BTreeMap<String, Digest>,
    report: &mut Report,
) -> Result<(), Unreadable> {
    let known = manifest.map(known).unwrap_or_default();
    let small = |path: &str| FIXED.contains(&path) || OPTIONAL.contains(&path);
    for (path, len) in source.files().filter(|(path, _)| !small(path)) {
        let unread = |e| Unreadable::io(path, e);
        let sha256 = match known.get(path) {
            Some(Known::Track(track)) => {
                let read = track::read(source.reader(path)?, Some(track)).map_err(unread)?;
                track::check(path, len, &read, track, standing, report);
                read.sha256
            }
            Some(Known::Item(item)) => {
                let read = item::read(source.reader(path)?, item).map_err(unread)?;
                item::check(path, len, &read, item, standing, report);
                read.sha256
            }
            None => {
                let may_be_ours = ["bag/data/tracks/", "bag/data/items/"].iter().any(|start| path.starts_with(start));
                if manifest.is_some() || !may_be_ours {
                    report.fail(path, "is not part of the exhibit");
                }
                track::read(source.reader(path)?, None).map_err(unread)?.sha256
            }
        };
        digests.insert(path.to_owned(), sha256);
    }
    Ok(())
}
