//! What a rule may ask of a triage, by name: yes and no answers, and nothing that is words.

use crate::domain::{Answers, Device, Language, Needs, Risk, Silent, Thrive};

/// One answer, as a rule wants it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    answer: fn(&Answers) -> bool,
    wanted: bool,
}

/// Every answer that a rule may ask about.
const NAMES: [(&str, fn(&Answers) -> bool); 13] = [
    ("immediate_danger", |a| a.immediate_danger),
    ("offender_present", |a| a.offender_present),
    ("can_join", |a| a.can_join),
    ("shared", |a| a.device.shared),
    ("messages_read", |a| a.device.messages_read),
    ("overheard", |a| a.device.overheard),
    ("can_listen", |a| a.can_listen),
    ("children_present", |a| a.children_present),
    ("child_may_speak", |a| a.needs.child_may_speak),
    ("silent", |a| a.needs.silent.is_some()),
    ("pressed_55", |a| a.needs.silent == Some(Silent::Pressed55)),
    ("taps_only", |a| a.needs.silent == Some(Silent::TapsOnly)),
    ("cannot_speak", |a| a.needs.silent == Some(Silent::CannotSpeak)),
];

impl Condition {
    /// `overheard`, or `not overheard`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (name, wanted) = text.strip_prefix("not ").map_or((text, true), |name| (name, false));
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, answer)| Self { answer: *answer, wanted })
    }

    pub(super) fn holds(self, answers: &Answers) -> bool {
        (self.answer)(answers) == self.wanted
    }
}

/// Everything that can be answered, as far as a rule may ask about it.
pub(super) fn every_answer() -> impl Iterator<Item = Answers> {
    const SILENT: [Option<Silent>; 4] =
        [None, Some(Silent::Pressed55), Some(Silent::TapsOnly), Some(Silent::CannotSpeak)];
    (0..1_u16 << 9).flat_map(|bits| SILENT.map(|silent| answers(bits, silent)))
}

/// The lowest six bits are what was asked first: the phone and the room, then danger, offender and way in.
pub(super) fn answers(bits: u16, silent: Option<Silent>) -> Answers {
    let bit = |n: u16| bits & (1 << n) != 0;
    Answers {
        thrive: Thrive::default(),
        come_now: None,
        device: Device { shared: bit(0), messages_read: bit(1), overheard: bit(2) },
        immediate_danger: bit(3),
        offender_present: bit(4),
        can_join: bit(5),
        can_listen: bit(6),
        risk: Risk::Standard,
        language: Language::default(),
        children_present: bit(7),
        needs: Needs { child_may_speak: bit(8), silent, ..Needs::default() },
    }
}
