//! A caller who can't speak: they tap a phrase in Arabic and type, the officer reads English, answers, marks chapters and
//! sees that they are silent by choice, and all of it is in the exhibit.

use alcove_tests::{
    browser::{Browser, Page},
    desk::{Desk, FORCE},
    pages::{Pages, picture},
};
use api::referral::v1::{DraftStatementRequest, referral_service_client::ReferralServiceClient};
use chassis::{Clock, Entropy};
use ids::RequestId;
use serde_json::{Value, json};
use testkit::StackOptions;

/// Waits for the nth line of that list, and gives back its parts.
async fn line(page: &Page<'_>, list: &str, number: usize) -> Vec<String> {
    let item = format!("document.querySelector('{list}').children[{}]", number - 1);
    page.until(&format!("Boolean({item})")).await.unwrap();
    let parts = format!("Array.from({item}.childNodes, (one) => one.textContent)");
    serde_json::from_value(page.evaluate(&parts).await.unwrap()).unwrap()
}

/// The officer's page says that the caller has turned the microphone off.
const SILENT: &str =
    "document.querySelector('#silence').textContent.startsWith('They have turned their microphone off')";

/// The caller turns the microphone off, or on.
async fn turn_sound(caller: Page<'_>) {
    for button in ["#options", "#sound"] {
        caller.click(button).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_can_not_speak_is_understood() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "2301", ["", ""]).await.unwrap();
    let (officer, caller) = (pages.officer, pages.caller);

    officer.fill("#chapter-note", "asked on the phone").await.unwrap();
    officer.click("#chapters [data-chapter='1']").await.unwrap();
    officer.until("document.querySelector('#chapter-said').textContent.startsWith('Chapter 1 ')").await.unwrap();

    // Her own language, from right to left; a tap is read in English.
    caller.click("#talk").await.unwrap();
    caller.see("[data-phrase=no-talk]").await.unwrap();
    caller.select("#language", "ar").await.unwrap();
    caller.until("document.querySelector('[data-phrase=no-talk]').textContent === 'لا أستطيع الكلام الآن'").await.unwrap();
    assert_eq!(caller.evaluate("getComputedStyle(document.querySelector('#phrases')).direction").await.unwrap(), "rtl");
    officer.until("document.querySelector('#chat-language').textContent.includes('Arabic')").await.unwrap();
    caller.click("[data-phrase=no-talk]").await.unwrap();
    assert_eq!(line(&officer, "#chat-lines", 1).await, ["Caller", "I can’t talk right now", "لا أستطيع الكلام الآن"]);
    assert_eq!(line(&caller, "#lines", 1).await, ["لا أستطيع الكلام الآن", "I can’t talk right now"]);

    // And the reverse, by keyboard alone.
    officer.until("document.querySelector('#chat-phrase').options.length > 20").await.unwrap();
    officer.select("#chat-phrase", "help-coming").await.unwrap();
    officer.evaluate("document.querySelector('#chat-phrase').focus()").await.unwrap();
    officer.press("Tab").await.unwrap();
    officer.press("Enter").await.unwrap();
    assert_eq!(line(&caller, "#lines", 2).await, ["المساعدة في الطريق", "Help is on its way"]);
    assert_eq!(line(&officer, "#chat-lines", 2).await, ["Officer", "Help is on its way", "المساعدة في الطريق"]);
    assert_eq!(
        caller.evaluate("getComputedStyle(document.querySelector('#lines').children[1]).direction").await.unwrap(),
        "rtl"
    );
    caller.fill("#text", "<i>الباب الخلفي</i>").await.unwrap();
    caller.click("#send").await.unwrap();
    assert_eq!(line(&officer, "#chat-lines", 3).await, ["Caller", "<i>الباب الخلفي</i>"]);

    // Closed, a message shows only that there is one; a reload has them all again.
    picture(caller, "chat-caller.png").await.unwrap();
    caller.click("#less").await.unwrap();
    officer.fill("#chat-text", "I am here").await.unwrap();
    officer.press("Enter").await.unwrap();
    caller.until("document.querySelector('#talk').dataset.fresh === 'yes'").await.unwrap();
    assert_eq!(caller.evaluate("document.querySelector('#chat').hidden").await.unwrap(), true);
    for page in [officer, caller] {
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }
    // Silent by choice: a sign of it stands on the officer's screen until they can be heard, over a reload too.
    turn_sound(caller).await;
    officer.until(SILENT).await.unwrap();
    let seen = "((sign) => document.activeElement.id === 'chat-text' && sign.top >= 0 && sign.bottom < innerHeight)";
    let is_seen = format!("{seen}(document.querySelector('#silence').getBoundingClientRect())");
    assert_eq!(officer.evaluate(&is_seen).await.unwrap(), true, "also by an officer who writes");
    picture(officer, "silence-officer.png").await.unwrap();
    officer.evaluate("window.before = document.querySelector('#caller').srcObject; undefined").await.unwrap();
    caller.reload().await.unwrap();
    caller.until("document.querySelector('#lines').children.length === 4").await.unwrap();
    // Not sooner than they see each other again: a chapter has the tracks of who is there.
    let again = "((video) => video.srcObject && video.srcObject !== window.before && video.currentTime > 0)";
    officer.until(&format!("{again}(document.querySelector('#caller'))")).await.unwrap();
    officer.until(SILENT).await.unwrap();
    picture(officer, "chat-officer.png").await.unwrap();
    turn_sound(caller).await;
    officer.until(&format!("!{SILENT}")).await.unwrap();

    officer.click("#chapters [data-chapter='5']").await.unwrap();
    officer.until("document.querySelector('#chapter-said').textContent.endsWith('Injuries')").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = pages.end(&desk, folder.path()).await.unwrap();
    assert_eq!(caller.evaluate("document.querySelector('#chat').textContent.includes('الباب')").await.unwrap(), false);
    let item = |kind: &str| -> Value {
        let file = std::fs::read(package.join(format!("bag/data/items/{kind}/{kind}/1.json"))).unwrap();
        serde_json::from_slice(&file).unwrap()
    };
    let document = item("chat-transcript");
    let lines = document["lines"].as_array().unwrap();
    let said: Vec<_> = lines.iter().map(|line| (&line["role"], &line["what"], &line["language"])).collect();
    let [c, o, en, ar] = ["caller", "officer", "en", "ar"].map(|word| json!(word));
    let [language, phrase, text] = ["language", "phrase", "text"].map(|word| json!(word));
    let expected = [
        (&c, &language, &en),
        (&c, &language, &ar),
        (&c, &phrase, &ar),
        (&o, &phrase, &ar),
        (&c, &text, &ar),
        (&o, &text, &en),
    ];
    assert_eq!(said, expected);
    assert_eq!(
        (&lines[2]["words"], &lines[2]["english"]),
        (&json!("لا أستطيع الكلام الآن"), &json!("I can’t talk right now"))
    );
    assert_eq!(lines[5]["text"], "I am here");
    let chapters = item("chapters")["chapters"].clone();
    assert_eq!((&chapters[0]["kind"], &chapters[0]["note"]), (&json!("consent"), &json!("asked on the phone")));
    let tracks = chapters[1]["tracks"].as_array().unwrap();
    let names: Vec<_> = tracks.iter().map(|track| track["track"].as_str().unwrap()).collect();
    assert_eq!(
        (&chapters[1]["kind"], names),
        (&json!("injuries"), vec!["officer-1", "caller-2"]),
        "the caller had reloaded"
    );
    // The officer's statement is made of it, and of nothing else.
    let call = item("chapters")["call"].as_str().unwrap().to_owned();
    let request = DraftStatementRequest {
        request_id: Entropy::os().id::<RequestId>(Clock::system().now()).to_string(),
        force_id: FORCE.to_owned(),
        call_id: call,
        officer_id: "pc-okafor".to_owned(),
    };
    let mut referral = ReferralServiceClient::new(desk.way("referral", "pc-okafor").unwrap());
    let drafted = referral.draft_statement(request).await.unwrap().into_inner();
    assert!(!drafted.incomplete);
    for said in [
        "(consent): asked on the phone",
        "(injuries): [...]",
        "caller: \u{201c}I can\u{2019}t talk right now\u{201d}",
        "officer: \u{201c}I am here\u{201d}",
        "I produce as exhibits: ALC/",
    ] {
        assert!(drafted.text.contains(said), "{said}\n{}", drafted.text);
    }
    let into = |index: usize| tracks[index]["seconds"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(into(0) > into(1) && into(1) >= 0.0, "{tracks:?}");
}
