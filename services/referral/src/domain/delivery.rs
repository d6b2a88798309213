//! What goes to a partner, and what becomes of it: it waits, and is tried again with longer and longer pauses, until the partner has
//! it, refuses it for good, or has been away for so long that a person has to ring. Exactly one of these, and then nothing more.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, ReferralId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Referral, Step};

/// A pause doubles so many times at most: what is longer than the longest is cut anyway.
const DOUBLINGS: u32 = 16;

/// A parcel's id: by it a partner recognises a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParcelId(Uuid);

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Of this referral.
    pub referral: ReferralId,
    /// Of this call.
    pub call: CallId,
    /// Whose.
    pub force: ForceId,
    /// The referral's kind.
    pub kind: String,
    /// To this partner of the force's.
    pub partner: String,
    /// Which of the two.
    pub what: What,
    /// What the partner is told.
    pub body: Body,
}

/// Why something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Help is asked for.
    Referral,
    /// It is to be stopped, without why.
    Withdrawal,
}

/// The words of a referral as they were when it was sent. Personal data: no `Debug` that says anything.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// In the order in which they are shown.
    pub lines: Vec<Line>,
    /// The officer's own words; may be empty.
    pub note: String,
}

/// One line of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Line {
    pub label: String,
    pub value: String,
}

/// How a parcel fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Since when.
    pub made_at: DateTime<Utc>,
    /// Where it stands.
    pub standing: Standing,
    /// How often it was tried.
    pub attempts: u32,
    /// When the last attempt began.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Why the last one failed.
    pub problem: Option<Problem>,
}

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is tried at that time.
    Waiting(DateTime<Utc>),
    /// The partner has it, since then.
    Delivered(DateTime<Utc>),
    /// Given up, or refused: a person has to ring.
    Failed(DateTime<Utc>),
    /// The referral was taken back before it had certainly arrived.
    Stopped(DateTime<Utc>),
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The partner has it.
    Taken,
    /// It may go better another time; not before then, if they say so.
    Later(Problem, Option<DateTime<Utc>>),
    /// It won't.
    Never(Problem),
}

/// When it is tried again, and when no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure; each is twice the one before.
    pub first: TimeDelta,
    /// No pause is longer.
    pub longest: TimeDelta,
    /// So long after it was made it is given up.
    pub give_up_after: TimeDelta,
}

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// One time that it was tried, when its answer is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Of how many.
    pub number: u32,
    /// Nobody else has taken the parcel in hand since.
    pub is_claimed: bool,
}

/// What an attempt's answer changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// How the parcel fares from here on, if otherwise than before.
    pub progress: Option<Progress>,
    /// A person has to ring.
    pub failed: Option<Failed>,
    /// The withdrawal that has waited for this attempt's end may go.
    pub frees_withdrawal: bool,
}

/// Why an attempt failed. Never what was sent, or what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`words` says what each is")]
pub enum Problem {
    NoConnection,
    NotTrusted,
    TooSlow,
    CutOff,
    Busy,
    TheirFault,
    Refused,
    Elsewhere,
    NoRoute,
    NoMailServer,
    NotLoggedIn,
    Unwritable,
}

/// All of them, with the code that is kept and the words for the officer.
const PROBLEMS: [(Problem, &str, &str); 12] = [
    (Problem::NoConnection, "NO_CONNECTION", "nobody answers there"),
    (Problem::NotTrusted, "NOT_TRUSTED", "who answers there can't show that they are the partner"),
    (Problem::TooSlow, "TOO_SLOW", "there was no answer in time"),
    (Problem::CutOff, "CUT_OFF", "the connection broke"),
    (Problem::Busy, "BUSY", "they ask us to try again later"),
    (Problem::TheirFault, "THEIR_FAULT", "something is wrong at the partner's"),
    (Problem::Refused, "REFUSED", "the partner's system refuses it"),
    (Problem::Elsewhere, "ELSEWHERE", "the partner's system points elsewhere, where nothing is sent"),
    (Problem::NoRoute, "NO_ROUTE", "the book has no way to this partner any more"),
    (Problem::NoMailServer, "NO_MAIL_SERVER", "no mail server is set up here"),
    (Problem::NotLoggedIn, "NOT_LOGGED_IN", "our own mail server doesn't let us in"),
    (Problem::Unwritable, "UNWRITABLE", "it can't be written so that only the partner can read it"),
];

impl Parcel {
    /// What the partner is sent because of a step; nothing of what they were told by hand, and nothing to nobody.
    #[must_use]
    pub fn because_of(step: Step, referral: &Referral, (force, call): (&ForceId, CallId)) -> Option<Self> {
        let what = match step {
            Step::Sent => What::Referral,
            Step::Withdrawn | Step::Disowned => What::Withdrawal,
            Step::Acknowledged | Step::Outcome => return None,
        };
        let sent = referral.sent().filter(|sent| sent.by_hand.is_none())?;
        let known = sent.fields.iter().filter(|field| !field.value.is_empty());
        let lines = known.map(|field| Line { label: field.label.clone(), value: field.value.clone() });
        let body = match what {
            What::Referral => Body { lines: lines.collect(), note: referral.note.0.clone() },
            What::Withdrawal => Body::default(),
        };
        Some(Self {
            referral: referral.id,
            call,
            force: force.clone(),
            kind: referral.kind.clone(),
            partner: sent.partner.as_ref()?.id.clone(),
            what,
            body,
        })
    }
}

impl Progress {
    /// Just written: it may go at once.
    #[must_use]
    pub fn new(made_at: DateTime<Utc>, not_before: DateTime<Utc>) -> Self {
        let standing = Standing::Waiting(made_at.max(not_before));
        Self { made_at, standing, attempts: 0, last_attempt_at: None, problem: None }
    }

    /// An attempt begins.
    #[must_use]
    pub fn begun(self, now: DateTime<Utc>) -> Self {
        Self { attempts: self.attempts.saturating_add(1), last_attempt_at: Some(now), ..self }
    }

    /// An attempt has ended. What is settled stays so, whatever a late attempt says.
    #[must_use]
    pub fn ended(self, answer: Answer, now: DateTime<Utc>, backoff: &Backoff) -> (Self, Option<Failed>) {
        let Standing::Waiting(_) = self.standing else { return (self, None) };
        let end = self.made_at.checked_add_signed(backoff.give_up_after).unwrap_or(DateTime::<Utc>::MAX_UTC);
        match answer {
            Answer::Taken => (Self { standing: Standing::Delivered(now), problem: None, ..self }, None),
            Answer::Later(problem, not_before) if now < end => {
                let next = backoff.next(self.attempts, now).max(not_before.unwrap_or(now));
                // One more at the very end: who is there by then has it, and who isn't is raised in time.
                (Self { standing: Standing::Waiting(next.min(end)), problem: Some(problem), ..self }, None)
            }
            Answer::Later(problem, _) | Answer::Never(problem) => {
                (Self { standing: Standing::Failed(now), problem: Some(problem), ..self }, Some(Failed))
            }
        }
    }

    /// The referral is taken back: what waits isn't sent any more.
    #[must_use]
    pub fn stopped(self, now: DateTime<Utc>) -> Self {
        match self.standing {
            Standing::Waiting(_) => Self { standing: Standing::Stopped(now), ..self },
            _ => self,
        }
    }

    /// The answer of an attempt is here. One that comes too late, when another has the parcel in hand, counts only if it says that the
    /// partner has it. What was taken back during this attempt stays so, and no other is under way: the partner needn't be kept
    /// waiting for the lease's end.
    #[must_use]
    pub fn answered(self, attempt: Attempt, answer: Answer, now: DateTime<Utc>, backoff: &Backoff) -> Answered {
        let frees_withdrawal = matches!(self.standing, Standing::Stopped(_)) && self.attempts == attempt.number;
        let is_waiting = matches!(self.standing, Standing::Waiting(_));
        if !is_waiting || !(attempt.is_claimed || answer == Answer::Taken) {
            return Answered { progress: None, failed: None, frees_withdrawal };
        }
        let (progress, failed) = self.ended(answer, now, backoff);
        Answered { progress: Some(progress), failed, frees_withdrawal }
    }

    /// The referral is taken back, and an attempt may be under way until then: what waits isn't sent any more, and how the
    /// withdrawal fares. None of a referral that the partner can't know of.
    #[must_use]
    pub fn taken_back(self, under_way_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> (Self, Option<Self>) {
        // An attempt that is under way comes before.
        let withdrawal = self.may_have_arrived().then(|| Self::new(now, under_way_until.unwrap_or(now)));
        (self.stopped(now), withdrawal)
    }

    /// May the partner know of it? An attempt that was begun may have got there, whatever it said.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        self.attempts > 0
    }
}

impl Backoff {
    fn next(&self, attempts: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        let factor = 2_i32.pow(attempts.saturating_sub(1).min(DOUBLINGS));
        let pause = self.first.checked_mul(factor).unwrap_or(self.longest).min(self.longest);
        now.checked_add_signed(pause).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Problem {
    /// The code that is kept.
    #[must_use]
    pub fn code(self) -> &'static str {
        PROBLEMS.iter().find(|(problem, ..)| *problem == self).map_or("", |(_, code, _)| code)
    }

    /// For the officer.
    #[must_use]
    pub fn words(self) -> &'static str {
        PROBLEMS.iter().find(|(problem, ..)| *problem == self).map_or("", |(.., words)| words)
    }

    /// From its code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        PROBLEMS.iter().find(|(_, known, _)| *known == code).map(|(problem, ..)| *problem)
    }
}

impl What {
    /// As it is kept, and sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Referral => "referral",
            Self::Withdrawal => "withdrawal",
        }
    }

    /// From its word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Referral, Self::Withdrawal].into_iter().find(|what| what.word() == word)
    }
}

/// How a referral is called between us and the partner, in a subject line as well: of its id's random half, and so it says nothing of whom
/// or what it is about, nor when.
#[must_use]
pub fn reference(referral: ReferralId) -> String {
    let low = referral.uuid().as_u64_pair().1;
    format!("ALC-{:04X}-{:04X}-{:04X}", (low >> 32) & 0xffff, (low >> 16) & 0xffff, low & 0xffff)
}

impl ParcelId {
    /// The bare UUID.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for ParcelId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for ParcelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
