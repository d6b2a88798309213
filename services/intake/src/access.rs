//! Who may call what. A control room asks about its own force's calls; what the chassis' guard does with this is said
//! there.

use chassis::{
    Role,
    access::{Rule, Who},
};

const CONTROL_ROOM: &[Who] = &[Who::ControlRoom];
/// Whoever has the caller before them, on the line or in the call, hears what they agree to.
const HEARS: &[Who] = &[Who::ControlRoom, Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant)];
/// Who rings a caller back for a follow-up.
const DESK: &[Who] = &[Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant)];
/// Who must know a number or a word that nobody else is told.
const SESSION: &[Who] = &[Who::Service("video-session")];
/// The number, for the text message with a link, and so that the officer doesn't type it.
const REACHES: &[Who] = &[Who::Service("video-session"), Who::Service("referral")];
const UNKNOWN: &str = "UNKNOWN_CALL";

/// Every RPC of ours.
pub const RULES: &[Rule] = &[
    Rule::of("alcove.intake.v1.IntakeService/OpenCall", CONTROL_ROOM),
    Rule::about("alcove.intake.v1.IntakeService/RecordTriage", CONTROL_ROOM, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/RecordConsent", HEARS, UNKNOWN).lent(),
    Rule::about("alcove.intake.v1.IntakeService/WithdrawConsent", HEARS, UNKNOWN).lent(),
    Rule::about("alcove.intake.v1.IntakeService/RequestTransfer", CONTROL_ROOM, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/CancelTransfer", CONTROL_ROOM, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/StartFollowUp", DESK, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/GetCall", CONTROL_ROOM, UNKNOWN),
    Rule::of("alcove.intake.v1.IntakeService/ListCalls", CONTROL_ROOM),
    Rule::about("alcove.intake.v1.IntakeService/WatchCall", CONTROL_ROOM, UNKNOWN),
    Rule::of("alcove.intake.v1.IntakeService/WatchForce", CONTROL_ROOM),
    Rule::about("alcove.intake.v1.IntakeService/AcknowledgeFastTrack", CONTROL_ROOM, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/GetLocation", HEARS, UNKNOWN).lent(),
    Rule::about("alcove.intake.v1.IntakeService/GetReach", REACHES, UNKNOWN),
    Rule::about("alcove.intake.v1.IntakeService/GetComeNowWord", SESSION, UNKNOWN),
];
