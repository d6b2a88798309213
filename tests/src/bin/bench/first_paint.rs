//! The caller's page opened for the first time, on a slow 3G and a phone a quarter as fast as this machine, until there is something
//! to read. Chromium slows itself down, and measures.

use alcove_tests::browser::Browser;

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

const PAINTED: &str = "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime";

/// The first only warms Chromium up, and isn't counted.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let times = if quick { 3 } else { 21 };
    let browser = Browser::start().await?;
    let mut painted = Vec::new();
    for _ in 0..times {
        let page = browser.open_slowly("caller", &stage.desk.stack.caller_page(), (390, 844)).await?;
        let at = page.until(PAINTED).await?.as_f64().ok_or("no time")?;
        painted.push(at / 1000.0);
        page.close().await?;
    }
    let painted: Samples = painted.into_iter().skip(1).collect();
    let note = format!(
        "Chromium {} with 400 kb/s, 400 ms and its CPU slowed four times; nothing of the page is kept from one to the next; {} pages; \
         slowest {:.2} s",
        browser.version(),
        painted.count(),
        painted.max()
    );
    figures.add(Figure::new("first_paint_3g_s", painted.median(), "s", Target::AtMost(1.0), note));
    Ok(())
}
