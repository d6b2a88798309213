//! What all the checks amount to, in plain words. Every sentence claims no more than was checked.

use super::{
    Trust,
    access::Seen,
    disposal,
    exhibit::Findings,
    proofs::InLog,
    report::{Logged, Question, Report, plain},
    source::Source,
};
use crate::{Manifest, seal::CheckedSeal, time};

/// Says what all this amounts to, once every check has been made.
pub fn conclude(report: &mut Report, manifest: Option<&Manifest>, found: &Findings, trust: &Trust, source: &Source) {
    let sound = report.failures.is_empty();
    let (Some(manifest), Some(seal), true) = (manifest, &found.seal, sound) else {
        report.not_proved.push("That this is what was sealed: see what is wrong with it.".to_owned());
        return;
    };
    report.proved = match &found.tombstone {
        None => intact(manifest, seal, source),
        Some(_) => left(manifest, seal, source),
    };
    signer(report, found);
    when(report, seal, found);
    log(report, found, trust);
    if let Some(seen) = &found.tombstone {
        disposal::conclude(report, manifest, seen, trust);
    }
    access(report, found.access.as_ref());
    let parent = manifest.parent.as_ref();
    report.not_proved.extend(parent.map(|parent| {
        format!(
            "That exhibit {}, which this one adds to, is as stated: give its package too (--parent).",
            plain(&parent.reference)
        )
    }));
    report.not_proved.extend([
        "Whether the certificates of signer and timestamp authority had been revoked: not checked.".to_owned(),
        "Who wrote proof/VERIFY.txt: the texts in `proof` are compared with the list beside them, but not signed."
            .to_owned(),
        "What happened before the recording reached the recorder: the seal begins there.".to_owned(),
    ]);
    if manifest.encryption.is_some() {
        report.not_proved.push(
            "The digests of the encrypted form in storage: the chains bind them, but they can't be recomputed from here."
                .to_owned(),
        );
    }
}

/// How many files there are, and bytes in them.
fn size(source: &Source) -> (usize, u64) {
    source.files().fold((0, 0), |(files, bytes), (_, len)| (files + 1, bytes + len))
}

fn lists_signed(seal: &CheckedSeal) -> String {
    format!("The exhibit's lists are what was signed with the certificate of {}.", plain(&seal.signer().subject()))
}

fn missing(manifest: &Manifest) -> String {
    match manifest.missing_segments() {
        0 => "The sealed manifest says that no segment is missing.".to_owned(),
        n => format!("The sealed manifest says that {n} segments were declared by the recorder and never arrived."),
    }
}

/// Of an exhibit that was disposed of.
fn left(manifest: &Manifest, seal: &CheckedSeal, source: &Source) -> Vec<String> {
    let (files, bytes) = size(source);
    let what = format!(
        "What is left of the exhibit is unaltered: all {files} files ({bytes} bytes) are as they must be, the sealed manifest \
         among them, and nothing else is missing than its recordings and items."
    );
    vec![what, lists_signed(seal), missing(manifest)]
}

fn intact(manifest: &Manifest, seal: &CheckedSeal, source: &Source) -> Vec<String> {
    let (files, bytes) = size(source);
    let here = |path: &str| source.length(&format!("bag/data/{path}")).is_some();
    let tracks: Vec<_> = manifest.tracks.iter().filter(|track| here(&track.path)).collect();
    let segments: u64 = tracks.iter().map(|t| t.segments.count).sum();
    let items = manifest.items.iter().filter(|item| here(&item.path)).count();
    let all = manifest.tracks.len() + manifest.items.len();
    let whole = tracks.len() + items == all;
    let mut lines = vec![
        match whole {
            true => format!(
                "Nothing was added, removed or altered: all {files} files ({bytes} bytes) are as listed, and there are no others."
            ),
            false => format!(
                "Each file here is the one in the exhibit's sealed manifest. {} of its {all} recordings and items were left out.",
                all - tracks.len() - items
            ),
        },
        lists_signed(seal),
    ];
    if whole || !tracks.is_empty() {
        lines.push(format!(
            "All {segments} segments of {} recordings are the ones that were sealed, each in its place: the chains were \
             recomputed from the recordings' bytes.",
            tracks.len()
        ));
    }
    lines.push(match (items, manifest.items.len()) {
        (_, 0) => "The sealed manifest says that nothing was kept beside the recordings.".to_owned(),
        (n, all) if n == all => format!(
            "All {n} items beside the recordings are the ones that were sealed, in the order in which they came: their chain was \
             recomputed from the files' bytes."
        ),
        (n, all) => format!("{n} of the {all} items beside the recordings are here, and are the ones that were sealed."),
    });
    lines.push(missing(manifest));
    lines
}

fn signer(report: &mut Report, found: &Findings) {
    let Some(way) = &report.way_to_root else {
        report.open(
            Question::Signer,
            "WHO signed it: no trust roots were given (--roots). Anyone can make a certificate with any name in it, and a \
             whole package to go with it."
                .to_owned(),
        );
        return;
    };
    let then = match found.stamped.as_ref().is_some_and(|stamped| stamped.trusted) {
        true => "when the signature was timestamped",
        false => "at the time that the signer states",
    };
    let way = way.join(", issued by ");
    report.proved.push(format!(
        "WHO signed it: the signer's certificate leads to a trust root that you gave, and was valid {then}: {way}."
    ));
}

fn when(report: &mut Report, seal: &CheckedSeal, found: &Findings) {
    let claimed = time::write(seal.signing_time());
    match &found.stamped {
        Some(stamped) if stamped.trusted => {
            let (by, at) = (plain(&stamped.token.authority), time::write(stamped.token.gen_time));
            report.time = Some(at.clone());
            report.proved.push(format!(
                "WHEN: the signature was there at {at}, says the timestamp authority {by}, which leads to a root that you gave. \
                 (The signer states {claimed}.)"
            ));
        }
        Some(_) => report.open(
            Question::Time,
            format!(
                "WHEN it was signed: there is a timestamp over this signature, but no roots were given to judge its authority by \
                 (--tsa-roots). The signing time ({claimed}) is the signer's own word."
            ),
        ),
        None => report.open(
            Question::Time,
            format!(
                "WHEN it was signed: there is no timestamp in the package. The signing time ({claimed}) is the signer's own word."
            ),
        ),
    }
}

fn log(report: &mut Report, found: &Findings, trust: &Trust) {
    let Some(logged) = &found.in_log else {
        report.open(Question::Log, "That it is in a LOG: there is no proof of that in the package.".to_owned());
        report.open(
            Question::Witness,
            "That a WITNESS saw the log: there is no proof of that in the package.".to_owned(),
        );
        return;
    };
    let (origin, size, number) = (plain(&logged.checkpoint.origin), logged.checkpoint.size, logged.index);
    if !logged.signed {
        report.open(
            Question::Log,
            format!(
                "That it is in the LOG {origin}: the package says so, as entry {number} of {size}, but no key was given to check \
                 the log's signature by (--log-key)."
            ),
        );
        report.open(Question::Witness, "That a WITNESS saw the log: that needs the log's key first.".to_owned());
        return;
    }
    report.log = Some(Logged::new(logged));
    report.proved.push(format!(
        "It is in the LOG {origin}: the entry names this exhibit, this signature and this timestamp. It is number {number} of the \
         {size} entries that the log signed for."
    ));
    if trust.witnesses.is_empty() {
        report.open(
            Question::Witness,
            "That a WITNESS saw the log: no witness's key was given (--witness-key). Without one, the log could be showing \
             different entries to different people."
                .to_owned(),
        );
    } else {
        report.proved.push(format!("A WITNESS saw the log at that size: cosigned by {}.", cosigners(logged)));
    }
}

fn cosigners(logged: &InLog) -> String {
    let one = |(who, at): &(String, _)| format!("{} at {}", plain(who), time::write(*at));
    logged.cosigned.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn access(report: &mut Report, seen: Option<&Seen>) {
    let Some(Seen { looks, in_log }) = seen else {
        report.not_proved.push("Who has looked at it: there is no access log in this package.".to_owned());
        return;
    };
    match in_log {
        Some(found) if found.signed => report.proved.push(format!(
            "The access log's {looks} lines are complete and in order up to entry {} of the log.",
            found.index
        )),
        _ => report.not_proved.push(format!(
            "That the access log is complete: its {looks} lines follow from each other, but nothing here shows that the log had \
             them."
        )),
    }
}
