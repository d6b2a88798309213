//! StartFollowUp, between the contract and the domain.

use api::intake::v1 as proto;

use super::{answered, parse, route};
use crate::{
    app::Asked,
    domain::{Assessment, Call, Language, Verdict},
    error::Error,
};

/// What the officer has asked the caller anew.
pub(super) fn asked(request: &proto::StartFollowUpRequest) -> Result<Asked, Error> {
    let (device, come_now) = parse::device(request.device_safety.as_ref())?;
    Ok(Asked {
        officer: request
            .officer_id
            .parse()
            .map_err(|error: ids::Malformed| Error::invalid("INVALID_OFFICER", error))?,
        device,
        come_now,
        immediate_danger: request.immediate_danger,
        offender_present: request.offender_present,
        can_join: request.can_join,
        can_listen: request.can_listen,
        silent: parse::silent(request.silent_caller()),
        language: match request.language.as_str() {
            "" => None,
            tag => Some(Language::parse(tag).map_err(|error| Error::invalid("INVALID_TRIAGE", error))?),
        },
        number: match request.number.as_str() {
            "" => None,
            number => Some(number.parse().map_err(|error: ids::Malformed| Error::invalid("INVALID_NUMBER", error))?),
        },
        consents: parse::each(&request.consents)?,
    })
}

/// To StartFollowUp.
#[must_use]
pub fn started(call: &Call, assessment: &Assessment) -> proto::StartFollowUpResponse {
    let way = match assessment.verdict {
        Verdict::Eligible(way) => route(way),
        Verdict::Ineligible(_) => proto::JoinRoute::Unspecified,
    };
    proto::StartFollowUpResponse { call_id: call.id.to_string(), state: answered(call), route: way.into() }
}
