//! The package in an addendum of its exhibit, with the real evidence-store beside referral.

use std::collections::BTreeMap;

use api::{
    evidence::v1::{
        AppendSegmentsRequest, DisposeRequest, ExhibitState, GetExhibitRequest, GetExhibitResponse, ReadItemRequest,
        ReviewDecision, ReviewRetentionRequest, evidence_service_client::EvidenceServiceClient,
        get_exhibit_request::Key,
    },
    referral::v1::{Case, PackageSealed, SealPackageRequest, SealedPackage, SealingState},
    session::v1::{RecordedTrack, Role, SessionEnded},
};
use async_nats::jetstream;
use chassis::status::metadata_of;
use futures::{StreamExt, stream};
use prost::Message;
use prost_types::Timestamp;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use testkit::{Service, TestDatabase, TestNats, isolation::Isolation};
use tonic::{Code, Status, transport::Channel};

use crate::{
    desk::{Desk, FORCE, PATIENCE, new_call, refused},
    people::{child, request_id, saving, victim},
    schedules::agreeing,
    statements::statement,
};

const WHY: &str = "the photographs are taken tomorrow";

/// The real evidence-store, as a process.
struct Store {
    service: Service,
    client: EvidenceServiceClient<Channel>,
    _db: TestDatabase,
    _data: TempDir,
}

/// Both, on one bus.
async fn open() -> (Desk, Store) {
    let nats = testkit::nats().await;
    let store = Store::start(&nats).await;
    let url = store.service.url("grpc");
    let settings = [("ALCOVE_REFERRAL__EVIDENCE__URL", &*url), ("ALCOVE_REFERRAL__SEALING__ATTEMPT_WITHIN_MS", "1000")];
    (Desk::open_on(nats, &settings).await, store)
}

impl Store {
    async fn start(nats: &TestNats) -> Self {
        let (db, data) = (testkit::database().await, TempDir::new().unwrap());
        let url = db.url();
        let env = [
            ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", url.as_str()),
            ("ALCOVE_EVIDENCE_STORE__NATS__URL", nats.url()),
            ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", data.path().to_str().unwrap()),
            ("ALCOVE_EVIDENCE_STORE__RETENTION__CLASSES__DEFAULT", "0"),
        ];
        Service::migrate("evidence-store", &env).await.unwrap();
        let service = Service::start("evidence-store", &env).await.unwrap();
        let client = EvidenceServiceClient::connect(service.url("grpc")).await.unwrap();
        Self { service, client, _db: db, _data: data }
    }

    async fn exhibit(&self, key: Key) -> GetExhibitResponse {
        let request = GetExhibitRequest { force_id: FORCE.into(), key: Some(key) };
        self.client.clone().get_exhibit(request).await.unwrap().into_inner()
    }

    async fn read(&self, exhibit: &str, path: &str) -> Vec<u8> {
        let request = ReadItemRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            exhibit_id: exhibit.into(),
            path: path.into(),
            who: "PC 1".into(),
            reason: "a look at it".into(),
            ..Default::default()
        };
        let mut chunks = self.client.clone().read_item(request).await.unwrap().into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            bytes.extend(chunk.chunk);
        }
        bytes
    }

    /// The one segment that the recorder owes.
    async fn recorded(&self, call: &str) {
        let data = b"a second of it".to_vec();
        let at = |seconds: i64| Some(Timestamp { seconds: 1_800_000_000 + seconds, nanos: 0 });
        let segment = AppendSegmentsRequest {
            force_id: FORCE.into(),
            call_id: call.into(),
            track: "caller-1".into(),
            seq: 0,
            sha256: digest(&SHA256, &data).as_ref().to_vec(),
            data: data.into(),
            starts_at: at(0),
            ends_at: at(1),
        };
        let segments = stream::iter([segment]);
        let mut acks = self.client.clone().append_segments(segments).await.unwrap().into_inner();
        acks.message().await.unwrap().unwrap();
    }

    async fn dispose(&self, exhibit: &str) {
        for who in ["Insp 7", "Supt 9"] {
            let review = ReviewRetentionRequest {
                request_id: request_id(),
                force_id: FORCE.into(),
                exhibit_id: exhibit.into(),
                who: who.into(),
                reason: "nothing to keep it for".into(),
                decision: ReviewDecision::Dispose.into(),
                class: String::new(),
            };
            self.client.clone().review_retention(review).await.unwrap();
        }
        let (request_id, force_id, exhibit_id) = (request_id(), FORCE.into(), exhibit.into());
        let (who, reason) = ("records 12".into(), "reviewed by two".into());
        let request = DisposeRequest { request_id, force_id, exhibit_id, who, reason };
        self.client.clone().dispose(request).await.unwrap();
    }

    /// The addendum holds what referral keeps, byte for byte, each once, and is sealed.
    async fn holds(&self, desk: &Desk, call: &str, sealed: &SealedPackage) -> BTreeMap<String, Vec<u8>> {
        let addendum = self.exhibit(Key::ExhibitId(sealed.exhibit_id.clone())).await;
        let parent = self.exhibit(Key::CallId(call.to_owned())).await;
        assert_eq!((addendum.state(), &addendum.parent_exhibit_id), (ExhibitState::Sealed, &parent.exhibit_id));
        assert_eq!((&addendum.reference, addendum.sealed_at), (&sealed.reference, sealed.sealed_at));
        let kept: Vec<(String, Vec<u8>, Option<Vec<u8>>)> = sqlx::query_as(
            "select d.name, d.sha256, d.body from referral.sealing_documents d
             join referral.sealings s on s.id = d.sealing_id where s.call_id = $1::uuid and s.number = $2 order by d.position",
        )
        .bind(call)
        .bind(i32::try_from(sealed.number).unwrap())
        .fetch_all(&desk.db.pool())
        .await
        .unwrap();
        let names = |name: &String| (name.clone(), 1);
        let there: Vec<_> = addendum.items.iter().map(|item| (item.name.clone(), item.version)).collect();
        assert_eq!(there, kept.iter().map(|(name, ..)| names(name)).collect::<Vec<_>>(), "each once, in order");
        let mut all = BTreeMap::new();
        for (item, (name, sha256, body)) in addendum.items.iter().zip(kept) {
            let read = self.read(&sealed.exhibit_id, &item.path).await;
            assert!(digest(&SHA256, &read).as_ref() == sha256, "{name}");
            assert_eq!(body, None, "once it is sealed, the addendum alone has it");
            let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(item.sha256, hex);
            all.insert(name, read);
        }
        all
    }
}

fn sealing(call: &str, reason: &str) -> SealPackageRequest {
    SealPackageRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        reason: reason.into(),
    }
}

impl Desk {
    async fn seal(&self, request: SealPackageRequest) -> Result<SealedPackage, Status> {
        Ok(self.client().seal_package(request).await?.into_inner().sealed.unwrap())
    }

    /// A call with an exhibit whose session has ended; the recorder owes so many segments.
    async fn ended_call(&self, segments: u64) -> String {
        let call = self.case().await;
        let mut watch = self.watch(&call).await;
        let at = |seconds: i64| Some(Timestamp { seconds: 1_800_000_000 + seconds, nanos: 0 });
        let track =
            RecordedTrack { track: "caller-1".into(), participant_id: new_call(), role: Role::Caller.into(), segments };
        let ended = SessionEnded {
            call_id: call.clone(),
            force_id: FORCE.into(),
            occurred_at: at(100),
            session_id: new_call(),
            reason: "OFFICER_ENDED".into(),
            started_at: at(0),
            recorded: true,
            tracks: (segments > 0).then_some(track).into_iter().collect(),
        };
        watch.until(|case| present(case, "exhibit-list")).await;
        self.says("session", "session_ended", &call, &ended).await;
        self.announced(&call).await;
        call
    }

    /// The call's last sealing, once it is so far.
    async fn sealing_until(&self, call: &str, state: SealingState) -> SealedPackage {
        let mut watch = self.watch(call).await;
        let case = watch.until(|case| case.sealed.first().is_some_and(|sealed| sealed.state() == state)).await;
        case.sealed[0].clone()
    }

    /// The packages that were told to be sealed, from the first, until so many are.
    async fn told_sealed(&self, count: usize) -> Vec<PackageSealed> {
        let stream = self.nats.jetstream().await.unwrap().get_stream("ALCOVE_REFERRAL").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen = vec![];
        let collect = async {
            while seen.len() < count {
                let message = messages.next().await.unwrap().unwrap();
                if message.subject.contains(".package_sealed.") {
                    seen.push(PackageSealed::decode(message.payload.clone()).unwrap());
                }
            }
        };
        tokio::time::timeout(PATIENCE, collect).await.expect("it is told");
        seen
    }
}

fn present(case: &Case, key: &str) -> bool {
    case.checklist.iter().any(|item| item.key == key && !item.evidence.is_empty())
}

#[tokio::test]
async fn a_package_waits_for_the_recording_and_is_sealed_beside_it_byte_for_byte() {
    let (desk, store) = open().await;
    let call = desk.ended_call(1).await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Robin"))).await.unwrap();
    desk.save(statement(&call, 0, "At [...] I spoke", false)).await.unwrap();
    desk.save(statement(&call, 1, "At nine I spoke with her", true)).await.unwrap();
    desk.form(crate::risk::form(&call, "")).await.unwrap();
    desk.save_schedule(agreeing(&call, &desk.schedule(&call).await)).await.unwrap();

    let unexplained = desk.seal(sealing(&call, " ")).await;
    let missing = metadata_of(unexplained.as_ref().err().unwrap(), "missing").unwrap();
    refused(unexplained, Code::InvalidArgument, "REASON_REQUIRED");
    assert!(missing.split(',').any(|key| key == "photographs"), "{missing}");
    refused(desk.seal(sealing(&call, &"a".repeat(501))).await, Code::InvalidArgument, "REASON_REQUIRED");

    let asked = sealing(&call, WHY);
    let first = desk.seal(asked.clone()).await.unwrap();
    assert_eq!((first.number, first.state(), first.officer_id.as_str()), (1, SealingState::Waiting, "pc.a"));
    // Said again, and asked by another: the one that is on its way.
    assert!(desk.seal(asked).await.unwrap() == first);
    assert!(desk.seal(sealing(&call, "another")).await.unwrap().number == 1);
    // What comes now isn't in it any more.
    desk.save(statement(&call, 2, "At ten I spoke with her", true)).await.unwrap();
    store.recorded(&call).await;
    let sealed = desk.sealing_until(&call, SealingState::Sealed).await;
    assert!(sealed.reference.ends_with("/2") && sealed.asked_at == first.asked_at);

    let documents = store.holds(&desk, &call, &sealed).await;
    let names: Vec<_> = documents.keys().map(String::as_str).collect();
    let expected = [
        "checklist",
        "disclosure-schedule",
        "index",
        "people",
        "referrals",
        "risk-assessment",
        "statement",
        "statement-1",
        "statement-2",
        "statements",
    ];
    assert_eq!(names, expected);
    assert_eq!(documents["statement"], b"At nine I spoke with her");
    assert_eq!(documents["statement-1"], b"At [...] I spoke");
    assert!(documents["index"].starts_with(b"%PDF-"));
    let is_json = |name: &str| !matches!(name, "index" | "statement" | "statement-1" | "statement-2");
    for (name, document) in documents.iter().filter(|(name, _)| is_json(name)) {
        let json: serde_json::Value = serde_json::from_slice(document).unwrap();
        assert_eq!(json["format"], format!("alcove-package-{name}"));
        assert_eq!(json["version"], 1);
        assert_eq!(json["call"], call.as_str());
        assert_eq!(json["incident"], "2026-11-24/1123");
    }
    let json = |name: &str| serde_json::from_slice::<serde_json::Value>(&documents[name]).unwrap();
    assert_eq!(json("people")["people"][0]["details"]["family_name"], "Finch");
    assert_eq!(json("checklist")["missing_because"], WHY);
    assert_eq!(json("checklist")["score_percent"], sealed.score_percent);
    assert_eq!(json("disclosure-schedule")["schedule_version"], 1);
    assert!(json("risk-assessment")["answers"].as_array().unwrap().len() > 10);
    assert_eq!(desk.told_sealed(1).await[0].exhibit_id, sealed.exhibit_id);

    // What came later is sealed anew, and beside the first.
    assert_eq!(desk.seal(sealing(&call, WHY)).await.unwrap().number, 2);
    let second = desk.sealing_until(&call, SealingState::Sealed).await;
    assert!(second.number == 2 && second.reference.ends_with("/3"));
    assert_eq!(store.holds(&desk, &call, &second).await["statement"], b"At ten I spoke with her");
    assert_eq!(desk.told_sealed(2).await.iter().map(|told| told.number).collect::<Vec<_>>(), [1, 2]);
    let case = desk.get_case(&call).await.unwrap();
    assert_eq!(case.sealed.iter().map(|sealed| sealed.number).collect::<Vec<_>>(), [2, 1]);
    let filled = &["packages", "sealings", "sealing_documents"];
    Isolation { schema: "referral", nobodys: &[], filled }.prove(&desk.db.url(), "kent", FORCE).await;
}

#[tokio::test]
async fn a_crash_in_the_midst_of_it_and_another_replica_bring_everything_once() {
    let (mut desk, mut store) = open().await;
    let call = desk.ended_call(0).await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save(statement(&call, 0, "At nine I spoke with her", true)).await.unwrap();
    // It hears, and says nothing: an attempt is under way when referral dies.
    store.service.freeze().unwrap();
    desk.seal(sealing(&call, WHY)).await.unwrap();
    let pool = desk.db.pool();
    let in_hand = "select exists (select from referral.sealings where claim is not null)";
    testkit::until("an attempt", async || sqlx::query_scalar(in_hand).fetch_one(&pool).await.unwrap()).await;
    desk.service.kill().await.unwrap();
    store.service.thaw().unwrap();
    // And then it isn't there at all.
    store.service.kill().await.unwrap();
    let (db, bus, evidence) = (desk.db.url(), desk.nats.url().to_owned(), store.service.url("grpc"));
    let env = [
        ("ALCOVE_REFERRAL__DATABASE__URL", db.as_str()),
        ("ALCOVE_REFERRAL__NATS__URL", bus.as_str()),
        ("ALCOVE_REFERRAL__EVIDENCE__URL", evidence.as_str()),
        ("ALCOVE_REFERRAL__SEALING__ATTEMPT_WITHIN_MS", "1000"),
    ];
    let _other = Service::start("referral", &env).await.unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    let again = "select exists (select from referral.sealings where attempts > 1 and claim is null)";
    testkit::until("an attempt in vain", async || sqlx::query_scalar(again).fetch_one(&pool).await.unwrap()).await;
    let mut watch = desk.watch(&call).await;
    let case = watch.until(|case| case.sealed[0].problem == "Unavailable").await;
    assert_eq!(case.sealed[0].state(), SealingState::Waiting, "what keeps it is told while it waits");
    store.service.restart().await.unwrap();
    store.client = EvidenceServiceClient::connect(store.service.url("grpc")).await.unwrap();

    let sealed = desk.sealing_until(&call, SealingState::Sealed).await;
    assert_eq!(sealed.problem, "", "nothing keeps it any more");
    let documents = store.holds(&desk, &call, &sealed).await;
    assert_eq!(documents["statement"], b"At nine I spoke with her");
    assert_eq!(store.exhibit(Key::CallId(call.clone())).await.addendum_exhibit_ids, [sealed.exhibit_id]);
    assert_eq!(desk.told_sealed(1).await.len(), 1);
}

#[tokio::test]
async fn a_package_without_an_exhibit_or_beside_one_that_is_gone_is_not_sealed() {
    let (desk, mut store) = open().await;
    refused(desk.seal(sealing(&new_call(), WHY)).await, Code::NotFound, "UNKNOWN_PACKAGE");
    let going_on = desk.case().await;
    refused(desk.seal(sealing(&going_on, WHY)).await, Code::NotFound, "UNKNOWN_PACKAGE");

    let call = desk.ended_call(0).await;
    let mut watch = desk.watch(&call).await;
    watch.until(|case| present(case, "initial-account")).await;
    store.dispose(&store.exhibit(Key::CallId(call.clone())).await.exhibit_id).await;
    desk.seal(sealing(&call, WHY)).await.unwrap();
    let failed = desk.sealing_until(&call, SealingState::Failed).await;
    assert_eq!((failed.exhibit_id.as_str(), failed.sealed_at, failed.problem.as_str()), ("", None, "DISPOSED"));
    // It may be asked for again, by whoever has looked.
    assert_eq!(desk.seal(sealing(&call, WHY)).await.unwrap().number, 2);

    // Of a call that evidence-store hasn't heard of there is nothing to seal it beside.
    store.service.terminate().await.unwrap();
    let unheard = desk.case().await;
    desk.ended(&unheard, false).await;
    desk.announced(&unheard).await;
    refused(desk.seal(sealing(&unheard, WHY)).await, Code::FailedPrecondition, "NO_EXHIBIT");
}
