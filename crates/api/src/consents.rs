//! What a ConsentRecorded says, for those who hear it.

use crate::intake::v1::{ConsentKind, ConsentRecorded};

impl ConsentRecorded {
    /// What it says about that, if anything. A consent that is taken back is told as one that isn't given.
    #[must_use]
    pub fn said(&self, kind: ConsentKind) -> Option<bool> {
        self.consents.iter().rfind(|fact| fact.kind() == kind).map(|fact| fact.given)
    }
}
