//! Kinds of referral, and each one from its draft to its outcome.

use api::referral::v1::{
    self as proto, AcknowledgeReferralRequest, AcknowledgeReferralResponse, ListReferralKindsRequest,
    ListReferralKindsResponse, MakeReferralRequest, MakeReferralResponse, RecordOutcomeRequest, RecordOutcomeResponse,
    SendReferralRequest, SendReferralResponse, WithdrawReferralRequest, WithdrawReferralResponse,
};
use tonic::{Request, Status};

use super::{ask, author, on, reason, timestamp};
use crate::{
    app::{App, Making, ReferralView},
    domain::{
        About, Field, Kind, Recipient, Stage, Words, clock,
        delivery::{Progress, Standing},
        draft::{Onwards, Towards},
    },
    error::Error,
};

/// The most characters of a note to a partner.
const NOTE: usize = 2000;
/// The most characters of who was told, and who has it.
const WHO: usize = 100;
/// The most characters of why one is taken back.
const REASON: usize = 200;
/// The most characters of what came of it.
const OUTCOME: usize = 500;

pub(super) async fn list_referral_kinds(
    app: &App,
    request: &Request<ListReferralKindsRequest>,
) -> Result<ListReferralKindsResponse, Status> {
    let force = request.get_ref().force_id.parse().map_err(Error::Force)?;
    Ok(ListReferralKindsResponse { kinds: app.kinds(&force).iter().map(|one| kind(one, app.clock_of(one))).collect() })
}

pub(super) async fn make_referral(
    app: &App,
    request: &Request<MakeReferralRequest>,
) -> Result<MakeReferralResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let making = Making {
        kind: request.kind.clone(),
        person: match request.person_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(Error::Malformed)?),
        },
        partner: Some(request.partner_id.clone()).filter(|partner| !partner.is_empty()),
        note: words(&request.note, 0, NOTE, ("INVALID_NOTE", "note has up to 2,000 characters"))?,
        seen: request.note_version,
    };
    Ok(app.make_referral(ask(&request.request_id, request)?, on, officer, making).await?)
}

pub(super) async fn send_referral(
    app: &App,
    request: &Request<SendReferralRequest>,
) -> Result<SendReferralResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let id = request.referral_id.parse().map_err(Error::Malformed)?;
    let by_hand = match request.by_hand.as_str() {
        "" => None,
        whom => Some(words(whom, 1, WHO, ("INVALID_BY_HAND", "by_hand has up to 100 characters"))?),
    };
    Ok(app.send_referral(ask(&request.request_id, request)?, on, officer, id, (request.version, by_hand)).await?)
}

pub(super) async fn withdraw_referral(
    app: &App,
    request: &Request<WithdrawReferralRequest>,
) -> Result<WithdrawReferralResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let id = request.referral_id.parse().map_err(Error::Malformed)?;
    let why = Words(reason(&request.reason, REASON)?.to_owned());
    Ok(app.withdraw_referral(ask(&request.request_id, request)?, on, officer, id, why).await?)
}

pub(super) async fn acknowledge_referral(
    app: &App,
    request: &Request<AcknowledgeReferralRequest>,
) -> Result<AcknowledgeReferralResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let id = request.referral_id.parse().map_err(Error::Malformed)?;
    let by = acknowledged_by(&request.acknowledged_by)?;
    Ok(app.acknowledge_referral(ask(&request.request_id, request)?, on, &officer, id, by).await?)
}

pub(super) async fn record_outcome(
    app: &App,
    request: &Request<RecordOutcomeRequest>,
) -> Result<RecordOutcomeResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let id = request.referral_id.parse().map_err(Error::Malformed)?;
    let what = outcome(&request.outcome)?;
    Ok(app.record_outcome(ask(&request.request_id, request)?, on, &officer, id, what).await?)
}

/// Who has it.
pub(crate) fn acknowledged_by(text: &str) -> Result<Words, Error> {
    words(text, 1, WHO, ("INVALID_ACKNOWLEDGEMENT", "acknowledged_by has 1 to 100 characters"))
}

/// What came of it.
pub(crate) fn outcome(text: &str) -> Result<Words, Error> {
    words(text, 1, OUTCOME, ("INVALID_OUTCOME", "outcome has 1 to 500 characters"))
}

fn words(
    text: &str,
    least: usize,
    most: usize,
    (reason, message): (&'static str, &'static str),
) -> Result<Words, Error> {
    let text = text.trim();
    let fits = (least..=most).contains(&text.chars().count()) && !text.contains('\0');
    if fits { Ok(Words(text.to_owned())) } else { Err(Error::Invalid { reason, message }) }
}

fn kind(kind: &Kind, clock: Option<&clock::Kind>) -> proto::ReferralKind {
    proto::ReferralKind {
        key: kind.key.clone(),
        title: kind.title.clone(),
        about_child: kind.about == About::Child,
        consent_required: kind.consent,
        lawful_basis: kind.lawful_basis.clone(),
        clock_title: clock.map(|clock| clock.title.clone()).unwrap_or_default(),
        clock_source: clock.map(|clock| clock.source.clone()).unwrap_or_default(),
    }
}

/// A referral as it is told.
pub(crate) fn referral(view: &ReferralView) -> proto::Referral {
    let ReferralView { referral, title, draft, towards, delivery } = view;
    let mut told = proto::Referral {
        referral_id: referral.id.to_string(),
        kind: referral.kind.clone(),
        title: title.clone(),
        person_id: referral.person.map(|id| id.to_string()).unwrap_or_default(),
        note: referral.note.0.clone(),
        note_version: referral.note_version(),
        made_at: Some(timestamp(referral.made_at)),
        made_because: referral.made_because.clone(),
        ..Default::default()
    };
    if let Some(draft) = draft {
        told.fields = draft.fields.iter().map(field).collect();
        told.missing.clone_from(&draft.missing);
        told.blocked_by = draft.blocked.iter().map(|blocked| blocked.as_str().to_owned()).collect();
        told.version = draft.version;
        told.partner = towards.as_ref().map(towards_told);
    }
    if let Some(sent) = referral.sent() {
        told.fields = sent.fields.iter().map(field).collect();
        told.version = sent.version;
        told.partner = sent.partner.as_ref().map(partner);
        told.sent_at = Some(timestamp(sent.at));
        told.sent_by = sent.by.to_string();
        told.by_hand = sent.by_hand.clone().unwrap_or_default().0;
        told.consent_withdrawn = sent.consent_withdrawn;
    }
    told.delivery = delivery.as_ref().map(on_its_way);
    stage(&mut told, &referral.stage);
    told
}

fn on_its_way(progress: &Progress) -> proto::Delivery {
    let (state, next) = match progress.standing {
        Standing::Waiting(at) => (proto::DeliveryState::Waiting, Some(at)),
        Standing::Delivered(_) => (proto::DeliveryState::Delivered, None),
        Standing::Failed(_) | Standing::Stopped(_) => (proto::DeliveryState::Failed, None),
    };
    proto::Delivery {
        state: state.into(),
        attempts: progress.attempts,
        last_attempt_at: progress.last_attempt_at.map(timestamp),
        next_attempt_at: next.map(timestamp),
        problem: progress.problem.map(|problem| problem.words().to_owned()).unwrap_or_default(),
    }
}

fn stage(told: &mut proto::Referral, stage: &Stage) {
    let (state, acknowledged) = match stage {
        Stage::Draft => (proto::ReferralState::Draft, None),
        Stage::Sent(_) => (proto::ReferralState::Sent, None),
        Stage::Acknowledged(_, acknowledged) => (proto::ReferralState::Acknowledged, Some(acknowledged)),
        Stage::Outcome(_, acknowledged, outcome) => {
            told.outcome_at = Some(timestamp(outcome.at));
            told.outcome = outcome.in_words();
            (proto::ReferralState::Outcome, acknowledged.as_ref())
        }
        Stage::Withdrawn(_, acknowledged, withdrawn) => {
            told.withdrawn_why.clone_from(&withdrawn.why.0);
            (proto::ReferralState::Withdrawn, acknowledged.as_ref())
        }
    };
    told.set_state(state);
    if let Some(acknowledged) = acknowledged {
        told.acknowledged_at = Some(timestamp(acknowledged.at));
        told.acknowledged_by.clone_from(&acknowledged.by.0);
    }
}

fn field(field: &Field) -> proto::Field {
    let Field { key, label, value, required } = field.clone();
    proto::Field { key, label, value, required }
}

fn partner(recipient: &Recipient) -> proto::Partner {
    let Recipient { id, name, phone } = recipient.clone();
    proto::Partner { partner_id: id, name, phone, ..Default::default() }
}

fn towards_told(towards: &Towards) -> proto::Partner {
    let route = match towards.way {
        Onwards::ByHand => proto::Route::None,
        Onwards::Email => proto::Route::Email,
        Onwards::Webhook => proto::Route::Webhook,
    };
    proto::Partner { in_area: towards.in_area, route: route.into(), ..partner(&towards.partner) }
}
