//! A still from the sealed master shows what the officer saw when they kept it: a picture that is its own number, in two browsers. And
//! a photograph is in the exhibit as the caller's page hashed it.

use std::{io::Write, path::Path, process::Command};

use alcove_tests::{
    browser::Browser,
    desk::{Desk, FORCE},
    package,
    pages::Pages,
};
use api::intake::v1::call_update::Kind;
use serde_json::Value;
use testkit::StackOptions;

/// Reads the number of each of the caller's pictures as it is shown, by its RTP timestamp.
const READ: &str = "(() => {
    const video = document.querySelector('#caller');
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    window.numbers = {};
    const next = (_now, { rtpTimestamp }) => {
        pen.drawImage(video, 0, 0, 320, 240);
        let number = 0;
        for (let bar = 0; bar < 16; bar++) {
            number = number * 2 + (pen.getImageData(bar * 20 + 10, 120, 1, 1).data[1] > 127 ? 1 : 0);
        }
        window.numbers[rtpTimestamp] = number;
        video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
})()";

/// Notes what the page hashes, and with it what it must let go of, and how often it draws what is on its screen.
const HASHES: &str = "
const digest = crypto.subtle.digest.bind(crypto.subtle);
window.hashes = [];
window.photographs = [];
crypto.subtle.digest = async (name, bytes) => {
    const hash = await digest(name, bytes);
    window.photographs.push(bytes);
    window.hashes.push(Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join(''));
    return hash;
};
window.drawn = 0;
window.draw = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...given) { window.drawn += 1; window.draw.apply(this, given); };
";

/// A camera that takes photographs.
const TAKES: &str = "window.ImageCapture = class {
    takePhoto() {
        const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
        canvas.getContext('2d').drawImage(document.querySelector('#own'), 0, 0, 320, 240);
        return new Promise((done) => window.draw.call(canvas, done, 'image/jpeg', 0.92));
    }
}; null";

/// The number in a picture.
fn number(folder: &Path, picture: &[u8]) -> u64 {
    std::fs::File::create(folder.join("picture")).unwrap().write_all(picture).unwrap();
    let arguments = "-v error -i picture -vf scale=16:1:flags=area -f rawvideo -pix_fmt gray -";
    let output = Command::new("ffmpeg").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert_eq!(output.stdout.len(), 16, "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.iter().fold(0, |number, bar| number * 2 + u64::from(*bar > 127))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_still_of_the_master_is_what_the_officer_saw() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let counter = std::fs::read_to_string(testkit::workspace().join("tests/browser/counter.js")).unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "2301", ["", &(counter + HASHES)]).await.unwrap();
    let Pages { call_id, mut watch, officer, caller } = pages;
    officer.evaluate(READ).await.unwrap();
    caller
        .until("document.querySelector('#company').textContent.startsWith('This call is being recorded.')")
        .await
        .unwrap();

    let mut seen = Vec::new();
    for taken in 1..=3 {
        officer.until(&format!("Object.keys(window.numbers).length > {}", taken * 10)).await.unwrap();
        officer.click("#still").await.unwrap();
        let said = if taken == 1 { "1 picture kept".to_owned() } else { format!("{taken} pictures kept") };
        officer.until(&format!("document.querySelector('#stills').textContent === '{said}' && !document.querySelector('#still').disabled")).await.unwrap();
        let number =
            officer.evaluate("window.numbers[document.querySelector('#still').dataset.rtp] ?? -1").await.unwrap();
        seen.push(number.as_i64().unwrap());
    }
    assert!(
        seen.is_sorted_by(|one, next| one < next) && seen[0] >= 0,
        "the recording has what was on screen: {seen:?}"
    );
    // And photographs: taken by a tap, hashed on the page. This camera takes no JPEG by itself, as an iPhone's browser never does, so the
    // page draws what it shows; then one that does.
    for taken in ["1 photograph sent", "2 photographs sent"] {
        officer.click("#ask-photo").await.unwrap();
        caller.click("#photo").await.unwrap();
        officer.until(&format!("document.querySelector('#stills').textContent.includes('{taken}')")).await.unwrap();
        caller.until("document.querySelector('#photo').hidden").await.unwrap();
        assert_eq!(caller.evaluate("window.drawn").await.unwrap(), 1, "the first one only");
        caller.evaluate(TAKES).await.unwrap();
    }
    caller.until("document.querySelector('#notice').textContent.startsWith('The photo is sent.')").await.unwrap();
    let left = caller.evaluate("window.photographs.every((bytes) => bytes.every((byte) => byte === 0))").await.unwrap();
    assert_eq!(left, true, "the page has overwritten them");
    let hashed: Vec<String> = serde_json::from_value(caller.evaluate("window.hashes").await.unwrap()).unwrap();
    assert_eq!(hashed.len(), 2);

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();

    let evidence = desk.way("evidence-store", alcove_tests::package::WHO).unwrap();
    let exhibit = package::exhibit_of(evidence.clone(), FORCE, &call_id).await.unwrap();
    let read = async |path: &str| package::item(evidence.clone(), FORCE, &exhibit.exhibit_id, path).await.ok();
    let facts = testkit::eventually("the working copy", async || read("working-copy.json").await).await.unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut shown = Vec::new();
    for still in facts["stills"].as_array().unwrap() {
        let picture = read(still["name"].as_str().unwrap()).await.unwrap();
        shown.push(i64::try_from(number(folder.path(), &picture)).unwrap());
    }
    assert_eq!(shown, seen);
    let mut before = u64::try_from(seen[2]).unwrap();
    for (hashed, number_of_it) in hashed.iter().zip(1..) {
        let path = format!("items/still/photograph-{number_of_it}/1.jpg");
        let photograph = exhibit.items.iter().find(|item| item.path == path).unwrap();
        assert_eq!(photograph.sha256, *hashed, "what the phone hashed is what the exhibit has");
        let shows = number(folder.path(), &read(&path).await.unwrap());
        assert!(shows > before, "{path} was taken after the one before");
        before = shows;
    }
}
