//! A package as a folder. Links, devices and empty folders are not part of any package, so they are refused, not followed.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{report::Report, source::Place};

/// Finds every file. `None` if this is no package at all.
pub fn index(root: &Path, report: &mut Report) -> io::Result<Option<BTreeMap<String, Place>>> {
    if !root.join("bag").exists() && !root.join("proof").exists() {
        return Ok(None);
    }
    let mut files = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let mut empty = true;
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            empty = false;
            let name = entry.file_name();
            let path = format!("{folder}{}", name.to_string_lossy());
            let kind = entry.file_type()?;
            if name.to_str().is_none() {
                report.fail(&path, "has a name that is not text, and is not part of the exhibit");
            } else if kind.is_dir() {
                folders.push(format!("{path}/"));
            } else if kind.is_file() {
                let len = entry.metadata()?.len();
                files.insert(path.clone(), Place { path, offset: None, len });
            } else {
                report.fail(&path, "is a link or a device, not a file");
            }
        }
        if empty {
            report.fail(&folder, "is an empty folder, which is not part of the exhibit");
        }
    }
    Ok(Some(files))
}
