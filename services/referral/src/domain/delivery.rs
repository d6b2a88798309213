//! What goes to a partner, and what becomes of it: it waits, and is tried again with longer and longer pauses, until the partner has
//! it, refuses it for good, or has been away for so long that a person has to ring. Exactly one of these, and then nothing more.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, ReferralId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400;

    fn backoff() -> Backoff {
        let seconds = TimeDelta::seconds;
        Backoff { first: seconds(30), longest: seconds(3_600), give_up_after: seconds(DAY) }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    /// What can happen to a parcel, each so many seconds after the one before.
    #[derive(Debug, Clone)]
    enum Step {
        Begun,
        Ended(Answer),
        Stopped,
    }

    fn answer() -> impl Strategy<Value = Answer> {
        let problem = prop::sample::select(PROBLEMS.map(|(problem, ..)| problem).to_vec());
        prop_oneof![
            Just(Answer::Taken),
            (problem.clone(), prop::option::of(0..3 * DAY)).prop_map(|(p, after)| Answer::Later(p, after.map(at))),
            problem.prop_map(Answer::Never),
        ]
    }

    fn step() -> impl Strategy<Value = (i64, Step)> {
        let step = prop_oneof![
            4 => Just(Step::Begun),
            4 => answer().prop_map(Step::Ended),
            1 => Just(Step::Stopped),
        ];
        (0..20_000_i64, step)
    }

    proptest! {
        #[test]
        fn one_outcome_and_nothing_after_it(steps in prop::collection::vec(step(), 0..40)) {
            let (mut progress, mut now, mut raised) = (Progress::new(at(0), at(0)), 0, 0);
            for (pause, step) in steps {
                now += pause;
                let before = progress.clone();
                let (after, failed) = match step {
                    Step::Begun => (progress.begun(at(now)), None),
                    Step::Ended(answer) => progress.ended(answer, at(now), &backoff()),
                    Step::Stopped => (progress.stopped(at(now)), None),
                };
                raised += usize::from(failed.is_some());
                prop_assert!(after.attempts >= before.attempts && after.made_at == before.made_at);
                match (before.standing, after.standing) {
                    (Standing::Waiting(_), Standing::Waiting(next)) => {
                        prop_assert!(next <= at(DAY), "the last attempt is within the day");
                    }
                    (Standing::Waiting(_), Standing::Failed(_)) => prop_assert!(failed.is_some()),
                    (Standing::Waiting(_), _) => prop_assert!(failed.is_none()),
                    (settled, then) => prop_assert_eq!(settled, then, "what is settled stays so"),
                }
                progress = after;
            }
            prop_assert!(raised <= 1);
            prop_assert_eq!(raised == 1, matches!(progress.standing, Standing::Failed(_)));
        }
    }

    #[test]
    fn pauses_double_to_an_hour_and_end_after_a_day() {
        let mut progress = Progress::new(at(0), at(0));
        let (mut now, mut pauses) = (at(0), vec![]);
        let failed = loop {
            let (next, failed) = progress.begun(now).ended(Answer::Later(Problem::Busy, None), now, &backoff());
            progress = next;
            let Standing::Waiting(next) = progress.standing else { break failed };
            pauses.push((next - now).num_seconds());
            now = next;
        };
        assert_eq!(failed, Some(Failed));
        assert_eq!(pauses[..9], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(now, at(DAY), "the last attempt is at the end of the day");
    }

    #[test]
    fn who_says_when_to_come_again_is_heeded_within_the_day() {
        let asked = |after| {
            let progress = Progress::new(at(0), at(0)).begun(at(0));
            progress.ended(Answer::Later(Problem::Busy, Some(at(after))), at(0), &backoff()).0.standing
        };
        assert_eq!(asked(1), Standing::Waiting(at(30)));
        assert_eq!(asked(7_200), Standing::Waiting(at(7_200)));
        assert_eq!(asked(5 * DAY), Standing::Waiting(at(DAY)));
    }

    #[test]
    fn each_problem_has_a_code_of_its_own_that_is_read_again() {
        for (problem, code, words) in PROBLEMS {
            assert_eq!((Problem::of(code), problem.code(), problem.words()), (Some(problem), code, words));
        }
    }

    #[test]
    fn a_reference_is_of_the_random_half_alone() {
        let id = |text: &str| text.parse::<ReferralId>().unwrap();
        assert_eq!(reference(id("01900000-0000-7000-8000-00a1b2c3d4e5")), "ALC-00A1-B2C3-D4E5");
        assert_eq!(reference(id("01900001-1111-7abc-9000-00a1b2c3d4e5")), "ALC-00A1-B2C3-D4E5");
    }
}
