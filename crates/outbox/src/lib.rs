//! Events that are never lost, never doubled and never out of order within a call.
//!
//! A use case writes its events in the transaction of its state change ([`write_in_tx`]). The [`Relay`] publishes them
//! to the service's JetStream stream and marks them after the acknowledgement. A [`Consumer`] commits each event's
//! effect together with an inbox row, so that a second delivery finds the row and does nothing; an event whose
//! predecessor has no row yet waits. What can't be handled is parked with an alarm, and the rest goes on. [`Post`] has it all
//! going for a service.
//!
//! Rejected: publishing from the use case (lost on a crash after commit), `FOR UPDATE SKIP LOCKED` over all events
//! (several claimants reorder a call), trusting the stream's own duplicate window (it forgets after minutes), and
//! `max_ack_pending = 1` (orders everything, at the speed of one).

mod backoff;
mod checkpoints;
mod connect;
mod consumer;
mod delivery;
mod error;
mod event;
mod line;
mod metrics;
mod post;
#[doc(hidden)]
pub mod probe;
mod relay;
pub mod replay;
mod role;
mod scope;
mod store_error;
mod stream;
mod wakeups;
mod write;

pub use checkpoints::{CheckpointKeeper, Shown, shown_checkpoints, watch_checkpoints};
pub use connect::{for_migrations, migrate, migrate_service, nats, pg_pool, watch_health};
pub use consumer::{Consumer, Handler};
pub use delivery::{Delivery, Failure, Poison};
pub use error::{Error, is_away};
pub use event::NewEvent;
pub use line::Line;
pub use metrics::measure;
pub use post::Post;
pub use relay::Relay;
pub use scope::{Scope, begin, begin_on, begin_reading, narrow};
pub use store_error::StoreError;
pub use stream::ensure_stream;
pub use wakeups::{Wakeup, Wakeups};
pub use write::write_in_tx;

/// What handlers are given: a transaction on a pooled connection.
pub type Tx = sqlx::PgTransaction<'static>;
