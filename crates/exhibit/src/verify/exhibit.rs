//! One exhibit: every file of its package, from the seal down and from the seal up.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    LONGEST_SMALL_FILE, Trust, access, item,
    lists::{List, Standing},
    proofs::{self, Checksums, Contents, InLog, Stamped},
    report::{self, About, Report},
    segments::{self, Lists},
    signed,
    source::{self, Source, Unreadable},
    tombstone, track, words,
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

/// What a package rightly lacks of its exhibit's recordings and items.
#[derive(Clone, Copy)]
pub enum Absent<'a> {
    /// Nothing.
    Nothing,
    /// These, which a partial disclosure leaves out.
    Withheld(&'a BTreeSet<String>),
    /// All of them but the lists of segments: the exhibit was disposed of, and a tombstone is here instead.
    Destroyed,
}

impl From<&Source> for Absent<'_> {
    fn from(source: &Source) -> Self {
        if tombstone::lies_in(source) { Self::Destroyed } else { Self::Nothing }
    }
}

impl Absent<'_> {
    fn lacks(self, path: &str, manifest: Option<&BTreeMap<String, Known<'_>>>) -> bool {
        let known = manifest.is_some_and(|known| known.contains_key(path));
        match self {
            Self::Nothing => false,
            Self::Withheld(paths) => known && paths.contains(path),
            Self::Destroyed => (known || manifest.is_none()) && is_recorded(path),
        }
    }

    /// Every small file that may be there, and whether it must.
    fn small_files(self) -> impl Iterator<Item = (&'static str, bool)> {
        let must = FIXED.into_iter().map(|path| (path, true)).chain(OPTIONAL.into_iter().map(|path| (path, false)));
        let buried = tombstone::FIXED.map(|path| (path, true)).into_iter();
        let buried = buried.chain(tombstone::OPTIONAL.map(|path| (path, false)));
        must.chain(buried.filter(move |_| matches!(self, Self::Destroyed)))
    }
}

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
    pub tombstone: Option<tombstone::Seen>,
}

/// What the manifest says of a file.
enum Known<'a> {
    List,
    Track(&'a Track),
    Item(&'a Item),
}

/// Examines the package that `source` found.
pub fn examine(source: &Source, trust: &Trust, absent: Absent<'_>, mut report: Report) -> Result<Examined, Unreadable> {
    let contents = small_files(source, absent, &mut report)?;
    let content = |path: &str| contents.get(path).map(Vec::as_slice);
    let mut digests: BTreeMap<String, Digest> =
        contents.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
    let proofs = digests.clone();

    let manifest = content(bag::MANIFEST).and_then(|bytes| check_manifest(bytes, source, &mut report));
    let sums = Checksums::read(&contents, &proofs, &mut report);
    let stamped = proofs::timestamp(&signed::SEAL, &contents, trust, &sums, &mut report);
    let (seal, tagmanifest) = check_seal(&contents, stamped.as_ref(), trust, &mut report);
    let mut payload = check_tags(&contents, &digests, tagmanifest, &mut report);
    let standing = payload.standing_of(bag::MANIFEST, digests.get(bag::MANIFEST).copied());
    let believed = manifest.as_ref().filter(|_| standing != Standing::Altered);
    let in_log = proofs::logged(&signed::SEAL, &contents, believed, trust, &sums, &mut report);
    let of = tombstone::Of { manifest: believed, in_log: in_log.as_ref() };
    let disposed = matches!(absent, Absent::Destroyed);
    let tombstone = disposed.then(|| tombstone::check(&of, &contents, trust, &sums, &mut report)).flatten();
    let known = manifest.as_ref().map(known);
    let lists = match &manifest {
        Some(manifest) => segments::read(source, manifest, standing, &mut digests, &mut report)?,
        None => Lists::new(),
    };
    check_payload(source, known.as_ref().map(|known| (known, &lists)), absent, standing, &mut digests, &mut report)?;
    for path in known.iter().flat_map(BTreeMap::keys) {
        if !digests.contains_key(path) && !absent.lacks(path, known.as_ref()) {
            report.fail(path, "is missing");
        }
    }
    payload.without(|path| !digests.contains_key(path) && absent.lacks(path, known.as_ref()));
    payload.check(|path| path.starts_with("bag/data/"), &digests, &mut report);
    sums.check(tagmanifest, &mut report);
    let access = manifest.as_ref().and_then(|manifest| access::check(&contents, manifest, trust, &mut report));

    let seal_sha256 = content(package::SEAL).map(seal_sha256);
    report.about = Some(About::new(manifest.as_ref(), seal_sha256, seal.as_ref()));
    let found = Findings { seal, stamped, in_log, access, tombstone };
    words::conclude(&mut report, manifest.as_ref(), &found, trust, source);
    Ok(Examined { report, manifest, seal_sha256, in_log: found.in_log, digests })
}

/// Every list, track and item, by its path from the package's root.
fn known(manifest: &Manifest) -> BTreeMap<String, Known<'_>> {
    let at = |path: &str| format!("bag/data/{path}");
    let lists = manifest.tracks.iter().map(|track| (at(&track.segments.path), Known::List));
    let tracks = manifest.tracks.iter().map(|track| (at(&track.path), Known::Track(track)));
    let items = manifest.items.iter().map(|item| (at(&item.path), Known::Item(item)));
    lists.chain(tracks).chain(items).collect()
}

/// Whether it may be a track or an item, by where it lies.
fn is_recorded(path: &str) -> bool {
    ["bag/data/tracks/", "bag/data/items/"].iter().any(|start| path.starts_with(start))
}

/// Reads what must be there, and what may be. Each file is read once: what is hashed is what is parsed.
fn small_files(source: &Source, absent: Absent<'_>, report: &mut Report) -> Result<Contents, Unreadable> {
    let mut contents = BTreeMap::new();
    for (path, must) in absent.small_files() {
        match source.length(path) {
            None if must => report.fail(path, "is missing"),
            None => {}
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
    let Some(opened) = proofs::signature(&signed::SEAL, contents, stamped, trust, report) else {
        return (None, Standing::Unknown);
    };
    report.way_to_root = opened.way;
    proofs::signer(contents, &opened.seal, report);
    let standing = proofs::is_as_signed(&signed::SEAL, &opened.seal, contents, report);
    (Some(opened.seal), standing)
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
    known: Option<(&BTreeMap<String, Known<'_>>, &Lists)>,
    absent: Absent<'_>,
    standing: Standing,
    digests: &mut BTreeMap<String, Digest>,
    report: &mut Report,
) -> Result<(), Unreadable> {
    let small = |path: &str| absent.small_files().any(|(small, _)| small == path);
    for (path, len) in source.files().filter(|(path, _)| !small(path)) {
        let unread = |e| Unreadable::io(path, e);
        if matches!(absent, Absent::Destroyed) && is_recorded(path) {
            report.fail(path, "is here, though a tombstone says that it was destroyed");
        }
        let sha256 = match known.and_then(|(known, lists)| Some((known.get(path)?, lists))) {
            // Its digest is there already.
            Some((Known::List, _)) => continue,
            Some((Known::Track(track), lists)) => {
                let list = lists.get(&track.name).map_or(&[][..], Vec::as_slice);
                let read = track::read(source.reader(path)?, list).map_err(unread)?;
                track::check(path, len, &read, (track, list), standing, report);
                read.sha256
            }
            Some((Known::Item(item), _)) => {
                let read = item::read(source.reader(path)?, item).map_err(unread)?;
                item::check(path, len, &read, item, standing, report);
                read.sha256
            }
            None => {
                if known.is_some() || !is_recorded(path) && !path.starts_with("bag/data/segments/") {
                    report.fail(path, "is not part of the exhibit");
                }
                track::read(source.reader(path)?, &[]).map_err(unread)?.sha256
            }
        };
        digests.insert(path.to_owned(), sha256);
    }
    Ok(())
}
