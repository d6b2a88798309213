//! What is on the schedule, what an officer's word on it counts for, and the book that ships.

use ids::{ExhibitId, PersonId};

use super::*;
use crate::domain::{
    Child, Details, Ended, Facts, Part, Person, Referral,
    facts::{Answer, ConsentKind, Exhibit},
    referral::{Outcome, Sent, Stage, Words},
};

const SHIPPED: &str = include_str!("../../../schedule.toml");

/// Something that comes or changes.
type Change = fn(&mut Facts, &mut OnFile);

fn shipped() -> ScheduleBook {
    toml::from_str(SHIPPED).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn id<T: From<uuid::Uuid>>(n: u128) -> T {
    uuid::Uuid::from_u128(n).into()
}

fn officer() -> OfficerId {
    "pc.a".parse().unwrap()
}

fn facts() -> Facts {
    Facts {
        exhibit: Some(Exhibit { id: id::<ExhibitId>(3), reference: "WMP/1".into(), seal: Some("ab".repeat(32)) }),
        ended: Some(Ended { session: id(2), recorded: true, times: Some((at(0), at(60))) }),
        stills: ["still-1".to_owned(), "photograph-1".to_owned()].into(),
        consents: [(ConsentKind::Video, Answer { given: true, version: 2 })].into(),
        ..Facts::default()
    }
}

fn person(n: u128, part: Part) -> Person {
    let details = Details {
        part,
        given_name: "Canary".into(),
        family_name: "Finch".into(),
        date_of_birth: None,
        gender: String::new(),
        language: String::new(),
        interpreter_needed: false,
        address: "1 Mill Lane".into(),
        postcode: String::new(),
        phone: "+447700900123".into(),
        email: String::new(),
        relationship: String::new(),
        needs: String::new(),
        safe_contact: None,
        child: (part == Part::Child).then(Child::default),
    };
    Person { id: id::<PersonId>(n), details, version: 1, saved_by: officer(), saved_at: at(10) }
}

fn sent() -> Referral {
    let sent = Sent {
        at: at(30),
        by: officer(),
        fields: vec![],
        partner: None,
        by_hand: None,
        on_consent: false,
        consent_withdrawn: false,
        version: 7,
    };
    let draft = Referral::draft(id(20), ("marac", None), (None, "high risk"), at(20));
    Referral { stage: Stage::Sent(sent), ..draft }
}

fn file() -> OnFile {
    let draft = Referral::draft(id(21), ("refuge", None), (Some(officer()), ""), at(20));
    OnFile {
        statements: vec![(1, false, at(70)), (2, true, at(80))],
        assessments: vec![Assessed {
            id: id(30),
            title: "DASH".into(),
            version: 4,
            at: at(5),
            grade: Some(("high".into(), 1)),
        }],
        referrals: vec![("MARAC".into(), sent()), ("Refuge".into(), draft)],
        people: vec![person(40, Part::Victim), person(41, Part::Child)],
        notes: vec![("bail-and-civil-orders/1".into(), "Bail conditions".into(), at(90))],
        applications: vec![(id(22), 2, Some(at(95)))],
        earlier: vec![(id(50), "2026-10-01 77".into(), at(-1_000_000))],
    }
}

fn look(facts: &Facts, file: &OnFile, saved: Option<&SavedSchedule>) -> Schedule {
    Schedule::of(pieces(facts, file), &shipped(), saved.cloned())
}

/// What the page sends back when an officer agrees with everything.
fn agreed(schedule: &Schedule) -> Vec<Said> {
    let said = |entry: &Entry| {
        let (key, seen, reason) = (entry.key.clone(), entry.about.clone(), entry.reason.clone());
        Said { key, seen, handling: Some(entry.handling), reason }
    };
    schedule.entries.iter().map(said).collect()
}

fn saved(schedule: &Schedule, said: &[Said]) -> Result<SavedSchedule, BadSchedule> {
    schedule.decide(schedule.version(), said, (officer(), at(100)))
}

fn new_ones(schedule: &Schedule) -> Vec<&str> {
    schedule.entries.iter().filter(|entry| entry.is_new).map(|entry| entry.key.as_str()).collect()
}

#[test]
fn everything_that_is_kept_is_on_it_and_nothing_of_what_it_says() {
    let schedule = look(&facts(), &file(), None);
    let told: Vec<_> = schedule.entries.iter().map(|e| (e.key.as_str(), e.description.as_str(), e.handling)).collect();
    let uuid = |n: u128| uuid::Uuid::from_u128(n);
    let (assessment, child) = (format!("assessment/{}", uuid(30)), format!("child/{}", uuid(41)));
    let (referral, law) = (format!("referral/{}", uuid(20)), format!("clares-law/{}", uuid(22)));
    let earlier = format!("earlier-call/{}", uuid(50));
    use Handling::{Evidence, Sensitive, Unused};
    assert_eq!(
        told,
        [
            ("recording", "Recording of the call: exhibit WMP/1, seal abababababababab", Evidence),
            ("chat-transcript", "Transcript of what was written during the call, in exhibit WMP/1", Evidence),
            ("chapters", "Chapters of the recording, as the officer marked them, in exhibit WMP/1", Unused),
            ("records", "Ledger of gaps, and list of participants, in exhibit WMP/1", Unused),
            ("photograph/photograph-1", "Photograph by the caller: photograph-1", Evidence),
            ("still/still-1", "Picture out of the recording: still-1", Evidence),
            ("consents", "Record of what the caller agreed to and refused", Unused),
            ("statement/1", "Officer's statement, version 1, a draft", Unused),
            ("statement/2", "Officer's statement, version 2, declared", Evidence),
            (&*assessment, "Risk assessment, DASH, grade high", Unused),
            ("people", "People of the call, as they were written down", Sensitive),
            (&*child, "Details of a child, and what the child said, as it was written down", Sensitive),
            (&*referral, "Referral: MARAC", Sensitive),
            (&*law, "Clare's Law application: its stages", Sensitive),
            (&*earlier, "Earlier call that was judged to be of the same people: 2026-10-01 77", Unused),
            ("note/bail-and-civil-orders/1", "Officer's note on: Bail conditions", Unused),
        ]
    );
    assert!(
        schedule.entries.iter().all(|entry| entry.is_new && (entry.handling != Sensitive || !entry.reason.is_empty()))
    );
    assert_eq!((schedule.version(), schedule.current, schedule.in_words()), (0, false, None));
    let nothing = look(&Facts::default(), &OnFile::default(), None);
    assert!(nothing.entries.is_empty() && !nothing.current);
}

#[test]
fn what_an_officer_decided_stays_until_something_comes_changes_or_goes() {
    let (facts, mut file) = (facts(), file());
    let first = look(&facts, &file, None);
    let mut said = agreed(&first);
    let chapters = said.iter_mut().find(|said| said.key == "chapters").unwrap();
    (chapters.handling, chapters.reason) = (Some(Handling::Evidence), "they are relied on".into());
    let version_1 = saved(&first, &said).unwrap();
    assert_eq!((version_1.version, version_1.entries.len()), (1, first.entries.len()));

    let after = look(&facts, &file, Some(&version_1));
    assert_eq!((after.current, new_ones(&after)), (true, vec![]));
    assert_eq!(after.in_words().unwrap(), "version 1, by pc.a, 16 entries");
    let chapters = after.entries.iter().find(|entry| entry.key == "chapters").unwrap();
    assert_eq!((chapters.handling, &*chapters.reason), (Handling::Evidence, "they are relied on"));
    // What the partner says of it is no new material; what came of it is.
    let mut acknowledged = file.clone();
    let Stage::Sent(sent) = acknowledged.referrals[0].1.stage.clone() else { panic!("sent") };
    let by = crate::domain::Acknowledged { at: at(200), by: Words("them".into()) };
    acknowledged.referrals[0].1.stage = Stage::Acknowledged(sent.clone(), by);
    assert!(look(&facts, &acknowledged, Some(&version_1)).current);
    acknowledged.referrals[0].1.stage =
        Stage::Outcome(sent, None, Outcome { at: at(300), what: Words("heard".into()), by_link: false });
    assert_eq!(new_ones(&look(&facts, &acknowledged, Some(&version_1))).len(), 1);

    // Each of them makes it another than the one that was answered for.
    let changes: [(&str, Change); 7] = [
        ("statement/3", |_, file| file.statements.push((3, false, at(400)))),
        ("assessment", |_, file| file.assessments[0].version += 1),
        ("assessment", |_, file| file.assessments[0].grade = Some(("medium".into(), 2))),
        ("people", |_, file| file.people[0].version += 1),
        ("note/bail-and-civil-orders/1", |_, file| file.notes[0].2 = at(500)),
        ("still/still-2", |facts, _| {
            facts.stills.insert("still-2".into());
        }),
        ("consents", |facts, _| {
            facts.consents.insert(ConsentKind::Video, Answer { given: false, version: 9 });
        }),
    ];
    for (key, change) in changes {
        let (mut facts, mut file) = (facts.clone(), file.clone());
        change(&mut facts, &mut file);
        let changed = look(&facts, &file, Some(&version_1));
        let [new] = new_ones(&changed)[..] else { panic!("one new, {key}: {:?}", new_ones(&changed)) };
        assert!(new.starts_with(key) && !changed.current && changed.in_words().is_none(), "{key}: {new}");
    }
    file.earlier.clear();
    let gone = look(&facts, &file, Some(&version_1));
    assert_eq!((gone.current, new_ones(&gone)), (false, vec![]));
    let version_2 = saved(&gone, &agreed(&gone)).unwrap();
    assert!(look(&facts, &file, Some(&version_2)).current);
    assert_eq!(version_2.version, 2);
}

#[test]
fn what_the_seal_closes_is_new_when_it_comes() {
    let mut open = facts();
    open.exhibit.as_mut().unwrap().seal = None;
    let schedule = look(&open, &OnFile::default(), None);
    assert_eq!(schedule.entries[0].description, "Recording of the call: exhibit WMP/1, not sealed yet");
    let version_1 = saved(&schedule, &agreed(&schedule)).unwrap();
    let sealed = look(&facts(), &OnFile::default(), Some(&version_1));
    assert_eq!(new_ones(&sealed), ["recording", "chat-transcript", "chapters", "records"]);
}

#[test]
fn what_can_t_be_so_is_refused_by_its_entry() {
    let schedule = look(&facts(), &file(), None);
    let with = |key: &str, change: &dyn Fn(&mut Said)| {
        let mut said = agreed(&schedule);
        change(said.iter_mut().find(|said| said.key == key).unwrap());
        saved(&schedule, &said).map(|saved| saved.version)
    };
    let key = |key: &str| key.to_owned();
    assert_eq!(with("people", &|said| said.reason = " ".into()), Err(BadSchedule::Reason(key("people"))));
    assert_eq!(with("people", &|said| said.reason = "a".repeat(501)), Err(BadSchedule::Reason(key("people"))));
    assert_eq!(with("people", &|said| said.reason = "a\0".into()), Err(BadSchedule::Reason(key("people"))));
    assert_eq!(with("people", &|said| said.reason = "é".repeat(500)), Ok(1));
    let otherwise = |said: &mut Said| (said.handling, said.reason) = (Some(Handling::Unused), String::new());
    assert_eq!(with("recording", &otherwise), Err(BadSchedule::Reason(key("recording"))));
    let kept = |said: &mut Said| said.handling = Some(Handling::Unused);
    assert_eq!(with("people", &kept), Ok(1), "the reason that was proposed may be kept");
    assert_eq!(with("recording", &|said| said.handling = None), Err(BadSchedule::Handling(key("recording"))));
    assert_eq!(with("recording", &|said| said.key = key("no-such")), Err(BadSchedule::Unknown(key("no-such"))));
    assert_eq!(with("recording", &|said| said.key = key("people")), Err(BadSchedule::Handling(key("people"))));

    let mut short = agreed(&schedule);
    short.retain(|said| said.key != "recording");
    assert_eq!(saved(&schedule, &short), Err(BadSchedule::Changed(Some(key("recording")))));
    let late = schedule.decide(1, &agreed(&schedule), (officer(), at(100)));
    assert_eq!(late, Err(BadSchedule::Changed(None)));
}

#[test]
fn a_book_that_makes_no_sense_is_refused() {
    let read = |text: &str| toml::from_str::<ScheduleBook>(text).map_err(|error| error.to_string());
    assert_eq!(read(SHIPPED).unwrap().version(), "2026-11-27");
    let first = "[[entry]]\nmaterial = \"still\"\ntitle = \"x\"\nhandling = \"unused\"\nsource = \"y\"\n";
    let people = "reason = \"Addresses, safe ways of contact and third parties: material relating to the private life of a witness.\"\n";
    let long = format!("reason = \"{}\"\n", "a".repeat(500));
    for (bad, why) in [
        (SHIPPED.replace("version = \"2026-11-27\"", "version = \"\""), "no version"),
        (format!("{SHIPPED}{first}"), "Still comes twice"),
        (SHIPPED.replace("{name}", "{grade}"), "title of Still"),
        (
            SHIPPED.replace("title = \"People of the call, as they were written down\"", "title = \" \""),
            "title of People",
        ),
        (SHIPPED.replace(people, ""), "sensitive without a reason"),
        (SHIPPED.replace(people, &long), "too long"),
        (SHIPPED.replace("source = \"CPIA code: sensitive material, MG6D\"", "source = \"\""), "no source"),
        (SHIPPED.replace("handling = \"evidence\"", "handling = \"lost\""), "unknown variant"),
        (
            SHIPPED.split("[[entry]]\nmaterial = \"earlier-call\"").next().unwrap().to_owned(),
            "EarlierCall has no entry",
        ),
    ] {
        let error = read(&bad).unwrap_err();
        assert!(error.contains(why), "{error} should say {why}");
    }
}
