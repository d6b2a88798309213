//! Where a message to a caller may go: asked of intake before each one, for only the control room knows their number and what they said
//! of their phone, and it may have asked them again. Nothing of the answer is kept.

use std::time::Duration;

use api::intake::v1::{GetReachRequest, GetReachResponse, intake_service_client::IntakeServiceClient};
use chassis::grpc::Channel;
use ids::{CallId, ForceId, PhoneNumber};

use crate::error::Error;

/// How long intake may take. The officer waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What asks intake.
#[derive(Debug, Clone)]
pub struct Reach(IntakeServiceClient<Channel>);

impl Reach {
    /// Through this channel.
    #[must_use]
    pub fn new(intake: Channel) -> Self {
        Self(IntakeServiceClient::new(intake))
    }

    /// The number that a message to the caller may be sent to now. `given`: the one to take if they rang withheld.
    ///
    /// # Errors
    /// Somebody else reads their messages; there is no number, or one more than there should be; intake is away.
    pub async fn number(
        &self,
        force: &ForceId,
        call: CallId,
        given: Option<&PhoneNumber>,
    ) -> Result<PhoneNumber, Error> {
        let request = GetReachRequest { force_id: force.to_string(), call_id: call.to_string() };
        let mut intake = self.0.clone();
        match tokio::time::timeout(PATIENCE, intake.get_reach(request)).await {
            Ok(Ok(answer)) => chosen(&answer.into_inner(), given),
            Ok(Err(status)) if status.code() == tonic::Code::NotFound => Err(Error::UnknownSession),
            Ok(Err(status)) => {
                tracing::warn!(code = ?status.code(), "intake doesn't say how a caller may be reached");
                Err(Error::IntakeAway)
            }
            Err(_) => Err(Error::IntakeAway),
        }
    }
}

fn chosen(reach: &GetReachResponse, given: Option<&PhoneNumber>) -> Result<PhoneNumber, Error> {
    if !reach.sms_allowed {
        return Err(Error::MessagesRead);
    }
    match (reach.caller_number.as_str(), given) {
        ("", Some(given)) => Ok(given.clone()),
        ("", None) => Err(Error::NoNumber),
        (known, None) => Ok(known.parse()?),
        (_, Some(_)) => Err(Error::NumberKnown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_only_where_nobody_else_reads() {
        let given: Option<PhoneNumber> = "+447700900999".parse().ok();
        let choose = |sms_allowed, number: &str, given: &Option<PhoneNumber>| {
            let reach = GetReachResponse { sms_allowed, caller_number: number.to_owned() };
            chosen(&reach, given.as_ref()).map(|number| number.expose().to_owned()).map_err(|error| error.to_string())
        };
        assert_eq!(choose(true, "+447700900123", &None).as_deref(), Ok("+447700900123"));
        assert_eq!(choose(true, "", &given).as_deref(), Ok("+447700900999"));
        assert_eq!(choose(true, "", &None), Err(Error::NoNumber.to_string()));
        assert_eq!(choose(true, "+447700900123", &given), Err(Error::NumberKnown.to_string()));
        for (number, given) in [("+447700900123", None), ("", given.clone())] {
            assert_eq!(choose(false, number, &given), Err(Error::MessagesRead.to_string()));
        }
    }
}
