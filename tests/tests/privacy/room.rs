//! Everything that a call needs, and each part of one, with a word of its own at every input.

use alcove_tests::{
    desk::{Desk, FORCE},
    help::Partner,
    identity::{self, Way},
    officer::Officer,
};
use api::{
    intake::v1::{
        AcknowledgeFastTrackRequest, Consent, ConsentKind, DeviceSafety, Incident, Line, Location, OpenCallRequest,
        RecordConsentRequest, RecordTriageRequest, RequestTransferRequest, RiskGrade, Thrive,
    },
    referral::v1::{
        Answer, ChildDetails, ContactWay, GetAssessmentFormRequest, GetCaseRequest, Known, MakeReferralRequest, Person,
        PersonRole, SafeContact, SaveAssessmentRequest, SavePersonRequest, SendReferralRequest,
        referral_service_client::ReferralServiceClient,
    },
    session::v1::{
        ChapterKind, MarkChapterRequest, RecordingAction, RequestFastTrackRequest, SetRecordingRequest,
        session_service_client::SessionServiceClient,
    },
    transfer::v1::{DeclineOfferRequest, transfer_service_client::TransferServiceClient},
};
use chassis::Clock;
use serde_json::json;
use tempfile::TempDir;
use testkit::{OtlpSink, Port, StackOptions, key, phone::Phone};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    NO_ID, OFFICER, RANG, SWEPT,
    every_input::{About, fill},
    outside,
};
use crate::wire::Contracts;

/// The services, and those around them.
pub struct Room {
    /// The services.
    pub desk: Desk,
    /// Where traces and metrics go.
    pub sink: OtlpSink,
    /// Who helps.
    pub partner: Partner,
    /// Where the control room takes what it is told by MAIT.
    pub mait: Port,
    /// Text messages that were sent.
    pub messages: UnboundedReceiver<String>,
    /// Each service's log, and its temporary files.
    pub logs: TempDir,
    _folder: TempDir,
}

impl Room {
    pub async fn open() -> Self {
        let (sink, folder) = (OtlpSink::start().await.unwrap(), tempfile::tempdir().unwrap());
        let partner = Partner::open(folder.path()).await.unwrap();
        let (gateway, messages) = outside::gateway().await;
        let mait = Port::claim().unwrap();
        let mut env = outside::settings(&gateway, &mait, folder.path());
        env.push((key("referral", "books__partners"), Partner::book(folder.path()).display().to_string()));
        for service in ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"] {
            let own = service.replace('-', "_");
            env.push((key(service, "telemetry__log"), format!("info,{own}=debug,chassis=debug,outbox=debug")));
            env.push((key(service, "telemetry__format"), "json".to_owned()));
            env.push((key(service, "telemetry__metrics_every_ms"), "2000".to_owned()));
        }
        let logs = tempfile::tempdir().unwrap();
        let (otlp_endpoint, log_dir) = (Some(sink.endpoint()), Some(logs.path().to_owned()));
        let options = StackOptions { otlp_endpoint, log_dir, env, ..StackOptions::default() };
        Self { desk: Desk::open(options).await.unwrap(), sink, partner, mait, messages, logs, _folder: folder }
    }

    pub fn way(&self, service: &str) -> Way {
        self.desk.way(service, OFFICER).unwrap()
    }

    pub fn request_id(&self) -> String {
        self.desk.control_room.request_id()
    }

    /// The control room's part, up to the desk.
    pub async fn handed_over(&self, number: &str) -> String {
        let (intake, request_id) = (self.desk.control_room.client(), || self.request_id());
        let (force_id, now) = (FORCE.to_owned(), Clock::system().now());
        let location = Location {
            latitude: 52.480_1,
            longitude: -1.902_1,
            accuracy_m: 12,
            words: "quibble whereabouts".into(),
            taken_at: None,
        };
        let opening = OpenCallRequest {
            request_id: request_id(),
            force_id: force_id.clone(),
            line: Line::Line999.into(),
            incident: Some(Incident { date: now.format("%Y-%m-%d").to_string(), number: number.to_owned() }),
            caller_number: RANG.into(),
            location: None,
        };
        let call_id = intake.clone().open_call(opening).await.unwrap().into_inner().call_id;
        let triage = RecordTriageRequest {
            request_id: request_id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            thrive: Some(Thrive {
                threat: "quibble threat".into(),
                harm: "quibble harm".into(),
                risk: "quibble risk".into(),
                investigation: "quibble witness".into(),
                vulnerability: "quibble frailty".into(),
                engagement: "quibble willing".into(),
            }),
            device_safety: Some(DeviceSafety { come_now_word: "quibble teapot".into(), ..Default::default() }),
            can_join: true,
            risk: RiskGrade::High.into(),
            language: "en".into(),
            children_present: true,
            reason: "quibble triaged".into(),
            taken_by: "quibble handler".into(),
            location: Some(location),
            ..Default::default()
        };
        let answer = intake.clone().record_triage(triage).await.unwrap().into_inner();
        assert!(answer.eligibility.unwrap().eligible);
        let given = |kind: ConsentKind, subject: &str| Consent {
            kind: kind.into(),
            given: true,
            how: "quibble agreed".into(),
            subject: subject.into(),
        };
        let kinds = [ConsentKind::Video, ConsentKind::Recording, ConsentKind::Stills, ConsentKind::Location];
        let consents = RecordConsentRequest {
            request_id: request_id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            consents: kinds.map(|kind| given(kind, "")).to_vec(),
            taken_by: "quibble handler".into(),
        };
        intake.clone().record_consent(consents).await.unwrap();
        let transfer = RequestTransferRequest { request_id: request_id(), force_id, call_id: call_id.clone() };
        intake.clone().request_transfer(transfer).await.unwrap();
        call_id
    }

    /// One officer passes on the call, and the next takes it.
    pub async fn accepted(&self, call_id: &str) -> Officer {
        let first = self.desk.officer("pc-larch").unwrap();
        first.go_free().await.unwrap();
        first.next_offer().await.unwrap();
        let declining = DeclineOfferRequest {
            request_id: self.request_id(),
            force_id: FORCE.into(),
            officer_id: "pc-larch".into(),
            call_id: call_id.to_owned(),
            reason: "quibble declined".into(),
        };
        let larch = self.desk.way("call-transfer", "pc-larch").unwrap();
        TransferServiceClient::new(larch).decline_offer(declining).await.unwrap();
        let officer = self.desk.officer(OFFICER).unwrap();
        officer.go_free().await.unwrap();
        assert_eq!(officer.next_offer().await.unwrap().call_id, call_id);
        officer.accept(call_id).await.unwrap();
        officer.session_until(call_id, |_| true).await.unwrap();
        officer
    }

    /// What an officer notes and asks for while the call goes on.
    pub async fn worked_on(&self, call_id: &str) -> String {
        let (force_id, officer_id, call_id) = (FORCE.to_owned(), OFFICER.to_owned(), call_id.to_owned());
        let mut session = SessionServiceClient::new(self.way("video-session"));
        let chapter = MarkChapterRequest {
            request_id: self.request_id(),
            force_id: force_id.clone(),
            officer_id: officer_id.clone(),
            call_id: call_id.clone(),
            kind: ChapterKind::Account.into(),
            note: "quibble account".into(),
        };
        session.mark_chapter(chapter).await.unwrap();
        for action in [RecordingAction::Pause, RecordingAction::Resume] {
            let recording = SetRecordingRequest {
                request_id: self.request_id(),
                force_id: force_id.clone(),
                officer_id: officer_id.clone(),
                call_id: call_id.clone(),
                action: action.into(),
                reason: "quibble paused".into(),
            };
            session.set_recording(recording).await.unwrap();
        }
        let fast_track = RequestFastTrackRequest {
            request_id: self.request_id(),
            force_id,
            officer_id,
            call_id,
            risk: RiskGrade::High.into(),
            reason: "DANGER".into(),
        };
        session.request_fast_track(fast_track).await.unwrap().into_inner().fast_track_id
    }

    /// The control room sends somebody.
    pub async fn taken_on(&self, call_id: &str, fast_track_id: String) {
        let taking = AcknowledgeFastTrackRequest {
            request_id: self.request_id(),
            force_id: FORCE.into(),
            call_id: call_id.to_owned(),
            fast_track_id,
            // Ids by the contract, and facts of an event.
            taken_by: "CH-0417".into(),
            unit: "Alpha 12".into(),
        };
        self.desk.control_room.client().acknowledge_fast_track(taking).await.unwrap();
    }

    /// Both write, the caller their word at last.
    pub async fn written(&self, caller: &Phone, officer: &Officer, call_id: &str) {
        officer.say(call_id, "quibble answered").await.unwrap();
        let chat = format!("{}/chat", self.desk.stack.caller_page());
        for (id, text) in [("1", "quibble chatted"), ("2", "where is the quibble teapot")] {
            let line = reqwest::Client::new().post(&chat).bearer_auth(&caller.pass().token);
            let answer = line.json(&json!({ "id": id, "text": text, "language": "en" })).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
    }

    /// Every field of every request of every service, by everybody who may ask anything: what was said of those that were refused.
    pub async fn swept(&self) -> Vec<String> {
        let contracts = Contracts::read();
        // A call of its own: what is asked for is done.
        let call = self.desk.control_room.open("7709").await.unwrap().call_id;
        let stack = &self.desk.stack;
        let mut said = Vec::new();
        for call in [&*call, NO_ID] {
            let about = About { force: FORCE, officer: OFFICER, call, word: SWEPT };
            for (service, name) in [
                ("intake", "alcove.intake.v1.IntakeService"),
                ("call-transfer", "alcove.transfer.v1.TransferService"),
                ("video-session", "alcove.session.v1.SessionService"),
                ("evidence-store", "alcove.evidence.v1.EvidenceService"),
                ("referral", "alcove.referral.v1.ReferralService"),
            ] {
                said.extend(fill(&contracts, name, self.way(service), &about).await);
                let papers = stack.secure().papers("video-session");
                said.extend(fill(&contracts, name, identity::channel(stack, service, &papers).unwrap(), &about).await);
            }
            let room = identity::control_room(stack, FORCE).unwrap();
            said.extend(fill(&contracts, "alcove.intake.v1.IntakeService", room, &about).await);
        }
        // And what strangers may send to the pages.
        let page = stack.caller_page();
        let web = reqwest::Client::new();
        for (url, body) in [
            (format!("{page}/join"), json!({ "code": SWEPT })),
            (format!("{page}/join"), json!({ "link": SWEPT, "page": SWEPT })),
            (format!("{page}/chat"), json!({ "id": SWEPT, "text": SWEPT })),
            (format!("{page}/{SWEPT}?{SWEPT}"), json!({ (SWEPT): SWEPT })),
            (format!("{}/{SWEPT}?{SWEPT}", stack.console()), json!({ (SWEPT): SWEPT })),
            (format!("{}/callback?code={SWEPT}&state={SWEPT}", stack.console()), json!({ (SWEPT): SWEPT })),
        ] {
            let answer = web.post(&url).bearer_auth(SWEPT).json(&body).send().await.unwrap();
            said.push(format!("{:?} {}", answer.headers().clone(), answer.text().await.unwrap()));
            let answer = web.get(&url).header("cookie", format!("__Host-back={SWEPT}")).send().await.unwrap();
            let headers = answer.headers().clone();
            said.push(format!("{headers:?} {}", answer.text().await.unwrap()));
        }
        said
    }

    /// A child's referral to social care, with everything that such a one says.
    pub async fn referred(&self, call_id: &str) {
        let (force_id, officer_id, call_id) = (FORCE.to_owned(), OFFICER.to_owned(), call_id.to_owned());
        let mut referral = ReferralServiceClient::new(self.way("referral"));
        let victim = Person {
            role: PersonRole::Victim.into(),
            given_name: "Quibblegiven".into(),
            family_name: "Quibblefamily".into(),
            date_of_birth: "1987-03-04".into(),
            address: "9 Quibble Mews".into(),
            postcode: "BQ9 9QB".into(),
            phone: RANG.into(),
            email: "quibble@example.org".into(),
            needs: "quibble needs".into(),
            language: "en".into(),
            safe_contact: Some(SafeContact {
                ways: vec![ContactWay::Phone.into()],
                never: "quibble never".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let child = Person {
            role: PersonRole::Child.into(),
            given_name: "Quibblechild".into(),
            family_name: "Quibblefamily".into(),
            date_of_birth: "2016-03-04".into(),
            child: Some(ChildDetails {
                school: "Quibble Infants".into(),
                present: Known::Yes.into(),
                saw_or_heard: Known::Yes.into(),
                voice: "quibble said".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        for person in [victim, child] {
            let saving = SavePersonRequest {
                request_id: self.request_id(),
                force_id: force_id.clone(),
                call_id: call_id.clone(),
                officer_id: officer_id.clone(),
                person: Some(person),
            };
            referral.save_person(saving).await.unwrap();
        }
        let form = GetAssessmentFormRequest {
            request_id: self.request_id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            officer_id: officer_id.clone(),
            set_id: String::new(),
        };
        let form = referral.get_assessment_form(form).await.unwrap().into_inner();
        let question = form.set.unwrap().questions.remove(0);
        let answer = Answer {
            question: question.key,
            choice: question.choices[0].key.clone(),
            note: "quibble needs".into(),
            words: "quibble said".into(),
            ..Default::default()
        };
        let saving = SaveAssessmentRequest {
            request_id: self.request_id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            officer_id: officer_id.clone(),
            assessment_id: form.assessment_id,
            answers: vec![answer],
        };
        referral.save_assessment(saving).await.unwrap();
        // A child who saw it has theirs drafted by rule; it is noted on, and sent.
        let case = GetCaseRequest { force_id: force_id.clone(), call_id: call_id.clone() };
        let case = referral.get_case(case).await.unwrap().into_inner().case.unwrap();
        let drafted = case.referrals.iter().find(|one| one.kind == "mash").unwrap();
        let noting = MakeReferralRequest {
            request_id: self.request_id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            officer_id: officer_id.clone(),
            kind: "mash".into(),
            person_id: drafted.person_id.clone(),
            partner_id: format!("{FORCE}-mash"),
            note: "quibble referred".into(),
            note_version: Some(drafted.note_version),
        };
        let noted = referral.make_referral(noting).await.unwrap().into_inner().referral.unwrap();
        assert_eq!(noted.missing, Vec::<String>::new());
        let sending = SendReferralRequest {
            request_id: self.request_id(),
            force_id,
            call_id,
            officer_id,
            referral_id: noted.referral_id,
            version: noted.version,
            by_hand: String::new(),
        };
        referral.send_referral(sending).await.unwrap();
        // It has come, and says what it is to say: to whom it is for, and to nobody else.
        let came = self.partner.came(1).await.unwrap();
        assert!(came[0].body.to_string().contains("Quibblechild"));
    }
}
