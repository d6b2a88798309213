//! Who may call what: whoever works on the case.

use chassis::{
    Role,
    access::{Rule, Who},
};

const CASE: &[Who] = &[
    Who::Officer(Role::DeskOfficer),
    Who::Officer(Role::Sergeant),
    Who::Officer(Role::Investigator),
    Who::Officer(Role::Disclosure),
];

/// Every RPC of ours.
pub const RULES: &[Rule] = &[Rule::about("alcove.referral.v1.ReferralService/GetPackage", CASE, "UNKNOWN_PACKAGE")];
