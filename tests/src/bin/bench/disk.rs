//! The disk's own floor under the evidence store: buffers written in groups, each group synced, nothing else.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use rustix::fs::{FallocateFlags, fallocate};

use crate::samples::Samples;

/// A buffer is as long as a segment of the evidence store's figure.
pub const BUFFER: usize = 256 << 10;
/// At most so many buffers share a sync: 8 MiB, as evidence-store's journal has it.
const GROUP: usize = 32;
/// As a journal file.
const FILE: u64 = 256 << 20;

/// What a disk did.
pub struct Floor {
    /// Buffers a second, as fast as it could.
    pub per_s: f64,
    /// Milliseconds from a buffer's arrival to the end of its sync, at a given rate.
    pub latency_ms: Samples,
}

/// Measures in this folder: at so many buffers a second, then as fast as it goes.
pub fn floor(folder: &Path, rate: f64, time: Duration) -> io::Result<Floor> {
    // What others wrote before must not be on its way to the disk any more.
    rustix::fs::sync();
    let mut journal = Journal::new(folder)?;
    let latency_ms = paced(&mut journal, rate, time)?;
    let began = Instant::now();
    let mut written = 0;
    while began.elapsed() < time {
        journal.commit(GROUP)?;
        written += GROUP;
    }
    let per_s = written as f64 / began.elapsed().as_secs_f64();
    // Nor may our own blocks still be on their way back.
    drop(journal);
    rustix::fs::sync();
    Ok(Floor { per_s, latency_ms })
}

/// Milliseconds from when each buffer was due to the end of its sync; those that are due together share one.
fn paced(journal: &mut Journal, rate: f64, time: Duration) -> io::Result<Samples> {
    let mut latency_ms = Samples::default();
    let began = Instant::now();
    let due = |number: usize| Duration::from_secs_f64(number as f64 / rate);
    let mut done = 0;
    while due(done) < time {
        if let Some(early) = due(done).checked_sub(began.elapsed()) {
            std::thread::sleep(early);
        }
        let arrived = (began.elapsed().as_secs_f64() * rate) as usize + 1;
        let group = arrived.saturating_sub(done).clamp(1, GROUP);
        journal.commit(group)?;
        let now = began.elapsed();
        latency_ms.extend((done..done + group).map(|number| now.saturating_sub(due(number)).as_secs_f64() * 1000.0));
        done += group;
    }
    Ok(latency_ms)
}

/// Preallocated files, one after the other. Their blocks are freed at the end: freeing would delay the writes.
struct Journal<'f> {
    folder: &'f Path,
    file: File,
    full: Vec<File>,
    at: u64,
    buffer: Vec<u8>,
}

impl<'f> Journal<'f> {
    fn new(folder: &'f Path) -> io::Result<Self> {
        let mut buffer = vec![0; BUFFER];
        chassis::Entropy::seeded(1).fill(&mut buffer);
        Ok(Self { folder, file: fresh(folder)?, full: Vec::new(), at: 0, buffer })
    }

    fn commit(&mut self, group: usize) -> io::Result<()> {
        if self.at + (group * BUFFER) as u64 > FILE {
            self.full.push(std::mem::replace(&mut self.file, fresh(self.folder)?));
            self.at = 0;
        }
        for _ in 0..group {
            self.file.write_all_at(&self.buffer, self.at)?;
            self.at += BUFFER as u64;
        }
        self.file.sync_data()
    }
}

fn fresh(folder: &Path) -> io::Result<File> {
    let path = folder.join("floor");
    let file = File::create(&path)?;
    // Its blocks stay until the handle goes.
    fs::remove_file(&path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, FILE) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => Ok(file),
        Err(error) => Err(error.into()),
    }
}
