//! The HTTP face: `POST /add-checkpoint` as C2SP has it, and `GET /seen`, which is ours.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State},
    response::IntoResponse,
    routing::{get, post},
};
use bytes::Bytes;
use exhibit::tlog::BODY_AT_MOST;
use http::header;
use serde::Deserialize;

use crate::{Error, witness::Witness};

const PLAIN: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

#[derive(Deserialize)]
struct Seen {
    origin: String,
}

/// The routes.
pub fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/seen", get(seen))
        .layer(DefaultBodyLimit::max(BODY_AT_MOST))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Result<impl IntoResponse, Error> {
    Ok((PLAIN, witness.add_checkpoint(&body).await?))
}

async fn seen(
    State(witness): State<Arc<Witness>>,
    Query(Seen { origin }): Query<Seen>,
) -> Result<impl IntoResponse, Error> {
    Ok((PLAIN, witness.seen(&origin).await?))
}
