//! What a verification found, in words for people who will stand in court with it.

use std::{error::Error, fmt};

use serde::Serialize;

use super::source::Source;
use crate::{Digest, Manifest, seal::CheckedSeal, time};

/// The result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Intact, and signed by who the trust roots vouch for.
    Proved,
    /// Intact as against the certificate in it. No roots were given, so whose certificate that is stays open.
    IntactSignerUnknown,
    /// Something is wrong.
    Failed,
}

/// Something that is wrong, and with which file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Path from the package's root, or what else is meant.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// What the package says that it is. Believe it no further than the outcome goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// Such as `ALC/7F3K9Q2M/1`.
    pub reference: Option<String>,
    /// The exhibit's id.
    pub exhibit: Option<String>,
    /// Force, incident date and number.
    pub incident: Option<String>,
    /// The recordings.
    pub tracks: Vec<String>,
    /// Segments that were declared and never arrived.
    pub missing_segments: Option<u64>,
    /// SHA-256 of the seal.
    pub seal_sha256: Option<Digest>,
    /// Whom the signer's certificate names.
    pub signer: Option<String>,
    /// SHA-256 of the signer's certificate.
    pub signer_sha256: Option<Digest>,
    /// When the signer says it signed.
    pub signing_time: Option<String>,
}

/// The findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the package says that it is.
    pub about: Option<About>,
    /// What was proved.
    pub proved: Vec<String>,
    /// What was not, and why.
    pub not_proved: Vec<String>,
    /// What is wrong; empty if nothing is.
    pub failures: Vec<Failure>,
    /// Names from the signer to the trust root, if roots were given and lead to it.
    pub way_to_root: Option<Vec<String>>,
}

impl Report {
    /// The result in one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (&self.failures[..], &self.way_to_root) {
            ([_, ..], _) => Outcome::Failed,
            ([], Some(_)) => Outcome::Proved,
            ([], None) => Outcome::IntactSignerUnknown,
        }
    }

    /// Adds a failure, once.
    pub(super) fn fail(&mut self, file: &str, what: &str) {
        let failure = Failure { file: plain(file), what: plain(what) };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// Says what all this amounts to, once every check has been made.
    pub(super) fn conclude(&mut self, manifest: Option<&Manifest>, seal: Option<&CheckedSeal>, source: &Source) {
        if let (true, Some(manifest), Some(seal)) = (self.failures.is_empty(), manifest, seal) {
            self.proved = proved(manifest, seal, source);
            if let Some(way) = &self.way_to_root {
                self.proved.push(format!(
                    "The signer's certificate leads to a trust root that you gave, and was valid at the signing time: {}.",
                    way.join(", issued by ")
                ));
            } else {
                self.not_proved.push(
                    "WHO signed it: no trust roots were given (--roots). Anyone can make a certificate with any name in it, and \
                     a whole package to go with it."
                        .to_owned(),
                );
            }
        } else {
            self.not_proved.push("That this is what was sealed: see what is wrong with it.".to_owned());
        }
        let claimed = seal.map_or_else(|| "none".to_owned(), |s| time::write(s.signing_time()));
        self.not_proved.extend([
            format!("WHEN it was signed: the signing time ({claimed}) is the signer's own word. Trusted timestamps: not in this version."),
            "That no other exhibit was sealed for this call: a public log of seals: not in this version.".to_owned(),
            "Whether the signer's certificate had been revoked: not checked.".to_owned(),
            "Who wrote proof/HOW-TO-VERIFY.txt: the texts in `proof` are compared with the list beside them, but not signed."
                .to_owned(),
            "What happened before the recording reached the recorder: the seal begins there.".to_owned(),
        ]);
        let encrypted = |m: &Manifest| m.tracks.iter().flat_map(|t| &t.segments).any(|s| s.stored_sha256 != s.sha256);
        if manifest.is_some_and(encrypted) {
            self.not_proved.push(
                "The digests of the encrypted form in storage: the chain binds them, but they can't be recomputed from here."
                    .to_owned(),
            );
        }
    }
}

fn proved(manifest: &Manifest, seal: &CheckedSeal, source: &Source) -> Vec<String> {
    let (files, bytes) = source.files().fold((0, 0), |(files, bytes), (_, len)| (files + 1, bytes + len));
    let segments: usize = manifest.tracks.iter().map(|t| t.segments.len()).sum();
    vec![
        format!(
            "Nothing was added, removed or altered: all {files} files ({bytes} bytes) are as listed, and there are no others."
        ),
        format!("The lists are what was signed with the certificate of {}.", plain(&seal.signer().subject())),
        format!(
            "All {segments} segments of {} recordings are the ones that were sealed, each in its place: the chains were \
             recomputed from the recordings' bytes.",
            manifest.tracks.len()
        ),
        match manifest.missing_segments() {
            0 => "The sealed manifest says that no segment is missing.".to_owned(),
            n => format!("The sealed manifest says that {n} segments were declared by the recorder and never arrived."),
        },
    ]
}

impl About {
    pub(super) fn new(manifest: Option<&Manifest>, seal_sha256: Option<Digest>, seal: Option<&CheckedSeal>) -> Self {
        let incident = |m: &Manifest| format!("{} {} {}", m.force, m.incident.date, m.incident.number);
        Self {
            reference: manifest.map(|m| plain(&m.reference)),
            exhibit: manifest.map(|m| m.exhibit.to_string()),
            incident: manifest.map(incident),
            tracks: manifest.iter().flat_map(|m| &m.tracks).map(|t| t.name.to_string()).collect(),
            missing_segments: manifest.map(Manifest::missing_segments),
            seal_sha256,
            signer: seal.map(|s| plain(&s.signer().subject())),
            signer_sha256: seal.map(|s| s.signer().sha256()),
            signing_time: seal.map(|s| time::write(s.signing_time())),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}",
            match self.outcome() {
                Outcome::Proved => "VERIFIED",
                Outcome::IntactSignerUnknown => "INTACT, BUT WHO SIGNED IT WAS NOT ESTABLISHED",
                Outcome::Failed => "FAILED: this is not what was sealed, or can't be shown to be",
            }
        )?;
        if let Some(about) = &self.about {
            let says = [
                ("exhibit", about.reference.clone()),
                ("incident", about.incident.clone()),
                ("recordings", Some(about.tracks.join(", ")).filter(|t| !t.is_empty())),
                ("signer", about.signer.clone()),
                ("seal SHA-256", about.seal_sha256.map(|d| d.to_string())),
            ];
            writeln!(f, "\nThe package says that it is")?;
            for (what, value) in says.into_iter().filter_map(|(what, value)| Some((what, value?))) {
                writeln!(f, "  {what:13} {value}")?;
            }
        }
        if !self.failures.is_empty() {
            writeln!(f, "\nWrong")?;
        }
        for failure in &self.failures {
            writeln!(f, "  {}: {}", failure.file, failure.what)?;
        }
        for (title, lines) in [("Proved", &self.proved), ("Not proved", &self.not_proved)] {
            if !lines.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            for line in lines {
                writeln!(f, "  - {line}")?;
            }
        }
        Ok(())
    }
}

/// A hostile package must not write to the reader's terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The first few of many.
pub(super) fn few(items: &[String]) -> String {
    const FEW: usize = 5;
    let first = items[..items.len().min(FEW)].join(", ");
    if items.len() > FEW { format!("{first} and {} more", items.len() - FEW) } else { first }
}

/// An error with its causes, on one line.
pub(super) fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(source) = at {
        text = format!("{text}: {source}");
        at = source.source();
    }
    text
}
