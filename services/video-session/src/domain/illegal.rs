//! What a session refuses.

/// A command that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Somebody else accepted this call.
    #[error("the call is another officer's")]
    NotYourCall,
    /// Nothing more happens in an ended session.
    #[error("the session has ended")]
    SessionEnded,
    /// A second code would let a second person in.
    #[error("the caller is already in the call")]
    CallerAlreadyJoined,
    /// The person isn't in this session.
    #[error("no such participant in this session")]
    UnknownParticipant,
    /// They wait, and the officer hasn't let them in.
    #[error("this participant has not been let in")]
    NotAdmitted,
    /// They were sent away.
    #[error("this participant was sent away")]
    Removed,
    /// An observer is seen and heard by nobody.
    #[error("an observer sends nothing")]
    OnlyWatches,
    /// Everybody's place is taken.
    #[error("as many people are in the call as may be")]
    Full,
    /// Without the officer there is no call.
    #[error("the officer can't be sent away")]
    OfficerStays,
    /// That role is asked in another way.
    #[error("that role doesn't come this way")]
    WrongRole,
    /// Consent was withdrawn.
    #[error("the recording was stopped for good")]
    RecordingStopped,
    /// There is no recording to which it would belong.
    #[error("this call is not recorded")]
    NotRecorded,
    /// It would be recorded while the caller has covered it, to which they haven't agreed.
    #[error("the caller has covered the call, and it is not recorded meanwhile")]
    Covered,
    /// The caller doesn't agree to stills.
    #[error("the caller does not agree to stills")]
    NoStills,
    /// It would be kept while nothing is recorded.
    #[error("recording is paused")]
    RecordingPaused,
    /// Nobody needs more of one call.
    #[error("there are as many photographs as there may be")]
    EnoughPhotographs,
    /// There is no asking for help to be seen.
    #[error("the caller has not asked for help")]
    NothingAsked,
}
