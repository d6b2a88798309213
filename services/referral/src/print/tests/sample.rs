//! An index as full as they come. Nobody in it exists.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::{Clock, Grade, Index, Item, Person, Referral, State, Statement};

pub fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_512_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

pub fn index() -> Index {
    let item = |title: &str, required, state, evidence: &str| Item {
        title: title.into(),
        required,
        state,
        evidence: evidence.into(),
    };
    let person = |name: &str, part: &str, born: &str, told: [&str; 3]| Person {
        name: name.into(),
        part: part.into(),
        born: born.into(),
        present: told[0].into(),
        saw_or_heard: told[1].into(),
        spoken_to: told[2].into(),
    };
    let note = "A non-molestation order was granted on 3 March and served the same day; the suspect's solicitor has a copy. Bail with conditions \
                (no contact, not within 200 m of the address) runs until 12 December. A DVPN was considered and is asked for.";
    Index {
        force: "wmp".into(),
        incident: "2026-11-24/1123".into(),
        call: "01936d2a-5b1c-7a3e-9d4f-1234567890ab".into(),
        package: "01936d2b-9c0d-7b11-8e22-abcdef012345".into(),
        opened_at: at(0),
        printed_at: at(95),
        printed_by: "pc.2210.kaur".into(),
        exhibit: "WMP/20261124/1123/V1".into(),
        seal: "3f2a91bc00d4e87712ab34cd56ef78901a2b3c4d5e6f708192a3b4c5d6e7f809".into(),
        score_percent: 92,
        checklist: vec![
            item("Reference of the emergency call", true, State::Present, "2026-11-24 1123"),
            item("Consent", true, State::Present, "video: given, recording: given, stills: given"),
            item("Initial account", true, State::Present, "WMP/20261124/1123/V1"),
            item("Photographs of injuries", true, State::Present, "3 stills, 2 photographs"),
            item("Photographs taken again after 24 to 72 hours", false, State::Missing, ""),
            item("Risk assessment", true, State::Present, "high, by professional judgement"),
            item("Previous incidents", true, State::Present, "2 earlier calls of the same people"),
            item("Bail and civil orders", true, State::Present, note),
            item("Medical consent", true, State::Missing, ""),
            item("Third-party material (door camera of the neighbours at 14, held by https://example.org/clips/2026/11/24/0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b)", false, State::NotApplicable, ""),
            item("Officer's statement", true, State::Present, "version 3, declared by pc.2210.kaur"),
        ],
        pictures: ["still-1", "still-2", "still-3", "photograph-1", "photograph-2"].map(str::to_owned).to_vec(),
        people: vec![
            person("Małgorzata Świętosława Brzęczyszczykiewicz-Żółkiewska", "victim", "4 Mar 1991", ["", "", ""]),
            person("ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "suspect, husband", "17 Aug 1988", ["", "", ""]),
            person("علي بن محمد الحسيني", "child, son", "1 May 2016", ["yes", "yes", "alone"]),
            person("李小龍 (Li Xiaolong)", "child, stepson", "30 Sep 2020", ["yes", "not known", "no"]),
            person("Олена Шевченко", "other, neighbour", "", ["", "", ""]),
            person("שרה כהן, Ειρήνη, মৌসুমী", "other", "", ["", "", ""]),
            person("Zoë 𐤀𐤁 ☃\u{202e}txt", "other", "", ["", "", ""]),
        ],
        grade: Some(Grade {
            grade: "High".into(),
            because: "professional judgement".into(),
            reason: "Strangulation on two occasions this month, threats to the children, and she is certain that he will come back tonight.".into(),
            officer: "pc.2210.kaur".into(),
            at: at(-12),
            is_outdated: true,
        }),
        referrals: vec![
            Referral {
                kind: "MARAC".into(),
                partner: "West Midlands MARAC".into(),
                sent: Some((at(5), "pc.2210.kaur".into())),
                acknowledged: Some((at(60), "R. Osei, coordinator".into())),
                outcome: Some((at(90), "Heard on 2 December; target hardening and an IDVA until the trial.".into())),
            },
            Referral {
                kind: "Operation Encompass: علي بن محمد الحسيني".into(),
                partner: "St Chad's Primary School".into(),
                sent: Some((at(6), "pc.2210.kaur".into())),
                ..Referral::default()
            },
            Referral { kind: "IDVA".into(), partner: "Birmingham IDVA East".into(), ..Referral::default() },
            Referral {
                kind: "Housing".into(),
                outcome: Some((at(8), "taken back: she stays with her sister".into())),
                ..Referral::default()
            },
        ],
        clocks: (1..=4)
            .map(|n| Clock { title: format!("Answer to application {n} under the Domestic Violence Disclosure Scheme"), due_at: at(n * 1440), state: "running".into() })
            .collect(),
        statements: (1..=3)
            .rev()
            .map(|version| Statement { version, officer: "pc.2210.kaur".into(), at: at(20 + i64::from(version)), declared: version == 3 })
            .collect(),
        schedule: (1..=42).map(|n| format!("still/still-{n}: a still of the recording. Disclosed: it shows the injury that the charge is about, and nobody else.")).collect(),
        sealed: vec!["Addendum WMP/20261124/1123/V1/A2, sealed at 13:02 on 24 November 2026 by pc.2210.kaur, score 92 %".into()],
    }
}
