//! Checksum lists, in the one spelling that we write: sorted lines of digest, two spaces, path.

use std::collections::BTreeMap;

use super::report::Report;
use crate::{Digest, bag};

/// How far a file can be believed, by what is above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Vouched for.
    Good,
    /// Known to be altered: what disagrees with it is not to blame.
    Altered,
    /// Nothing says.
    Unknown,
}

impl Standing {
    /// Says what is wrong with a file, compared with an exhibit's manifest that stands so.
    pub fn complain(self, path: &str, what: &str, report: &mut Report) {
        match self {
            Self::Altered => report.fail(bag::MANIFEST, &format!("its account of {path} doesn't fit: {what}")),
            _ => report.fail(path, what),
        }
    }
}

/// A list, as read.
pub struct List {
    path: &'static str,
    standing: Standing,
    /// By path from the package's root; `None` if the list can't be read.
    lines: Option<BTreeMap<String, Digest>>,
}

impl List {
    /// Reads a list whose paths start at `base`.
    pub fn read(
        path: &'static str,
        base: &str,
        bytes: Option<&Vec<u8>>,
        standing: Standing,
        report: &mut Report,
    ) -> Self {
        let lines = bytes.and_then(|bytes| {
            let lines = parse(base, bytes);
            if lines.is_none() {
                report.fail(path, "is not a list of checksums as this format writes it");
            }
            lines
        });
        Self { path, standing, lines }
    }

    /// What this list says of a file's standing.
    pub fn standing_of(&self, path: &str, actual: Option<Digest>) -> Standing {
        let listed = self.lines.as_ref().and_then(|lines| lines.get(path));
        match (self.standing, listed, actual) {
            (Standing::Altered, ..) | (_, None, _) | (_, _, None) => Standing::Unknown,
            (_, Some(listed), Some(actual)) if *listed != actual => Standing::Altered,
            (standing, ..) => standing,
        }
    }

    /// Leaves out files that are rightly not here.
    pub fn without(&mut self, paths: impl Fn(&str) -> bool) {
        if let Some(lines) = &mut self.lines {
            lines.retain(|path, _| !paths(path));
        }
    }

    /// Corrects a line that is known to be wrong and has been reported.
    pub fn settle(&mut self, path: &str, actual: &BTreeMap<String, Digest>) {
        if let (Some(line), Some(digest)) = (self.lines.as_mut().and_then(|l| l.get_mut(path)), actual.get(path)) {
            *line = *digest;
        }
    }

    /// Compares the list with the files that it must cover: those, no more and no fewer. Answers whether it fits.
    pub fn check(&self, covers: impl Fn(&str) -> bool, actual: &BTreeMap<String, Digest>, report: &mut Report) -> bool {
        let Some(lines) = &self.lines else { return false };
        let mut fits = true;
        let mut complain = |file: &str, what: String| {
            fits = false;
            match self.standing {
                Standing::Altered => report.fail(self.path, &format!("its account of {file} doesn't fit")),
                _ => report.fail(file, &what),
            }
        };
        for (path, digest) in actual.iter().filter(|(path, _)| covers(path)) {
            match lines.get(path) {
                None => complain(path, format!("is not listed in {}", self.path)),
                Some(listed) if listed != digest => {
                    complain(path, format!("its bytes are not those listed in {}", self.path))
                }
                Some(_) => {}
            }
        }
        for path in lines.keys() {
            if !covers(path) {
                complain(self.path, format!("names {path}, which has no place in it"));
            } else if !actual.contains_key(path) {
                complain(path, "is missing".to_owned());
            }
        }
        fits
    }
}

fn parse(base: &str, bytes: &[u8]) -> Option<BTreeMap<String, Digest>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.strip_suffix('\n')?;
    let mut lines: Vec<(String, Digest)> = Vec::new();
    for line in body.split('\n') {
        let (digest, path) = line.split_once("  ")?;
        let plain = path.bytes().all(|b| b.is_ascii_graphic());
        if !plain || lines.last().is_some_and(|(before, _)| before[base.len()..] >= *path) {
            return None;
        }
        lines.push((format!("{base}{path}"), digest.parse().ok()?));
    }
    Some(lines.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn reads_what_is_written_and_no_other_spelling() {
        let digest = Digest::of(b"");
        let good = crate::bag::checksum_lines([(digest, "data/b"), (digest, "data/a")]);
        assert_eq!(parse("bag/", good.as_bytes()).unwrap().keys().collect::<Vec<_>>(), ["bag/data/a", "bag/data/b"]);
        for bad in [
            good.replace("  ", " *"),
            good.replace('\n', "\r\n"),
            good.to_uppercase(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("{good}{good}"),
            good.replace("data/b", "data/ b"),
            String::new(),
        ] {
            assert_eq!(parse("bag/", bad.as_bytes()), None, "{bad:?}");
        }
    }
}
