//! The courier: attempts at a partner's door, each of which takes a while, and whose end may never be known.

use chrono::{DateTime, TimeDelta, Utc};
use ids::CallId;
use referral::domain::delivery::{Answer, ParcelId, Problem};

use crate::{office::Fate, world::World};

/// An attempt at a partner's door lasts no longer, in seconds: less than what its parcel is in hand for.
pub const TRIES: i64 = 30;
/// Of so many of a hundred that are found at a partner's door somebody thinks better just then.
const TAKEN_BACK: u64 = 25;

/// A courier at a partner's door.
pub struct UnderWay {
    number: u64,
    nth: u32,
    id: ParcelId,
    call: CallId,
    began: DateTime<Utc>,
}

impl World {
    /// Some of those at a partner's door come to an end, and every parcel that is due is tried: the attempt is written down, it goes, the
    /// partner answers, and that is written down; unless the process dies between any two of these.
    pub fn courier(&mut self) {
        for one in std::mem::take(&mut self.under_way) {
            if self.calm || one.began + TimeDelta::seconds(TRIES) <= self.now || self.dice.percent(40) {
                self.comes_to_an_end(&one);
            } else {
                // While it is at the door the referral may be taken back.
                if self.dice.percent(TAKEN_BACK) {
                    self.takes_back(one.call);
                }
                self.under_way.push(one);
            }
        }
        for number in self.referrals.party.due(self.now) {
            let began = self.now;
            let Some((id, call, nth)) = self.referrals.party.begins(number, began) else { continue };
            self.story.tell(format_args!("parcel {number} goes to its partner, the {nth}. time"));
            if self.fate() == Fate::Commits {
                self.under_way.push(UnderWay { number, nth, id, call, began });
            }
        }
        if self.calm {
            self.all_come_to_an_end();
        }
    }

    /// Nobody is at a partner's door any more.
    pub fn all_come_to_an_end(&mut self) {
        for one in std::mem::take(&mut self.under_way) {
            self.comes_to_an_end(&one);
        }
    }

    fn comes_to_an_end(&mut self, &UnderWay { number, nth, id, .. }: &UnderWay) {
        let takes = self.calm || self.dice.percent(60);
        let answer = match takes {
            true => Answer::Taken,
            false => Answer::Later(Problem::TheirFault, None),
        };
        // A partner that says that something went wrong may have it all the same.
        if takes || self.dice.percent(50) {
            self.partner.push(id);
        }
        let is_known = self.fate() == Fate::Commits;
        self.story.tell(format_args!("the partner says of parcel {number}: {answer:?}, known: {is_known}"));
        if is_known {
            self.referrals.party.ended(number, nth, answer, self.now);
        }
    }
}
