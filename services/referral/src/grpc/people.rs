//! SavePerson and RemovePerson; and people as they are told.

use api::referral::v1::{
    self as proto, RemovePersonRequest, RemovePersonResponse, SavePersonRequest, SavePersonResponse,
};
use chrono::NaiveDate;
use tonic::{Request, Status};

use super::{ask, author, on, reason, timestamp};
use crate::{
    app::App,
    domain::{Child, Details, InvalidPerson, Known, Part, PeopleRefusal, Person, SafeContact, Saving, Way},
    error::Error,
};

/// The most characters of why somebody is taken out.
const REASON: usize = 200;

pub(super) async fn save_person(app: &App, request: &Request<SavePersonRequest>) -> Result<SavePersonResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let saving = saving(&request.person.clone().unwrap_or_default())?;
    Ok(app.save_person(ask(&request.request_id, request)?, on, officer, saving).await?)
}

pub(super) async fn remove_person(
    app: &App,
    request: &Request<RemovePersonRequest>,
) -> Result<RemovePersonResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let on = on(&request.force_id, &request.call_id)?;
    let person = (request.person_id.parse().map_err(Error::Malformed)?, request.version);
    let reason = reason(&request.reason, REASON)?;
    Ok(app.remove_person(ask(&request.request_id, request)?, on, &officer, person, reason).await?)
}

/// A person as they are told.
pub(super) fn person(person: &Person) -> proto::Person {
    let details = person.details.clone();
    proto::Person {
        person_id: person.id.to_string(),
        role: role(details.part).into(),
        given_name: details.given_name,
        family_name: details.family_name,
        date_of_birth: details.date_of_birth.map(|date| date.to_string()).unwrap_or_default(),
        gender: details.gender,
        language: details.language,
        interpreter_needed: details.interpreter_needed,
        address: details.address,
        postcode: details.postcode,
        phone: details.phone,
        email: details.email,
        relationship: details.relationship,
        needs: details.needs,
        safe_contact: details.safe_contact.map(|contact| proto::SafeContact {
            ways: contact.ways.into_iter().map(|way| told_way(way).into()).collect(),
            when: contact.when,
            message_may_be_left: told_known(contact.message_may_be_left).into(),
            never: contact.never,
        }),
        child: details.child.map(|child| proto::ChildDetails {
            school: child.school,
            present: told_known(child.present).into(),
            r#where: child.place,
            saw_or_heard: told_known(child.saw_or_heard).into(),
            spoken_to: told_known(child.spoken_to).into(),
            spoken_to_alone: told_known(child.spoken_to_alone).into(),
            adult_beside: child.adult_beside,
            voice: child.voice,
            chapters: child.chapters,
        }),
        version: person.version,
        saved_by: person.saved_by.to_string(),
        saved_at: Some(timestamp(person.saved_at)),
    }
}

fn saving(person: &proto::Person) -> Result<Saving, Error> {
    let id = match person.person_id.as_str() {
        "" => None,
        id => Some(id.parse()?),
    };
    let text = |text: &str| text.trim().to_owned();
    let details = Details {
        part: part(person.role())?,
        given_name: text(&person.given_name),
        family_name: text(&person.family_name),
        date_of_birth: date(&person.date_of_birth)?,
        gender: text(&person.gender),
        language: text(&person.language),
        interpreter_needed: person.interpreter_needed,
        address: text(&person.address),
        postcode: text(&person.postcode).to_ascii_uppercase(),
        phone: text(&person.phone),
        email: text(&person.email),
        relationship: text(&person.relationship),
        needs: text(&person.needs),
        safe_contact: person.safe_contact.as_ref().map(contact).transpose()?,
        child: person.child.as_ref().map(child),
    };
    Ok(Saving { id, version: person.version, details })
}

fn contact(contact: &proto::SafeContact) -> Result<SafeContact, Error> {
    Ok(SafeContact {
        ways: contact.ways().map(way).collect::<Result<_, _>>()?,
        when: contact.when.trim().to_owned(),
        message_may_be_left: known(contact.message_may_be_left()),
        never: contact.never.trim().to_owned(),
    })
}

fn child(child: &proto::ChildDetails) -> Child {
    Child {
        school: child.school.trim().to_owned(),
        present: known(child.present()),
        place: child.r#where.trim().to_owned(),
        saw_or_heard: known(child.saw_or_heard()),
        spoken_to: known(child.spoken_to()),
        spoken_to_alone: known(child.spoken_to_alone()),
        adult_beside: child.adult_beside.trim().to_owned(),
        voice: child.voice.trim().to_owned(),
        chapters: child.chapters.clone(),
    }
}

fn invalid(field: &'static str, rule: &'static str) -> Error {
    PeopleRefusal::Invalid(InvalidPerson { field, rule }).into()
}

fn date(text: &str) -> Result<Option<NaiveDate>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text);
    date.map(Some).ok_or_else(|| invalid("date_of_birth", "no such date: one as 2026-11-24"))
}

fn part(role: proto::PersonRole) -> Result<Part, Error> {
    match role {
        proto::PersonRole::Victim => Ok(Part::Victim),
        proto::PersonRole::Suspect => Ok(Part::Suspect),
        proto::PersonRole::Child => Ok(Part::Child),
        proto::PersonRole::Other => Ok(Part::Other),
        proto::PersonRole::Unspecified => Err(invalid("role", "what they are in it has to be said")),
    }
}

fn role(part: Part) -> proto::PersonRole {
    match part {
        Part::Victim => proto::PersonRole::Victim,
        Part::Suspect => proto::PersonRole::Suspect,
        Part::Child => proto::PersonRole::Child,
        Part::Other => proto::PersonRole::Other,
    }
}

fn known(known: proto::Known) -> Known {
    match known {
        proto::Known::Unspecified => Known::NotAsked,
        proto::Known::Yes => Known::Yes,
        proto::Known::No => Known::No,
        proto::Known::Unknown => Known::Unknown,
    }
}

fn told_known(known: Known) -> proto::Known {
    match known {
        Known::NotAsked => proto::Known::Unspecified,
        Known::Yes => proto::Known::Yes,
        Known::No => proto::Known::No,
        Known::Unknown => proto::Known::Unknown,
    }
}

fn way(way: proto::ContactWay) -> Result<Way, Error> {
    match way {
        proto::ContactWay::Phone => Ok(Way::Phone),
        proto::ContactWay::Sms => Ok(Way::Sms),
        proto::ContactWay::Email => Ok(Way::Email),
        proto::ContactWay::Post => Ok(Way::Post),
        proto::ContactWay::SomebodyElse => Ok(Way::SomebodyElse),
        proto::ContactWay::Unspecified => Err(invalid("safe_contact.ways", "no such way")),
    }
}

fn told_way(way: Way) -> proto::ContactWay {
    match way {
        Way::Phone => proto::ContactWay::Phone,
        Way::Sms => proto::ContactWay::Sms,
        Way::Email => proto::ContactWay::Email,
        Way::Post => proto::ContactWay::Post,
        Way::SomebodyElse => proto::ContactWay::SomebodyElse,
    }
}
