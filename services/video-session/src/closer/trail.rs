//! The steps of every fast-track, as lines of the ledger. They are heard of by any instance, and written by the one that carries the
//! session; what it couldn't write, because there was no folder yet or it died, it or the next one writes later.

use std::io;

use super::Closer;
use crate::{error::Error, ledger, spool::Lines, store::Stored};

impl Closer {
    /// Writes what isn't written yet.
    pub(super) async fn note_fast_tracks(&self, stored: &Stored) -> Result<(), Error> {
        let session = stored.session.id;
        // Of a call that isn't recorded there is no ledger, and of one that isn't yet, not yet.
        if self.spool.owner(session).is_none() {
            return Ok(());
        }
        for one in &stored.session.fast_tracks {
            let lines: Vec<String> = one.unnoted().iter().map(|mark| ledger::fast_track(one, mark)).collect();
            if lines.is_empty() {
                continue;
            }
            let spool = self.spool.clone();
            let noted = tokio::task::spawn_blocking(move || {
                // Written before a crash, perhaps, and not remembered.
                let known = spool.lines(session, Lines::Ledger)?;
                let missing: Vec<String> = lines.into_iter().filter(|line| !known.contains(line)).collect();
                if missing.is_empty() { Ok(()) } else { spool.note(session, &missing) }
            });
            noted.await.map_err(io::Error::other).flatten().map_err(Error::Spool)?;
            self.app.fast_track_noted(one.id, one.trail().len()).await?;
        }
        Ok(())
    }
}
