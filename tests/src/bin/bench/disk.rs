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

/// At most so many bytes and buffers share a sync, as evidence-store's journal has it.
const MOST: usize = 8 << 20;
const GROUP: usize = 64;
/// As a journal file.
const FILE: u64 = 256 << 20;

/// What a disk did.
pub struct Floor {
    /// Buffers a second, as fast as it could.
    pub per_s: f64,
    /// Milliseconds from a buffer's arrival to the end of its sync, at a given rate.
    pub latency_ms: Samples,
}

/// Measures in this folder, with buffers of so many bytes: at so many a second, then as fast as it goes.
pub fn floor(folder: &Path, buffer: usize, rate: f64, time: Duration) -> io::Result<Floor> {
    // What others wrote before must not be on its way to the disk any more.
    rustix::fs::sync();
    let mut journal = Journal::new(folder, buffer)?;
    let latency_ms = paced(&mut journal, rate, time)?;
    let began = Instant::now();
    let mut written = 0;
    while began.elapsed() < time {
        journal.commit(journal.group)?;
        written += journal.group;
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
        let group = arrived.saturating_sub(done).clamp(1, journal.group);
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
    group: usize,
}

impl<'f> Journal<'f> {
    fn new(folder: &'f Path, buffer: usize) -> io::Result<Self> {
        let mut buffer = vec![0; buffer];
        chassis::Entropy::seeded(1).fill(&mut buffer);
        let group = (MOST / buffer.len()).min(GROUP);
        Ok(Self { folder, file: fresh(folder)?, full: Vec::new(), at: 0, buffer, group })
    }

    fn commit(&mut self, group: usize) -> io::Result<()> {
        if self.at + (group * self.buffer.len()) as u64 > FILE {
            self.full.push(std::mem::replace(&mut self.file, fresh(self.folder)?));
            self.at = 0;
        }
        for _ in 0..group {
            self.file.write_all_at(&self.buffer, self.at)?;
            self.at += self.buffer.len() as u64;
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
