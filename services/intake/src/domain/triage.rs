//! Triage: the first one, and every re-assessment.

use std::fmt;

use super::{Answers, Assessment, Call, Fit, Refusal, Rules, State, Verdict, judge};

/// Why a triage was taken again, and by whom. Words about the caller: kept in their own columns, and nowhere else.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Occasion {
    /// What has changed, in the contact handler's words.
    pub reason: Option<String>,
    /// Collar number or system id.
    pub taken_by: Option<String>,
}

impl fmt::Debug for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Call {
    /// Takes a triage, the first or a further one. While the call waits for an officer, or one has it, the answer is
    /// kept and returned, but what the desk was told stands: taking the call back is the control room's decision, and
    /// ending it the officer's.
    ///
    /// # Errors
    /// The call is over; or an officer has it, and there is no reason or nobody who took it.
    pub fn triage(
        mut self,
        answers: &Answers,
        occasion: &Occasion,
        rules: &Rules,
    ) -> Result<(Self, Assessment), Refusal> {
        let verdict = judge(rules, answers);
        let instead = match verdict {
            Verdict::Eligible(_) => String::new(),
            Verdict::Ineligible(reason) => rules.instead(reason).to_owned(),
        };
        self.state = match self.state {
            State::Open | State::Triaged(_) | State::Ineligible { .. } | State::Consented(_) => match verdict {
                Verdict::Ineligible(reason) => State::Ineligible { reason },
                Verdict::Eligible(route) => {
                    let fit = Fit {
                        risk: answers.risk,
                        language: answers.language.clone(),
                        children_present: answers.children_present,
                        needs: answers.needs,
                        route,
                    };
                    if self.consents.any() { State::Consented(fit) } else { State::Triaged(fit) }
                }
            },
            waiting @ State::TransferRequested(_) => waiting,
            State::WithDesk(_) if occasion.reason.is_none() || occasion.taken_by.is_none() => {
                return Err(Refusal::NoReason);
            }
            with_desk @ State::WithDesk(_) => with_desk,
            State::Closed { .. } | State::Returned { .. } | State::Cancelled { .. } => return Err(Refusal::Closed),
        };
        self.triages += 1;
        let assessment = Assessment { version: self.triages, verdict, instead, rules: rules.version().to_owned() };
        Ok((self, assessment))
    }
}
