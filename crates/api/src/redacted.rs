//! What of a message with personal data in it may be seen where others of its kind are printed.

use std::fmt;

use crate::referral::v1::ChecklistItem;

/// Not what fills it: that may be an officer's note.
impl fmt::Debug for ChecklistItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChecklistItem").field("key", &self.key).field("state", &self.state()).finish_non_exhaustive()
    }
}
