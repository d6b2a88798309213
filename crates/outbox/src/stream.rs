//! One stream a service: `ALCOVE_INTAKE` holds `alcove.intake.v1.>`.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    stream::{Config, StorageType},
};

use crate::Error;

/// Within this the stream itself drops a second publish of the same event; beyond it the consumers' inboxes do.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);

/// How long events stay. A consumer may be away that long without missing any.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Creates the service's stream if it isn't there. Any process may ask, in any order, as often as it likes.
///
/// # Errors
/// When NATS is away or refuses.
pub async fn ensure_stream(jetstream: &Context, service: &str) -> Result<(), Error> {
    let failed = Error::nats("create the stream");
    jetstream.get_or_create_stream(config(service, 1)).await.map(drop).map_err(|error| failed(error.into()))
}

/// As [`ensure_stream`], and makes an existing stream what it should be. For the publisher, who owns it.
pub(crate) async fn own_stream(jetstream: &Context, service: &str, replicas: usize) -> Result<(), Error> {
    let failed = Error::nats("create the stream");
    jetstream.create_or_update_stream(config(service, replicas)).await.map(drop).map_err(|error| failed(error.into()))
}

pub(crate) fn stream_name(service: &str) -> String {
    format!("ALCOVE_{}", service.to_uppercase().replace('-', "_"))
}

fn config(service: &str, num_replicas: usize) -> Config {
    Config {
        name: stream_name(service),
        subjects: vec![format!("alcove.{service}.v1.>")],
        storage: StorageType::File,
        duplicate_window: DUPLICATE_WINDOW,
        max_age: MAX_AGE,
        num_replicas,
        ..Config::default()
    }
}
