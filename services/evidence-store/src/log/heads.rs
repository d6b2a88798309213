//! Live checkpoints: while a call goes on, its chains' heads go into the log, so that not even we can write its beginning anew.

use std::time::Duration;

use tokio::time::Instant;

use super::Log;
use crate::{
    error::Error,
    store::{self, Lead},
};

/// When the heads are due next. By the machine's uptime: nobody's clock can put them off.
pub struct Heads {
    every: Duration,
    due: Instant,
}

impl Heads {
    /// Due for the first time after one interval.
    pub fn every(every: Duration) -> Self {
        Self { every, due: Instant::now() + every }
    }

    /// When they are due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Queues an entry for each open exhibit whose chains have grown, if it is time.
    pub async fn queue(&mut self, log: &Log, lead: &mut Lead) -> Result<(), Error> {
        if Instant::now() < self.due {
            return Ok(());
        }
        let mut tx = lead.begin("heads").await?;
        store::queue_heads(&mut tx).await?;
        store::commit(tx, "heads").await?;
        log.wake.notify_one();
        self.due = Instant::now() + self.every;
        Ok(())
    }
}
