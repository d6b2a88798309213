//! OpenExhibit, Seal, GetExhibit, ListExhibits.

use api::evidence::v1::{
    ExhibitState, ExhibitSummary, GetExhibitRequest, GetExhibitResponse, ListExhibitsRequest, ListExhibitsResponse,
    OpenExhibitRequest, OpenExhibitResponse, SealRequest, SealResponse, Track, get_exhibit_request::Key as ProtoKey,
};
use chassis::Trace;
use ids::{CallId, ForceId, IncidentRef, RequestId};
use outbox::{Scope, replay};

use super::{
    Grpc, items,
    parse::{page_size, page_token, parsed, read_page_token},
    retention,
};
use crate::{
    domain::State,
    error::Error,
    events::timestamp,
    journal::core::Purpose,
    store::{self, Key, Summary},
};

impl Grpc {
    pub(super) async fn open(&self, request: OpenExhibitRequest) -> Result<OpenExhibitResponse, Error> {
        let id: RequestId = parsed(&request.request_id)?;
        let (force, call) = (parsed::<ForceId>(&request.force_id)?, parsed::<CallId>(&request.call_id)?);
        let incident = IncidentRef::parse(&request.incident_date, &request.incident_number)?;
        let mut tx = self.0.begin("open_exhibit", Scope::Force(&force)).await?;
        let first = replay::first_answer(&mut tx, id, "OpenExhibit", &request).await?;
        let located = self.0.open(&mut tx, &force, call, &incident, &Trace::current()).await?;
        let answer = match first {
            Some(answer) => answer,
            None => {
                let answer = OpenExhibitResponse {
                    exhibit_id: located.exhibit.id.to_string(),
                    state: state(&located.exhibit.state).into(),
                };
                replay::remember(&mut tx, id, &answer).await?;
                answer
            }
        };
        store::commit(tx, "open_exhibit").await?;
        // So that segments are taken even if the database goes away now.
        self.0.make_known(&located, Purpose::Hold).await?;
        Ok(answer)
    }

    pub(super) async fn ask_for_seal(&self, request: SealRequest) -> Result<SealResponse, Error> {
        let id: RequestId = parsed(&request.request_id)?;
        let force = parsed::<ForceId>(&request.force_id)?;
        let key = match request.exhibit_id.as_str() {
            "" => Key::Call(parsed(&request.call_id)?),
            exhibit => Key::Exhibit(parsed(exhibit)?),
        };
        // What is kept only says which request it was: sealing is idempotent by itself, and its answer gets better.
        let mut tx = self.0.begin("seal_request", Scope::Force(&force)).await?;
        let first: Option<SealResponse> = replay::first_answer(&mut tx, id, "Seal", &request).await?;
        if first.is_none() {
            replay::remember(&mut tx, id, &SealResponse::default()).await?;
        }
        store::commit(tx, "seal_request").await?;
        let exhibit = self.0.seal(&force, key).await?;
        let seal_sha256 = exhibit.state.seal().map_or_else(String::new, |seal| seal.to_string());
        Ok(SealResponse { state: state(&exhibit.state).into(), seal_sha256 })
    }

    pub(super) async fn get(&self, request: GetExhibitRequest) -> Result<GetExhibitResponse, Error> {
        let force = parsed::<ForceId>(&request.force_id)?;
        let key = match request.key {
            Some(ProtoKey::ExhibitId(id)) => Key::Exhibit(parsed(&id)?),
            Some(ProtoKey::CallId(call)) => Key::Call(parsed(&call)?),
            None => Key::Exhibit(parsed("")?),
        };
        let whole = self.0.get(&force, key).await?;
        let exhibit = &whole.exhibit;
        let tracks = whole.tracks.into_iter();
        let tracks = tracks.map(|t| Track { track: t.track.into(), segments: t.segments, bytes: t.bytes });
        let disposed = whole.retention.disposal.is_some();
        Ok(GetExhibitResponse {
            exhibit_id: exhibit.id.to_string(),
            call_id: exhibit.call.to_string(),
            reference: exhibit.reference.to_string(),
            state: if disposed { ExhibitState::Disposed } else { state(&exhibit.state) }.into(),
            tracks: tracks.collect(),
            opened_at: Some(timestamp(exhibit.opened_at)),
            sealed_at: match &exhibit.state {
                State::Sealed(sealed) => Some(timestamp(sealed.at)),
                _ => None,
            },
            seal_sha256: exhibit.state.seal().map_or_else(String::new, |seal| seal.to_string()),
            retention: Some(retention::retention(&whole.retention)),
            items: whole.items.into_iter().map(items::told).collect(),
            parent_exhibit_id: exhibit.parent.map_or_else(String::new, |parent| parent.to_string()),
            addendum_exhibit_ids: whole.addenda.iter().map(ToString::to_string).collect(),
            waits_for: whole.waits_for,
            log_index: exhibit.state.log_index(),
        })
    }

    pub(super) async fn list(&self, request: ListExhibitsRequest) -> Result<ListExhibitsResponse, Error> {
        let force = parsed::<ForceId>(&request.force_id)?;
        let before = read_page_token(&request.page_token)?;
        let size = page_size(request.page_size);
        let mut exhibits = self.0.list(&force, before.map(|(at, id)| (at, id.into())), size + 1).await?;
        let more = exhibits.len() > size as usize;
        exhibits.truncate(size as usize);
        let last = exhibits.last().filter(|_| more);
        let next_page_token = last.map_or_else(String::new, |last| page_token(last.opened_at, last.id.uuid()));
        Ok(ListExhibitsResponse { exhibits: exhibits.into_iter().map(summary).collect(), next_page_token })
    }
}

fn summary(summary: Summary) -> ExhibitSummary {
    let state = if summary.disposed { ExhibitState::Disposed } else { named(&summary.state) };
    ExhibitSummary {
        exhibit_id: summary.id.to_string(),
        call_id: summary.call.to_string(),
        reference: summary.reference,
        state: state.into(),
        opened_at: Some(timestamp(summary.opened_at)),
        sealed_at: summary.sealed_at.map(timestamp),
        parent_exhibit_id: summary.parent.map_or_else(String::new, |parent| parent.to_string()),
    }
}

fn state(state: &State) -> ExhibitState {
    match state {
        State::Open => ExhibitState::Open,
        State::Fenced(_) => ExhibitState::Fenced,
        State::Manifested(_) => ExhibitState::Manifested,
        State::Signed(_) => ExhibitState::Signed,
        State::Timestamped(_) => ExhibitState::Timestamped,
        State::Logged(_) => ExhibitState::Logged,
        State::Sealed(_) => ExhibitState::Sealed,
    }
}

/// A list needs no more of a state than its name.
fn named(name: &str) -> ExhibitState {
    match name {
        "open" => ExhibitState::Open,
        "fenced" => ExhibitState::Fenced,
        "manifested" => ExhibitState::Manifested,
        "signed" => ExhibitState::Signed,
        "timestamped" => ExhibitState::Timestamped,
        "logged" => ExhibitState::Logged,
        "sealed" => ExhibitState::Sealed,
        _ => ExhibitState::Unspecified,
    }
}
