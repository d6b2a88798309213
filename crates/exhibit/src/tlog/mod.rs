//! The transparency log, as a format: RFC 6962 trees, C2SP checkpoints, notes, cosignatures, tiles and proofs. `docs/log.md` says
//! it in words.
//!
//! Pure, but for [`audit`], which reads files. Every reader is total and strict: it takes exactly what the writer writes (no carriage return, no leading zero, no second
//! spelling of base64, no byte more) and knows how long a thing may be before it looks into it. Sources:
//! - trees and paths: <https://www.rfc-editor.org/rfc/rfc6962#section-2.1>, checked as <https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3>
//! - <https://c2sp.org/signed-note>, <https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/tlog-cosignature> (the Ed25519 forms)
//! - <https://c2sp.org/tlog-tiles>, <https://c2sp.org/tlog-proof>, <https://c2sp.org/tlog-witness>
//!
//! Not here: ML-DSA cosignatures, which C2SP prefers for new deployments, because neither OpenSSL 3.0 nor `ring` checks them and a
//! court's laptop must; and checkpoints' extension lines, which C2SP advises against because no monitor can audit them.

mod add_checkpoint;
pub mod audit;
mod checkpoint;
mod entry;
mod error;
mod frontier;
mod hash;
pub mod note;
mod path;
mod proof;
mod text;
pub mod tile;

pub use add_checkpoint::{AddCheckpoint, BODY_AT_MOST};
pub use checkpoint::{Checkpoint, is_origin};
pub use entry::Entry;
pub use error::Error;
pub use frontier::Frontier;
pub use hash::{empty_root, leaf_hash, node_hash};
pub use path::{PATH_AT_MOST, consistency_path, inclusion_path, tree_root, verify_consistency, verify_inclusion};
pub use proof::{Proof, Proved, WitnessPolicy};
pub use text::{digest_from_base64, digest_to_base64, size_from_text};
