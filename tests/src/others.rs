//! Calls that go on beside the one that is looked at, each of an officer without a screen and a caller without a page, who stay in
//! it whatever happens.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures::future::try_join;
use testkit::phone::{Phone, Sent, Steady, join};

use crate::desk::{AcceptedCall, Desk, phone};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PATIENCE: Duration = Duration::from_secs(30);

/// One of them.
pub struct Other {
    call: AcceptedCall,
    officer: Steady,
    caller: Steady,
}

impl Other {
    /// Sets one up, under this incident's number; both see each other.
    ///
    /// # Errors
    /// What the services answer, or when a picture doesn't come.
    pub async fn begin(desk: &Desk, incident: u32) -> Outcome<Self> {
        let call = desk.accepted_call(&incident.to_string(), &format!("pc.{incident}")).await?;
        let officer = phone(call.officer.join(&call.call.call_id).await?).stay();
        let code = call.officer.invite(&call.call.call_id).await?.code;
        let caller = Phone::new(join(&desk.stack.caller_page(), &code).await?).stay();
        let other = Self { call, officer, caller };
        other.sees_each_other(1).await?;
        Ok(other)
    }

    /// Waits until both have seen ten pictures of the other's `time`th stream, counted from 1.
    ///
    /// # Errors
    /// When they don't come.
    pub async fn sees_each_other(&self, time: u32) -> Outcome<()> {
        // What phones hear says nothing of an officer and a caller.
        let (officers, callers) = (format!("host-{time}"), format!("guest-{time}"));
        try_join(self.officer.sees(&callers, 10, PATIENCE), self.caller.sees(&officers, 10, PATIENCE)).await?;
        Ok(())
    }

    /// What the caller's phone has sent since it last began to publish.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.caller.sent()
    }

    /// Has the officer end it: the package in this folder, verified.
    ///
    /// # Errors
    /// When it isn't sealed, or doesn't verify.
    pub async fn ended(mut self, desk: &Desk, folder: &Path) -> Outcome<PathBuf> {
        let id = self.call.call.call_id.clone();
        self.call.officer.end(&id).await?;
        self.call.sealed().await?;
        desk.verified_package(&id, &folder.join(&id)).await
    }
}
