//! Two real browsers in bad weather: the call stays up, the sound first, the recording decodes, and its ledger has every
//! packet that stays away. All rows of the table are `make bench`'s.

use std::time::Duration;

use alcove_tests::weather::{Came, Place, Row};
use testkit::road::{Loss, Weather};

/// Packets of sound: ten seconds.
const LONG_ENOUGH: usize = 500;

async fn in_weather(incident: &str, row: &Row) -> Came {
    call(Place::open(1).await.unwrap(), incident, row).await
}

async fn call(place: Place, incident: &str, row: &Row) -> Came {
    let came = place.call(incident, row, LONG_ENOUGH).await.unwrap();
    // Shown when it fails, and to whoever asks for the output.
    println!("{}: {came:?}", row.name);
    assert_eq!(came.disagree, None);
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn five_percent_lost_at_random() {
    let came = in_weather("3001", &Row::lossy("5% at random", 0.05)).await;
    assert!(came.lost > 0.02 && came.recovered > 0.95, "{came:?}");
    assert!(came.seen.pictures > 5.0 && came.seen.concealed < 0.15, "{came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_percent_lost_of_a_caller_whose_offer_names_no_stream() {
    let row = Row::lossy("5% at random, unnamed", 0.05);
    let came = call(Place::open(1).await.unwrap().unnamed(), "3004", &row).await;
    assert!(came.lost > 0.02 && came.recovered > 0.95 && came.sent_again < 1.15, "{came:?}");
    assert!(came.seen.pictures > 5.0 && came.seen.concealed < 0.15, "{came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_and_jitter() {
    let loss = Loss::Bursts { share: 0.02, mean: 4.0 };
    let weather = Weather { loss, jitter: Duration::from_millis(150), ..Weather::default() };
    let came = in_weather("3002", &Row::both("2% in bursts, 150 ms jitter", weather)).await;
    assert!(came.lost > 0.0, "{came:?}");
    assert!(came.seen.pictures > 5.0 && came.seen.concealed < 0.15, "{came:?}");
}

fn narrow() -> Weather {
    Weather { kbps: Some(300), ..Weather::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_with_little_bandwidth_hears_at_least() {
    let came = in_weather("3003", &Row { name: "300 kb/s down", up: Weather::default(), down: narrow() }).await;
    // Seventeen runs had 0.10 to 0.15, most of it until the picture is held and while it is tried again. With a picture that is never held
    // it was 0.28.
    assert!(came.lost == 0.0 && came.seen.concealed < 0.2, "{came:?}");
    assert!(came.caller_sees > 5.0, "the officer sends what fits the caller's road: {came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_little_bandwidth_is_seen_and_heard() {
    let came = in_weather("3006", &Row { name: "300 kb/s up", up: narrow(), down: Weather::default() }).await;
    assert!(came.seen.pictures > 5.0 && came.seen.concealed < 0.15, "{came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_at_once() {
    let weather = Weather { loss: Loss::Random(0.05), jitter: Duration::from_millis(150), ..narrow() };
    let came = in_weather("3007", &Row::both("5%, jitter and 300 kb/s", weather)).await;
    // What of the picture gets through is the machine's matter, too. The sound comes first.
    assert!(came.lost > 0.02 && came.seen.concealed < 0.25, "{came:?}");
    assert!(came.seen.pictures > 0.0 && came.caller_sees > 0.0, "{came:?}");
}
