//! The service's own modules, less those that need a runtime or a key: what is fuzzed is what runs, and nothing else has
//! to be built for it.

#[path = "../../../services/evidence-store/src/journal/core.rs"]
pub mod core;
#[path = "../../../services/evidence-store/src/journal/item.rs"]
pub mod item;
#[path = "../../../services/evidence-store/src/journal/ledger.rs"]
pub mod ledger;
#[path = "../../../services/evidence-store/src/journal/record.rs"]
pub mod record;
#[path = "../../../services/evidence-store/src/journal/recovery.rs"]
pub mod recovery;
#[path = "../../../services/evidence-store/src/journal/simulated.rs"]
pub mod simulated;
#[path = "../../../services/evidence-store/src/journal/storage.rs"]
mod storage;
#[path = "../../../services/evidence-store/src/journal/write.rs"]
mod write;

pub use storage::{Blob, Need, Place, Storage};
