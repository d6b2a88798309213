//! The proofs beside the bag: timestamp, log, their checksums, and the certificates shown for convenience.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Trust,
    lists::{List, Standing},
    report::{Report, with_sources},
    signed::Signed,
};
use crate::{
    Digest, Manifest,
    package::{self, TAGMANIFEST},
    seal::{Certificate, CheckedSeal, seal_sha256},
    timestamp::{self, Response, Token},
    tlog::{Checkpoint, Entry, Error, Proof, WitnessPolicy, leaf_hash, verify_inclusion},
};

/// How far the signer's clock may be ahead of the timestamp authority's. A store whose clock is further off should not seal.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Small files by path.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// The unsigned list of the proofs. It tells which of two files that disagree is not as it was.
pub struct Checksums<'a> {
    list: List,
    digests: &'a BTreeMap<String, Digest>,
}

impl<'a> Checksums<'a> {
    /// Reads the list.
    pub fn read(contents: &Contents, digests: &'a BTreeMap<String, Digest>, report: &mut Report) -> Self {
        let list = List::read(package::CHECKSUMS, "", contents.get(package::CHECKSUMS), Standing::Unknown, report);
        Self { list, digests }
    }

    fn altered(&self, path: &str) -> bool {
        self.list.standing_of(path, self.digests.get(path).copied()) == Standing::Altered
    }

    /// Which of two is to be named: the second, if it alone isn't as listed.
    pub fn blame<'p>(&self, first: &'p str, second: &'p str) -> &'p str {
        if self.altered(second) && !self.altered(first) { second } else { first }
    }

    /// Compares every proof with the list. It is not signed: of a pair that disagrees either may be altered, unless the seal vouches for
    /// one.
    pub fn check(mut self, tagmanifest: Standing, report: &mut Report) {
        let signed = (tagmanifest == Standing::Good).then_some(TAGMANIFEST);
        let actual = signed.and_then(|path| self.digests.get(path).copied());
        if self.list.standing_of(TAGMANIFEST, actual) == Standing::Altered {
            report.fail(package::CHECKSUMS, "its line for what was signed is not what was signed");
            self.list.settle(TAGMANIFEST, self.digests);
        }
        let own = |path: &str| path.starts_with("proof/") && path != package::CHECKSUMS || path == TAGMANIFEST;
        if !self.list.check(own, self.digests, report) {
            report.fail(package::CHECKSUMS, "doesn't fit the files that it lists: they were altered, or it was");
        }
    }
}

/// A timestamp over a signature.
pub struct Stamped {
    /// What it says.
    pub token: Token,
    /// Whether its authority leads to a root that was given.
    pub trusted: bool,
}

/// Checks the timestamp, if there is one or must be one.
pub fn timestamp(
    of: &Signed,
    contents: &Contents,
    trust: &Trust,
    sums: &Checksums<'_>,
    report: &mut Report,
) -> Option<Stamped> {
    let certificate = of.authority.and_then(|path| Some((path, contents.get(path)?)));
    let Some(tsr) = contents.get(of.timestamp) else {
        if trust.timestamps.is_some() {
            report.fail(of.timestamp, "is missing, and roots were given for it");
        }
        if certificate.is_some() {
            report.fail(of.timestamp, "is missing, though its certificate is there");
        }
        return None;
    };
    let signature = contents.get(of.signature)?;
    let response = match Response::parse(tsr).and_then(|r| Ok((r.read()?, r.certificates()?))) {
        Ok(response) => response,
        Err(why) => {
            report.fail(of.timestamp, &format!("is not a good timestamp: {why}"));
            return None;
        }
    };
    let (token, certificates) = response;
    if let Some((path, pem)) = certificate {
        let shown = Certificate::all_from_pem(&String::from_utf8_lossy(pem));
        if !shown.is_ok_and(|shown| shown.first() == certificates.first()) {
            report.fail(path, "is not the certificate in the timestamp");
        }
    }
    if token.imprint != seal_sha256(signature) {
        let blamed = sums.blame(of.timestamp, of.signature);
        report.fail(blamed, "signature and timestamp don't belong together: the timestamp is over something else");
        return None;
    }
    let trusted = match &trust.timestamps {
        None => false,
        Some(roots) => match timestamp::verify(tsr, signature, roots) {
            Ok(_) => true,
            Err(why) => {
                report.fail(of.timestamp, &format!("is not to be trusted: {why}"));
                false
            }
        },
    };
    Some(Stamped { token, trusted })
}

impl Stamped {
    /// The latest that anything can have happened which was there to be stamped, by a clock that differs a little.
    pub fn latest(&self) -> DateTime<Utc> {
        self.token.gen_time + self.token.accuracy.unwrap_or_default() + CLOCK_TOLERANCE
    }
}

/// A good signature, and the names from its signer to a trust root, if roots were given and it leads to one.
pub struct Opened {
    /// The signature.
    pub seal: CheckedSeal,
    /// The way.
    pub way: Option<Vec<String>>,
}

/// Whose signature it is, and whether the time that it states can be: nobody signs after the signature was stamped.
pub fn signature(
    of: &Signed,
    contents: &Contents,
    stamped: Option<&Stamped>,
    trust: &Trust,
    report: &mut Report,
) -> Option<Opened> {
    let seal = match CheckedSeal::open(contents.get(of.signature)?) {
        Ok(seal) => seal,
        Err(why) => {
            report.fail(of.signature, &format!("is not a good signature: {why}"));
            return None;
        }
    };
    let trusted = stamped.filter(|stamped| stamped.trusted);
    if trusted.is_some_and(|stamped| seal.signing_time() > stamped.latest()) {
        let what = "states a signing time after that of its own timestamp: the signer's clock was wrong";
        report.fail(of.signature, what);
    }
    // A time that the signer can't have made up is better than its own word.
    let then = trusted.map_or(seal.signing_time(), |stamped| stamped.token.gen_time);
    let way = trust.signers.as_ref().and_then(|roots| {
        let way = roots.establish(&seal, then);
        way.map_err(|why| report.fail(of.signature, &format!("its signer is not to be trusted: {why}"))).ok()
    });
    Some(Opened { seal, way })
}

/// Whether a signed file is what was signed.
pub fn is_as_signed(of: &Signed, seal: &CheckedSeal, contents: &Contents, report: &mut Report) -> Standing {
    match contents.get(of.content) {
        None => Standing::Unknown,
        Some(bytes) if seal.is_over(bytes) => Standing::Good,
        Some(_) => {
            report.fail(of.content, "is not what was signed");
            Standing::Altered
        }
    }
}

/// An entry that lies under a checkpoint.
#[derive(Debug, Clone)]
pub struct InLog {
    /// What it says.
    pub entry: Entry,
    /// Its leaf's hash.
    pub leaf: Digest,
    /// Its place.
    pub index: u64,
    /// The log, its size and root.
    pub checkpoint: Checkpoint,
    /// Whether the checkpoint is signed with the key that was given.
    pub signed: bool,
    /// The given witnesses that cosigned it, and when.
    pub cosigned: Vec<(String, DateTime<Utc>)>,
}

/// Where an entry and its proof are, and which of the two to name when they don't fit.
pub struct Places<'a> {
    /// The entry's file.
    pub entry: &'static str,
    /// The proof's.
    pub proof: &'static str,
    /// Whether the entry is known to be altered.
    pub entry_altered: &'a dyn Fn(&Entry) -> bool,
}

/// Checks that an entry is in the log, if it is there or must be.
pub fn in_log(places: &Places<'_>, contents: &Contents, trust: &Trust, report: &mut Report) -> Option<InLog> {
    let (entry, proof) = match (contents.get(places.entry), contents.get(places.proof)) {
        (Some(entry), Some(proof)) => (entry, proof),
        (None, None) => {
            if trust.log.is_some() {
                report.fail(places.proof, "is missing, and a log's key was given for it");
            }
            return None;
        }
        (None, Some(_)) => {
            report.fail(places.entry, "is missing");
            return None;
        }
        (Some(_), None) => {
            report.fail(places.proof, "is missing");
            return None;
        }
    };
    let parsed = Entry::parse(entry).map_err(|why| report.fail(places.entry, &why.to_string())).ok();
    let proof = Proof::parse(proof).map_err(|why| report.fail(places.proof, &why.to_string())).ok();
    let (parsed, proof) = (parsed?, proof?);
    let leaf = leaf_hash(entry);
    let policy = WitnessPolicy::all(trust.witnesses.clone());
    let found = match &trust.log {
        Some(key) => proof.verify(entry, key, &policy).map(|proved| (proved.checkpoint, proved.cosigned)),
        None => unsigned(leaf, &proof).map(|checkpoint| (checkpoint, Vec::new())),
    };
    match found {
        Ok((checkpoint, cosigned)) => Some(InLog {
            entry: parsed,
            leaf,
            index: proof.index,
            checkpoint,
            signed: trust.log.is_some(),
            cosigned: cosigned.into_iter().filter_map(|(who, at)| Some((who, instant(at)?))).collect(),
        }),
        Err(why) => {
            let entry_is = matches!(why, Error::NotIncluded) && (places.entry_altered)(&parsed);
            let blamed = if entry_is { places.entry } else { places.proof };
            report.fail(blamed, &with_sources(&why));
            None
        }
    }
}

/// As far as can be told without the log's key: that the path leads to the root which the checkpoint states.
fn unsigned(leaf: Digest, proof: &Proof) -> Result<Checkpoint, Error> {
    let checkpoint = Checkpoint::parse(proof.checkpoint.text())?;
    verify_inclusion(leaf, proof.index, checkpoint.size, &proof.path, checkpoint.root)?;
    Ok(checkpoint)
}

fn instant(unix_seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(unix_seconds).ok()?, 0)
}

/// Checks that a signature is in the log: the entry must name this exhibit, this signature, this timestamp, and nothing else.
pub fn logged(
    of: &Signed,
    contents: &Contents,
    manifest: Option<&Manifest>,
    trust: &Trust,
    sums: &Checksums<'_>,
    report: &mut Report,
) -> Option<InLog> {
    let digest = |path: &str| contents.get(path).map(|bytes| Digest::of(bytes));
    let here = manifest.zip(digest(of.signature));
    let here = here.map(|(manifest, signature)| (manifest.exhibit, signature, digest(of.timestamp)));
    // Two against one: an entry that fits neither the files nor the proof is the one that was altered.
    let entry_altered = |entry: &Entry| here.is_some_and(|here| (of.named)(entry) != Some(here));
    let places = Places { entry: of.entry, proof: of.proof, entry_altered: &entry_altered };
    let found = in_log(&places, contents, trust, report)?;
    let Some((exhibit, signature, timestamp)) = (of.named)(&found.entry) else {
        report.fail(of.entry, &format!("is about something else than {}", of.what));
        return None;
    };
    if manifest.is_some_and(|manifest| manifest.exhibit != exhibit) {
        report.fail(of.entry, "is about another exhibit");
        return None;
    }
    let mut fits = true;
    for (path, logged) in [(of.signature, Some(signature)), (of.timestamp, timestamp)] {
        if digest(path) == logged {
            continue;
        }
        fits = false;
        let what = match (digest(path), logged) {
            (None, _) => "is missing, and the log names it",
            (_, None) => "is not in the log: the entry says that there is none",
            _ => "is not the one that the log names",
        };
        if !found.signed && sums.blame(of.entry, path) == of.entry {
            report.fail(of.entry, &format!("names another {path} than the one here"));
        } else {
            report.fail(path, what);
        }
    }
    fits.then_some(found)
}

/// The certificate shown beside the seal must be the one in it.
pub fn signer(contents: &Contents, seal: &CheckedSeal, report: &mut Report) {
    let Some(pem) = contents.get(package::SIGNER) else { return };
    let shown = Certificate::all_from_pem(&String::from_utf8_lossy(pem));
    if !shown.is_ok_and(|all| all[..] == [seal.signer().clone()]) {
        report.fail(package::SIGNER, "is not the certificate in the seal");
    }
}
