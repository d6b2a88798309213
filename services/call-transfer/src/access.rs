//! Who may call what: the desk is its officers'; the control room agrees call-backs with callers. `lent`: see crate::lent.

use chassis::{
    Role,
    access::{Rule, Who},
};

const DESK: &[Who] = &[Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant)];

const SERGEANTS: &[Who] = &[Who::Officer(Role::Sergeant)];

/// Whoever speaks with a caller.
const SPEAKS: &[Who] = &[Who::ControlRoom, Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant)];

/// Every RPC of ours.
pub const RULES: &[Rule] = &[
    Rule::of("alcove.transfer.v1.TransferService/SetPresence", DESK).lent(),
    Rule::about("alcove.transfer.v1.TransferService/Heartbeat", DESK, "UNKNOWN_OFFICER").lent(),
    Rule::of("alcove.transfer.v1.TransferService/WatchDesk", DESK).lent(),
    Rule::about("alcove.transfer.v1.TransferService/AcceptOffer", DESK, "UNKNOWN_CALL").lent(),
    Rule::about("alcove.transfer.v1.TransferService/DeclineOffer", DESK, "UNKNOWN_CALL").lent(),
    Rule::about("alcove.transfer.v1.TransferService/ReturnToControlRoom", DESK, "UNKNOWN_CALL").lent(),
    Rule::about("alcove.transfer.v1.TransferService/ReassignCall", SERGEANTS, "UNKNOWN_CALL"),
    Rule::about("alcove.transfer.v1.TransferService/AcknowledgeAlert", SERGEANTS, "UNKNOWN_ALERT"),
    Rule::of("alcove.transfer.v1.TransferService/GetDeskFigures", SERGEANTS),
    Rule::of("alcove.transfer.v1.TransferService/WatchFigures", SERGEANTS),
    Rule::about("alcove.transfer.v1.TransferService/ScheduleCallback", SPEAKS, "UNKNOWN_CALL"),
    Rule::of("alcove.transfer.v1.TransferService/ListCallbacks", SPEAKS),
    Rule::about("alcove.transfer.v1.TransferService/TakeCallback", DESK, "UNKNOWN_CALLBACK"),
    Rule::about("alcove.transfer.v1.TransferService/RecordCallbackAttempt", DESK, "UNKNOWN_CALLBACK"),
    Rule::about("alcove.transfer.v1.TransferService/CancelCallback", SPEAKS, "UNKNOWN_CALLBACK"),
    Rule::of("alcove.transfer.v1.TransferService/SetShift", SERGEANTS),
    Rule::about("alcove.transfer.v1.TransferService/CancelShift", SERGEANTS, "UNKNOWN_SHIFT"),
    Rule::of("alcove.transfer.v1.TransferService/ListShifts", SERGEANTS),
    Rule::of("alcove.transfer.v1.TransferService/OfferLoan", SERGEANTS),
    Rule::about("alcove.transfer.v1.TransferService/AgreeLoan", SERGEANTS, "UNKNOWN_LOAN"),
    Rule::about("alcove.transfer.v1.TransferService/EndLoan", SERGEANTS, "UNKNOWN_LOAN"),
    Rule::of("alcove.transfer.v1.TransferService/ListLoans", SERGEANTS),
];
