//! A small disk that can be filled: a tmpfs, so it needs root. Without it the disks are left alone, and the report says so.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// What fills it up.
const BALLAST: &str = ".ballast";
/// The smallest piece that is tried.
const LEAST: u64 = 4_096;

/// A mounted disk; unmounted when dropped.
#[derive(Debug)]
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at a folder, which is made; `None` where that isn't allowed.
    pub(super) fn mount(at: &Path, megabytes: u64) -> io::Result<Option<Self>> {
        fs::create_dir_all(at)?;
        let size = format!("size={megabytes}m");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output()?;
        Ok(done.status.success().then(|| Self(at.to_owned())))
    }

    /// Fills it to its last block.
    pub(super) fn fill(&self) -> io::Result<()> {
        let ballast = File::create(self.0.join(BALLAST))?;
        let mut length = 0;
        loop {
            let disk = statvfs(&self.0)?;
            let mut piece = disk.f_bavail * disk.f_frsize;
            // Others write meanwhile: what was free a moment ago may not be.
            while piece >= LEAST && fallocate(&ballast, FallocateFlags::empty(), length, piece).is_err() {
                piece /= 2;
            }
            if piece < LEAST {
                return Ok(());
            }
            length += piece;
        }
    }

    /// Makes room again.
    pub(super) fn clear(&self) -> io::Result<()> {
        fs::remove_file(self.0.join(BALLAST))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}
