//! The number that a caller rang from, which intake keeps. Nothing of it is kept here before an officer saves it with a person.

use std::time::Duration;

use api::intake::v1::{GetReachRequest, intake_service_client::IntakeServiceClient};
use chassis::grpc::Channel;
use tonic::{Code, Status};

use crate::app::On;

/// An officer waits for it with a form before them: it may also be typed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why the number isn't to be had.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// intake is away, or refuses.
    #[error("intake doesn't say it")]
    Refused(#[source] Status),
    /// Nothing came back in time.
    #[error("intake takes too long")]
    TooLate,
}

/// The way to intake.
#[derive(Debug, Clone)]
pub struct Callers(IntakeServiceClient<Channel>);

impl Callers {
    /// Over this channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self(IntakeServiceClient::new(channel))
    }

    /// E.164; empty if it was withheld, or intake doesn't know the call.
    ///
    /// # Errors
    /// intake is away, refuses, or takes too long.
    pub async fn number_of(&self, on: &On) -> Result<String, Unheard> {
        let request = GetReachRequest { force_id: on.force.to_string(), call_id: on.call.to_string() };
        let answer = tokio::time::timeout(PATIENCE, self.0.clone().get_reach(request)).await;
        match answer.map_err(|_| Unheard::TooLate)? {
            Ok(reach) => Ok(reach.into_inner().caller_number),
            Err(status) if status.code() == Code::NotFound => Ok(String::new()),
            Err(status) => Err(Unheard::Refused(status)),
        }
    }
}
