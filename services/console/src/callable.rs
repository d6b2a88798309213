//! What a page may ask of the services: this, and nothing else. What services ask each other, a caller's number among it, is for nobody's
//! screen, and the next such call is refused without anybody remembering to.

/// Each service with what the page (`web/src`) calls of it, in the order of the alphabet. A test holds the two against each other.
const CALLABLE: [(&str, &[&str]); 5] = [
    ("alcove.evidence.v1.EvidenceService", &["Export", "GetExhibit", "ListAccess", "ListExhibits", "ReadItem"]),
    ("alcove.intake.v1.IntakeService", &["RecordConsent", "WithdrawConsent"]),
    (
        "alcove.referral.v1.ReferralService",
        &[
            "AcknowledgeReferral",
            "DraftStatement",
            "GetAssessmentForm",
            "GetDisclosureSchedule",
            "GetPackage",
            "GetPackageIndex",
            "GradeRisk",
            "JudgeMatch",
            "ListQuestionSets",
            "ListReferralKinds",
            "ListStatements",
            "MakeReferral",
            "NotePackageItem",
            "RecordOutcome",
            "RemovePerson",
            "SaveAssessment",
            "SaveDisclosureSchedule",
            "SavePerson",
            "SaveStatement",
            "SealPackage",
            "SearchPartners",
            "SendReferral",
            "WatchCase",
            "WatchDue",
            "WithdrawReferral",
        ],
    ),
    (
        "alcove.session.v1.SessionService",
        &[
            "AcknowledgeDuress",
            "AdmitParticipant",
            "AskForPhotograph",
            "CaptureStill",
            "EndSession",
            "IssueInvitation",
            "JoinSession",
            "MarkChapter",
            "RemoveParticipant",
            "RequestFastTrack",
            "RevokeInvitation",
            "SendChat",
            "SetCover",
            "SetRecording",
            "WatchSession",
        ],
    ),
    (
        "alcove.transfer.v1.TransferService",
        &[
            "AcceptOffer",
            "AcknowledgeAlert",
            "AgreeLoan",
            "CancelCallback",
            "CancelShift",
            "DeclineOffer",
            "EndLoan",
            "GetDeskFigures",
            "Heartbeat",
            "ListLoans",
            "ListShifts",
            "OfferLoan",
            "ReassignCall",
            "RecordCallbackAttempt",
            "ReturnToControlRoom",
            "ScheduleCallback",
            "SetPresence",
            "SetShift",
            "TakeCallback",
            "WatchDesk",
            "WatchFigures",
        ],
    ),
];

/// The service of a path, if a page may call that.
pub(crate) fn service_of(path: &str) -> Option<&str> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let (_, methods) = CALLABLE.iter().find(|(name, _)| *name == service)?;
    methods.contains(&method).then_some(service)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// `api.session.endSession(` as `session.EndSession`.
    fn called(source: &str) -> impl Iterator<Item = String> {
        source.split("api.").skip(1).filter_map(|rest| {
            let (name, _) = rest.split_once('(')?;
            let (service, method) = name.split_once('.')?;
            let first = method.chars().next()?.to_ascii_uppercase();
            let is_name = |text: &str| text.chars().all(|char| char.is_ascii_alphabetic());
            (is_name(service) && is_name(method)).then(|| format!("{service}.{first}{}", &method[1..]))
        })
    }

    fn sources(folder: &Path, found: &mut String) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                sources(&entry.path(), found);
            } else {
                found.push_str(&fs::read_to_string(entry.path()).unwrap());
            }
        }
    }

    #[test]
    fn a_page_may_call_what_it_calls_and_no_more() {
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src"), &mut text);
        let called: BTreeSet<_> = called(&text).collect();
        let callable = CALLABLE.iter().flat_map(|(service, methods)| {
            let short = service.split('.').nth(1).unwrap();
            methods.iter().map(move |method| format!("{short}.{method}"))
        });
        assert_eq!(callable.collect::<BTreeSet<_>>(), called);
    }

    #[test]
    fn the_rest_is_refused() {
        assert_eq!(
            service_of("/alcove.referral.v1.ReferralService/GetPackage"),
            Some("alcove.referral.v1.ReferralService")
        );
        for path in [
            "/alcove.intake.v1.IntakeService/GetReach",
            "/alcove.evidence.v1.EvidenceService/Dispose",
            "/alcove.referral.v1.ReferralService/GetPackage/",
            "/alcove.referral.v1.ReferralService",
            "//GetPackage",
            "alcove.referral.v1.ReferralService/GetPackage",
            "",
        ] {
            assert_eq!(service_of(path), None, "{path}");
        }
    }
}
