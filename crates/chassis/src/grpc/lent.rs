//! Officers whom their force lends to another (docs/mutual-aid.md). The guard asks the service before it lets one near
//! the other force's call, and answers as if the call did not exist unless the service says that it is theirs.

use api::addressed::Address;
use ids::{CallId, ForceId, OfficerId};
use tonic::Status;

use crate::{
    access::Rule,
    principal::Principal,
    roles::{Role, Roles},
};

/// Who asks about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The force whose call it is, and not the officer's own.
    pub force: ForceId,
    /// The officer as they are called there: `id@own-force`.
    pub officer: OfficerId,
    /// The call, where the request names one.
    pub call: Option<CallId>,
}

/// What a service with `lent` rules knows of calls.
#[tonic::async_trait]
pub trait Lent: Send + Sync + 'static {
    /// Whether the call is this officer's; without a call, whether there is anything for them to do at that force's desk.
    /// Asked before each such request, and of nobody but an officer of another force.
    ///
    /// # Errors
    /// When nobody can tell at the moment: nobody is let in.
    async fn is_theirs(&self, asked: &Asked) -> Result<bool, Status>;
}

/// Who an officer of another force would be, asking this; `None`: nobody, by this rule. A name or a call that is none is
/// nobody's.
pub(super) fn as_lent(rule: &Rule, caller: &Principal, address: &Address) -> Option<(Asked, Principal)> {
    let Principal::Officer { id, force: own, .. } = caller else { return None };
    let force: ForceId = address.force.parse().ok()?;
    let officer = id.at(&force, own);
    let in_their_name = address.officer.as_deref().is_none_or(|named| named == officer.as_str());
    let roles: Roles = [Role::DeskOfficer].into_iter().collect();
    let lent = Principal::Officer { id: officer.clone(), force: force.clone(), roles };
    if !rule.lent || !in_their_name || !rule.admits(Some(&lent)) {
        return None;
    }
    let call = address.call.as_deref().map(str::parse).transpose().ok()?;
    Some((Asked { force, officer, call }, lent))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::access::Who;

    const DESK: &[Who] = &[Who::Officer(Role::DeskOfficer), Who::Officer(Role::Sergeant)];
    const RULE: Rule = Rule::about("alcove.session.v1.SessionService/SendChat", DESK, "UNKNOWN_SESSION").lent();
    const CALL: &str = "018f4e1c-0000-7000-8000-000000000001";

    fn kent(role: Role) -> Principal {
        let roles = [role].into_iter().collect();
        Principal::Officer { id: "a.patel".parse().unwrap(), force: "kent".parse().unwrap(), roles }
    }

    fn about(force: &str, officer: Option<&str>, call: Option<&str>) -> Address {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Address { force: force.to_owned(), officer: text(officer), call: text(call) }
    }

    #[test]
    fn they_are_a_desk_officer_there_whatever_they_are_at_home_and_are_called_by_their_force() {
        let surrey = about("surrey", Some("a.patel@kent"), Some(CALL));
        for role in [Role::DeskOfficer, Role::Sergeant, Role::Admin] {
            let (asked, lent) = as_lent(&RULE, &kent(role), &surrey).unwrap();
            assert_eq!((asked.force.as_str(), asked.officer.as_str()), ("surrey", "a.patel@kent"));
            assert_eq!(asked.call, Some(CALL.parse().unwrap()));
            let Principal::Officer { id, force, roles } = lent else { panic!("an officer") };
            assert_eq!((id.as_str(), force.as_str()), ("a.patel@kent", "surrey"));
            assert!(roles.has(Role::DeskOfficer) && !roles.has(Role::Sergeant) && !roles.has(Role::Admin));
        }
        assert!(as_lent(&RULE, &kent(Role::DeskOfficer), &about("surrey", None, None)).is_some());
    }

    #[test]
    fn nobody_is_asked_about_another_name_a_call_that_is_none_or_by_a_rule_that_lends_to_nobody() {
        let officer = kent(Role::DeskOfficer);
        for named in ["a.patel", "a.patel@surrey", "b.jones@kent", "a.patel@kent "] {
            assert_eq!(as_lent(&RULE, &officer, &about("surrey", Some(named), Some(CALL))), None, "{named}");
        }
        assert_eq!(as_lent(&RULE, &officer, &about("surrey", None, Some("a call"))), None);
        assert_eq!(as_lent(&RULE, &officer, &about("SURREY", None, Some(CALL))), None);
        let mine = about("surrey", None, Some(CALL));
        assert_eq!(as_lent(&Rule { lent: false, ..RULE }, &officer, &mine), None);
        assert_eq!(as_lent(&Rule { who: &[Who::Officer(Role::Sergeant)], ..RULE }, &kent(Role::Sergeant), &mine), None);
        let control_room = Principal::ControlRoom { force: "kent".parse().unwrap(), system: "cad".to_owned() };
        assert_eq!(as_lent(&RULE, &control_room, &mine), None);
        assert_eq!(as_lent(&RULE, &Principal::Service("console".to_owned()), &mine), None);
    }
}
