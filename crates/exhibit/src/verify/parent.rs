//! An addendum beside the exhibit that it adds to.

use super::{exhibit::Examined, report::Report};
use crate::{Manifest, Parent, bag};

/// Judges whether the addendum is this parent's, and puts both reports together.
pub fn join(addendum: Examined, parent: Examined) -> Report {
    let mut report = addendum.report;
    match (&addendum.manifest, &parent.manifest) {
        (Some(manifest), Some(of)) => match &manifest.parent {
            None => report.fail(bag::MANIFEST, "is not an addendum's: it names no exhibit that it adds to"),
            Some(named) => compare(named, manifest, of, &parent, &mut report),
        },
        // What is wrong with them has been said.
        _ => report.fail(bag::MANIFEST, "can't be compared with that of the exhibit that it should add to"),
    }
    let sound = report.failures.is_empty() && parent.report.failures.is_empty();
    report.beside(parent.report, sound);
    report
}

fn compare(named: &Parent, manifest: &Manifest, of: &Manifest, parent: &Examined, report: &mut Report) {
    let mut complain = |what: &str| report.fail(bag::MANIFEST, what);
    if (named.exhibit, &named.reference) != (of.exhibit, &of.reference) {
        complain("adds to another exhibit than the one given as its parent");
        return;
    }
    if Some(named.seal_sha256) != parent.seal_sha256 {
        complain("names another seal of its parent than the one in the parent's package");
    }
    if (of.call, &of.force) != (manifest.call, &manifest.force) {
        complain("is of another call than its parent");
    }
    let stated = (named.log_entry_sha256, named.log_origin.as_deref(), named.log_index);
    if let Some(found) = &parent.in_log {
        let found = (Some(found.leaf), Some(found.checkpoint.origin.as_str()), Some(found.index));
        if stated != found {
            complain("names another place of its parent in the log than the parent's own proof");
        }
    } else if stated != (None, None, None) {
        complain("says that its parent is in the log, and the parent's package has no proof of that");
    }
    for track in &manifest.tracks {
        let held = of.tracks.iter().find(|t| t.name == track.name).map(|t| t.segments.last_seq);
        if held.is_some_and(|held| track.segments.first_seq <= held) {
            complain(&format!("has segments of track {} that its parent has too", track.name));
        }
    }
}
