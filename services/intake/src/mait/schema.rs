//! The one table of MAIT: every name, how long it may be, what it may look like, whether it must be there, and whether it
//! is personal. It drives the reader and the writer; `services/intake/mait/alcove-mait-1.0.xsd` is made from it, and a test
//! has another maker's validator agree.
//!
//! **The names are not verified.** The published schema (MAIT 1.0.0, BAPCO, <https://www.mait.org.uk>) could not be had
//! when this was written; messages and fields are those that the standard is for, the names are ours, and so is the
//! namespace. Before a control room is connected each name here is to be checked against the standard: nothing else in
//! the service knows one.

use super::shape::Shape;

/// Whose names they are: ours, until they have been checked against the standard.
pub const NAMESPACE: &str = "urn:alcove:mait:1.0";
/// The element that a message is.
pub const ROOT: &str = "MAIT";
/// The longest message, in bytes.
pub const LARGEST: usize = 256 * 1024;

/// What there is to say about a field.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its element.
    pub element: &'static str,
    /// The most characters.
    pub longest: usize,
    /// What it looks like.
    pub shape: Shape,
    /// Of the caller: in no log, and in no `Debug`.
    pub personal: bool,
}

/// Must it be there?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// Once.
    Always,
    /// Once, or not.
    Sometimes,
}

/// One place in a group.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// A field.
    Field(Field, Needed),
    /// Fields that belong together.
    Group(&'static Group, Needed),
}

/// An element that has others, in this order.
#[derive(Debug)]
pub struct Group {
    /// Its element.
    pub element: &'static str,
    /// What is in it.
    pub parts: &'static [Part],
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $element:literal, $longest:literal, $shape:expr, $whose:ident;)*) => {
        /// A field of a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What there is to say about it.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self {
                    $(Self::$name => {
                        Rule { element: $element, longest: $longest, shape: $shape, personal: $whose }
                    })*
                }
            }
        }
    };
}

const PERSONAL: bool = true;
const PLAIN: bool = false;

fields! {
    /// Of the standard.
    Version = "Version", 3, Shape::OneOf(&["1.0"]), PLAIN;
    /// The sender's id of the message: said again, it is the same message.
    MessageId = "MessageId", 64, Shape::Id, PLAIN;
    /// When it was sent.
    SentAt = "SentAt", 30, Shape::Time, PLAIN;
    /// Who sends it: a force, or us.
    From = "From", 16, Shape::Organisation, PLAIN;
    /// Whom it is for.
    To = "To", 16, Shape::Organisation, PLAIN;

    /// The day of the force's own reference.
    IncidentDate = "IncidentDate", 10, Shape::Date, PLAIN;
    /// Its number on that day.
    IncidentNumber = "IncidentNumber", 32, Shape::Number, PLAIN;
    /// How the caller reached the force.
    Line = "Line", 3, Shape::OneOf(&["999", "101"]), PLAIN;
    /// The force's word for what it is. Read, and not kept: the desk has its own triage.
    IncidentType = "IncidentType", 64, Shape::Words, PLAIN;
    /// The number rung from, as +44 and so on.
    CallerNumber = "CallerNumber", 16, Shape::Phone, PERSONAL;
    /// Read, and not kept: nothing that Alcove does needs it.
    CallerName = "CallerName", 128, Shape::Words, PERSONAL;
    /// What was said. Read, and not kept: the desk has its own triage.
    Details = "Details", 4000, Shape::Words, PERSONAL;

    /// Degrees north, WGS 84.
    Latitude = "Latitude", 12, Shape::Degrees, PERSONAL;
    /// Degrees east, WGS 84.
    Longitude = "Longitude", 12, Shape::Degrees, PERSONAL;
    /// They are within so many metres of it.
    AccuracyMetres = "AccuracyMetres", 7, Shape::Count, PERSONAL;
    /// When they were there.
    TakenAt = "TakenAt", 30, Shape::Time, PERSONAL;
    /// Such as "top flat, blue door".
    PlaceDescription = "PlaceDescription", 200, Shape::Words, PERSONAL;

    /// The message that is answered; left out when it couldn't be read that far.
    InReplyTo = "InReplyTo", 64, Shape::Id, PLAIN;
    /// Our id of the call, for as long as it lasts.
    CallReference = "CallReference", 36, Shape::Id, PLAIN;
    /// A word of a list: of why a message was refused, a call returned, a unit asked for.
    Reason = "Reason", 64, Shape::Word, PLAIN;
    /// The field that a message was refused for.
    RefusedField = "RefusedField", 32, Shape::Id, PLAIN;

    /// 1, 2, 3 ... in each call: what comes again, or after a later one, is to be dropped.
    Sequence = "Sequence", 19, Shape::Count, PLAIN;
    /// When it was learnt.
    HappenedAt = "HappenedAt", 30, Shape::Time, PLAIN;
    /// What has happened: a word of the list in `updates.rs`.
    Kind = "Kind", 32, Shape::Word, PLAIN;
    /// The place in the desk's queue: 1 is next.
    Position = "Position", 10, Shape::Count, PLAIN;
    /// How long until an officer answers.
    ExpectedWaitSeconds = "ExpectedWaitSeconds", 10, Shape::Count, PLAIN;
    /// The officer who has the call, or presses.
    Officer = "Officer", 64, Shape::Id, PLAIN;
    /// What to do instead, in plain words.
    Instead = "Instead", 500, Shape::Words, PLAIN;
    /// When a closed desk opens next.
    DeskOpensAt = "DeskOpensAt", 30, Shape::Time, PLAIN;
    /// The call-back that was agreed.
    CallbackId = "CallbackId", 36, Shape::Id, PLAIN;
    /// Where it stands: AGREED, DUE, TAKEN, KEPT, MISSED or CANCELLED.
    CallbackState = "CallbackState", 16, Shape::Word, PLAIN;
    /// It is safe to ring from then on ...
    WindowFrom = "WindowFrom", 30, Shape::Time, PLAIN;
    /// ... and before then.
    WindowUntil = "WindowUntil", 30, Shape::Time, PLAIN;
    /// How often it was tried.
    Attempts = "Attempts", 10, Shape::Count, PLAIN;
    /// Which referral it is.
    ReferralId = "ReferralId", 36, Shape::Id, PLAIN;
    /// To whom such referrals go: idva, marac ...
    ReferralKind = "ReferralKind", 40, Shape::Id, PLAIN;
    /// What became of it: MADE, ACKNOWLEDGED, WITHDRAWN or NOT_DELIVERED.
    ReferralState = "ReferralState", 16, Shape::Word, PLAIN;
    /// What the caller has changed their mind about.
    Consent = "Consent", 16, Shape::Word, PLAIN;
    /// Which child or referral, of these two: a reference, and no name.
    Subject = "Subject", 40, Shape::Words, PLAIN;
    /// What it is now.
    Given = "Given", 3, Shape::OneOf(&["yes", "no"]), PLAIN;
    /// How help was asked for without saying so.
    How = "How", 16, Shape::Word, PLAIN;
    /// The officer has seen it.
    Seen = "Seen", 3, Shape::OneOf(&["yes", "no"]), PLAIN;
    /// When help, or a unit, was asked for.
    RaisedAt = "RaisedAt", 30, Shape::Time, PLAIN;
    /// Which fast-track: what AcknowledgeFastTrack names.
    FastTrackId = "FastTrackId", 36, Shape::Id, PLAIN;
    /// How often it has been raised.
    TimesRaised = "TimesRaised", 10, Shape::Count, PLAIN;
    /// How grave it is, as the officer sees it.
    Risk = "Risk", 16, Shape::Word, PLAIN;
    /// Their last still, by its name in the exhibit.
    Still = "Still", 128, Shape::Words, PLAIN;
    /// Where the caller is can be looked at, with GetLocation.
    HasLocation = "HasLocation", 3, Shape::OneOf(&["yes", "no"]), PLAIN;
    /// Who in the control room has taken it on.
    TakenBy = "TakenBy", 64, Shape::Words, PLAIN;
    /// Whom they send.
    Unit = "Unit", 64, Shape::Words, PLAIN;
    /// The exhibit.
    ExhibitId = "ExhibitId", 36, Shape::Id, PLAIN;
    /// Its reference: `ABC/1`.
    ExhibitReference = "ExhibitReference", 64, Shape::Words, PLAIN;
    /// SHA-256 of the seal, in hex.
    SealSha256 = "SealSha256", 64, Shape::Id, PLAIN;
}

use Needed::{Always, Sometimes};
use Part::{Field as F, Group as G};

/// In every message.
pub static HEADER: Group = Group {
    element: "Header",
    parts: &[
        F(Field::Version, Always),
        F(Field::MessageId, Always),
        F(Field::SentAt, Always),
        F(Field::From, Always),
        F(Field::To, Always),
    ],
};

static PLACE: Group = Group {
    element: "Location",
    parts: &[
        F(Field::Latitude, Always),
        F(Field::Longitude, Always),
        F(Field::AccuracyMetres, Sometimes),
        F(Field::TakenAt, Sometimes),
        F(Field::PlaceDescription, Sometimes),
    ],
};

static CREATION: Group = Group {
    element: "IncidentCreation",
    parts: &[
        F(Field::IncidentDate, Always),
        F(Field::IncidentNumber, Always),
        F(Field::Line, Always),
        F(Field::IncidentType, Sometimes),
        F(Field::CallerNumber, Sometimes),
        F(Field::CallerName, Sometimes),
        G(&PLACE, Sometimes),
        F(Field::Details, Sometimes),
    ],
};

static UPDATE: Group = Group {
    element: "IncidentUpdate",
    parts: &[
        F(Field::CallReference, Always),
        F(Field::IncidentDate, Always),
        F(Field::IncidentNumber, Always),
        F(Field::Sequence, Always),
        F(Field::HappenedAt, Always),
        F(Field::Kind, Always),
        F(Field::Position, Sometimes),
        F(Field::ExpectedWaitSeconds, Sometimes),
        F(Field::Officer, Sometimes),
        F(Field::Reason, Sometimes),
        F(Field::Instead, Sometimes),
        F(Field::DeskOpensAt, Sometimes),
        F(Field::CallbackId, Sometimes),
        F(Field::CallbackState, Sometimes),
        F(Field::WindowFrom, Sometimes),
        F(Field::WindowUntil, Sometimes),
        F(Field::Attempts, Sometimes),
        F(Field::ReferralId, Sometimes),
        F(Field::ReferralKind, Sometimes),
        F(Field::ReferralState, Sometimes),
        F(Field::Consent, Sometimes),
        F(Field::Subject, Sometimes),
        F(Field::Given, Sometimes),
        F(Field::How, Sometimes),
        F(Field::Seen, Sometimes),
        F(Field::RaisedAt, Sometimes),
        F(Field::FastTrackId, Sometimes),
        F(Field::TimesRaised, Sometimes),
        F(Field::Risk, Sometimes),
        F(Field::Still, Sometimes),
        F(Field::HasLocation, Sometimes),
        F(Field::TakenBy, Sometimes),
        F(Field::Unit, Sometimes),
        F(Field::ExhibitId, Sometimes),
        F(Field::ExhibitReference, Sometimes),
        F(Field::SealSha256, Sometimes),
    ],
};

static ACKNOWLEDGEMENT: Group =
    Group { element: "Acknowledgement", parts: &[F(Field::InReplyTo, Always), F(Field::CallReference, Always)] };

static REJECTION: Group = Group {
    element: "Rejection",
    parts: &[F(Field::InReplyTo, Sometimes), F(Field::Reason, Always), F(Field::RefusedField, Sometimes)],
};

/// What a message is: after the header comes one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A control room has an incident for the desk.
    Creation,
    /// Something has happened to a call.
    Update,
    /// A message was taken.
    Acknowledgement,
    /// A message was refused.
    Rejection,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Creation, Self::Update, Self::Acknowledgement, Self::Rejection];

    /// What such a message says.
    #[must_use]
    pub fn group(self) -> &'static Group {
        match self {
            Self::Creation => &CREATION,
            Self::Update => &UPDATE,
            Self::Acknowledgement => &ACKNOWLEDGEMENT,
            Self::Rejection => &REJECTION,
        }
    }
}

impl Part {
    /// Its element.
    #[must_use]
    pub fn element(&self) -> &'static str {
        match self {
            Self::Field(field, _) => field.rule().element,
            Self::Group(group, _) => group.element,
        }
    }

    /// Must it be there?
    #[must_use]
    pub fn needed(&self) -> Needed {
        match self {
            Self::Field(_, needed) | Self::Group(_, needed) => *needed,
        }
    }
}
