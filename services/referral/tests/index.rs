//! The package's index, as it is printed.

use api::{
    intake::v1::RiskGrade,
    referral::v1::{GetPackageIndexRequest, Handling, MakeReferralRequest},
};
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::{child, request_id, saving, victim},
    risk::grading,
    schedules::agreeing,
};

impl Desk {
    async fn index(&self, force: &str, call: &str, officer: &str) -> Result<Vec<u8>, Status> {
        let request =
            GetPackageIndexRequest { force_id: force.into(), call_id: call.into(), officer_id: officer.into() };
        Ok(self.client().get_package_index(request).await?.into_inner().pdf)
    }
}

/// What it says, spaces aside: where a line ends is nobody's words.
fn text(pdf: &[u8]) -> String {
    squeezed(&pdf_extract::extract_text_from_mem(pdf).unwrap())
}

fn squeezed(words: &str) -> String {
    words.split_whitespace().collect()
}

#[tokio::test]
async fn the_index_says_what_the_case_has_once_the_package_is_open() {
    let desk = Desk::open().await;
    let (call, assessment) = desk.begun().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Zażółć"))).await.unwrap();
    desk.ticks(&call, &assessment, 1).await;
    let graded = desk.assessment(&call).await;
    desk.grade(grading(&call, &graded, RiskGrade::High, "she fears for her life")).await.unwrap();
    let making = MakeReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "PC1".into(),
        kind: "victim-support".into(),
        ..Default::default()
    };
    desk.client().make_referral(making).await.unwrap();
    desk.opened(&call).await;
    desk.sealed(&call).await;
    refused(desk.index(FORCE, &call, "ds.b").await, Code::NotFound, "UNKNOWN_PACKAGE");

    desk.ended(&call, true).await;
    desk.announced(&call).await;
    let mut watch = desk.watch(&call).await;
    let sealed = |case: &api::referral::v1::Case| {
        case.checklist.iter().any(|item| item.key == "initial-account" && item.evidence == "WMP/1")
    };
    watch.until(sealed).await;
    let package = desk.get(FORCE, &call).await.unwrap();
    let pdf = desk.index(FORCE, &call, "ds.b").await.unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7"));
    let text = text(&pdf);
    let score = format!("Score: {} %", package.score_percent);
    for said in [
        "OFFICIAL-SENSITIVE",
        "2026-11-24/1123",
        &call,
        &package.package_id,
        "abab abab abab",
        ", by ds.b",
        "Canary Finch",
        "Zażółć",
        "child, daughter",
        "HIGH",
        "she fears for her life",
        "MARAC",
        "Victim support",
        "Draft",
        "Recording, sealed",
        "No schedule has been saved.",
        "Page 1 of",
        &score,
    ] {
        assert!(text.contains(&squeezed(said)), "{said}\n{text}");
    }
    assert!(!text.contains("MillLane"), "where they live is nothing for an index");

    // Of the schedule it has what the defence gets; of what is sensitive, how much there is.
    let saved = desk.save_schedule(agreeing(&call, &desk.schedule(&call).await)).await.unwrap();
    let text = self::text(&desk.index(FORCE, &call, "ds.b").await.unwrap());
    let (sensitive, told): (Vec<_>, Vec<_>) =
        saved.entries.iter().partition(|entry| entry.handling() == Handling::Sensitive);
    assert!(sensitive.len() > 1 && told.len() > 1, "both kinds are there");
    for entry in told {
        assert!(text.contains(&squeezed(&entry.description)), "{}\n{text}", entry.description);
    }
    for words in sensitive.iter().flat_map(|entry| [&entry.description, &entry.reason]) {
        assert!(!text.contains(&squeezed(words)), "{words}\n{text}");
    }
    let counted = format!("{} entries are on the prosecutor's schedule of sensitive material", sensitive.len());
    assert!(text.contains(&squeezed(&counted)), "{text}");
}

#[tokio::test]
async fn who_asks_for_no_index_there_is_is_refused_by_a_reason() {
    let desk = Desk::open().await;
    // Nobody ever had the call: there is a package all the same.
    let call = new_call();
    desk.ended(&call, false).await;
    desk.announced(&call).await;
    let text = text(&desk.index(FORCE, &call, "ds.b").await.unwrap());
    assert!(text.contains("Nobodyhasbeenwrittendown."), "{text}");
    refused(desk.index("kent", &call, "ds.b").await, Code::NotFound, "UNKNOWN_PACKAGE");
    refused(desk.index(FORCE, &new_call(), "ds.b").await, Code::NotFound, "UNKNOWN_PACKAGE");
    refused(desk.index(FORCE, &call, "").await, Code::InvalidArgument, "INVALID_OFFICER");
    refused(desk.index(FORCE, "1", "ds.b").await, Code::InvalidArgument, "MALFORMED_ID");
}
