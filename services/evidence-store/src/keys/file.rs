//! Small files that are there whole or not at all, and stay.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Makes a file that must not exist yet; durable on return, its name too.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    write(&new, bytes)?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    linked?;
    sync_folder(path)
}

/// Puts a file in another's place; durable on return. What was there is overwritten on the disk, too.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    write(&new, bytes)?;
    let old = OpenOptions::new().write(true).open(path);
    fs::rename(&new, path)?;
    sync_folder(path)?;
    match old {
        Ok(old) => overwrite(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Overwrites a file, then removes it; durable on return. One that isn't there is as good.
pub fn destroy(path: &Path) -> io::Result<()> {
    for path in [path.to_owned(), beside(path)] {
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => {
                overwrite(file)?;
                fs::remove_file(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sync_folder(path)
}

/// What a crash left of an attempt is written over by the next.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn overwrite(mut file: File) -> io::Result<()> {
    let len = file.metadata()?.len();
    for fill in [0xff_u8, 0] {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&vec![fill; usize::try_from(len).unwrap_or_default()])?;
        file.sync_all()?;
    }
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
