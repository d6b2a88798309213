//! Each service's wall clock, set by itself while the service runs: libfaketime, and a file that it looks at every second. The monotonic
//! clock, by which time-outs run, stays the machine's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Error;

/// Debian's package of that name; the one for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clocks of a stack.
#[derive(Debug)]
pub struct Clocks {
    library: PathBuf,
    folder: PathBuf,
}

impl Clocks {
    /// Keeps them in a folder, which is made; nothing if they aren't wanted, or where there is no libfaketime.
    pub(super) fn find(are_wanted: bool, folder: PathBuf) -> Result<Option<Self>, Error> {
        if !are_wanted {
            return Ok(None);
        }
        let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let Some(library) = libraries.map(|dir| dir.path().join(LIBRARY)).find(|path| path.exists()) else {
            return Ok(None);
        };
        fs::create_dir_all(&folder).map_err(Error::io("a folder for clocks"))?;
        Ok(Some(Self { library, folder }))
    }

    /// What a service is started with, to have a clock of its own. It shows the machine's time, until it is set.
    pub(super) fn env(clocks: Option<&Self>, service: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(clocks) = clocks else { return Ok(Vec::new()) };
        clocks.set(service, 0)?;
        let settings = [
            ("LD_PRELOAD", clocks.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clocks.file(service).display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // What it does besides: the times of files, and memory that several programs share.
            ("NO_FAKE_STAT", "1".to_owned()),
            ("FAKETIME_DISABLE_SHM", "1".to_owned()),
        ];
        Ok(settings.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Sets a service's clock so many seconds ahead of the machine's; behind it, if that is negative. It shows it within a second.
    ///
    /// # Errors
    /// The disk's.
    pub fn set(&self, service: &str, ahead: i64) -> Result<(), Error> {
        let write = |new: &Path, file: &Path| -> io::Result<()> {
            fs::write(new, format!("{ahead:+}\n"))?;
            // Never half: the library ends a process that finds anything else than a time there.
            fs::rename(new, file)
        };
        let file = self.file(service);
        write(&file.with_extension("new"), &file).map_err(Error::io(format!("setting the clock of {service}")))
    }

    fn file(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.clock"))
    }
}
