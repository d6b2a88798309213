//! gRPC between the services: one server set-up, one client set-up, one guard and one span per RPC.

mod body;
mod client;
mod first;
mod guard;
mod incoming;
mod layer;
mod lent;
mod resend;
mod server;

pub use body::TracedBody;
pub(crate) use body::log_panic;
pub use client::{Channel, InjectTrace, connect_lazy};
pub use layer::{TraceLayer, Tracing};
pub use lent::{Asked, Lent};
pub use resend::Resending;
pub use server::{Bound, Server};
