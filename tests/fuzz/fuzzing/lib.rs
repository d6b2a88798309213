//! A program with many targets: `ALCOVE_FUZZ_TARGET` says which one is fuzzed. One program is built and linked sooner than many. And what
//! a target begins with.

use std::{fs, path::Path};

/// Something that reads bytes from outside.
pub struct Target {
    /// As `deploy/dev/fuzz` calls it.
    pub name: &'static str,
    /// Before the first input: writes the seeds.
    pub begin: fn(),
    /// One input.
    pub fuzz: fn(&[u8]),
}

/// The one that is asked for.
pub fn chosen(targets: &'static [Target]) -> &'static Target {
    let name = std::env::var("ALCOVE_FUZZ_TARGET").expect("ALCOVE_FUZZ_TARGET, the name of a target");
    targets.iter().find(|target| target.name == name).expect("a target of that name")
}

/// An input for a parser of text.
pub fn text(bytes: &[u8], fuzz: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        fuzz(text);
    }
}

/// Writes a seed of chunks, each behind its length, after a head: where `deploy/dev/fuzz` says.
pub fn seed(target: &str, name: &str, chunks: &[&[u8]], head: &[u8]) {
    let chunks = chunks.iter().map(|chunk| [&(chunk.len() as u16).to_be_bytes()[..], chunk].concat());
    write_seed(target, name, &[head, &chunks.collect::<Vec<_>>().concat()].concat());
}

/// The same, as it is.
pub fn write_seed(target: &str, name: &str, bytes: &[u8]) {
    let Some(folder) = std::env::var_os("ALCOVE_FUZZ_SEEDS") else { return };
    let folder = Path::new(&folder).join(target);
    fs::create_dir_all(&folder).expect("a folder for seeds");
    fs::write(folder.join(name), bytes).expect("a seed");
}

/// One that was written before.
pub fn read_seed(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("ALCOVE_FUZZ_SEEDS").expect("ALCOVE_FUZZ_SEEDS, the folder of the seeds");
    fs::read(Path::new(&folder).join(name)).expect("a seed")
}
