//! Ways in, between the contract and the domain.

use api::session::v1 as proto;
use ids::{Malformed, PhoneNumber};

use crate::{
    domain::{Asked, Text, TextState, Way},
    error::Error,
    events::timestamp,
};

/// By which way, and to which number if one is given.
pub(super) fn way(request: &proto::IssueInvitationRequest) -> Result<(Way, Option<PhoneNumber>), Error> {
    let way = match proto::Way::try_from(request.way) {
        Ok(proto::Way::Unspecified | proto::Way::SpokenCode) => Way::SpokenCode,
        Ok(proto::Way::Sms) => Way::Sms,
        Err(_) => return Err(Malformed { kind: "way", rule: "spoken code or SMS" }.into()),
    };
    match (way, request.to_number.as_str()) {
        (_, "") => Ok((way, None)),
        (Way::Sms, number) => Ok((way, Some(number.parse()?))),
        (Way::SpokenCode, _) => Err(Malformed { kind: "phone number", rule: "only a text message goes to one" }.into()),
    }
}

/// How the caller was last asked in.
pub(super) fn asked(asked: Asked) -> proto::Invitation {
    let way = match asked.way {
        Way::SpokenCode => proto::Way::SpokenCode,
        Way::Sms => proto::Way::Sms,
    };
    let Some(Text { state, tries, at, .. }) = asked.text else {
        return proto::Invitation { way: way.into(), at: Some(timestamp(asked.at)), ..Default::default() };
    };
    let (state, failure) = match state {
        TextState::Queued => (proto::TextState::Sending, ""),
        TextState::Sent => (proto::TextState::Sent, ""),
        TextState::Delivered => (proto::TextState::Delivered, ""),
        TextState::Failed(failure) => (proto::TextState::Failed, failure.as_str()),
    };
    proto::Invitation {
        way: way.into(),
        state: state.into(),
        tries,
        at: Some(timestamp(at)),
        failure: failure.to_owned(),
    }
}
