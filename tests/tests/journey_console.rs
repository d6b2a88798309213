//! What is done with a call beside holding it, at the consoles of two: watched by a sergeant, a consent taken back,
//! somebody sent, looked at afterwards.

use alcove_tests::{
    browser::Browser,
    desk::Desk,
    pages::{DESK, Pages, sign_in},
};
use api::intake::v1::{RiskGrade, call_update::Kind};
use testkit::StackOptions;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_watched_openly_and_looked_at_for_a_reason() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "3101", ["", ""]).await.unwrap();
    let (officer, mut watch) = (pages.officer, pages.watch);

    // Nobody listens in unseen: the officer lets the sergeant in, and sees them.
    let sergeant = browser.open_with("sergeant", &desk.stack.console(), DESK, "").await.unwrap();
    sign_in(sergeant, "sgt-price").await.unwrap();
    sergeant.click("[data-to=evidence]").await.unwrap();
    sergeant.click("#exhibit-rows [data-exhibit]").await.unwrap();
    sergeant.click("#observe").await.unwrap();
    sergeant.see("#observing[data-standing=waiting]").await.unwrap();
    officer.click("#people li[data-role=observer] [data-act=admit]").await.unwrap();
    sergeant.see("#observing[data-standing=in]").await.unwrap();
    sergeant.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    officer.see("#people li[data-role=observer][data-connected=true]").await.unwrap();
    sergeant.click("#observing-leave").await.unwrap();
    sergeant.see("#desk-title").await.unwrap();

    // What the caller takes back in the call is so everywhere: no more pictures.
    officer.see("#still").await.unwrap();
    officer.click("#consents [data-kind=stills] button").await.unwrap();
    officer.click("#consent-write").await.unwrap();
    officer.see("#consents [data-kind=stills][data-given=false]").await.unwrap();
    officer.until("document.querySelector('#still').hidden").await.unwrap();

    // Somebody is sent, by two presses, and the officer sees that they are.
    officer.press("F7").await.unwrap();
    officer.see("#fast-track-ask").await.unwrap();
    officer.press("Enter").await.unwrap();
    officer.see("#fast-track-sign[data-state=raised]").await.unwrap();
    let Kind::FastTrack(asked) = watch.until(|kind| matches!(kind, Kind::FastTrack(_))).await.unwrap() else {
        unreachable!()
    };
    assert_eq!((&*asked.reason, asked.risk()), ("DANGER", RiskGrade::High));
    desk.control_room.send_unit(&pages.call_id, &asked.fast_track_id).await.unwrap();
    officer.see("#fast-track-sign[data-state=acknowledged]").await.unwrap();

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    officer.see("#after[data-state=sealed]").await.unwrap();
    let reference = officer.text("#exhibit-reference").await.unwrap();
    officer.click("[data-to=evidence]").await.unwrap();
    officer.fill("#find", &reference).await.unwrap();
    officer.click("#exhibit-rows [data-exhibit]").await.unwrap();
    officer.fill("#look-reason", "Writing my statement").await.unwrap();
    officer.click("#play").await.unwrap();
    officer.until("document.querySelector('#playback').videoWidth > 0").await.unwrap();
    let looks = "document.querySelector('#access-rows').textContent";
    officer.until(&format!("{looks}.includes('pc-okafor') && {looks}.includes('Writing my statement')")).await.unwrap();
    // Media that has gone is not found, and that is no fault; what the content security policy stops would be one.
    for page in [officer, sergeant] {
        let complaints = page.complaints().await.unwrap();
        assert!(!complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
    }
}
