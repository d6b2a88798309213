//! Who may call what: the officers of a desk, and another instance of ourselves, which passes on what only this one can
//! do and has checked it already. Which officer may do what in a call is the domain's to say. Officers lent by another
//! force come by each of them, for their own call.

use chassis::{
    Role,
    access::{Rule, Who},
};

const DESK: &[Who] = &[Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant), Who::Service("video-session")];
const UNKNOWN: &str = "UNKNOWN_SESSION";

/// Every RPC of ours.
pub const RULES: &[Rule] = &[
    Rule::about("alcove.session.v1.SessionService/GetSession", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/JoinSession", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/IssueInvitation", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/RevokeInvitation", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/AdmitParticipant", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/RemoveParticipant", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/SetRecording", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/CaptureStill", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/AskForPhotograph", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/SendChat", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/MarkChapter", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/SetCover", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/AcknowledgeDuress", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/RequestFastTrack", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/EndSession", DESK, UNKNOWN).lent(),
    Rule::about("alcove.session.v1.SessionService/WatchSession", DESK, UNKNOWN).lent(),
];
