//! When the call ends, the work is done: the console's panel against the real service, its partners' system, and a sergeant who looks on.
//! What is still typed after a call is counted.

use alcove_tests::{
    browser::{Browser, Page},
    help::{ByHand, Done, Room, partner::Came, story},
    pages::{DESK, Pages, picture, sign_in},
};

/// A line that says what was counted.
fn told(risk: &str, Done { by_hand: ByHand { during, after }, .. }: &Done) {
    println!(
        "fields_typed_{risk}={} ({:?}); pressed after the call {}; in the call {} typed, {} pressed",
        after.typed.len(),
        after.typed,
        after.pressed,
        during.typed.len(),
        during.pressed,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_call_ends_the_work_is_done() {
    let room = Room::open().await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = room.first(&browser, "7101").await.unwrap();
    let sergeant = browser.open_with("sergeant", &room.desk.stack.console(), DESK, "").await.unwrap();
    sign_in(sergeant, "sgt-price").await.unwrap();
    looks_on(&pages, sergeant).await;
    story::standard(&pages).await.unwrap();
    sees_it_all(sergeant).await;
    let done = room.done(&pages, "help-standard").await.unwrap();
    told("standard", &done);
    counts(&done);
    only_its_end_was_missing(&done);
    assert_eq!(done.by_hand.after.typed, [""; 0]);
    assert!(done.statement.contains("I jump whenever the bell rings"), "{}", done.statement);
    let [notice] = <[Came; 1]>::try_from(room.partner.came(1).await.unwrap()).unwrap();
    assert!(notice.is_signed);
    assert_eq!((&*notice.to, &notice.body["type"]), ("idva", &"referral.made".into()));

    let pages = room.next(pages, &browser, "7102").await.unwrap();
    story::high(&pages).await.unwrap();
    let done = room.done(&pages, "help-high").await.unwrap();
    told("high", &done);
    counts(&done);
    only_its_end_was_missing(&done);
    assert!(done.by_hand.after.typed.len() < 5, "{:?}", done.by_hand.after.typed);
    let came = room.partner.came(7).await.unwrap();
    assert!(came.iter().all(|notice| notice.is_signed && notice.body["type"] == "referral.made"));
    let mut to: Vec<_> = came[1..].iter().map(|notice| &*notice.to).collect();
    to.sort_unstable();
    assert_eq!(to, ["clares-law-ask", "encompass", "encompass", "marac", "mash", "mash"]);
    let of = |to: &str| came.iter().filter(|notice| notice.to == to).collect::<Vec<_>>();
    let mut schools: Vec<_> = of("encompass").iter().map(|notice| notice.says("Child: school")).collect();
    schools.sort_unstable();
    assert_eq!(schools, ["Heath Road Primary", "Little Acorns Nursery"]);
    for notice in of("encompass") {
        assert!(!notice.body.to_string().contains("17 Heath Road"), "a school is told no address");
    }
    for page in [pages.officer, sergeant] {
        let complaints = page.complaints().await.unwrap();
        assert!(!complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
    }
}

/// Whoever counts sees fields and buttons, and knows the end of the call: a dead counter would find nothing to be typed, too.
fn counts(Done { by_hand: ByHand { during, after }, .. }: &Done) {
    assert!(during.typed.len() > 8 && during.pressed > 40, "{during:?}");
    assert!(after.pressed > 5, "{after:?}");
}

/// What can only be done once the call is over.
fn only_its_end_was_missing(Done { missing, .. }: &Done) {
    assert!(missing.iter().all(|key| ["officer-statement", "disclosure-schedule"].contains(&&**key)), "{missing:?}");
}

/// The sergeant watches the call, and has its questions before them.
async fn looks_on(pages: &Pages<'_>, sergeant: Page<'_>) {
    sergeant.click("[data-to=overview]").await.unwrap();
    sergeant.click(&format!("#officers [data-act=watch][data-call='{}']", pages.call_id)).await.unwrap();
    pages.officer.click("#people li[data-role=observer] [data-act=admit]").await.unwrap();
    sergeant.see("#observing[data-standing=in]").await.unwrap();
    sergeant.click("#tab-risk").await.unwrap();
    sergeant.see("#questions [data-question=frightened][data-choice=not-asked]").await.unwrap();
}

/// What the officer has written stands on the sergeant's screen, which nobody has loaded anew.
async fn sees_it_all(sergeant: Page<'_>) {
    sergeant.see("#questions [data-question=frightened][data-choice=yes]").await.unwrap();
    let answer = "document.querySelector('[data-question=frightened]').textContent.includes('pc-okafor')";
    sergeant.until(answer).await.unwrap();
    sergeant.until("document.querySelector('#grade-given').textContent.includes('Standard')").await.unwrap();
    picture(sergeant, "help-sergeant-risk.png").await.unwrap();
    sergeant.click("#tab-people").await.unwrap();
    sergeant.until("document.querySelector('#persons').textContent.includes('Amelia Pemberton')").await.unwrap();
    sergeant.click("#tab-help").await.unwrap();
    sergeant.see(".referral[data-kind=idva][data-state=sent]").await.unwrap();
    picture(sergeant, "help-sergeant-help.png").await.unwrap();
}
