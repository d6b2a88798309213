//! The people of a case: written down by one officer, seen by another, never written over unseen.

use api::referral::v1::{
    Case, ChildDetails, ContactWay, GetCaseRequest, Known, Person, PersonRole, RemovePersonRequest, SafeContact,
    SavePersonRequest, SavePersonResponse, WatchCaseRequest,
};
use chassis::{Clock, Entropy, status::metadata_of};
use ids::RequestId;
use testkit::isolation::Isolation;
use tonic::{Code, Status, Streaming};

use crate::desk::{Desk, FORCE, PATIENCE, new_call, refused};

pub fn request_id() -> String {
    Entropy::os().id::<RequestId>(Clock::system().now()).to_string()
}

pub fn victim() -> Person {
    Person {
        role: PersonRole::Victim.into(),
        given_name: "Canary".into(),
        family_name: "Finch".into(),
        date_of_birth: "1992-02-29".into(),
        address: "1 Mill Lane\nBirmingham".into(),
        postcode: "b1 1aa".into(),
        phone: "+447700900123".into(),
        language: "en".into(),
        safe_contact: Some(SafeContact {
            ways: vec![ContactWay::Email.into(), ContactWay::SomebodyElse.into()],
            when: "weekdays 10 to 12".into(),
            message_may_be_left: Known::No.into(),
            never: "say who rings".into(),
        }),
        ..Default::default()
    }
}

pub fn child(name: &str) -> Person {
    Person {
        role: PersonRole::Child.into(),
        given_name: name.into(),
        date_of_birth: "2016-03-04".into(),
        relationship: "daughter".into(),
        child: Some(ChildDetails {
            school: "Mill Lane Primary".into(),
            present: Known::Yes.into(),
            r#where: "on the stairs".into(),
            saw_or_heard: Known::Unknown.into(),
            voice: "he shouted".into(),
            chapters: vec![3],
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn saving(call: &str, officer: &str, person: Person) -> SavePersonRequest {
    SavePersonRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: officer.into(),
        person: Some(person),
    }
}

fn removing(call: &str, saved: &SavePersonResponse) -> RemovePersonRequest {
    RemovePersonRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        person_id: saved.person_id.clone(),
        version: saved.version,
        reason: "it is the neighbour's child".into(),
    }
}

impl Desk {
    /// A call that an officer has.
    pub async fn case(&self) -> String {
        let call = new_call();
        self.accepted(&call).await;
        self.known(&call).await;
        call
    }

    /// Returns once the call's case is known.
    pub async fn known(&self, call: &str) {
        let mut news = self.hears("referral_case").await;
        while self.get_case(call).await.is_err() {
            tokio::time::timeout(PATIENCE, news.recv()).await.expect("the case begins").unwrap();
        }
    }

    pub async fn get_case(&self, call: &str) -> Result<Case, Status> {
        self.get_case_of(FORCE, call).await
    }

    pub async fn get_case_of(&self, force: &str, call: &str) -> Result<Case, Status> {
        let request = GetCaseRequest { force_id: force.into(), call_id: call.into() };
        Ok(self.client().get_case(request).await?.into_inner().case.unwrap())
    }

    pub async fn save_person(&self, request: SavePersonRequest) -> Result<SavePersonResponse, Status> {
        Ok(self.client().save_person(request).await?.into_inner())
    }

    pub async fn watch(&self, call: &str) -> Watching {
        let request = WatchCaseRequest { force_id: FORCE.into(), call_id: call.into() };
        Watching(self.client().watch_case(request).await.unwrap().into_inner())
    }
}

pub struct Watching(Streaming<api::referral::v1::WatchCaseResponse>);

impl Watching {
    /// The case as it is told next.
    pub async fn next(&mut self) -> Case {
        let told = tokio::time::timeout(PATIENCE, self.0.message()).await.expect("the case is told");
        told.unwrap().unwrap().case.unwrap()
    }

    /// The case once it is so.
    pub async fn until(&mut self, so: impl Fn(&Case) -> bool) -> Case {
        loop {
            let case = self.next().await;
            if so(&case) {
                return case;
            }
        }
    }
}

#[tokio::test]
async fn what_one_officer_writes_down_another_sees_and_nothing_is_written_over_unseen() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let mut second = desk.watch(&call).await;
    let empty = second.next().await;
    assert_eq!((empty.incident.as_str(), empty.people.len()), ("2026-11-24/1123", 0));

    let first = saving(&call, "PC1", victim());
    let saved = desk.save_person(first.clone()).await.unwrap();
    let seen = second.next().await;
    assert!(seen.version > empty.version);
    let person = &seen.people[0];
    let expected = Person {
        person_id: saved.person_id.clone(),
        version: 1,
        saved_by: "PC1".into(),
        saved_at: person.saved_at,
        postcode: "B1 1AA".into(),
        ..victim()
    };
    assert!(person.saved_at.is_some() && *person == expected);

    // The same request again is the same answer, and nothing happens; another by its id is refused.
    assert_eq!(desk.save_person(first.clone()).await.unwrap(), saved);
    let other = SavePersonRequest { person: Some(child("Mia")), ..first };
    refused(desk.save_person(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    assert_eq!(desk.get_case(&call).await.unwrap().version, seen.version);

    // Two at once on one version: one of them looks again.
    let by = |officer, needs: &str| saving(&call, officer, Person { needs: needs.into(), ..expected.clone() });
    let (a, b) = tokio::join!(desk.save_person(by("PC1", "asthma")), desk.save_person(by("PC2", "pregnant")));
    let won = if a.is_ok() { "asthma" } else { "pregnant" };
    assert!(a.is_ok() != b.is_ok());
    refused(if a.is_ok() { b } else { a }, Code::Aborted, "CHANGED_MEANWHILE");
    let seen = second.next().await;
    assert_eq!((seen.people[0].needs.as_str(), seen.people[0].version), (won, 2));

    // And on different people they don't meet.
    let (a, b) = tokio::join!(
        desk.save_person(saving(&call, "PC1", child("Mia"))),
        desk.save_person(saving(&call, "PC2", child("Noor")))
    );
    let (mia, _) = (a.unwrap(), b.unwrap());
    let seen = second.until(|case| case.people.len() == 3).await;
    assert!(seen.people.iter().any(|one| one.given_name == "Noor" && one.child == child("").child));

    // Out, with why, and what was kept of them stays.
    let out = removing(&call, &mia);
    desk.client().remove_person(out.clone()).await.unwrap();
    desk.client().remove_person(out).await.unwrap();
    let seen = second.until(|case| case.people.len() == 2).await;
    assert!(seen.people.iter().all(|one| one.given_name != "Mia"));
    let kept = "select version, details ->> 'given_name', reason from referral.person_versions
                where person_id = $1::uuid order by version";
    let kept: Vec<(i64, Option<String>, Option<String>)> =
        sqlx::query_as(kept).bind(&mia.person_id).fetch_all(&desk.db.pool()).await.unwrap();
    let why = Some("it is the neighbour's child".to_owned());
    assert_eq!(kept, [(1, Some("Mia".to_owned()), None), (2, None, why)]);
    for statement in ["update referral.person_versions set reason = 'x'", "delete from referral.person_versions"] {
        assert!(sqlx::query(statement).execute(&desk.db.pool()).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let desk = Desk::open().await;
    let unheard = new_call();
    refused(desk.save_person(saving(&unheard, "PC1", victim())).await, Code::NotFound, "UNKNOWN_CALL");
    // Heard of, but no officer has it.
    desk.consented(&unheard, true).await;
    let call = desk.case().await;
    desk.taken(2).await;
    refused(desk.save_person(saving(&unheard, "PC1", victim())).await, Code::NotFound, "UNKNOWN_CALL");
    refused(desk.get_case(&unheard).await, Code::NotFound, "UNKNOWN_CALL");
    refused(desk.get_case_of("kent", &call).await, Code::NotFound, "UNKNOWN_CALL");
    let theirs = SavePersonRequest { force_id: "kent".into(), ..saving(&call, "PC1", victim()) };
    refused(desk.save_person(theirs).await, Code::NotFound, "UNKNOWN_CALL");

    refused(desk.save_person(saving(&call, "P C", victim())).await, Code::InvalidArgument, "INVALID_OFFICER");
    refused(desk.save_person(saving(&call, "PC1", Person::default())).await, Code::InvalidArgument, "INVALID_PERSON");
    let unknown = Person { person_id: request_id(), version: 1, ..victim() };
    refused(desk.save_person(saving(&call, "PC1", unknown)).await, Code::NotFound, "UNKNOWN_PERSON");

    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let wrong = [
        (
            Person { date_of_birth: "2026-02-30".into(), ..child("Mia") },
            "date_of_birth",
            "no such date: one as 2026-11-24",
        ),
        (Person { date_of_birth: "2126-02-03".into(), ..child("Mia") }, "date_of_birth", "born in the future"),
        (Person { date_of_birth: "1999-02-03".into(), ..child("Mia") }, "date_of_birth", "a child is under 18"),
        (Person { given_name: "n".repeat(101), ..child("Mia") }, "given_name", "too long"),
        (victim(), "role", "a case has one victim"),
    ];
    for (person, field, rule) in wrong {
        let status = desk.save_person(saving(&call, "PC1", person)).await.unwrap_err();
        let said = ["field", "rule"].map(|key| metadata_of(&status, key).unwrap_or_default());
        assert_eq!((status.code(), said), (Code::InvalidArgument, [field.to_owned(), rule.to_owned()]));
    }
    let young = saving(&call, "PC1", child("Mia"));
    desk.save_person(young).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    let as_old = Person { date_of_birth: "2016-03-04".into(), ..case.people[0].clone() };
    let status = desk.save_person(saving(&call, "PC1", as_old)).await.unwrap_err();
    assert_eq!(metadata_of(&status, "rule").unwrap(), "a child is younger than its parent");

    let saved = SavePersonResponse { person_id: case.people[1].person_id.clone(), version: 1 };
    let no_reason = RemovePersonRequest { reason: " ".into(), ..removing(&call, &saved) };
    refused(desk.client().remove_person(no_reason).await, Code::InvalidArgument, "REASON_REQUIRED");
    let older = RemovePersonRequest { version: 9, ..removing(&call, &saved) };
    refused(desk.client().remove_person(older).await, Code::Aborted, "CHANGED_MEANWHILE");
    let other_call = desk.case().await;
    refused(desk.client().remove_person(removing(&other_call, &saved)).await, Code::NotFound, "UNKNOWN_PERSON");

    for n in 2..32 {
        desk.save_person(saving(&call, "PC1", child(&format!("Child {n}")))).await.unwrap();
    }
    let one_more = desk.save_person(saving(&call, "PC1", child("Mia"))).await;
    refused(one_more, Code::FailedPrecondition, "TOO_MANY_PEOPLE");
}

#[tokio::test]
async fn a_crash_keeps_all_and_a_watch_is_opened_anew() {
    let mut desk = Desk::open().await;
    let call = desk.case().await;
    let request = saving(&call, "PC1", victim());
    let saved = desk.save_person(request.clone()).await.unwrap();
    let before = desk.get_case(&call).await.unwrap();
    desk.service.kill().await.unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    assert!(desk.get_case(&call).await.unwrap() == before);
    assert_eq!(desk.save_person(request).await.unwrap(), saved, "answered once");

    // Postgres goes and comes back: the watch ends and is opened anew, and hears of what comes after.
    desk.db.stop().await.unwrap();
    refused(desk.get_case(&call).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    desk.db.start().await.unwrap();
    desk.known(&call).await;
    let mut watch = desk.watch(&call).await;
    assert!(watch.next().await == before);
    desk.save_person(saving(&call, "PC1", child("Mia"))).await.unwrap();
    watch.until(|case| case.people.len() == 2).await;
}

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_no_people_of_others() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &["packages", "people", "person_versions"] };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;
}
