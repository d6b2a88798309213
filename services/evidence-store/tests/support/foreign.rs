//! What others make of an exported package, with tools that share no code with us.

use std::{fs, path::Path, process::Command};

use super::files_in;

/// Lays a package out on the disk.
pub fn unpack(archive: &[u8], root: &Path) {
    for (path, bytes) in files_in(archive) {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// The Library of Congress's validator accepts the bag, and no longer once a byte of this file of it is flipped.
#[track_caller]
pub fn bagit_accepts(archive: &[u8], flipped: &str) {
    let folder = tempfile::tempdir().unwrap();
    unpack(archive, folder.path());
    let python = testkit::workspace().join("target/tools/venv/bin/python");
    let validate = || {
        let script = "import bagit; bagit.Bag('bag').validate()";
        Command::new(&python).args(["-c", script]).current_dir(folder.path()).output().unwrap()
    };
    let honest = validate();
    assert!(honest.status.success(), "{}", String::from_utf8_lossy(&honest.stderr));
    let file = folder.path().join(flipped);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let altered = validate();
    assert!(String::from_utf8_lossy(&altered.stderr).contains("BagValidationError"), "{altered:?}");
}
