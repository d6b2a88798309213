//! What docs/threat-model.md says is shown by a test is shown by a test that there is.

use std::{collections::BTreeSet, fs, path::Path};

use crate::architecture::{root, rust_files};

/// The names of all tests of the repository.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for dir in ["crates", "services", "tests"] {
        for file in rust_files(&root().join(dir)) {
            let text = fs::read_to_string(&file).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                if let Some(name) = name.filter(|_| is_test) {
                    names.extend(name.split('(').next().map(str::to_owned));
                    is_test = false;
                }
            }
        }
    }
    names
}

#[test]
fn every_threat_is_stopped_by_what_a_test_shows() {
    let document = fs::read_to_string(Path::new(&root()).join("docs/threat-model.md")).unwrap();
    let (tests, mut rows) = (tests(), 0);
    let (stopped, rest) = document.split_once("## What each listener takes").expect("it says what they take");
    let (_, open) = rest.split_once("## What isn't stopped").expect("it says what isn't");
    assert!(open.lines().filter(|line| line.starts_with("- **")).count() > 5, "it is honest");
    for row in stopped.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| how ")) {
        rows += 1;
        let shown_by = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing shows: {row}");
        for test in named {
            assert!(tests.contains(test), "there is no test {test}");
        }
    }
    assert!(rows > 25, "the tables are found");
}
