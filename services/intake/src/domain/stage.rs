//! Where a call stands, without what its state carries: what a list of calls is narrowed by.

/// One place in a call's life, as a control room names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Opened, and no more.
    Open,
    /// Triaged, whatever it came to.
    Triaged,
    /// Has agreed to something.
    Consented,
    /// Waiting for an officer.
    TransferRequested,
    /// An officer has it.
    WithDesk,
    /// The session is over.
    Closed,
    /// The desk gave it back.
    Returned,
    /// The control room took it back.
    Cancelled,
}

/// Some of the stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages(u8);

/// Each stage, and the states that are at it, by their tags.
const STATES: [(Stage, &[&str]); 8] = [
    (Stage::Open, &["open"]),
    (Stage::Triaged, &["triaged", "ineligible"]),
    (Stage::Consented, &["consented"]),
    (Stage::TransferRequested, &["transfer_requested"]),
    (Stage::WithDesk, &["with_desk"]),
    (Stage::Closed, &["closed"]),
    (Stage::Returned, &["returned"]),
    (Stage::Cancelled, &["cancelled"]),
];

impl Stages {
    /// Every one.
    pub const ALL: Self = Self(u8::MAX);

    /// Those of a call that isn't done: no new one may be opened for its incident.
    pub const UNDONE: Self = Self(
        bit(Stage::Open)
            | bit(Stage::Triaged)
            | bit(Stage::Consented)
            | bit(Stage::TransferRequested)
            | bit(Stage::WithDesk),
    );

    /// These.
    #[must_use]
    pub fn of(stages: impl IntoIterator<Item = Stage>) -> Self {
        Self(stages.into_iter().fold(0, |bits, stage| bits | bit(stage)))
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As a number, which stays the same for the same stages.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The tags of the states at these stages.
    #[must_use]
    pub fn states(self) -> Vec<String> {
        let ours = STATES.into_iter().filter(|(stage, _)| self.0 & bit(*stage) != 0);
        ours.flat_map(|(_, tags)| tags).map(|tag| (*tag).to_owned()).collect()
    }
}

const fn bit(stage: Stage) -> u8 {
    1 << stage as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Desk, Fit, Language, Reason, Risk, Route, State};

    #[test]
    fn every_state_is_at_a_stage_by_its_own_tag_and_the_undone_are_those_that_are_not_done() {
        let fit = Fit {
            risk: Risk::High,
            language: Language::default(),
            children_present: false,
            route: Route::Sms,
            needs: crate::domain::Needs::default(),
        };
        let call = crate::domain::tests::opened();
        let states = [
            State::Open,
            State::Triaged(fit.clone()),
            State::Ineligible { reason: Reason::NoSafeRoute },
            State::Consented(fit.clone()),
            State::TransferRequested(fit),
            State::WithDesk(Desk::default()),
            State::Closed { reason: String::new(), recorded: false, desk: Desk::default() },
            State::Returned { why: String::new(), awaits_call_back: false },
            State::Cancelled { confirmed: false },
        ];
        let (all, undone) = (Stages::ALL.states(), Stages::UNDONE.states());
        assert_eq!(all.len(), states.len());
        for state in states {
            let tag = serde_json::to_value(&state).unwrap()["state"].as_str().unwrap().to_owned();
            assert!(all.contains(&tag), "{tag}");
            let call = crate::domain::Call { state, ..call.clone() };
            assert_eq!(undone.contains(&tag), !call.is_done(), "{tag}");
        }
        let some = Stages::of([Stage::Triaged, Stage::Closed]);
        assert_eq!(some.states(), ["triaged", "ineligible", "closed"]);
        assert_eq!(some.and(Stages::UNDONE).states(), ["triaged", "ineligible"]);
    }
}
