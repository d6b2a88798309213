//! Proto to domain. What gets past here is well-formed; what doesn't is named by its reason, never quoted.

use api::intake::v1 as proto;
use ids::{ComeNowWord, ForceId, IncidentRef};

use crate::{
    app::{Ask, On, Opening},
    domain::{
        Answers, Consent, ConsentKind, Device, Gender, Language, Line, Location, Needs, Occasion, Risk, Silent,
        Subject, Thrive, Vulnerability,
    },
    error::Error,
};

/// The most characters of how a consent was given.
const HOW: usize = 200;
/// The most characters of why a triage was taken again.
const REASON: usize = 500;
/// The most characters of who took it.
pub(super) const TAKEN_BY: usize = 64;

pub(super) fn ask<'r, R>(request_id: &str, request: &'r R) -> Result<Ask<'r, R>, Error> {
    Ok(Ask { id: request_id.parse()?, request })
}

pub(super) fn on(force: &str, call: &str) -> Result<On, Error> {
    Ok(On { force: self::force(force)?, call: call.parse()?, officer: None })
}

pub(super) fn opening(request: &proto::OpenCallRequest, location: Option<Location>) -> Result<Opening, Error> {
    let incident = request.incident.as_ref().ok_or_else(|| Error::invalid("INVALID_INCIDENT", "incident is needed"))?;
    Ok(Opening {
        force: force(&request.force_id)?,
        line: match request.line() {
            proto::Line::Line999 => Line::Emergency,
            proto::Line::Line101 => Line::NonEmergency,
            proto::Line::Unspecified => return Err(Error::invalid("INVALID_LINE", "line must be 999 or 101")),
        },
        incident: IncidentRef::parse(&incident.date, &incident.number)
            .map_err(|error| Error::invalid("INVALID_INCIDENT", error))?,
        number: match request.caller_number.as_str() {
            "" => None,
            number => Some(number.parse().map_err(|error: ids::Malformed| Error::invalid("INVALID_NUMBER", error))?),
        },
        location,
        by_mait: false,
    })
}

pub(super) fn answers(request: &proto::RecordTriageRequest) -> Result<Answers, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::invalid("INVALID_TRIAGE", why);
    let (device, come_now) = device(request.device_safety.as_ref())?;
    let thrive = request.thrive.clone().unwrap_or_default();
    let thrive = Thrive {
        threat: thrive.threat,
        harm: thrive.harm,
        risk: thrive.risk,
        investigation: thrive.investigation,
        vulnerability: thrive.vulnerability,
        engagement: thrive.engagement,
    };
    Ok(Answers {
        thrive: thrive.checked().map_err(|error| refused(&error))?,
        come_now,
        device,
        immediate_danger: request.immediate_danger,
        offender_present: request.offender_present,
        can_join: request.can_join,
        can_listen: request.can_listen,
        risk: match request.risk() {
            proto::RiskGrade::Standard => Risk::Standard,
            proto::RiskGrade::Medium => Risk::Medium,
            proto::RiskGrade::High => Risk::High,
            proto::RiskGrade::Unspecified => return Err(refused(&"risk must be graded")),
        },
        language: Language::parse(&request.language).map_err(|error| refused(&error))?,
        children_present: request.children_present,
        needs: needs(request),
    })
}

/// The phone and the room, and the word that was agreed.
pub(super) fn device(said: Option<&proto::DeviceSafety>) -> Result<(Device, Option<ComeNowWord>), Error> {
    // Not asked is not the same as answered no: without these the way in can't be chosen.
    let said = said.ok_or_else(|| Error::invalid("INVALID_TRIAGE", "device_safety is needed"))?;
    let word = match said.come_now_word.as_str() {
        "" => None,
        word => Some(word.parse().map_err(|error: ids::Malformed| Error::invalid("INVALID_TRIAGE", error))?),
    };
    Ok((Device { shared: said.shared, messages_read: said.messages_read, overheard: said.overheard }, word))
}

fn needs(request: &proto::RecordTriageRequest) -> Needs {
    Needs {
        vulnerability: match request.vulnerability() {
            proto::Vulnerability::Great => Vulnerability::Great,
            proto::Vulnerability::Some => Vulnerability::Some,
            proto::Vulnerability::None | proto::Vulnerability::Unspecified => Vulnerability::None,
        },
        officer_asked_for: match request.officer_asked_for() {
            proto::Gender::Woman => Some(Gender::Woman),
            proto::Gender::Man => Some(Gender::Man),
            proto::Gender::Unspecified => None,
        },
        child_may_speak: request.child_may_speak,
        silent: silent(request.silent_caller()),
    }
}

pub(super) fn silent(caller: proto::SilentCaller) -> Option<Silent> {
    match caller {
        proto::SilentCaller::Pressed55 => Some(Silent::Pressed55),
        proto::SilentCaller::TapsOnly => Some(Silent::TapsOnly),
        proto::SilentCaller::CannotSpeak => Some(Silent::CannotSpeak),
        proto::SilentCaller::Unspecified => None,
    }
}

pub(super) fn occasion(request: &proto::RecordTriageRequest) -> Result<Occasion, Error> {
    let said = |text: &str, most, rule: &str| match text {
        "" => Ok(None),
        text => {
            words(text, most).map(|text| Some(text.to_owned())).ok_or_else(|| Error::invalid("INVALID_TRIAGE", rule))
        }
    };
    Ok(Occasion {
        reason: said(&request.reason, REASON, "reason must have up to 500 characters")?,
        taken_by: said(&request.taken_by, TAKEN_BY, "taken_by must have up to 64 characters")?,
    })
}

pub(super) fn consents(request: &proto::RecordConsentRequest) -> Result<(Vec<Consent>, &str), Error> {
    let taken_by = taken_by(&request.taken_by)?;
    Ok((each(&request.consents)?, taken_by))
}

/// What was said of each thing that can be agreed to.
pub(super) fn each(said: &[proto::Consent]) -> Result<Vec<Consent>, Error> {
    if said.is_empty() {
        return Err(Error::invalid("NO_CONSENTS", "at least one consent is needed"));
    }
    let mut consents: Vec<Consent> = Vec::with_capacity(said.len());
    for given in said {
        let consent = consent((given.kind(), &given.subject), given.given, &given.how)?;
        if consents.iter().any(|other| other.kind == consent.kind && other.subject == consent.subject) {
            return Err(no_consent("each kind and subject may be given once in a request"));
        }
        consents.push(consent);
    }
    Ok(consents)
}

pub(super) fn withdrawal(request: &proto::WithdrawConsentRequest) -> Result<(Consent, &str), Error> {
    Ok((consent((request.kind(), &request.subject), false, &request.how)?, taken_by(&request.taken_by)?))
}

fn consent((kind, subject): (proto::ConsentKind, &str), given: bool, how: &str) -> Result<Consent, Error> {
    let kind = match kind {
        proto::ConsentKind::Video => ConsentKind::Video,
        proto::ConsentKind::Recording => ConsentKind::Recording,
        proto::ConsentKind::Stills => ConsentKind::Stills,
        proto::ConsentKind::Covered => ConsentKind::Covered,
        proto::ConsentKind::Location => ConsentKind::Location,
        proto::ConsentKind::Child => ConsentKind::Child,
        proto::ConsentKind::Referral => ConsentKind::Referral,
        proto::ConsentKind::Unspecified => return Err(no_consent("kind must be given")),
    };
    let how = words(how, HOW).ok_or_else(|| no_consent("how must have 1 to 200 characters"))?;
    let subject = match (kind.has_subject(), subject) {
        (false, "") => None,
        (false, _) => return Err(no_consent("only a child's and a referral's consent has a subject")),
        (true, subject) => Some(Subject::parse(subject).map_err(|error| no_consent(&error.to_string()))?),
    };
    Ok(Consent { kind, subject, given, how: how.to_owned() })
}

fn taken_by(text: &str) -> Result<&str, Error> {
    words(text, TAKEN_BY).ok_or_else(|| no_consent("taken_by must have 1 to 64 characters"))
}

fn no_consent(why: &str) -> Error {
    Error::invalid("INVALID_CONSENT", why)
}

pub(super) fn force(text: &str) -> Result<ForceId, Error> {
    text.parse().map_err(|error: ids::Malformed| Error::invalid("INVALID_FORCE", error))
}

/// Something said, not too long, and fit for a text column.
pub(super) fn words(text: &str, most: usize) -> Option<&str> {
    let length = text.chars().count();
    ((1..=most).contains(&length) && !text.trim().is_empty() && !text.contains('\0')).then_some(text)
}
