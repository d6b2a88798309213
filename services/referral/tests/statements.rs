//! What an officer answers for in the package: notes, and the statement with every version of it.

use api::{
    intake::v1 as intake,
    referral::v1::{
        DraftStatementRequest, DraftStatementResponse, ItemState, Known, ListStatementsRequest, NotePackageItemRequest,
        SaveStatementRequest, SaveStatementResponse,
    },
    session::v1 as session,
};
use testkit::isolation::Isolation;
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::{child, request_id, saving, victim},
};

pub fn note(call: &str, key: &str, applies: bool, text: &str) -> NotePackageItemRequest {
    NotePackageItemRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        key: key.into(),
        applies,
        text: text.into(),
    }
}

pub fn statement(call: &str, version: u32, text: &str, declared: bool) -> SaveStatementRequest {
    SaveStatementRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        text: text.into(),
        version,
        declared,
    }
}

impl Desk {
    pub async fn note(&self, request: NotePackageItemRequest) -> Result<(), Status> {
        self.client().note_package_item(request).await.map(|_| ())
    }

    pub async fn save(&self, request: SaveStatementRequest) -> Result<SaveStatementResponse, Status> {
        Ok(self.client().save_statement(request).await?.into_inner())
    }

    async fn draft(&self, call: &str) -> Result<DraftStatementResponse, Status> {
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let request =
            DraftStatementRequest { request_id: request_id(), force_id, call_id, officer_id: "pc.a".to_owned() };
        Ok(self.client().draft_statement(request).await?.into_inner())
    }

    pub async fn pictured(&self, call: &str, item: &str) {
        let taken = session::StillCaptured {
            call_id: call.into(),
            force_id: FORCE.into(),
            session_id: new_call(),
            item_name: item.into(),
            ..Default::default()
        };
        self.says("session", "still_captured", call, &taken).await;
    }
}

#[tokio::test]
async fn the_score_is_seen_live_and_an_officers_note_is_part_of_it() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    let before = watch.next().await;
    let item = |case: &api::referral::v1::Case, key: &str| {
        let item = case.checklist.iter().find(|item| item.key == key).unwrap();
        (item.state(), item.evidence.clone(), item.answered_by_note)
    };
    assert_eq!(item(&before, "bail-and-civil-orders"), (ItemState::Missing, String::new(), true));
    assert_eq!(item(&before, "children-and-neighbours").0, ItemState::Missing);

    desk.note(note(&call, "bail-and-civil-orders", true, "a DVPN is asked for")).await.unwrap();
    let noted = watch.until(|case| item(case, "bail-and-civil-orders").0 == ItemState::Present).await;
    assert!(noted.score_percent > before.score_percent);
    assert_eq!(item(&noted, "bail-and-civil-orders").1, "a DVPN is asked for");
    // The last word counts.
    desk.note(note(&call, "bail-and-civil-orders", false, "no suspect is known")).await.unwrap();
    watch.until(|case| item(case, "bail-and-civil-orders").0 == ItemState::NotApplicable).await;

    desk.pictured(&call, "photograph-1").await;
    let pictured = watch.until(|case| item(case, "photographs").0 == ItemState::Present).await;
    assert_eq!(item(&pictured, "photographs").1, "1 photograph");
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    let known = watch.until(|case| item(case, "children-and-neighbours").0 == ItemState::Present).await;
    assert_eq!(item(&known, "children-and-neighbours").1, "0 children, 0 others");
    assert_eq!(item(&known, "previous-incidents").1, "no earlier call of the same people");
    // A child of whom it isn't known whether they saw it.
    let mut unasked = child("Robin");
    unasked.child.as_mut().unwrap().saw_or_heard = 0;
    desk.save_person(saving(&call, "pc.a", unasked)).await.unwrap();
    watch.until(|case| item(case, "children-and-neighbours").0 == ItemState::Missing).await;
}

#[tokio::test]
async fn what_nothing_has_filled_is_answered_for_in_words_and_children_are_not_forgotten() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    let before = watch.next().await.version;
    let (call_id, force_id) = (call.clone(), FORCE.to_owned());
    let requested = intake::TransferRequested { call_id, force_id, children_present: true, ..Default::default() };
    desk.says("intake", "transfer_requested", &call, &requested).await;
    watch.until(|case| case.version > before).await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    let item = async |key: &str| {
        let case = desk.get_case(&call).await.unwrap();
        let item = case.checklist.into_iter().find(|item| item.key == key).unwrap();
        (item.state(), item.evidence, item.answered_by_note)
    };
    let missing = (ItemState::Missing, String::new(), true);
    assert_eq!(item("children-and-neighbours").await, missing, "the control room heard of children");
    desk.note(note(&call, "children-and-neighbours", false, "it was the television")).await.unwrap();
    assert_eq!(item("children-and-neighbours").await.0, ItemState::NotApplicable);
    let mut robin = child("Robin");
    robin.child.as_mut().unwrap().saw_or_heard = Known::Unspecified.into();
    let saved = desk.save_person(saving(&call, "pc.a", robin.clone())).await.unwrap();
    assert_eq!(item("children-and-neighbours").await.0, ItemState::Missing, "there is a child after all");
    (robin.person_id, robin.version) = (saved.person_id, saved.version);
    robin.child.as_mut().unwrap().saw_or_heard = Known::Yes.into();
    desk.save_person(saving(&call, "pc.a", robin)).await.unwrap();
    let filled = (ItemState::Present, "1 child, 0 others".to_owned(), false);
    assert_eq!(item("children-and-neighbours").await, filled, "what is there counts before what was said of it");

    assert_eq!(item("photographs").await, missing);
    desk.note(note(&call, "photographs", false, "nothing is to be seen")).await.unwrap();
    assert_eq!(item("photographs").await.0, ItemState::NotApplicable);
    refused(desk.note(note(&call, "consent", true, "she agreed")).await, Code::NotFound, "UNKNOWN_ITEM");
}

#[tokio::test]
async fn photographs_are_wanted_again_for_three_days_and_the_note_on_them_ends_that() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    desk.ended(&call, true).await;
    let case = watch.until(|case| !case.clocks.is_empty()).await;
    let [clock] = case.clocks.as_slice() else { panic!("one clock") };
    let seconds = |at: &Option<prost_types::Timestamp>| at.unwrap().seconds;
    assert_eq!((clock.key.as_str(), seconds(&clock.due_at) - seconds(&clock.started_at)), ("photographs", 72 * 3600));
    desk.note(note(&call, "later-photographs", true, "taken on Tuesday, bruises plain")).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    assert!(case.clocks[0].stopped_at.is_some());
    // A package of before follow-ups has that item, filled by a note alone.
    let of_before = desk.case().await;
    desk.ended(&of_before, true).await;
    desk.announced(&of_before).await;
    let its_list = "update referral.packages set checklist = jsonb_set(checklist, '{item}', (
            select jsonb_agg(case item ->> 'key' when 'later-photographs'
                then (item - 'or_note') || '{\"filled_by\": \"note\"}' else item end)
            from jsonb_array_elements(checklist -> 'item') item))
        where call_id = $1::uuid";
    assert_eq!(sqlx::query(its_list).bind(&of_before).execute(&desk.db.pool()).await.unwrap().rows_affected(), 1);
    desk.note(note(&of_before, "later-photographs", false, "nothing is to be seen")).await.unwrap();
    let case = desk.get_case(&of_before).await.unwrap();
    assert!(case.clocks[0].stopped_at.is_some());
    let item = case.checklist.iter().find(|item| item.key == "later-photographs").unwrap();
    assert_eq!(item.state(), ItemState::NotApplicable);
    // Of whom none may be taken, none are asked for again.
    let unrecorded = desk.case().await;
    desk.ended(&unrecorded, false).await;
    desk.announced(&unrecorded).await;
    assert!(desk.get_case(&unrecorded).await.unwrap().clocks.is_empty());
}

#[tokio::test]
async fn a_note_that_makes_no_sense_is_refused_by_its_reason() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    refused(desk.note(note(&call, "consent", true, "done")).await, Code::NotFound, "UNKNOWN_ITEM");
    refused(desk.note(note(&call, "no-such-item", true, "done")).await, Code::NotFound, "UNKNOWN_ITEM");
    refused(desk.note(note(&call, "medical-consent", true, " ")).await, Code::InvalidArgument, "INVALID_NOTE");
    refused(desk.note(note(&new_call(), "medical-consent", true, "x")).await, Code::NotFound, "UNKNOWN_CALL");
    let once = note(&call, "medical-consent", true, "form given to the GP");
    desk.note(once.clone()).await.unwrap();
    desk.note(once.clone()).await.unwrap();
    let other = NotePackageItemRequest { text: "something else".into(), ..once };
    refused(desk.note(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let kept: i64 =
        sqlx::query_scalar("select count(*) from referral.package_notes").fetch_one(&desk.db.pool()).await.unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn every_version_of_a_statement_is_kept_and_none_is_written_over_unseen() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    assert_eq!(desk.save(statement(&call, 0, "At [...] I spoke", false)).await.unwrap().version, 1);
    // Two officers on the first one: the second to save has not seen the other's.
    assert_eq!(desk.save(statement(&call, 1, "At nine I spoke", false)).await.unwrap().version, 2);
    refused(desk.save(statement(&call, 1, "At ten I spoke", false)).await, Code::Aborted, "CHANGED_MEANWHILE");
    let unfinished = statement(&call, 2, "At [...] I spoke", true);
    refused(desk.save(unfinished).await, Code::InvalidArgument, "INVALID_STATEMENT");
    refused(desk.save(statement(&call, 2, "", false)).await, Code::InvalidArgument, "INVALID_STATEMENT");
    refused(desk.save(statement(&new_call(), 0, "x", false)).await, Code::NotFound, "UNKNOWN_CALL");
    let declared = statement(&call, 2, "At nine I spoke with her", true);
    assert_eq!(desk.save(declared.clone()).await.unwrap().version, 3);
    assert_eq!(desk.save(declared).await.unwrap().version, 3, "said again");

    let mut request = ListStatementsRequest { force_id: FORCE.into(), call_id: call.clone(), ..Default::default() };
    let elsewhere = ListStatementsRequest { force_id: "kent".into(), ..request.clone() };
    refused(desk.client().list_statements(elsewhere).await, Code::NotFound, "UNKNOWN_CALL");
    let whole = desk.client().list_statements(request.clone()).await.unwrap().into_inner();
    assert_eq!(whole.next_page_token, "", "all are on the first page");
    let told: Vec<_> = whole.statements.iter().map(|one| (one.version, one.text.as_str(), one.declared)).collect();
    assert_eq!(
        told,
        [(3, "At nine I spoke with her", true), (2, "At nine I spoke", false), (1, "At [...] I spoke", false)]
    );
    let case = desk.get_case(&call).await.unwrap();
    let item = case.checklist.iter().find(|item| item.key == "officer-statement").unwrap();
    assert_eq!((item.state(), item.evidence.as_str()), (ItemState::Present, "version 3, declared by pc.a"));
    // Page by page it is the same, also if a version is saved meanwhile.
    (request.page_size, request.page_token) = (2, String::new());
    let first = desk.client().list_statements(request.clone()).await.unwrap().into_inner();
    desk.save(statement(&call, 3, "At nine I spoke with her again", false)).await.unwrap();
    request.page_token = first.next_page_token;
    let second = desk.client().list_statements(request.clone()).await.unwrap().into_inner();
    assert!([first.statements, second.statements].concat() == whole.statements, "two pages are the whole");
    assert_eq!(second.next_page_token, "");
    request.page_token = "x".into();
    refused(desk.client().list_statements(request).await, Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    // Nor by a slip of ours.
    let all = sqlx::PgPool::connect(&testkit::seeing_all(&desk.db.url())).await.unwrap();
    for slip in ["update referral.statements set words = ''", "delete from referral.statements"] {
        let refused = sqlx::query(slip).execute(&all).await.unwrap_err().to_string();
        assert!(refused.contains("only added"), "{refused}");
    }
}

#[tokio::test]
async fn a_draft_says_what_is_kept_and_that_it_is_incomplete_while_the_record_is_away() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Robin"))).await.unwrap();
    // Nobody listens where evidence-store should be.
    let drafted = desk.draft(&call).await.unwrap();
    assert!(drafted.incomplete);
    for said in ["Incident: 2026-11-24 1123", "with Canary Finch", "Robin (a child, daughter, born 4 March 2016)"] {
        assert!(drafted.text.contains(said), "{said}\n{}", drafted.text);
    }
    refused(desk.draft(&new_call()).await, Code::NotFound, "UNKNOWN_CALL");
}

#[tokio::test]
async fn notes_and_statements_of_another_force_are_not_there() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    desk.note(note(&call, "medical-consent", true, "asked")).await.unwrap();
    desk.save(statement(&call, 0, "At nine I spoke", false)).await.unwrap();
    let filled = &["packages", "package_notes", "statements"];
    let isolation = Isolation { schema: "referral", nobodys: &[], filled };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;
}
