//! The disclosure schedule: all that there is about a call, an officer's word on it, and what makes that word old.

use api::referral::v1::{
    ChecklistItem, DisclosureSchedule, GetDisclosureScheduleRequest, Handling, ItemState, NotePackageItemRequest,
    SaveDisclosureScheduleRequest,
};
use chassis::status::metadata_of;
use prost::Message;
use testkit::isolation::Isolation;
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::{child, request_id, saving, victim},
};

/// Everything as it was proposed, and the reasons that were.
pub fn agreeing(call: &str, schedule: &DisclosureSchedule) -> SaveDisclosureScheduleRequest {
    SaveDisclosureScheduleRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        version: schedule.version,
        entries: schedule.entries.clone(),
    }
}

impl Desk {
    pub async fn schedule(&self, call: &str) -> DisclosureSchedule {
        self.schedule_in(FORCE, call).await.unwrap()
    }

    async fn schedule_in(&self, force: &str, call: &str) -> Result<DisclosureSchedule, Status> {
        let request = GetDisclosureScheduleRequest { force_id: force.into(), call_id: call.into() };
        Ok(self.client().get_disclosure_schedule(request).await?.into_inner().schedule.unwrap())
    }

    pub async fn save_schedule(&self, request: SaveDisclosureScheduleRequest) -> Result<DisclosureSchedule, Status> {
        Ok(self.client().save_disclosure_schedule(request).await?.into_inner().schedule.unwrap())
    }

    /// How the package's item for it stands.
    async fn scheduled(&self, call: &str) -> (ItemState, String) {
        let case = self.get_case(call).await.unwrap();
        let item = case.checklist.iter().find(|item| item.key == "disclosure-schedule").unwrap();
        (item.state(), item.evidence.clone())
    }
}

fn keys(schedule: &DisclosureSchedule, new: bool) -> Vec<&str> {
    let of = schedule.entries.iter().filter(|entry| !new || entry.is_new);
    of.map(|entry| entry.key.split('/').next().unwrap()).collect()
}

#[tokio::test]
async fn a_schedule_lists_what_there_is_and_counts_until_something_comes() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    desk.consented(&call, true).await;
    desk.opened(&call).await;
    desk.sealed(&call).await;
    desk.pictured(&call, "still-1").await;
    let all_heard = ["consent", "initial-account", "photographs"];
    let there = |item: &ChecklistItem| item.state() == ItemState::Present && all_heard.contains(&item.key.as_str());
    watch.until(|case| case.checklist.iter().filter(|item| there(item)).count() == all_heard.len()).await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Robin"))).await.unwrap();
    desk.form(crate::risk::form(&call, "")).await.unwrap();
    desk.note(crate::statements::note(&call, "bail-and-civil-orders", true, "a DVPN is asked for")).await.unwrap();
    desk.save(crate::statements::statement(&call, 0, "At nine I spoke", false)).await.unwrap();

    let first = desk.schedule(&call).await;
    let all = [
        "recording",
        "chat-transcript",
        "chapters",
        "records",
        "still",
        "consents",
        "statement",
        "assessment",
        "people",
        "child",
        "note",
    ];
    assert_eq!((keys(&first, false), keys(&first, true)), (all.to_vec(), all.to_vec()));
    assert_eq!((first.version, first.current, first.officer_id.as_str()), (0, false, ""));
    let entry = |schedule: &DisclosureSchedule, key: &str| {
        let entry = schedule.entries.iter().find(|entry| entry.key == key).unwrap();
        (entry.handling(), entry.reason.clone(), entry.description.clone())
    };
    assert_eq!(entry(&first, "recording").0, Handling::Evidence);
    assert_eq!(entry(&first, "people").0, Handling::Sensitive);
    assert!(entry(&first, "recording").2.contains("WMP/1") && entry(&first, "people").1.contains("MG6D"));
    // It says what there is, and nothing of what that says.
    let text = String::from_utf8_lossy(&first.encode_to_vec()).into_owned();
    assert!(!["Finch", "Robin", "DVPN", "Mill Lane"].iter().any(|said| text.contains(said)));
    assert_eq!(desk.scheduled(&call).await.0, ItemState::Missing);

    let mut otherwise = agreeing(&call, &first);
    let still = otherwise.entries.iter_mut().find(|entry| entry.key == "still/still-1").unwrap();
    still.handling = Handling::Sensitive.into();
    still.reason = "it shows the child".into();
    let saved = desk.save_schedule(otherwise.clone()).await.unwrap();
    assert_eq!((saved.version, saved.current, saved.officer_id.as_str()), (1, true, "pc.a"));
    assert_eq!(entry(&saved, "still/still-1").1, "it shows the child");
    assert!(desk.save_schedule(otherwise).await.unwrap() == saved, "said again");
    assert!(desk.schedule(&call).await == saved);
    assert_eq!(desk.scheduled(&call).await, (ItemState::Present, "version 1, by pc.a, 11 entries".into()));

    // A later version of the statement is new material, and the schedule is missing until somebody has answered for it.
    desk.save(crate::statements::statement(&call, 1, "At nine I spoke with her", true)).await.unwrap();
    assert_eq!(desk.scheduled(&call).await.0, ItemState::Missing);
    let after = desk.schedule(&call).await;
    assert_eq!((after.current, keys(&after, true)), (false, vec!["statement"]));
    assert_eq!(
        entry(&after, "still/still-1"),
        entry(&saved, "still/still-1"),
        "an officer's word stays with its entry"
    );
    let stale = desk.save_schedule(agreeing(&call, &saved)).await;
    let status = stale.as_ref().err().unwrap().clone();
    refused(stale, Code::Aborted, "CHANGED_MEANWHILE");
    assert_eq!(metadata_of(&status, "key").as_deref(), Some("statement/2"));
    assert_eq!(desk.save_schedule(agreeing(&call, &after)).await.unwrap().version, 2);
    assert_eq!(desk.scheduled(&call).await, (ItemState::Present, "version 2, by pc.a, 12 entries".into()));

    // Each note is material of its own: what a colleague says of the same item comes beside what was answered for.
    let of_a_colleague = NotePackageItemRequest {
        officer_id: "pc.b".into(),
        ..crate::statements::note(&call, "bail-and-civil-orders", true, "the DVPN was served")
    };
    desk.note(of_a_colleague).await.unwrap();
    let noted = desk.schedule(&call).await;
    let notes = noted.entries.iter().filter(|entry| entry.key.starts_with("note/"));
    let notes: Vec<_> = notes.map(|entry| (entry.key.as_str(), entry.is_new)).collect();
    assert_eq!(notes, [("note/bail-and-civil-orders/1", false), ("note/bail-and-civil-orders/2", true)]);
    assert_eq!(desk.scheduled(&call).await.0, ItemState::Missing);

    let kept: i64 =
        sqlx::query_scalar("select count(*) from referral.schedules").fetch_one(&desk.db.pool()).await.unwrap();
    assert_eq!(kept, 2);
    let rewritten = sqlx::query("update referral.schedules set saved_by = 'pc.b'").execute(&desk.db.pool()).await;
    assert!(rewritten.is_err(), "a version that was answered for is never changed");
}

#[tokio::test]
async fn a_schedule_that_can_t_be_so_is_refused_by_its_entry() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    let first = desk.schedule(&call).await;
    let with = |change: &dyn Fn(&mut SaveDisclosureScheduleRequest)| {
        let mut request = agreeing(&call, &first);
        change(&mut request);
        desk.save_schedule(request)
    };
    let refused_of = |answer: Result<_, Status>, code, reason| {
        let status = answer.as_ref().err().unwrap().clone();
        refused(answer, code, reason);
        metadata_of(&status, "key").unwrap_or_default()
    };
    let of_people = |request: &mut SaveDisclosureScheduleRequest| request.entries[0].key.clone();
    assert_eq!(of_people(&mut agreeing(&call, &first)), "people");
    let answer = with(&|request| request.entries[0].reason.clear()).await;
    assert_eq!(refused_of(answer, Code::InvalidArgument, "REASON_REQUIRED"), "people");
    let answer = with(&|request| request.entries[0].handling = 0).await;
    assert_eq!(refused_of(answer, Code::InvalidArgument, "INVALID_HANDLING"), "people");
    let answer = with(&|request| request.entries[0].key = "no-such".into()).await;
    assert_eq!(refused_of(answer, Code::NotFound, "UNKNOWN_ENTRY"), "no-such");
    let answer = with(&|request| request.entries.clear()).await;
    assert_eq!(refused_of(answer, Code::Aborted, "CHANGED_MEANWHILE"), "people");
    let answer = with(&|request| request.entries[0].seen = "as it was".into()).await;
    assert_eq!(refused_of(answer, Code::Aborted, "CHANGED_MEANWHILE"), "people", "nothing is answered for unseen");
    let answer = with(&|request| request.version = 4).await;
    assert_eq!(refused_of(answer, Code::Aborted, "CHANGED_MEANWHILE"), "");
    let answer = with(&|request| request.call_id = new_call()).await;
    assert_eq!(refused_of(answer, Code::NotFound, "UNKNOWN_CALL"), "");
    let once = agreeing(&call, &first);
    desk.save_schedule(once.clone()).await.unwrap();
    let other = SaveDisclosureScheduleRequest { officer_id: "pc.b".into(), ..once };
    refused(desk.save_schedule(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    refused(desk.schedule_in("kent", &call).await, Code::NotFound, "UNKNOWN_CALL");
    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &["packages", "schedules"] };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;
}
