//! What is kept of a referral, by whom, and what a change of the books does not undo.

use api::referral::v1::{Case, Clock, ItemState, MakeReferralRequest, Referral, ReferralState, SendReferralRequest};
use tonic::Code;

use super::{alone, making, outcome, sending, withdrawing};
use crate::{
    desk::{Desk, refused},
    people::{child, saving, victim},
};

#[tokio::test]
async fn asked_for_without_a_word_a_draft_stays_as_somebody_wrote_it() {
    let desk = Desk::open().await;
    let call = desk.case().await;
    let written =
        MakeReferralRequest { partner_id: "wmp-idva".into(), note: "ring before ten".into(), ..making(&call, "idva") };
    let written = desk.make(written).await.unwrap();
    let again = desk.make(making(&call, "idva")).await.unwrap();
    assert_eq!((again.note.as_str(), &again.referral_id), ("ring before ten", &written.referral_id));
    assert_eq!(again.partner.unwrap().partner_id, "wmp-idva");
}

#[tokio::test]
async fn of_two_officers_notes_on_one_draft_neither_is_written_over_unseen() {
    let desk = alone().await;
    let call = desk.case().await;
    let mut watch = desk.watch(&call).await;
    let draft = desk.make(making(&call, "idva")).await.unwrap();
    let by = |officer: &str, note: &str, seen: &Referral| MakeReferralRequest {
        officer_id: officer.into(),
        note: note.into(),
        note_version: Some(seen.note_version),
        ..making(&call, "idva")
    };
    // Each has seen the same empty note.
    let (one, other) = ("ring before ten", "the dog bites");
    let (first, second) = tokio::join!(desk.make(by("PC1", one, &draft)), desk.make(by("PC2", other, &draft)));
    assert!(first.is_ok() != second.is_ok(), "of two officers one has written it");
    let (stands, late, words) = if first.is_ok() { (first, second, other) } else { (second, first, one) };
    let stands = stands.unwrap();
    refused(late, Code::Aborted, "CHANGED_MEANWHILE");
    let case = watch.until(|case| case.referrals.first().is_some_and(|one| !one.note.is_empty())).await;
    assert_eq!((&case.referrals[0].note, case.referrals[0].note_version), (&stands.note, stands.note_version));

    // Whose was refused has seen the other's now. What else the draft says meanwhile is no matter of the note's.
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let case = watch.until(|case| case.referrals.first().is_some_and(|one| one.version != stands.version)).await;
    assert_eq!(case.referrals[0].note_version, stands.note_version);
    let both = format!("{}; {words}", stands.note);
    let merged = desk.make(by("PC2", &both, &stands)).await.unwrap();
    assert_eq!(merged.note, both);
    assert_ne!(merged.note_version, stands.note_version);
    // The same words by both are no two.
    assert_eq!(desk.make(by("PC1", &both, &draft)).await.unwrap().note, both);
    refused(desk.make(by("PC1", "", &draft)).await, Code::Aborted, "CHANGED_MEANWHILE");
    let emptied = desk.make(by("PC1", "", &merged)).await.unwrap();
    assert_eq!((emptied.note.as_str(), emptied.note_version), ("", draft.note_version));

    // It isn't drafted anew by a note that came late.
    desk.withdraw(withdrawing(&call, &emptied)).await.unwrap();
    refused(desk.make(by("PC2", "late", &emptied)).await, Code::FailedPrecondition, "NOT_A_DRAFT");
    assert_eq!(desk.get_case(&call).await.unwrap().referrals.len(), 1);
}

#[tokio::test]
async fn each_version_says_whose_it_is_and_a_rule_s_is_nobody_s() {
    let desk = alone().await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    desk.save_person(saving(&call, "PC1", child("Mia"))).await.unwrap();
    let draft = desk.get_case(&call).await.unwrap().referrals.remove(0);
    let noted = MakeReferralRequest {
        officer_id: "PC2".into(),
        person_id: draft.person_id.clone(),
        note: "the teacher knows".into(),
        ..making(&call, "encompass")
    };
    let noted = desk.make(noted).await.unwrap();
    desk.send(SendReferralRequest { officer_id: "PC3".into(), ..sending(&call, &noted) }).await.unwrap();
    let versions = "select saved_by from referral.referral_versions order by revision";
    let by: Vec<Option<String>> = sqlx::query_scalar(versions).fetch_all(&desk.db.pool()).await.unwrap();
    assert_eq!(by, [None, Some("PC2".to_owned()), Some("PC3".to_owned())]);
}

#[tokio::test]
async fn what_becomes_of_an_application_is_decided_by_stages_and_nothing_else() {
    let desk = alone().await;
    let call = desk.case().await;
    let referral = desk.application(&call).await;
    let draft = desk.get_case(&call).await.unwrap().referrals.into_iter().find(|one| one.referral_id == referral);
    let sent = desk.send(sending(&call, &draft.unwrap())).await.unwrap();
    refused(desk.record(outcome(&call, &sent)).await, Code::FailedPrecondition, "DECIDED_BY_STAGES");
    let kept = desk.get_case(&call).await.unwrap().referrals.remove(0);
    assert_eq!((kept.state(), kept.outcome.as_str()), (ReferralState::Sent, ""));
}

#[tokio::test]
async fn a_consent_is_heeded_by_what_was_sent_on_it_whatever_the_kinds_say_by_then() {
    let kinds = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/kinds.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kinds.toml");
    std::fs::write(&path, &kinds).unwrap();
    let settings =
        [("ALCOVE_REFERRAL__BOOKS__PARTNERS", "/dev/null"), ("ALCOVE_REFERRAL__BOOKS__KINDS", path.to_str().unwrap())];
    let mut desk = Desk::open_with(&settings).await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", victim())).await.unwrap();
    let mut watch = desk.watch(&call).await;
    desk.make(making(&call, "victim-support")).await.unwrap();
    desk.agrees(&call, "victim-support", true).await;
    let case = watch.until(|case| case.referrals.first().is_some_and(|one| one.blocked_by == ["NO_PARTNER"])).await;
    desk.send(sending(&call, &case.referrals[0])).await.unwrap();

    // A later edition makes none of that kind any more.
    let others = kinds.split("[[kind]]").filter(|kind| !kind.contains("key = \"victim-support\""));
    std::fs::write(&path, others.collect::<Vec<_>>().join("[[kind]]")).unwrap();
    desk.service.kill().await.unwrap();
    desk.service.restart().await.unwrap();
    desk.reconnect().await;
    let mut watch = desk.watch(&call).await;
    desk.agrees(&call, "victim-support", false).await;
    let case = watch.until(|case| case.referrals[0].consent_withdrawn).await;
    assert_eq!(case.referrals[0].state(), ReferralState::Withdrawn);
}

#[tokio::test]
async fn the_schools_whose_terms_count_are_those_that_the_partner_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("partners.toml");
    let book = |terms: &str| {
        format!(
            "[[partner]]\nid = \"wmp-schools\"\nforce = \"wmp\"\nname = \"Schools desk\"\nservices = [\"encompass\"]\n\
             phone = \"0121 496 0000\"\nschool_terms = \"{terms}\"\n"
        )
    };
    let setting = ("ALCOVE_REFERRAL__BOOKS__PARTNERS", path.to_str().unwrap());
    std::fs::write(&path, book("mars")).unwrap();
    let error = testkit::Service::start("referral", &[setting]).await.unwrap_err();
    let said = format!("{error:?} {error}");
    assert!(said.contains("wmp-schools") && said.contains("mars"), "{said}");

    let calendars = far_calendars(&folder);
    // Another who tells schools, and has no area either: between them an officer chooses.
    let other = book("far").replace("wmp-schools", "wmp-schools-far");
    let ours = book("far").replace("school_terms = \"far\"\n", "");
    std::fs::write(&path, book("far")).unwrap();
    let desk = Desk::open_with(&[setting, ("ALCOVE_REFERRAL__BOOKS__CALENDARS", &calendars)]).await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", child("Mia"))).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    let days = days_of_notice(&case, &case.referrals[0]);
    assert!(days >= 59, "not before the holidays are over: {days} days");
    assert_eq!(case.checklist.iter().find(|item| item.key == "referrals").unwrap().state(), ItemState::Missing);
    drop(desk);

    std::fs::write(&path, ours + &other).unwrap();
    let desk = Desk::open_with(&[setting, ("ALCOVE_REFERRAL__BOOKS__CALENDARS", &calendars)]).await;
    let call = desk.case().await;
    desk.save_person(saving(&call, "PC1", child("Mia"))).await.unwrap();
    let drafted = desk.get_case(&call).await.unwrap().referrals.remove(0);
    desk.withdraw(withdrawing(&call, &drafted)).await.unwrap();
    let chosen = MakeReferralRequest {
        person_id: drafted.person_id.clone(),
        partner_id: "wmp-schools-far".into(),
        ..making(&call, "encompass")
    };
    let chosen = desk.make(chosen).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    let (by_rule, by_choice) = (days_of_notice(&case, &drafted), days_of_notice(&case, &chosen));
    assert!(by_rule < 15, "nobody had chosen: any working day may be a school day, {by_rule} days");
    assert!(by_choice >= 59, "by the terms of whom the officer chose: {by_choice} days");
}

/// Terms that were over before today, and a school that comes back long after it.
fn far_calendars(folder: &tempfile::TempDir) -> String {
    let calendars = folder.path().join("calendars");
    std::fs::create_dir(&calendars).unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/calendars/bank-holidays.toml");
    std::fs::copy(shipped, calendars.join("bank-holidays.toml")).unwrap();
    let today = chassis::Clock::system().now().date_naive();
    let day = |days: i64| today + chrono::TimeDelta::days(days);
    let terms = format!(
        "kind = \"school-terms\"\narea = \"far\"\ntitle = \"T\"\nsource = \"S\"\n[[year]]\nfrom = \"{}\"\nuntil = \"{}\"\n\
         terms = [[\"{}\", \"{}\"], [\"{}\", \"{}\"]]\n",
        day(-200),
        day(150),
        day(-200),
        day(-100),
        day(60),
        day(140)
    );
    std::fs::write(calendars.join("far.toml"), terms).unwrap();
    calendars.display().to_string()
}

/// How long there is to tell the school, in days from the draft.
fn days_of_notice(case: &Case, notice: &Referral) -> i64 {
    let its = |clock: &&Clock| clock.key == "encompass" && clock.referral_id == notice.referral_id;
    let clock = case.clocks.iter().find(its).unwrap();
    (clock.due_at.unwrap().seconds - clock.started_at.unwrap().seconds) / 86_400
}
