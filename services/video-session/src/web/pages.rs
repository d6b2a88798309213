//! Which of one browser's pages has the call. All of them have the same cookie, so a second one, a tab that was duplicated or an address
//! that was typed once more, could take the call from the first without anybody wanting that.
//!
//! A page has the call while its media is here or it reads the events. Meanwhile another one gets it only if somebody says so there; a
//! reload is no other, for the page that goes says so, and one that crashed is soon not heard of any more.
//!
//! And a page that was opened, not reloaded, may be in other hands. If there is a call it shows nothing of it, ever: reloaded, it would look
//! like the first one's reload, so it is known here, until the page that has the call goes or comes back. In memory: with another
//! instance it is forgotten, and at worst somebody who reloads is asked whether to go on there.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ids::ParticipantId;

/// In whose browsers another page was opened. They are few, and few of them are left behind.
#[derive(Debug, Default)]
pub struct Pages(Mutex<HashSet<ParticipantId>>);

/// What a page that asks to come back is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comes {
    /// The call is its own.
    Back,
    /// It is open in another one: it is to be asked.
    Beside,
    /// It is open in another one, and this one is to show nothing of that.
    Unseen,
    /// Nobody has it, and this page may be in other hands.
    Never,
}

impl Pages {
    /// A page asks to come back. `is_open`: another one has the call; `here`: whoever looks at this one wants it there.
    pub(super) fn comes(&self, who: ParticipantId, is_open: bool, is_covered: bool, here: bool) -> Comes {
        match (is_open, self.all().contains(&who)) {
            (false, true) => Comes::Never,
            (true, true) => Comes::Unseen,
            (false, false) => Comes::Back,
            (true, false) if is_covered => Comes::Unseen,
            (true, false) if here => Comes::Back,
            (true, false) => Comes::Beside,
        }
    }

    /// Another page was opened.
    pub(super) fn opened_another(&self, who: ParticipantId) {
        self.all().insert(who);
    }

    /// The page that has the call says that it goes; or that has come by a code.
    pub(super) fn has_its_own(&self, who: ParticipantId) {
        self.all().remove(&who);
    }

    fn all(&self) -> MutexGuard<'_, HashSet<ParticipantId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_page_has_the_call_until_somebody_says_otherwise_on_another_of_its_kind() {
        let (pages, who) = (Pages::default(), ParticipantId::from(Uuid::from_u128(1)));
        let comes = |is_open, is_covered, here| pages.comes(who, is_open, is_covered, here);
        assert_eq!([comes(false, false, false), comes(false, true, false)], [Comes::Back; 2], "a reload, or a crash");
        assert_eq!([comes(true, false, false), comes(true, false, true)], [Comes::Beside, Comes::Back]);
        assert_eq!([comes(true, true, false), comes(true, true, true)], [Comes::Unseen; 2], "a curious finger");
        pages.opened_another(who);
        assert_eq!(
            [comes(true, false, true), comes(false, false, true)],
            [Comes::Unseen, Comes::Never],
            "in other hands"
        );
        pages.has_its_own(who);
        assert_eq!(comes(false, false, false), Comes::Back, "it went, and is back");
    }
}
