//! Cover: somebody comes in who must not see the call, and the caller's page turns into something harmless at one tap. From then on
//! nothing of the others gets to their phone, and it is recorded only if they agreed to that, too.
//!
//! Beside the session's state and not one of its states: a caller may cover before the officer is there, and the state never goes back.

use chrono::{DateTime, Utc};
use ids::ParticipantId;

use super::{Covering, Fact, Illegal, Pretext, Role, Session, Tap, session::let_in};

/// Whether a call is covered, and with what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cover {
    /// Since when, if it is.
    pub since: Option<DateTime<Utc>>,
    /// The newest tap that was heard of, as the page counts them: whatever comes later with no greater number is old news.
    pub tap: u32,
    /// What the page turns into.
    pub pretext: Pretext,
}

impl Cover {
    /// How far the taps are counted, and whether the call is covered, if this is the newest tap that was heard of: the rows may not know of
    /// it yet.
    #[must_use]
    pub fn given(&self, heard: Option<(u32, Tap)>) -> (u32, bool) {
        let newer = heard.filter(|(n, _)| *n > self.tap);
        newer.map_or((self.tap, self.since.is_some()), |(n, tap)| (n, tap == Tap::Away))
    }
}

impl Session {
    /// May this person cover the call? Only whom it is for.
    ///
    /// # Errors
    /// When the session has ended, they aren't the caller, or not in the call.
    pub fn may_cover(&self, who: ParticipantId) -> Result<(), Illegal> {
        self.open_still()?;
        let participant = self.participant(who)?;
        if participant.role != Role::Caller {
            return Err(Illegal::WrongRole);
        }
        let_in(participant)
    }

    /// The caller's page has said for the nth time what it shows. A repeat, and what was overtaken, change nothing.
    ///
    /// # Errors
    /// As [`Session::may_cover`].
    pub fn tap(
        mut self,
        who: ParticipantId,
        tap: Tap,
        n: u32,
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<Fact>), Illegal> {
        self.may_cover(who)?;
        if n <= self.cover.tap {
            return Ok((self, Vec::new()));
        }
        self.cover.tap = n;
        Ok(self.shows(tap, now))
    }

    /// Whoever had covered it is gone for good, or has come in anew by a code: nobody's page is covered.
    pub(super) fn uncover(mut self, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        if self.cover.since.is_none() {
            return (self, Vec::new());
        }
        // What their page may still say is old news by this.
        self.cover.tap = self.cover.tap.saturating_add(1);
        self.shows(Tap::Back, now)
    }

    fn shows(mut self, tap: Tap, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        let (was_covered, recorded) = (self.cover.since.is_some(), self.recorded());
        let covered = tap == Tap::Away;
        self.cover.since = covered.then(|| self.cover.since.unwrap_or(now));
        let changed = (covered != was_covered).then_some(Fact::CoverChanged { covered });
        let facts = changed.into_iter().chain(self.told_since(recorded)).collect();
        (self, facts)
    }

    /// Both have agreed on what the page turns into.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn agree(mut self, pretext: Pretext) -> Result<Self, Illegal> {
        self.open_still()?;
        self.cover.pretext = pretext;
        Ok(self)
    }

    /// What the media core has to know of it.
    #[must_use]
    pub fn covering(&self) -> Covering {
        let caller = self.in_role(Role::Caller).map(|caller| caller.id);
        let Cover { since, tap: n, .. } = self.cover;
        Covering { session: self.id, caller, is_on: since.is_some(), n, is_recorded: self.accepted.covered }
    }

    /// Is it covered, and may not be recorded while it is?
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.cover.since.is_some() && !self.accepted.covered
    }
}
