//! Who may call what: whoever works on the case; a lent officer while the call is theirs; of what could not be delivered and what is
//! due, those who lead the desk.

use chassis::{
    Role,
    access::{Rule, Who},
};

/// Whoever writes in it.
const WORKS: &[Who] =
    &[Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant), Who::Officer(Role::Investigator)];
/// Whoever reads it.
const READS: &[Who] = &[
    Who::Officer(Role::DeskOfficer),
    Who::Officer(Role::Sergeant),
    Who::Officer(Role::Investigator),
    Who::Officer(Role::Disclosure),
];
const LEADS: &[Who] = &[Who::Officer(Role::Sergeant)];
const UNKNOWN: &str = "UNKNOWN_CALL";

/// Every RPC of ours.
pub const RULES: &[Rule] = &[
    Rule::about("alcove.referral.v1.ReferralService/GetCase", READS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/WatchCase", READS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/SavePerson", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/RemovePerson", WORKS, UNKNOWN).lent(),
    Rule::of("alcove.referral.v1.ReferralService/ListQuestionSets", WORKS),
    Rule::about("alcove.referral.v1.ReferralService/GetAssessmentForm", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/SaveAssessment", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/GradeRisk", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/JudgeMatch", WORKS, UNKNOWN),
    Rule::of("alcove.referral.v1.ReferralService/ListReferralKinds", WORKS),
    Rule::of("alcove.referral.v1.ReferralService/SearchPartners", WORKS),
    Rule::about("alcove.referral.v1.ReferralService/MakeReferral", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/SendReferral", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/WithdrawReferral", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/AcknowledgeReferral", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/RecordOutcome", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/RecordDisclosureStage", WORKS, UNKNOWN),
    Rule::of("alcove.referral.v1.ReferralService/ListDue", WORKS),
    Rule::of("alcove.referral.v1.ReferralService/WatchDue", LEADS),
    Rule::about("alcove.referral.v1.ReferralService/GetPackage", READS, "UNKNOWN_PACKAGE"),
    Rule::about("alcove.referral.v1.ReferralService/NotePackageItem", WORKS, UNKNOWN).lent(),
    Rule::about("alcove.referral.v1.ReferralService/DraftStatement", WORKS, UNKNOWN),
    Rule::about("alcove.referral.v1.ReferralService/SaveStatement", WORKS, UNKNOWN),
    Rule::about("alcove.referral.v1.ReferralService/ListStatements", READS, UNKNOWN),
    Rule::about("alcove.referral.v1.ReferralService/GetDisclosureSchedule", READS, UNKNOWN),
    Rule::about("alcove.referral.v1.ReferralService/SaveDisclosureSchedule", READS, UNKNOWN),
    Rule::about("alcove.referral.v1.ReferralService/SealPackage", WORKS, "UNKNOWN_PACKAGE"),
    Rule::about("alcove.referral.v1.ReferralService/GetPackageIndex", READS, "UNKNOWN_PACKAGE"),
    Rule::about("alcove.referral.v1.ReferralService/GetCallerNumber", WORKS, UNKNOWN).lent(),
];
