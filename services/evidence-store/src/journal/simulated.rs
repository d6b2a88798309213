//! A disk in memory that keeps its promises and no more: at a crash, of what was never synced any 512-byte sector may
//! be there or not.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use super::{Blob, Need, Storage};

const SECTOR: usize = 512;

/// Shared by all its clones, as a disk is by all who open it.
#[derive(Clone, Default)]
pub struct Simulated(Arc<Mutex<State>>);

struct State {
    files: BTreeMap<u64, Contents>,
    aside: Vec<Vec<u8>>,
    /// Bytes that all files together may have.
    room: u64,
    /// Bytes that are kept for what must be written, and how many are left of them; not part of `room`.
    reserve: (u64, u64),
    /// The power goes at this many operations from now.
    fuse: Option<u32>,
    fault: Option<Fault>,
}

/// What the next operation of its kind does, once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write fails after so many bytes.
    Write(usize, io::ErrorKind),
    Sync(io::ErrorKind),
}

#[derive(Default, Clone)]
struct Contents {
    durable: Vec<u8>,
    now: Vec<u8>,
    /// What was written since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Default for State {
    fn default() -> Self {
        Self { files: BTreeMap::new(), aside: Vec::new(), room: u64::MAX, reserve: (0, 0), fuse: None, fault: None }
    }
}

impl State {
    fn operate(&mut self) -> io::Result<()> {
        match &mut self.fuse {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Simulated {
    pub fn set_room(&self, room: u64) {
        self.0.lock().unwrap().room = room;
    }

    pub fn set_reserve(&self, reserve: u64) {
        self.0.lock().unwrap().reserve = (reserve, reserve);
    }

    pub fn inject(&self, fault: Fault) {
        self.0.lock().unwrap().fault = Some(fault);
    }

    fn fault(&self, of: impl FnOnce(&Fault) -> bool) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        state.fault.as_ref().is_some_and(of).then(|| state.fault.take()).flatten()
    }

    /// The bytes of a file as they are now.
    pub fn bytes(&self, number: u64) -> Vec<u8> {
        self.0.lock().unwrap().files[&number].now.clone()
    }

    /// Puts other bytes in a file's place, all of them durable.
    pub fn replace(&self, number: u64, bytes: Vec<u8>) {
        let contents = Contents { durable: bytes.clone(), now: bytes, pending: Vec::new() };
        self.0.lock().unwrap().files.insert(number, contents);
    }

    pub fn light_fuse(&self, operations: u32) {
        self.0.lock().unwrap().fuse = Some(operations);
    }

    /// The process dies and the machine goes on: what was written stays in its memory, as yet unsynced.
    pub fn kill(&self) {
        self.0.lock().unwrap().fuse = None;
    }

    /// The power goes, and comes back. `survives` is asked about each sector that was never synced.
    pub fn crash(&self, mut survives: impl FnMut() -> bool) {
        let mut state = self.0.lock().unwrap();
        state.fuse = None;
        for file in state.files.values_mut() {
            let mut after = std::mem::take(&mut file.durable);
            for (at, bytes) in file.pending.drain(..) {
                let mut offset = 0;
                while offset < bytes.len() {
                    let step = (SECTOR - (at + offset) % SECTOR).min(bytes.len() - offset);
                    if survives() {
                        let end = at + offset + step;
                        after.resize(after.len().max(end), 0);
                        after[at + offset..end].copy_from_slice(&bytes[offset..offset + step]);
                    }
                    offset += step;
                }
            }
            // The length is metadata of its own.
            if survives() && file.now.len() > after.len() {
                after.resize(file.now.len(), 0);
            }
            file.durable = after.clone();
            file.now = after;
        }
    }

    /// Damages a durable byte.
    pub fn flip(&self, number: u64, at: u64) {
        let mut state = self.0.lock().unwrap();
        let file = state.files.get_mut(&number).unwrap();
        file.now[at as usize] ^= 0x40;
        file.durable = file.now.clone();
    }

    /// A backup: what is there now, all of it durable.
    pub fn copy(&self) -> Self {
        let state = self.0.lock().unwrap();
        let files = state.files.iter().map(|(number, file)| {
            let contents = Contents { durable: file.now.clone(), now: file.now.clone(), pending: Vec::new() };
            (*number, contents)
        });
        Self(Arc::new(Mutex::new(State { files: files.collect(), ..State::default() })))
    }

    pub fn kept_aside(&self) -> usize {
        self.0.lock().unwrap().aside.iter().map(Vec::len).sum()
    }
}

/// One open file.
pub struct SimulatedFile {
    disk: Simulated,
    number: u64,
}

impl SimulatedFile {
    fn with<T>(&self, act: impl FnOnce(&mut Contents) -> io::Result<T>) -> io::Result<T> {
        act(self.disk.0.lock().unwrap().files.get_mut(&self.number).unwrap())
    }

    fn operate(&self) -> io::Result<()> {
        self.disk.0.lock().unwrap().operate()
    }
}

impl Storage for Simulated {
    type File = SimulatedFile;

    fn list(&self) -> io::Result<Vec<u64>> {
        Ok(self.0.lock().unwrap().files.keys().copied().collect())
    }

    fn create(&self, number: u64) -> io::Result<SimulatedFile> {
        let mut state = self.0.lock().unwrap();
        state.operate()?;
        assert!(state.files.insert(number, Contents::default()).is_none(), "a number was used twice");
        Ok(SimulatedFile { disk: self.clone(), number })
    }

    fn open(&self, number: u64) -> io::Result<SimulatedFile> {
        if !self.0.lock().unwrap().files.contains_key(&number) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(SimulatedFile { disk: self.clone(), number })
    }

    fn keep_aside(&self, _: u64, _: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().aside.push(bytes.to_vec());
        Ok(())
    }

    fn room(&self) -> io::Result<u64> {
        let state = self.0.lock().unwrap();
        let used: usize = state.files.values().map(|file| file.now.len()).sum();
        Ok(state.room.saturating_sub(used as u64))
    }

    fn draw(&self, bytes: u64, need: Need) -> io::Result<bool> {
        let mut state = self.0.lock().unwrap();
        let (reserve, left) = state.reserve;
        if left < bytes + need.leaves(reserve) {
            return Ok(false);
        }
        state.reserve = (reserve, left - bytes);
        let used: usize = state.files.values().map(|file| file.now.len()).sum();
        state.room = state.room.max(used as u64) + bytes;
        Ok(true)
    }

    fn refill(&self) {}
}

impl Blob for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.now.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.with(|file| {
            let from = file.now.get(at as usize..at as usize + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(from);
            Ok(())
        })
    }

    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut failed = self.operate();
        let mut bytes = bytes;
        if let Some(Fault::Write(len, kind)) = self.disk.fault(|fault| matches!(fault, Fault::Write(..))) {
            bytes = &bytes[..len.min(bytes.len())];
            failed = Err(kind.into());
        }
        self.with(|file| {
            let end = at as usize + bytes.len();
            file.now.resize(file.now.len().max(end), 0);
            file.now[at as usize..end].copy_from_slice(bytes);
            // Even a write that never returned may have got somewhere.
            file.pending.push((at as usize, bytes.to_vec()));
            Ok(())
        })?;
        failed
    }

    fn sync(&mut self) -> io::Result<()> {
        self.operate()?;
        if let Some(Fault::Sync(kind)) = self.disk.fault(|fault| matches!(fault, Fault::Sync(_))) {
            return Err(kind.into());
        }
        self.with(|file| {
            file.durable = file.now.clone();
            file.pending.clear();
            Ok(())
        })
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        self.operate()?;
        let room = {
            let state = self.disk.0.lock().unwrap();
            let others = state.files.iter().filter(|(number, _)| **number != self.number);
            let used: usize = others.map(|(_, file)| file.now.len()).sum();
            state.room.saturating_sub(used as u64)
        };
        if len > room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.with(|file| {
            file.now.resize(file.now.len().max(len as usize), 0);
            Ok(())
        })
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.operate()?;
        self.with(|file| {
            file.now.truncate(len as usize);
            // A shorter length may reach the disk or not, so what lay behind it may come back.
            file.pending.retain(|(at, _)| *at < len as usize);
            Ok(())
        })
    }
}
