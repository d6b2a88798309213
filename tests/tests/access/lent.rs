//! An officer whom their force lends to another: the one call that they have there is theirs, and everything else is as if
//! nobody had lent them (docs/mutual-aid.md). Everything is asked, over the real guard.

use alcove_tests::{control_room::ControlRoom, identity, loan, officer::Officer};
use api::{
    intake::v1::call_update::Kind,
    session::v1::SessionState,
    transfer::v1::{LoanState, ReassignCallRequest, transfer_service_client::TransferServiceClient},
};
use chassis::{Role, status::reason_of};
use testkit::until;
use tonic::{Code, Status};

use super::{
    methods::{Method, NOWHERE, methods},
    people::{ELSEWHERE, FORCE, House, OFFICER, Person},
};
use crate::wire;

/// What docs/mutual-aid.md says that a lent officer may call.
const LENT: [&str; 39] = [
    "intake.v1.IntakeService/RecordConsent",
    "intake.v1.IntakeService/WithdrawConsent",
    "intake.v1.IntakeService/GetLocation",
    "transfer.v1.TransferService/SetPresence",
    "transfer.v1.TransferService/Heartbeat",
    "transfer.v1.TransferService/WatchDesk",
    "transfer.v1.TransferService/AcceptOffer",
    "transfer.v1.TransferService/DeclineOffer",
    "transfer.v1.TransferService/ReturnToControlRoom",
    "session.v1.SessionService/GetSession",
    "session.v1.SessionService/JoinSession",
    "session.v1.SessionService/IssueInvitation",
    "session.v1.SessionService/RevokeInvitation",
    "session.v1.SessionService/AdmitParticipant",
    "session.v1.SessionService/RemoveParticipant",
    "session.v1.SessionService/SetRecording",
    "session.v1.SessionService/CaptureStill",
    "session.v1.SessionService/AskForPhotograph",
    "session.v1.SessionService/SendChat",
    "session.v1.SessionService/MarkChapter",
    "session.v1.SessionService/SetCover",
    "session.v1.SessionService/AcknowledgeDuress",
    "session.v1.SessionService/RequestFastTrack",
    "session.v1.SessionService/EndSession",
    "session.v1.SessionService/WatchSession",
    "referral.v1.ReferralService/GetCase",
    "referral.v1.ReferralService/WatchCase",
    "referral.v1.ReferralService/SavePerson",
    "referral.v1.ReferralService/RemovePerson",
    "referral.v1.ReferralService/GetAssessmentForm",
    "referral.v1.ReferralService/SaveAssessment",
    "referral.v1.ReferralService/GradeRisk",
    "referral.v1.ReferralService/MakeReferral",
    "referral.v1.ReferralService/SendReferral",
    "referral.v1.ReferralService/WithdrawReferral",
    "referral.v1.ReferralService/AcknowledgeReferral",
    "referral.v1.ReferralService/RecordOutcome",
    "referral.v1.ReferralService/NotePackageItem",
    "referral.v1.ReferralService/GetCallerNumber",
];

/// These end the call for which they are let in, so each is asked about one of its own.
const LAST: [&str; 2] = ["ReturnToControlRoom", "EndSession"];

/// The id of a request that is made once: what [`methods`] has is another.
const REASSIGNED: &str = "0198c5a0-0000-7000-8000-000000000001";

fn is_lent(method: &Method) -> bool {
    LENT.iter().any(|rpc| method.rpc == format!("alcove.{rpc}"))
}

/// What is said to somebody who isn't let in.
fn is_refused(answer: &Result<(), Status>) -> bool {
    let Err(status) = answer else { return false };
    let refused = ["NOT_FOR_YOU", "NOT_YOUR_FORCE", "NOT_YOU", "NOT_YOUR_CALL"];
    let unknown = ["UNKNOWN_CALL", "UNKNOWN_SESSION", "UNKNOWN_OFFICER", "UNKNOWN_EXHIBIT", "UNKNOWN_PACKAGE"];
    let others = ["UNKNOWN_ALERT", "UNKNOWN_CALLBACK", "UNKNOWN_SHIFT", "UNKNOWN_LOAN"];
    let reason = reason_of(status).unwrap_or_default();
    [&refused[..], &unknown[..], &others[..]].concat().contains(&reason.as_str())
}

/// A status to the byte.
fn whole(answer: Result<(), Status>) -> (Code, String, Vec<u8>) {
    let status = answer.unwrap_err();
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

struct Borrowed {
    house: House,
    lent: Person,
    /// As they are called there.
    name: String,
    officer: Officer,
}

impl Borrowed {
    /// Kent lends an officer to the force, both sergeants agree, and the officer comes.
    async fn open() -> Self {
        let house = House::open().await;
        let desk = |force, id| identity::officer(&house.stack, "call-transfer", force, id).unwrap();
        let offered = loan::offered(&house.stack, OFFICER, [ELSEWHERE, FORCE]).await.unwrap();
        let name = format!("{OFFICER}@{ELSEWHERE}");
        let session = identity::officer(&house.stack, "video-session", ELSEWHERE, OFFICER).unwrap();
        let officer = Officer::new(desk(ELSEWHERE, OFFICER), session, FORCE, &name);
        let early = officer.go_free().await.unwrap_err();
        assert_eq!(reason_of(&early).as_deref(), Some("NOT_YOUR_FORCE"), "one of two has agreed");
        let loan = loan::agreed(&house.stack, offered).await.unwrap();
        assert_eq!(loan.state(), LoanState::Agreed);
        officer.go_free().await.unwrap();
        let lent = house.officer("lent", ELSEWHERE, &Role::ALL, 300);
        Self { house, lent, name, officer }
    }

    /// An officer of the force itself.
    fn of_the_borrower(&self, id: &str) -> Officer {
        let way = |service| identity::officer(&self.house.stack, service, FORCE, id).unwrap();
        Officer::new(way("call-transfer"), way("video-session"), FORCE, id)
    }

    /// Its sergeant gives a call to one of them.
    async fn reassign(&self, call: &str, to: &str) -> Result<(), Status> {
        let request = ReassignCallRequest {
            request_id: REASSIGNED.into(),
            force_id: FORCE.into(),
            officer_id: "sgt-borrower".into(),
            call_id: call.into(),
            to_officer_id: to.into(),
            reason: "a test".into(),
        };
        let way = identity::officer(&self.house.stack, "call-transfer", FORCE, "sgt-borrower").unwrap();
        TransferServiceClient::new(way).reassign_call(request).await.map(drop)
    }

    /// Nothing of the call is theirs any more.
    async fn is_out_of(&self, call: &str, methods: &[Method]) {
        let get_case = methods.iter().find(|method| method.rpc.ends_with("GetCase")).unwrap();
        // Referral hears it from the desk and the session, a moment after them.
        until("referral has heard of it", async || is_refused(&self.ask(get_case, call).await)).await;
        let of_it = |method: &&Method| !method.rpc.contains("TransferService") && is_lent(method);
        for method in methods.iter().filter(of_it) {
            let answer = self.ask(method, call).await;
            assert!(is_refused(&answer), "{}: {answer:?}", method.rpc);
        }
    }

    async fn ask(&self, method: &Method, call: &str) -> Result<(), Status> {
        let channel = self.house.channel(&self.lent, &method.rpc);
        let message = method.about_call(FORCE, &self.name, call);
        wire::call(channel, &method.rpc, message, self.lent.token.as_deref()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lent_officer_has_their_own_call_and_nothing_else() {
    let borrowed = Borrowed::open().await;
    let stack = &borrowed.house.stack;
    let control_room = ControlRoom::new(identity::control_room(stack, FORCE).unwrap(), FORCE);
    let own = control_room.hand_over("5201").await.unwrap().call_id;
    assert_eq!(borrowed.officer.next_offer().await.unwrap().call_id, own);
    borrowed.officer.accept(&own).await.unwrap();
    // A colleague's, of the force that borrows. As its session is made, so is the first.
    let colleague = borrowed.of_the_borrower("pc-singh");
    let other = control_room.hand_over("5202").await.unwrap().call_id;
    colleague.go_free().await.unwrap();
    assert_eq!(colleague.next_offer().await.unwrap().call_id, other);
    colleague.accept(&other).await.unwrap();
    for call in [&own, &other] {
        colleague.session_until(call, |_| true).await.unwrap();
    }

    let methods = methods();
    let get_case = methods.iter().find(|method| method.rpc.ends_with("GetCase")).unwrap();
    until("referral has heard of it", async || !is_refused(&borrowed.ask(get_case, &own).await)).await;
    assert_eq!(methods.iter().filter(|method| is_lent(method)).count(), LENT.len());
    for method in &methods {
        // As if it weren't there, to the byte.
        if method.about_call(FORCE, &borrowed.name, &other) != method.about(FORCE, &borrowed.name) {
            let (theirs, nowhere) = (borrowed.ask(method, &other).await, borrowed.ask(method, NOWHERE).await);
            assert!(is_refused(&theirs), "{}: {theirs:?}", method.rpc);
            assert_eq!(whole(theirs), whole(nowhere), "{}", method.rpc);
        }
        // About no force: whoever may ask at home is answered anywhere.
        let names_a_force = method.about(FORCE, &borrowed.name) != method.about(ELSEWHERE, &borrowed.name);
        if !names_a_force || LAST.iter().any(|last| method.rpc.ends_with(last)) {
            continue;
        }
        let answer = borrowed.ask(method, &own).await;
        assert_eq!(is_refused(&answer), !is_lent(method), "{}: {answer:?}", method.rpc);
    }

    // Whoever has the same id in the force that borrows is somebody else.
    let refused = borrowed.of_the_borrower(OFFICER).end(&own).await.unwrap_err();
    assert_eq!(reason_of(&refused).as_deref(), Some("NOT_YOUR_CALL"));

    // It is given to another officer, and is nothing to them from the moment that they come.
    let third = borrowed.of_the_borrower("pc-third");
    third.go_free().await.unwrap();
    borrowed.reassign(&own, "pc-third").await.unwrap();
    // The session hears of it a moment after the desk.
    let comes = until("the third officer may come", async || third.join(&own).await.is_ok());
    let (watched, ()) = tokio::join!(borrowed.officer.session_until(&own, |_| false), comes);
    assert_eq!(watched.unwrap_err().code(), Code::OutOfRange, "the stream has ended");
    borrowed.is_out_of(&own, &methods).await;
    third.end(&own).await.unwrap();
    // Or the next call may be theirs: on a slow machine they were heard from last.
    third.go_away().await.unwrap();

    // What they end or give back themself is over for them, too.
    let next = async |incident| {
        borrowed.officer.go_free().await.unwrap();
        let call = control_room.hand_over(incident).await.unwrap().call_id;
        assert_eq!(borrowed.officer.next_offer().await.unwrap().call_id, call);
        borrowed.officer.accept(&call).await.unwrap();
        colleague.session_until(&call, |_| true).await.unwrap();
        call
    };
    let ended = next("5203").await;
    borrowed.officer.end(&ended).await.unwrap();
    control_room.watch(&ended, 0).await.unwrap().until(|kind| matches!(kind, Kind::Ended(_))).await.unwrap();
    borrowed.is_out_of(&ended, &methods).await;
    let back = next("5204").await;
    let gives_back = methods.iter().find(|method| method.rpc.ends_with("ReturnToControlRoom")).unwrap();
    borrowed.ask(gives_back, &back).await.unwrap();
    colleague.session_until(&back, |session| session.state() == SessionState::Ended).await.unwrap();
    let is_back = |kind: &Kind| matches!(kind, Kind::Returned(_) | Kind::Ended(_));
    control_room.watch(&back, 0).await.unwrap().until(is_back).await.unwrap();
    borrowed.is_out_of(&back, &methods).await;
}
