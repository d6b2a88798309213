//! Where control rooms send their messages: `POST /mait`, answered with an acknowledgement or a rejection. It decides
//! nothing: a message is the request that it stands for, and is answered as OpenCall would be.

use std::{
    collections::BTreeSet,
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use chassis::{Entropy, Principal};
use http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use ids::{CallId, ForceId, RequestId};
use tokio::sync::Semaphore;

use super::{
    document::Document,
    flaw::Flaw,
    listener::Peer,
    opening,
    read::read,
    refused::Refused,
    schema::{Field, Kind, LARGEST},
    updates::headed,
    write::write,
};
use crate::{
    app::{Ask, Intake},
    grpc,
};

/// How long a message may take, from its first byte to its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many are dealt with at once. A force sends a few a minute.
const AT_ONCE: usize = 32;
/// Whom an answer is for when the message couldn't be read that far.
const SOMEBODY: &str = "unknown";

/// What the handler works with.
#[derive(Debug)]
pub(super) struct Web {
    intake: Intake,
    entropy: Entropy,
    name: String,
    places: Semaphore,
    patience: Duration,
    /// The forces that messages can go back to.
    answered: BTreeSet<ForceId>,
    /// The others, once a call of theirs has come.
    unanswered: Mutex<BTreeSet<ForceId>>,
}

/// What is known of a message by the time that it is answered.
#[derive(Debug, Default)]
struct Known {
    from: Option<String>,
    id: Option<String>,
}

/// All routes.
pub(super) fn router(web: Arc<Web>) -> Router {
    Router::new().route("/mait", post(receive)).with_state(web)
}

async fn receive(State(web): State<Arc<Web>>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let mut known = Known { from: peer.0.force().map(ToString::to_string), id: None };
    let taken = match web.places.try_acquire() {
        Ok(_place) => match tokio::time::timeout(web.patience, web.take(&peer, request, &mut known)).await {
            Ok(taken) => taken,
            Err(_) => Err(Refused::TooSlow),
        },
        Err(_) => Err(Refused::Busy),
    };
    web.answer(known, taken)
}

impl Web {
    /// Over these use cases, under this name, for these forces.
    pub(super) fn new(intake: Intake, entropy: Entropy, name: String, answered: BTreeSet<ForceId>) -> Self {
        let (places, unanswered) = (Semaphore::new(AT_ONCE), Mutex::default());
        Self { intake, entropy, name, places, patience: PATIENCE, answered, unanswered }
    }

    async fn take(&self, peer: &Peer, request: Request, known: &mut Known) -> Result<CallId, Refused> {
        if matches!(peer.0, Principal::Service(_) | Principal::Officer { .. }) {
            return Err(Refused::NotAControlRoom);
        }
        if !is_xml(request.headers()) {
            return Err(Refused::NotXml);
        }
        let body = to_bytes(request.into_body(), LARGEST).await.map_err(|error| {
            let too_large = error.source().is_some_and(|source| source.is::<LengthLimitError>());
            if too_large { Flaw::TooLarge.into() } else { Refused::CutOff }
        })?;
        let message = read(&body)?;
        known.id = message.get(Field::MessageId).map(str::to_owned);
        let from = message.get(Field::From).unwrap_or_default();
        match &known.from {
            Some(force) if force == from => {}
            Some(_) => return Err(Refused::UnknownSender),
            // Nobody is asked who they are: only in dev.
            None => known.from = Some(from.to_owned()),
        }
        if message.get(Field::To) != Some(&self.name) {
            return Err(Refused::NotForUs);
        }
        if !opening::opens(&message) {
            return Err(Refused::NotAnIncident);
        }
        self.open(&message).await
    }

    async fn open(&self, message: &Document) -> Result<CallId, Refused> {
        let request = opening::request(message)?;
        let mut opening = grpc::opening(&request, self.intake.now())?;
        opening.by_mait = self.is_answered(&opening.force);
        let content = opening::content(message)?;
        let id = request.request_id.parse::<RequestId>().map_err(crate::error::Error::from)?;
        let opened = self.intake.open_call(Ask { id, request: &content }, opening).await?;
        Ok(opened.call_id.parse::<CallId>().map_err(crate::error::Error::from)?)
    }

    /// Can anything go back? A call that nothing can go back of isn't followed: else an address that is given later would be
    /// told of all those that are long over. Who may post is known only once they do.
    fn is_answered(&self, force: &ForceId) -> bool {
        let is_answered = self.answered.contains(force);
        if !is_answered && self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).insert(force.clone()) {
            tracing::warn!(%force, "calls come by MAIT and nothing goes back: [mait.forces] has no address of the force");
        }
        is_answered
    }

    fn answer(&self, known: Known, taken: Result<CallId, Refused>) -> Response {
        let now = self.intake.now();
        let id = self.entropy.id::<RequestId>(now).to_string();
        let parties = (self.name.as_str(), known.from.as_deref().unwrap_or(SOMEBODY));
        let about = |document: Document| known.id.iter().fold(document, |d, id| d.with(Field::InReplyTo, id));
        let (status, answer) = match taken {
            Ok(call) => {
                let answer = about(headed(Kind::Acknowledgement, &id, now, parties));
                (StatusCode::OK, answer.with(Field::CallReference, call.to_string()))
            }
            Err(refused) => {
                let field = if let Refused::Flawed(flaw) = &refused { flaw.element() } else { None };
                let (status, reason) = refused.over_http();
                tracing::info!(reason, field, force = parties.1, "a MAIT message was refused");
                let answer = about(headed(Kind::Rejection, &id, now, parties)).with(Field::Reason, reason);
                (status, field.iter().fold(answer, |d, field| d.with(Field::RefusedField, *field)))
            }
        };
        // Made of what was read, or is ours: it always fits.
        let body = write(&answer).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    }
}

/// XML by either of its names; which encoding it says is the message's own business.
fn is_xml(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/xml") || kind.eq_ignore_ascii_case("text/xml")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::{Body, Bytes};
    use chassis::Clock;
    use chrono::TimeDelta;
    use sqlx::PgPool;

    use super::*;
    use crate::{
        app::{Timing, Wakeups},
        config::Eligibility,
        rulebook::Rulebook,
        store::Store,
    };

    #[tokio::test]
    async fn a_message_that_does_not_come_in_time_is_refused() {
        let store = Store::new(PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap());
        let timing = Timing { again_after: TimeDelta::zero(), location_kept_for: TimeDelta::zero() };
        let rulebook = Rulebook::read(&Eligibility::default()).unwrap();
        let entropy = Entropy::seeded(1);
        let intake = Intake::new(store, Clock::system(), entropy.clone(), Wakeups::default(), timing, rulebook);
        let web = Web { patience: Duration::ZERO, ..Web::new(intake, entropy, "alcove".to_owned(), BTreeSet::new()) };
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut request = Request::new(body);
        request.headers_mut().insert(header::CONTENT_TYPE, "application/xml".parse().unwrap());
        let answer = receive(State(Arc::new(web)), ConnectInfo(Peer(Principal::Anybody)), request).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        let answer = read(&to_bytes(answer.into_body(), LARGEST).await.unwrap()).unwrap();
        assert_eq!((answer.kind, answer.get(Field::Reason)), (Kind::Rejection, Some("TOO_SLOW")));
    }
}
