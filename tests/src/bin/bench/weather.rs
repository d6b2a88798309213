//! Two browsers in all sorts of weather: what is lost, what comes back, what the officer sees and hears of it, and whether
//! the ledger has the rest to the packet. Prints the table of `docs/performance.md`.

use std::time::Duration;

use alcove_tests::weather::{Came, Place, Row};
use testkit::road::{Loss, Weather};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
};

/// The weather in which a phone's repairs are counted.
const FIVE_PERCENT: &str = "5% at random";

fn rows() -> Vec<Row> {
    let clear = Weather::default();
    let jitter = Weather { jitter: Duration::from_millis(150), ..clear };
    let narrow = Weather { kbps: Some(300), ..clear };
    let bursts = Weather { loss: Loss::Bursts { share: 0.02, mean: 4.0 }, ..clear };
    let all = Weather { loss: Loss::Random(0.05), ..jitter };
    vec![
        Row::both("clear", clear),
        Row::lossy("1% at random", 0.01),
        Row::lossy("2% at random", 0.02),
        Row::lossy(FIVE_PERCENT, 0.05),
        Row::lossy("10% at random", 0.10),
        Row::both("2% in bursts of 4", bursts),
        Row::both("150 ms jitter", jitter),
        Row { name: "300 kb/s up", up: narrow, down: clear },
        Row { name: "300 kb/s down", up: clear, down: narrow },
        Row::both("5%, jitter and 300 kb/s", Weather { kbps: Some(300), ..all }),
    ]
}

/// Plays a call in each weather.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let place = Place::open(1).await?;
    let packets = if quick { 200 } else { 750 };
    let mut table =
        "| weather | lost | recovered | sent | frozen | pictures | made-up sound | caller sees | ledger |\n".to_owned();
    table += "|---|---|---|---|---|---|---|---|---|\n";
    for (number, row) in rows().iter().enumerate() {
        let came = place.call(&format!("{}", 4_000 + number), row, packets).await?;
        table += &line(row, &came);
        if row.name == FIVE_PERCENT {
            let note =
                "packets of the caller's picture over those that were no repairs, at 5% lost each way".to_owned();
            figures.add(Figure::new("phone_resend_ratio", came.sent_again, "", Target::AtMost(1.15), note));
        }
        let exact = came.disagree.clone().unwrap_or_else(|| "exact to the packet".to_owned());
        let note =
            format!("seconds of {:.0} that the officer's picture stood still; ledger {exact}", came.seen.seconds);
        let id = row.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        figures.add(Figure::new(format!("weather_{id}_frozen_s"), came.seen.frozen, "s", Target::None, note));
    }
    println!("{table}");
    Ok(())
}

fn line(row: &Row, came: &Came) -> String {
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    format!(
        "| {} | {} | {} | {:.2} | {:.1} s of {:.0} | {:.0}/s | {} | {:.0}/s | {} |\n",
        row.name,
        percent(came.lost),
        percent(came.recovered),
        came.sent_again,
        came.seen.frozen,
        came.seen.seconds,
        came.seen.pictures,
        percent(came.seen.concealed),
        came.caller_sees,
        came.disagree.as_deref().unwrap_or("exact"),
    )
}
