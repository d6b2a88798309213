//! What a report says of a disposal: what the tombstone states, and what was proved of it.

use std::fmt;

use serde::Serialize;

use super::{
    Trust,
    report::{Logged, Question, Report, plain},
    tombstone::Seen,
};
use crate::{Manifest, time, tombstone::Review};

/// A disposal, as its tombstone states it. Believe it no further than the outcome goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disposal {
    /// Who disposed of the exhibit.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, by the clock of the service that did it.
    pub disposed_at: String,
    /// The class that the exhibit was kept in.
    pub class: String,
    /// Who had said that it may go.
    pub reviews: Vec<Reviewer>,
    /// Names from the tombstone's signer to the trust root, if roots were given and lead to it.
    pub way_to_root: Option<Vec<String>>,
    /// When the tombstone's signature was there, by a trusted authority's clock. RFC 3339, UTC.
    pub time: Option<String>,
    /// The tombstone's place in the log, if a key was given and the proof holds.
    pub log: Option<Logged>,
}

/// One who reviewed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reviewer {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

impl Disposal {
    pub(super) fn new(seen: &Seen) -> Self {
        let said = &seen.tombstone;
        let reviewer = |r: &Review| Reviewer { who: plain(&r.who), reason: plain(&r.reason), at: time::write(r.at) };
        let trusted = seen.stamped.as_ref().filter(|stamped| stamped.trusted);
        Self {
            who: plain(&said.who),
            reason: plain(&said.reason),
            disposed_at: time::write(said.disposed_at),
            class: plain(&said.class),
            reviews: said.reviews.iter().map(reviewer).collect(),
            way_to_root: seen.opened.way.clone(),
            time: trusted.map(|stamped| time::write(stamped.token.gen_time)),
            log: seen.in_log.as_ref().filter(|found| found.signed).map(Logged::new),
        }
    }
}

impl fmt::Display for Disposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Its tombstone says that it was DISPOSED OF {} by {}", self.disposed_at, self.who)?;
        writeln!(f, "  why           {}", self.reason)?;
        writeln!(f, "  kept as       {}", self.class)?;
        let mut title = "reviewed by";
        for Reviewer { who, reason, at } in &self.reviews {
            writeln!(f, "  {title:13} {who}, {at}: {reason}")?;
            title = "and by";
        }
        Ok(())
    }
}

/// Says what was proved of the disposal, once every check has been made.
pub fn conclude(report: &mut Report, manifest: &Manifest, seen: &Seen, trust: &Trust) {
    let disposal = Disposal::new(seen);
    decided(report, &disposal);
    signer(report, &disposal, seen);
    when(report, &disposal, seen);
    log(report, &disposal, seen, trust);
    report.not_proved.extend([
        format!(
            "What the {} recordings and {} items held: they were DESTROYED by that decision and can no longer be checked. The \
             sealed manifest still has their digests, so a copy that turns up can be compared with them.",
            manifest.tracks.len(),
            manifest.items.len()
        ),
        "That nothing of them was kept elsewhere: the tombstone is the word of whoever signed it, not the destruction itself."
            .to_owned(),
    ]);
    report.disposal = Some(disposal);
}

fn decided(report: &mut Report, disposal: &Disposal) {
    let one = |r: &Reviewer| format!("{} at {}", r.who, r.at);
    let reviewers: Vec<_> = disposal.reviews.iter().map(one).collect();
    report.proved.push(format!(
        "DISPOSED OF: the tombstone is of this exhibit, this reference and this very seal. It states that {} different people \
         had reviewed it ({}), and that the recording was destroyed by that decision at {} by {}.",
        reviewers.len(),
        reviewers.join(", "),
        disposal.disposed_at,
        disposal.who
    ));
}

fn signer(report: &mut Report, disposal: &Disposal, seen: &Seen) {
    match &disposal.way_to_root {
        Some(way) => report.proved.push(format!(
            "WHO signed the tombstone: the signer's certificate leads to a trust root that you gave: {}.",
            way.join(", issued by ")
        )),
        None => report.open(
            Question::Signer,
            format!(
                "WHO signed the tombstone: no trust roots were given (--roots). The certificate in it names {}.",
                plain(&seen.opened.seal.signer().subject())
            ),
        ),
    }
}

fn when(report: &mut Report, disposal: &Disposal, seen: &Seen) {
    match (&disposal.time, &seen.stamped) {
        (Some(at), Some(stamped)) => report.proved.push(format!(
            "WHEN it was disposed of: the tombstone's signature was there at {at}, says the timestamp authority {}, which leads \
             to a root that you gave.",
            plain(&stamped.token.authority)
        )),
        (_, Some(_)) => report.open(
            Question::Time,
            "WHEN it was disposed of: there is a timestamp over the tombstone's signature, but no roots were given to judge its \
             authority by (--tsa-roots)."
                .to_owned(),
        ),
        (_, None) => report.open(
            Question::Time,
            "WHEN it was disposed of: there is no timestamp over the tombstone. The time is its signer's own word.".to_owned(),
        ),
    }
}

fn log(report: &mut Report, disposal: &Disposal, seen: &Seen, trust: &Trust) {
    let Some(logged) = &disposal.log else {
        let why = match &seen.in_log {
            Some(_) => "no key was given to check the log's signature by (--log-key)",
            None => "there is no proof of that in the package",
        };
        report.open(Question::Log, format!("That the disposal is in a LOG: {why}."));
        report.open(
            Question::Witness,
            "That a WITNESS saw the log with the disposal: that needs the log first.".to_owned(),
        );
        return;
    };
    report.proved.push(format!(
        "The disposal is in the LOG {}: the entry names this exhibit, the tombstone's signature and its timestamp. It is number \
         {} of the {} entries that the log signed for.",
        logged.origin, logged.index, logged.size
    ));
    if trust.witnesses.is_empty() {
        report.open(
            Question::Witness,
            "That a WITNESS saw the log with the disposal: no witness's key was given (--witness-key).".to_owned(),
        );
    } else {
        let cosigners: Vec<_> = logged.cosigned.iter().map(|(who, at)| format!("{who} at {at}")).collect();
        report.proved.push(format!("A WITNESS saw the log with the disposal: cosigned by {}.", cosigners.join(", ")));
    }
}
