//! Whom of another force's officers the guard lets near a desk (docs/mutual-aid.md).

use chassis::{
    Clock,
    grpc::{Asked, Lent},
};
use outbox::Scope;
use sqlx::PgPool;
use tonic::Status;

use crate::{error::Error, store};

/// What the desks know of lent officers.
#[derive(Debug, Clone)]
pub struct Desks {
    pool: PgPool,
    clock: Clock,
}

impl Desks {
    /// Over the database of the desks.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    async fn knows(&self, Asked { force, officer, call }: &Asked) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        if let Some(call) = call {
            return store::was_offered(&mut tx, (force, officer), *call).await;
        }
        Ok(store::is_lent(&mut tx, (force, officer), now).await?
            || store::call_of(&mut tx, force, officer).await?.is_some())
    }
}

#[tonic::async_trait]
impl Lent for Desks {
    async fn is_theirs(&self, asked: &Asked) -> Result<bool, Status> {
        Ok(self.knows(asked).await?)
    }
}
