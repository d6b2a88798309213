//! The access log beside an exported exhibit. It grows after the seal, so only its own chain and the log of seals vouch for it.

use super::{
    Trust,
    proofs::{Contents, InLog, Places, in_log},
    report::Report,
};
use crate::{
    Manifest,
    access::{self, ACCESS_ENTRY, ACCESS_LOG, ACCESS_PROOF},
    tlog::Entry,
};

/// What was found of it.
pub struct Seen {
    /// How many looks.
    pub looks: u64,
    /// Its place in the log, if it has one.
    pub in_log: Option<InLog>,
}

/// Checks the access log, if there is one.
pub fn check(contents: &Contents, manifest: &Manifest, trust: &Trust, report: &mut Report) -> Option<Seen> {
    let Some(log) = contents.get(ACCESS_LOG) else {
        for path in [ACCESS_ENTRY, ACCESS_PROOF].into_iter().filter(|path| contents.contains_key(*path)) {
            report.fail(ACCESS_LOG, &format!("is missing, though {path} is there"));
        }
        return None;
    };
    let (looks, head) = match access::check(log, manifest.exhibit) {
        Ok(found) => found,
        Err(why) => {
            report.fail(ACCESS_LOG, &why.to_string());
            return None;
        }
    };
    let expected = Entry::Access { exhibit: manifest.exhibit, n: looks, head };
    // Two against one: an entry that fits neither the log file nor the proof is the one that was altered.
    let entry_altered = |entry: &Entry| *entry != expected;
    let places = Places { entry: ACCESS_ENTRY, proof: ACCESS_PROOF, entry_altered: &entry_altered };
    // An export that the log or its witness kept waiting leaves without both: that proves less, and nothing is wrong.
    let told = [ACCESS_ENTRY, ACCESS_PROOF].iter().any(|path| contents.contains_key(*path));
    let in_log = told.then(|| in_log(&places, contents, trust, report)).flatten();
    if let Some(found) = in_log.as_ref().filter(|found| found.entry != expected) {
        let about_this = matches!(found.entry, Entry::Access { exhibit, .. } if exhibit == manifest.exhibit);
        match about_this {
            true => report
                .fail(ACCESS_LOG, "is not the access log whose head was logged: lines were altered, removed or added"),
            false => report.fail(ACCESS_ENTRY, "is not about this exhibit's access log"),
        }
    }
    Some(Seen { looks, in_log })
}
