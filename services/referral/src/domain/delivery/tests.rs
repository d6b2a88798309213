//! A parcel under attempts and answers in any order: one outcome, the pauses, what is taken back.

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

#[test]
fn a_withdrawal_goes_to_who_may_know_and_after_the_attempt_that_is_under_way() {
    let waits = Progress::new(at(0), at(0));
    let stopped = |progress: &Progress| progress.standing == Standing::Stopped(at(9));
    let (sent, withdrawal) = waits.clone().taken_back(None, at(9));
    assert!(stopped(&sent) && withdrawal.is_none(), "it never left");
    let begun = waits.begun(at(1));
    let (sent, withdrawal) = begun.clone().taken_back(Some(at(60)), at(9));
    assert!(stopped(&sent), "not tried again");
    assert_eq!(withdrawal.map(|one| (one.made_at, one.standing)), Some((at(9), Standing::Waiting(at(60)))));
    let (delivered, _) = begun.clone().ended(Answer::Taken, at(2), &backoff());
    let (refused, _) = begun.clone().ended(Answer::Never(Problem::Refused), at(2), &backoff());
    for settled in [delivered, refused] {
        let (sent, withdrawal) = settled.clone().taken_back(Some(at(3)), at(9));
        assert_eq!(sent, settled, "what is settled stays so");
        assert_eq!(withdrawal.map(|one| one.standing), Some(Standing::Waiting(at(9))), "the claim is long over");
    }
}

#[test]
fn an_answer_counts_by_whoever_has_the_parcel_in_hand_or_if_the_partner_has_it() {
    let begun = Progress::new(at(0), at(0)).begun(at(1)).begun(at(61));
    let [ours, late] = [(2, true), (1, false)].map(|(number, is_claimed)| Attempt { number, is_claimed });
    let no = Answer::Later(Problem::TooSlow, None);
    let answered = |attempt, answer| begun.clone().answered(attempt, answer, at(62), &backoff());
    assert_eq!(answered(ours, no).progress.unwrap().standing, Standing::Waiting(at(122)));
    assert_eq!(answered(late, no).progress, None, "another is under way");
    assert_eq!(answered(late, Answer::Taken).progress.unwrap().standing, Standing::Delivered(at(62)));
    let never = answered(ours, Answer::Never(Problem::Refused));
    assert_eq!((never.failed, never.frees_withdrawal), (Some(Failed), false));
    // It was taken back meanwhile: nothing changes, and the last attempt's end is the withdrawal's turn.
    let (stopped, _) = begun.taken_back(Some(at(90)), at(62));
    let frees = |attempt: Attempt| {
        let Answered { progress, failed, frees_withdrawal } =
            stopped.clone().answered(attempt, Answer::Taken, at(63), &backoff());
        assert_eq!((progress, failed), (None, None));
        frees_withdrawal
    };
    assert!(frees(ours) && !frees(late));
}
