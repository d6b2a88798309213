//! Somebody stands beside the caller, who writes their word in the chat, and later taps the corner of a page that is covered: officer and
//! control room know at once, nothing is seen of it on the phone, and it is in the exhibit; the word itself is in the line alone.

use alcove_tests::{
    browser::{Browser, Page},
    control_room::COME_NOW,
    desk::Desk,
    pages::{Pages, picture},
};
use api::intake::v1::{DuressHow, call_update::Kind};
use serde_json::{Value, json};
use testkit::StackOptions;

/// Everything of the page that is still: where it is, what it says, and what has the focus.
const LOOKS: &str = "JSON.stringify([document.title, document.activeElement.id, Array.from(document.querySelectorAll('body *:not(script)'), \
                     (one) => [one.id, one.className, JSON.stringify(one.getBoundingClientRect()), one.children.length ? '' : one.textContent])])";

async fn says(officer: &Page<'_>, selector: &str, beginning: &str) {
    let beginning = Value::from(beginning);
    officer.until(&format!("document.querySelector('{selector}').textContent.startsWith({beginning})")).await.unwrap();
}

async fn tap_corner(caller: &Page<'_>, place: &str) {
    for _ in 0..3 {
        caller.click(place).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_asks_for_help_and_nobody_beside_them_knows() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "2303", ["", ""]).await.unwrap();
    let Pages { call_id, mut watch, officer, caller } = pages;
    assert_eq!(officer.evaluate("document.querySelector('#duress').hidden").await.unwrap(), true);

    // The word, in a line like any other.
    caller.click("#talk").await.unwrap();
    let line = format!("i put the {} away!", COME_NOW.to_uppercase().replace(' ', "-"));
    caller.fill("#text", &line).await.unwrap();
    caller.click("#send").await.unwrap();
    officer.see("#duress[data-seen=no]").await.unwrap();
    says(&officer, "#duress-words", "They have asked for help without saying so. Do not say it aloud.").await;
    says(&officer, "#duress-how", "By their word, in what they wrote, at ").await;
    caller.until("document.querySelector('#lines').children.length === 1").await.unwrap();
    assert!(caller.text("#lines").await.unwrap().contains(&line));
    let told = watch.until(|kind| matches!(kind, Kind::Duress(_))).await.unwrap();
    let Kind::Duress(raised) = told else { unreachable!("it was waited for") };
    assert_eq!((raised.how(), raised.acknowledged), (DuressHow::Word, false));
    picture(officer, "duress-officer.png").await.unwrap();

    officer.click("#duress-see").await.unwrap();
    officer.see("#duress[data-seen=yes]").await.unwrap();
    let told = watch.until(|kind| matches!(kind, Kind::Duress(_))).await.unwrap();
    let Kind::Duress(seen) = told else { unreachable!("it was waited for") };
    assert_eq!((seen.raised_at, seen.acknowledged), (raised.raised_at, true));

    // The corner, in the call and when it is covered.
    caller.click("#less").await.unwrap();
    let looks = caller.evaluate(LOOKS).await.unwrap();
    tap_corner(&caller, "#corner").await;
    says(&officer, "#duress-how", "By their word, in what they wrote, at ").await;
    officer.until("document.querySelector('#duress-how').textContent.endsWith('asked 2 times.')").await.unwrap();
    assert_eq!(caller.evaluate(LOOKS).await.unwrap(), looks);
    caller.click("#cover").await.unwrap();
    officer.see("#call[data-cover=yes] #cover").await.unwrap();
    let looks = caller.evaluate(LOOKS).await.unwrap();
    tap_corner(&caller, "#front .corner").await;
    officer.until("document.querySelector('#duress-how').textContent.endsWith('asked 3 times.')").await.unwrap();
    assert_eq!(caller.evaluate(LOOKS).await.unwrap(), looks);
    picture(caller, "duress-caller.png").await.unwrap();
    for page in [&officer, &caller] {
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
    let ledger = std::fs::read_to_string(package.join("bag/data/items/gap-ledger/gap-ledger/1.json")).unwrap();
    assert!(!ledger.to_lowercase().contains("teapot"));
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    let of_it = |event: &&Value| ["asked-for-help", "asking-seen"].iter().any(|what| event["what"] == *what);
    let events: Vec<_> = ledger["events"].as_array().unwrap().iter().filter(of_it).collect();
    let short: Vec<_> = events.iter().map(|event| json!([event["what"], event["how"]])).collect();
    let [word, corner] = ["word", "corner"].map(|how| json!(["asked-for-help", how]));
    assert_eq!(short, [word, json!(["asking-seen", "word"]), corner.clone(), corner]);
    assert_eq!(events[1]["officer"], "pc-okafor");
    // In no service's log, by which name ever it is written.
    for log in std::fs::read_dir(desk.stack.logs()).unwrap() {
        let log = log.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).to_lowercase();
        assert!(!text.contains("teapot"), "{}", log.display());
    }
}
