//! Who may call what: video-session writes, officers read by what they are there for, and only disclosure officers hold
//! or destroy.

use chassis::{
    Role,
    access::{Rule, Who},
};

const SESSION: &[Who] = &[Who::Service("video-session")];
/// Who asks for a seal: of the call's exhibit who recorded it, of an addendum who brought a package into it.
const SEALS: &[Who] = &[Who::Service("video-session"), Who::Service("referral")];
/// Who sees what there is, and who has looked at it.
const SEES: &[Who] = &[
    Who::Officer(Role::DeskOfficer),
    Who::Officer(Role::Sergeant),
    Who::Officer(Role::Investigator),
    Who::Officer(Role::Disclosure),
    Who::Officer(Role::Auditor),
];
/// A control room is told of the exhibit of its call; referral drafts a statement from it.
const SEES_ONE: &[Who] = &[
    Who::Service("referral"),
    Who::Officer(Role::DeskOfficer),
    Who::Officer(Role::Sergeant),
    Who::Officer(Role::Investigator),
    Who::Officer(Role::Disclosure),
    Who::Officer(Role::Auditor),
    Who::ControlRoom,
];
/// Who works on the case: sees what was recorded, and adds to it; and referral in their name.
const CASE: &[Who] = &[
    Who::Officer(Role::DeskOfficer),
    Who::Officer(Role::Sergeant),
    Who::Officer(Role::Investigator),
    Who::Officer(Role::Disclosure),
    Who::Service("referral"),
];
const ADDS: &[Who] = &[Who::Service("video-session"), Who::Service("intake"), Who::Service("referral")];
/// Who takes evidence out of here, and says whether it is still needed.
const DISCLOSES: &[Who] = &[Who::Officer(Role::Investigator), Who::Officer(Role::Disclosure)];
const DISCLOSURE: &[Who] = &[Who::Officer(Role::Disclosure)];
const UNKNOWN: &str = "UNKNOWN_EXHIBIT";

/// Every RPC of ours.
pub const RULES: &[Rule] = &[
    Rule::about("alcove.evidence.v1.EvidenceService/OpenExhibit", SESSION, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/AppendSegments", SESSION, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/Seal", SEALS, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/GetExhibit", SEES_ONE, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/Export", DISCLOSES, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/ListAccess", SEES, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/AddItem", ADDS, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/AddAddendum", CASE, UNKNOWN),
    Rule::of("alcove.evidence.v1.EvidenceService/ListExhibits", SEES),
    Rule::about("alcove.evidence.v1.EvidenceService/ReadItem", CASE, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/PlaceHold", DISCLOSURE, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/ReleaseHold", DISCLOSURE, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/ReviewRetention", DISCLOSES, UNKNOWN),
    Rule::about("alcove.evidence.v1.EvidenceService/Dispose", DISCLOSURE, UNKNOWN),
    Rule::of("alcove.evidence.v1.EvidenceService/GetCheckpoint", &[Who::Everybody]),
];
