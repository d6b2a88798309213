//! Who may come to the desk, by the shipped rules and by any that a force might write.

use proptest::prelude::*;

use super::{
    condition::{answers, every_answer},
    *,
};
use crate::domain::{Silent, tests::rules};

/// As it was when it was two tables in the code.
fn before(a: &Answers) -> Verdict {
    if a.immediate_danger {
        Verdict::Ineligible(Reason::ImmediateDanger)
    } else if a.offender_present {
        Verdict::Ineligible(Reason::OffenderPresent)
    } else if !a.can_join {
        Verdict::Ineligible(Reason::NoSafeRoute)
    } else if !a.device.overheard {
        Verdict::Eligible(Route::SpokenCode)
    } else if !a.device.reads_alone() {
        Verdict::Ineligible(Reason::NoSafeRoute)
    } else {
        Verdict::Eligible(Route::Sms)
    }
}

#[test]
fn whoever_speaks_is_judged_by_the_shipped_rules_as_by_the_tables_before_them() {
    let mut seen = 0;
    for answers in every_answer().filter(|answers| answers.needs.silent.is_none()) {
        assert_eq!(judge(&rules(), &answers), before(&answers), "{answers:?}");
        seen += 1;
    }
    assert_eq!(seen, 512);
    assert_eq!(judge(&rules(), &answers(0b01_1111, None)), Verdict::Ineligible(Reason::ImmediateDanger));
    assert_eq!(judge(&rules(), &answers(0b10_0101, None)), Verdict::Ineligible(Reason::NoSafeRoute));
}

#[test]
fn who_does_not_speak_is_read_no_code_unless_they_listen_alone_and_written_to_only_if_they_read_alone() {
    // The way in, whether they read alone, whether they listen alone; overheard or not makes no difference to silence.
    let cases = [
        (0b010_0000, Verdict::Eligible(Route::Sms)),
        (0b110_0000, Verdict::Eligible(Route::Sms)),
        (0b010_0100, Verdict::Eligible(Route::Sms)),
        (0b110_0001, Verdict::Eligible(Route::SpokenCode)),
        (0b110_0010, Verdict::Eligible(Route::SpokenCode)),
        (0b110_0101, Verdict::Eligible(Route::SpokenCode)),
        (0b010_0001, Verdict::Ineligible(Reason::NoSafeRoute)),
        (0b010_0010, Verdict::Ineligible(Reason::NoSafeRoute)),
        // And danger before anything else, as for everybody.
        (0b110_1000, Verdict::Ineligible(Reason::ImmediateDanger)),
        (0b111_0000, Verdict::Ineligible(Reason::OffenderPresent)),
        (0b100_0000, Verdict::Ineligible(Reason::NoSafeRoute)),
    ];
    for silent in [Silent::Pressed55, Silent::TapsOnly, Silent::CannotSpeak] {
        for (bits, verdict) in cases {
            assert_eq!(judge(&rules(), &answers(bits, Some(silent))), verdict, "{bits:07b}");
        }
    }
}

#[test]
fn a_rule_file_that_makes_no_sense_is_refused_by_the_name_of_its_rule() {
    const SHIPPED: &str = include_str!("../../../eligibility.toml");
    const SMS: &str = "name = \"silent, and reads alone\"\nwhen = [\"silent\", \"not shared\", \"not messages_read\"]";
    let refused = |from: &str, to: &str| {
        assert_eq!(SHIPPED.matches(from).count(), 1, "{from}");
        Rules::read(&SHIPPED.replace(from, to)).expect_err(to)
    };
    let sms = || "silent, and reads alone".to_owned();
    let last = || "somebody listens, and somebody reads".to_owned();
    let rule = |then: &str| format!("[[rule]]\nname = \"more\"\nwhen = []\nthen = \"{then}\"\n[instead]");

    assert!(matches!(refused("[instead]", "[instead"), BadRules::Shape(_)));
    assert!(matches!(refused("when = []\n", ""), BadRules::Shape(_)), "a forgotten line is not a rule for everybody");
    assert!(matches!(refused("[instead]", "unless = 1\n[instead]"), BadRules::Shape(_)));
    assert_eq!(refused("version = \"2026-11-27\"", "version = \"\""), BadRules::Version);
    assert_eq!(refused("version = \"2026-11-27\"", "version = \"the newest\""), BadRules::Version);
    assert_eq!(refused("\"no phone to join with\"", "\" \""), BadRules::NoName(3));
    assert_eq!(
        refused("\"somebody listens, and somebody reads\"", "\"silent, and reads alone\""),
        BadRules::Twice(sms())
    );
    let condition = BadRules::Condition { rule: sms(), condition: "not a secret".into() };
    assert_eq!(refused(SMS, &SMS.replace("not shared", "not a secret")), condition);
    assert!(condition.to_string().contains("silent, and reads alone"), "{condition}");
    let then = |word: &str| BadRules::Then { rule: "more".into(), then: word.into() };
    assert_eq!(refused("[instead]", &rule("LETTER")), then("LETTER"));
    assert_eq!(refused("[instead]", &rule("NO_CONSENT")), then("NO_CONSENT"), "that is asked for later");
    assert_eq!(refused("when = []", "when = [\"overheard\"]"), BadRules::CatchesNotAll(last()));
    assert_eq!(refused("[instead]", &rule("SMS")), BadRules::Idle("more".into()));
    assert_eq!(Rules::read("version = \"1\"\n[instead]\n").unwrap_err(), BadRules::Empty);
    let whom = "somebody whose messages another reads";
    assert_eq!(refused(SMS, &SMS.replace(", \"not messages_read\"", "")), BadRules::Harm { rule: sms(), whom });
    let harm = |error: BadRules| matches!(error, BadRules::Harm { .. });
    assert!(
        harm(refused("when = [\"silent\", \"can_listen\"]", "when = [\"silent\"]")),
        "read a code that they can't hear"
    );
    assert!(harm(refused("when = [\"not silent\", \"not overheard\"]", "when = [\"not silent\"]")), "overheard");
    for bar in ["when = [\"immediate_danger\"]", "when = [\"offender_present\"]", "when = [\"not can_join\"]"] {
        assert!(harm(refused(bar, "when = [\"children_present\", \"offender_present\", \"not can_join\"]")), "{bar}");
    }
    assert_eq!(refused("NO_CONSENT =", "# NO_CONSENT ="), BadRules::NoInstead("NO_CONSENT"));
    let empty = SHIPPED.lines().find(|line| line.starts_with("OFFENDER_PRESENT")).unwrap();
    assert_eq!(refused(empty, "OFFENDER_PRESENT = \" \""), BadRules::NoInstead("OFFENDER_PRESENT"));
    assert_eq!(refused("NO_CONSENT =", "NO_TIME = \"\"\nNO_CONSENT ="), BadRules::UnknownReason("NO_TIME".into()));
}

/// Rules as somebody might write them, good ones and bad ones.
fn rule_files() -> impl Strategy<Value = String> {
    let answer = prop::sample::select(vec![
        "immediate_danger",
        "offender_present",
        "can_join",
        "shared",
        "messages_read",
        "overheard",
        "can_listen",
        "children_present",
        "child_may_speak",
        "silent",
        "pressed_55",
        "taps_only",
        "cannot_speak",
    ]);
    let condition =
        (any::<bool>(), answer).prop_map(|(is, answer)| format!("\"{}{answer}\"", if is { "" } else { "not " }));
    let then =
        prop::sample::select(vec!["IMMEDIATE_DANGER", "OFFENDER_PRESENT", "NO_SAFE_ROUTE", "SMS", "SPOKEN_CODE"]);
    let rule = (prop::collection::vec(condition, 0..4), then);
    prop::collection::vec(rule, 0..4).prop_map(|rules| {
        let shipped = include_str!("../../../eligibility.toml");
        // Below what must never be let in, or above it: whatever is accepted has to hold.
        let place = shipped.find("# Who doesn't speak").unwrap();
        let more: String = rules
            .iter()
            .enumerate()
            .map(|(n, (when, then))| {
                format!("[[rule]]\nname = \"more {n}\"\nwhen = [{}]\nthen = \"{then}\"\n\n", when.join(", "))
            })
            .collect();
        format!("{}{more}{}", &shipped[..place], &shipped[place..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_answers_are_without_a_verdict_and_what_to_do_instead_by_any_rules_that_are_taken(file in rule_files()) {
        let rules = match Rules::read(&file) {
            Ok(rules) => rules,
            Err(BadRules::Idle(_) | BadRules::Harm { .. }) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        for a in every_answer() {
            match judge(&rules, &a) {
                Verdict::Ineligible(reason) => prop_assert!(!rules.instead(reason).is_empty()),
                Verdict::Eligible(route) => {
                    prop_assert!(!a.immediate_danger && !a.offender_present && a.can_join);
                    prop_assert!(route == Route::SpokenCode || a.device.reads_alone());
                    prop_assert!(route == Route::Sms || a.can_listen || a.needs.silent.is_none());
                    prop_assert!(route == Route::Sms || !a.device.overheard || a.needs.silent.is_some());
                }
            }
        }
        prop_assert!(!rules.instead(Reason::NoConsent).is_empty());
    }
}
