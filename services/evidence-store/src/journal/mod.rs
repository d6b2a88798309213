//! The journal: what is acknowledged is on stable storage here first, and nowhere has it to be looked for but here.
//!
//! One thread owns the files and the [`ledger`] of what each open exhibit holds, so "is this the next segment?", the
//! chain, the fence and the write are one step without a lock. It takes all that is queued, writes it in one go, calls
//! fdatasync once, and only then answers. An error of fdatasync ends the process: what the kernel then holds is
//! unknown, and a second call would say "fine". Rejected: one file per segment (3 to 7 times slower), a table.
//!
//! What comes in is encrypted before it gets here, by the task that received it: this thread sees ciphertext and hashes
//! of both. So recovery needs no key.

pub mod committer;
pub mod core;
pub mod disk;
pub mod item;
pub mod ledger;
pub mod receipts;
pub mod record;
pub mod recovery;
mod storage;
mod write;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod simulated;

pub use committer::Journal;
pub use disk::Disk;
pub use storage::{Blob, Need, Place, Storage};
