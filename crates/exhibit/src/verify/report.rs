//! What a verification found, in words for people who will stand in court with it.

use std::{error::Error, fmt};

use serde::Serialize;

use super::{disposal::Disposal, proofs::InLog};
use crate::{Digest, Manifest, seal::CheckedSeal, time};

/// The result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Intact, and everything that can be proved of a package is: signer, time and place in the log.
    Proved,
    /// Intact, and what roots and keys were given for holds. For the rest none were given.
    InPart,
    /// Something is wrong.
    Failed,
}

/// What a complete check answers, besides that the package is intact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Who signed it.
    Signer,
    /// When it was signed, by a clock that isn't the signer's.
    Time,
    /// Whether it is in the public log of seals.
    Log,
    /// Whether somebody else saw that log.
    Witness,
}

impl Question {
    fn words(self) -> &'static str {
        match self {
            Self::Signer => "who signed it",
            Self::Time => "when",
            Self::Log => "that it is in the log",
            Self::Witness => "that a witness saw the log",
        }
    }
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
    /// What lies beside them.
    pub items: Vec<String>,
    /// Of an addendum, what it adds to.
    pub parent: Option<String>,
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
    /// What a complete check answers and this one didn't, for want of roots or keys.
    pub open: Vec<Question>,
    /// Names from the signer to the trust root, if roots were given and lead to it.
    pub way_to_root: Option<Vec<String>>,
    /// When the signature was there, by a trusted authority's clock. RFC 3339, UTC.
    pub time: Option<String>,
    /// Its place in the log, if a key was given and the proof holds.
    pub log: Option<Logged>,
    /// Of a partial disclosure, what was chosen and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// Of an exhibit that was disposed of, by whom and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposal: Option<Disposal>,
    /// Of an addendum verified with its parent, the parent's report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Report>>,
}

/// What a partial disclosure says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Who made it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, by the word of who signed it.
    pub made_at: String,
    /// The exhibit's files that are here.
    pub disclosed: Vec<String>,
    /// Those that are not.
    pub withheld: Vec<String>,
}

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Which log.
    pub origin: String,
    /// The entry's number, from 0.
    pub index: u64,
    /// The number of entries that the log had signed for.
    pub size: u64,
    /// The leaf's hash.
    pub leaf: Digest,
    /// The given witnesses that cosigned, and when.
    pub cosigned: Vec<(String, String)>,
}

impl Logged {
    pub(super) fn new(found: &InLog) -> Self {
        Self {
            origin: plain(&found.checkpoint.origin),
            index: found.index,
            size: found.checkpoint.size,
            leaf: found.leaf,
            cosigned: found.cosigned.iter().map(|(who, at)| (plain(who), time::write(*at))).collect(),
        }
    }
}

impl Report {
    /// The result in one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let own = match (&self.failures[..], &self.open[..]) {
            ([_, ..], _) => Outcome::Failed,
            ([], []) => Outcome::Proved,
            ([], _) => Outcome::InPart,
        };
        self.parent.as_ref().map_or(own, |parent| own.max(parent.outcome()))
    }

    fn open_in_words(&self) -> String {
        let parents = self.parent.iter().flat_map(|parent| &parent.open);
        let open: std::collections::BTreeSet<_> = self.open.iter().chain(parents).collect();
        let words: Vec<_> = open.iter().map(|question| question.words()).collect();
        words.join(", ")
    }

    /// Adds a failure, once.
    pub(super) fn fail(&mut self, file: &str, what: &str) {
        let failure = Failure { file: visible(file), what: plain(what) };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// Adds what wasn't answered: a question once, and each reason.
    pub(super) fn open(&mut self, question: Question, why: String) {
        if !self.open.contains(&question) {
            self.open.push(question);
        }
        self.not_proved.push(why);
    }

    /// Puts the parent's report beside this one. What failed after the words were found takes them back.
    pub(super) fn beside(&mut self, parent: Self, sound: bool) {
        if sound {
            self.not_proved.retain(|line| !line.contains("(--parent)"));
            self.proved.push("It adds to the exhibit that was given as its parent, whose report follows.".to_owned());
        } else if self.proved.drain(..).next().is_some() {
            self.not_proved.push("That this adds to the exhibit given as its parent: see what is wrong.".to_owned());
        }
        self.parent = Some(Box::new(parent));
    }
}

impl About {
    pub(super) fn new(manifest: Option<&Manifest>, seal_sha256: Option<Digest>, seal: Option<&CheckedSeal>) -> Self {
        let incident = |m: &Manifest| format!("{} {} {}", m.force, m.incident.date, m.incident.number);
        Self {
            reference: manifest.map(|m| plain(&m.reference)),
            exhibit: manifest.map(|m| m.exhibit.to_string()),
            incident: manifest.map(incident),
            tracks: manifest.iter().flat_map(|m| &m.tracks).map(|t| t.name.to_string()).collect(),
            items: manifest.iter().flat_map(|m| &m.items).map(|i| i.path.clone()).collect(),
            parent: manifest.and_then(|m| m.parent.as_ref()).map(|parent| plain(&parent.reference)),
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
                Outcome::Proved if self.disposal.is_some() =>
                    "VERIFIED AS DISPOSED OF: the recording itself was destroyed and can no longer be checked"
                        .to_owned(),
                Outcome::Proved => "VERIFIED".to_owned(),
                Outcome::InPart => format!("INTACT, BUT NOT PROVED: {}", self.open_in_words()),
                Outcome::Failed => "FAILED: this is not what was sealed, or can't be shown to be".to_owned(),
            }
        )?;
        if let Some(about) = &self.about {
            let says = [
                ("exhibit", about.reference.clone()),
                ("incident", about.incident.clone()),
                ("recordings", Some(about.tracks.join(", ")).filter(|t| !t.is_empty())),
                ("items", Some(few(&about.items)).filter(|i| !i.is_empty())),
                ("adds to", about.parent.clone()),
                ("signer", about.signer.clone()),
                ("seal SHA-256", about.seal_sha256.map(|d| d.to_string())),
            ];
            writeln!(f, "\nThe package says that it is")?;
            for (what, value) in says.into_iter().filter_map(|(what, value)| Some((what, value?))) {
                writeln!(f, "  {what:13} {value}")?;
            }
        }
        if let Some(selection) = &self.selection {
            writeln!(
                f,
                "\nIt is a PARTIAL DISCLOSURE of that exhibit, made {} by {}",
                selection.made_at, selection.who
            )?;
            writeln!(f, "  why           {}", selection.reason)?;
            writeln!(f, "  here          {}", few(&selection.disclosed))?;
            writeln!(f, "  left out      {}", few(&selection.withheld))?;
        }
        if let Some(disposal) = &self.disposal {
            write!(f, "\n{disposal}")?;
        }
        write_findings(f, &self.failures, &self.proved, &self.not_proved)?;
        self.parent.as_ref().map_or(Ok(()), |parent| write!(f, "\nTHE EXHIBIT THAT IT ADDS TO\n{parent}"))
    }
}

/// What is wrong, what was proved and what was not: the end of each report.
pub(crate) fn write_findings(
    f: &mut fmt::Formatter<'_>,
    failures: &[Failure],
    proved: &[String],
    not_proved: &[String],
) -> fmt::Result {
    if !failures.is_empty() {
        writeln!(f, "\nWrong")?;
    }
    for failure in failures {
        writeln!(f, "  {}: {}", failure.file, failure.what)?;
    }
    for (title, lines) in [("Proved", proved), ("Not proved", not_proved)] {
        if !lines.is_empty() {
            writeln!(f, "\n{title}")?;
        }
        for line in lines {
            writeln!(f, "  - {line}")?;
        }
    }
    Ok(())
}

/// A hostile package must not write to the reader's terminal, nor turn its text around.
pub(super) fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Names in this format are ASCII: whatever else is in one is spelled out, so that what only looks like it shows.
fn visible(path: &str) -> String {
    let spelled = |c: char| if matches!(c, ' '..='~') { c.to_string() } else { c.escape_unicode().to_string() };
    path.chars().map(spelled).collect()
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
