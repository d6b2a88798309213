//! Receipts against the store's key and, if there is one, against the package that should hold what they are about.

use std::{collections::BTreeMap, path::Path};

use ids::TrackName;
use serde::Serialize;

use super::{Error, Leaf, PublicKey, Receipt};
use crate::{
    Digest, Manifest, Segment, time,
    verify::{self, Unreadable},
};

/// What a file of receipts came to, one judgement a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// In the file's order.
    pub receipts: Vec<(usize, String, Judgement)>,
}

/// What one receipt proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Nothing: why.
    Worthless(String),
    /// The store acknowledged the segment or item.
    Acknowledged,
    /// The store acknowledged it, and the package holds it, with the same chain up to it.
    Held,
    /// The same, but it was stored anew since (encrypted anew, so the chain is another): the store had lost it for a while.
    HeldAnew,
    /// The store acknowledged it, and the package doesn't hold it: it was lost, or left out.
    Lost,
    /// The store acknowledged it, and the package has something else in its place.
    Replaced,
    /// The store acknowledged it, and the package is another exhibit's.
    OtherExhibit,
}

impl Checked {
    /// Whether every receipt is good and, where a package was given, what it is about is there.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.receipts
            .iter()
            .all(|(.., judged)| matches!(judged, Judgement::Acknowledged | Judgement::Held | Judgement::HeldAnew))
    }
}

/// Checks every line of a file of receipts.
///
/// # Errors
/// The package can't be read. What is wrong with a receipt, or missing from the package, is in the answer.
pub fn check(text: &str, key: &PublicKey, package: Option<&Path>) -> Result<Checked, Unreadable> {
    let held = package.map(verify::holdings).transpose()?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    let receipts = lines.map(|(at, line)| {
        let (about, judged) = one(line, key, held.as_ref());
        (at + 1, about, judged)
    });
    Ok(Checked { receipts: receipts.collect() })
}

fn one(line: &str, key: &PublicKey, held: Option<&Held>) -> (String, Judgement) {
    let worthless = |why: Error| Judgement::Worthless(why.to_string());
    let receipt = match Receipt::parse(line) {
        Ok(receipt) => receipt,
        Err(why) => return ("a line".to_owned(), worthless(why)),
    };
    let leaf = &receipt.leaf;
    let about = match leaf.track.is_items() {
        true => format!("item {} of exhibit {}", leaf.seq, leaf.exhibit),
        false => format!("segment {} of {} of exhibit {}", leaf.seq, leaf.track, leaf.exhibit),
    };
    if let Err(why) = receipt.verify(key) {
        return (about, worthless(why));
    }
    let about = format!("{about}, acknowledged at {}", time::write(receipt.proof.at));
    let Some(held) = held else { return (about, Judgement::Acknowledged) };
    if held.0.exhibit != leaf.exhibit {
        return (about, Judgement::OtherExhibit);
    }
    let judged = match in_its_place(leaf, held) {
        None => Judgement::Lost,
        Some(held) if held == (leaf.sha256, leaf.chain) => Judgement::Held,
        Some((sha256, _)) if sha256 == leaf.sha256 => Judgement::HeldAnew,
        Some(_) => Judgement::Replaced,
    };
    (about, judged)
}

/// A package's manifest, and its lists of segments.
type Held = (Manifest, BTreeMap<TrackName, Vec<Segment>>);

/// What the package has there: its bytes' hash, and the chain head after it.
fn in_its_place(leaf: &Leaf, (manifest, lists): &Held) -> Option<(Digest, Digest)> {
    if leaf.track.is_items() {
        return manifest.items.iter().find(|item| item.seq == leaf.seq).map(|item| (item.sha256, item.chain));
    }
    let segment = lists.get(&leaf.track)?.iter().find(|segment| segment.seq == leaf.seq)?;
    Some((segment.sha256, segment.chain))
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.receipts.is_empty() {
            return writeln!(f, "There is no receipt in this file.");
        }
        for (line, about, judged) in &self.receipts {
            let words = match judged {
                Judgement::Worthless(why) => format!("proves nothing: {why}"),
                Judgement::Acknowledged => "proved".to_owned(),
                Judgement::Held => "proved, and the package has it".to_owned(),
                Judgement::HeldAnew => "proved, and the package has it, stored anew since".to_owned(),
                Judgement::Lost => "proved, and it is NOT in the package".to_owned(),
                Judgement::Replaced => "proved, and the package has OTHER bytes in its place".to_owned(),
                Judgement::OtherExhibit => "proved, but the package is another exhibit's".to_owned(),
            };
            writeln!(f, "line {line}: {about}: {words}")?;
        }
        Ok(())
    }
}
