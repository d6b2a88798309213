//! A force's control-room system, over gRPC: what a contact handler's screen does with a 999 call.

use api::intake::v1::{
    AcknowledgeFastTrackRequest, CallUpdate, Consent, ConsentKind, DeviceSafety, Eligibility, Incident, Line,
    OpenCallRequest, RecordConsentRequest, RecordTriageRequest, RequestTransferRequest, RiskGrade, Thrive,
    WatchCallRequest, WatchCallResponse, WatchForceRequest, WatchForceResponse, call_update::Kind,
    intake_service_client::IntakeServiceClient,
};
use chassis::{Clock, Entropy, grpc::Channel};
use ids::RequestId;
use tonic::{Status, Streaming};

use crate::patience::in_time;

/// What every caller writes when help is to come now.
pub const COME_NOW: &str = "blue teapot";

/// The control room of one force.
#[derive(Debug, Clone)]
pub struct ControlRoom {
    client: IntakeServiceClient<Channel>,
    force: String,
    messages_read: bool,
    clock: Clock,
    entropy: Entropy,
    again: Option<String>,
}

/// A call that this control room opened.
#[derive(Debug, Clone)]
pub struct OpenedCall {
    /// Alcove's id of it.
    pub call_id: String,
    /// The incident it was opened for.
    pub incident: Incident,
}

impl ControlRoom {
    /// Of a force, through a channel to intake.
    #[must_use]
    pub fn new(intake: Channel, force: &str) -> Self {
        Self {
            client: IntakeServiceClient::new(intake),
            force: force.to_owned(),
            messages_read: true,
            clock: Clock::system(),
            entropy: Entropy::os(),
            again: None,
        }
    }

    /// The same, asking for one thing, and again until there is an answer: every request has the same id.
    #[must_use]
    pub fn insisting(&self) -> Self {
        Self { again: Some(self.request_id()), ..self.clone() }
    }

    /// Its callers may be sent text messages: nobody else reads them.
    #[must_use]
    pub fn with_private_messages(self) -> Self {
        Self { messages_read: false, ..self }
    }

    /// A fresh request id: for a request that is not a repeat.
    #[must_use]
    pub fn request_id(&self) -> String {
        if let Some(again) = &self.again {
            return again.clone();
        }
        self.entropy.id::<RequestId>(self.clock.now()).to_string()
    }

    /// Its client, to say what none of the parts below says.
    #[must_use]
    pub fn client(&self) -> IntakeServiceClient<Channel> {
        self.client.clone()
    }

    /// A 999 call about an incident of today, from a withheld number.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn open(&self, number: &str) -> Result<OpenedCall, Status> {
        let incident = Incident { date: self.clock.now().format("%Y-%m-%d").to_string(), number: number.to_owned() };
        let request = OpenCallRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            line: Line::Line999.into(),
            incident: Some(incident.clone()),
            caller_number: String::new(),
            location: None,
        };
        let opened = self.client().open_call(request).await?.into_inner();
        Ok(OpenedCall { call_id: opened.call_id, incident })
    }

    /// A caller who can talk and has a phone of her own: eligible, by spoken code. Her word for "come now" is [`COME_NOW`].
    ///
    /// # Errors
    /// What intake answers.
    pub async fn triage(&self, call_id: &str) -> Result<Eligibility, Status> {
        let request = RecordTriageRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            call_id: call_id.to_owned(),
            thrive: Some(Thrive {
                threat: "ex-partner, left an hour ago".into(),
                harm: "bruising to the arm".into(),
                risk: "has a key".into(),
                investigation: "no other witness".into(),
                vulnerability: "two children in the house".into(),
                engagement: "wants to talk to an officer".into(),
            }),
            device_safety: Some(DeviceSafety {
                shared: false,
                messages_read: self.messages_read,
                overheard: false,
                come_now_word: COME_NOW.to_owned(),
            }),
            immediate_danger: false,
            offender_present: false,
            can_join: true,
            risk: RiskGrade::High.into(),
            language: "en".into(),
            children_present: true,
            ..Default::default()
        };
        let answer = self.client().record_triage(request).await?.into_inner();
        answer.eligibility.ok_or_else(|| Status::internal("a triage without an eligibility"))
    }

    /// Consent to video, recording and stills, as spoken on the line.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn consent(&self, call_id: &str) -> Result<(), Status> {
        let given = |kind: ConsentKind| Consent {
            kind: kind.into(),
            given: true,
            how: "spoken on the 999 line".into(),
            ..Default::default()
        };
        let request = RecordConsentRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            call_id: call_id.to_owned(),
            consents: [ConsentKind::Video, ConsentKind::Recording, ConsentKind::Stills].map(given).to_vec(),
            taken_by: "CH-0417".into(),
        };
        self.client().record_consent(request).await.map(drop)
    }

    /// A consent that the caller takes back, on the line.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn withdraw(&self, call_id: &str, kind: ConsentKind) -> Result<(), Status> {
        let withdrawn =
            Consent { kind: kind.into(), given: false, how: "spoken on the 999 line".into(), ..Default::default() };
        let request = RecordConsentRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            call_id: call_id.to_owned(),
            consents: vec![withdrawn],
            taken_by: "CH-0417".into(),
        };
        self.client().record_consent(request).await.map(drop)
    }

    /// Takes a fast-track on.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn send_unit(&self, call_id: &str, fast_track_id: &str) -> Result<(), Status> {
        let request = AcknowledgeFastTrackRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            call_id: call_id.to_owned(),
            fast_track_id: fast_track_id.to_owned(),
            taken_by: "CH-0417".into(),
            unit: "Alpha 12".into(),
        };
        self.client().acknowledge_fast_track(request).await.map(drop)
    }

    /// Asks for the desk.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn transfer(&self, call_id: &str) -> Result<(), Status> {
        let request = RequestTransferRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            call_id: call_id.to_owned(),
        };
        self.client().request_transfer(request).await.map(drop)
    }

    /// All four in a row: a call that waits at the desk.
    ///
    /// # Errors
    /// What intake answers, or that the caller is not eligible.
    pub async fn hand_over(&self, number: &str) -> Result<OpenedCall, Status> {
        let call = self.open(number).await?;
        let eligibility = self.triage(&call.call_id).await?;
        if !eligibility.eligible {
            return Err(Status::failed_precondition(eligibility.reason));
        }
        self.consent(&call.call_id).await?;
        self.transfer(&call.call_id).await?;
        Ok(call)
    }

    /// What happens to the call, from the beginning or after a sequence that was seen.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn watch(&self, call_id: &str, after_sequence: u64) -> Result<Watch, Status> {
        let request = WatchCallRequest { force_id: self.force.clone(), call_id: call_id.to_owned(), after_sequence };
        let updates = self.client().watch_call(request).await?.into_inner();
        Ok(Watch { updates, seen: Vec::new() })
    }

    /// What happens to all calls of the force, from the beginning or after a sequence that was seen.
    ///
    /// # Errors
    /// What intake answers.
    pub async fn watch_force(&self, after_sequence: u64) -> Result<Streaming<WatchForceResponse>, Status> {
        let request = WatchForceRequest { force_id: self.force.clone(), after_sequence };
        Ok(self.client().watch_force(request).await?.into_inner())
    }
}

/// A control room's open stream on one call.
#[derive(Debug)]
pub struct Watch {
    updates: Streaming<WatchCallResponse>,
    seen: Vec<WatchCallResponse>,
}

impl Watch {
    /// The next update; `None` after the last.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn next(&mut self) -> Result<Option<Kind>, Status> {
        let Some(update) = self.updates.message().await? else { return Ok(None) };
        let kind = update.update.as_ref().and_then(|CallUpdate { kind }| kind.clone());
        self.seen.push(update);
        Ok(kind)
    }

    /// Waits for an update of a kind, such as `|kind| matches!(kind, Kind::Sealed(_))`.
    ///
    /// # Errors
    /// When the stream breaks or ends first: with what was seen. When it never comes.
    pub async fn until(&mut self, wanted: impl Fn(&Kind) -> bool) -> Result<Kind, Status> {
        in_time("what is wanted of the call", self.until_so(wanted)).await
    }

    async fn until_so(&mut self, wanted: impl Fn(&Kind) -> bool) -> Result<Kind, Status> {
        while let Some(kind) = self.next().await? {
            if wanted(&kind) {
                return Ok(kind);
            }
        }
        Err(Status::out_of_range(format!("the stream ended after {:?}", self.seen)))
    }

    /// The sequence to go on after when the stream is broken; 0 before the first update.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.seen.last().map_or(0, |update| update.sequence)
    }

    /// Everything seen so far, in order.
    #[must_use]
    pub fn seen(&self) -> &[WatchCallResponse] {
        &self.seen
    }
}
