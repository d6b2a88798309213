//! A caller's phone goes from Wi-Fi to 4G and back, and then to a network that lets no UDP through: how long the pictures stand
//! still. Chromium in a network namespace, as the journeys have it; needs root.

use std::time::Duration;

use alcove_tests::{
    browser::Home,
    elsewhere::{Scene, black, goes_on},
    pages::Pages,
};
use testkit::{Elsewhere, Network};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

/// Changes networks in one call, several times.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let times = if quick { 1 } else { 5 };
    let elsewhere = Elsewhere::make()?;
    elsewhere.down(Network::Mobile)?;
    let scene = Scene::set(&elsewhere, &[], Home::default()).await?;
    let Pages { officer, caller, .. } = scene.call("6001").await?;
    // Until both have gone on, and how long neither did: what is longest is what somebody sees.
    let over = async || -> Result<f64, Failure> {
        for page in [officer, caller] {
            goes_on([page]).await?;
        }
        Ok(Duration::max(black(officer).await?, black(caller).await?).as_secs_f64())
    };
    let (mut there, mut back) = (Vec::new(), Vec::new());
    over().await?;
    for _ in 0..times {
        for (to, from, took) in
            [(Network::Mobile, Network::Wifi, &mut there), (Network::Wifi, Network::Mobile, &mut back)]
        {
            elsewhere.up(to)?;
            elsewhere.down(from)?;
            took.push(over().await?);
        }
    }
    for (id, told, took) in [("black_wifi_4g_s", "Wi-Fi to 4G", there), ("black_4g_wifi_s", "4G to Wi-Fi", back)] {
        let took: Samples = took.into_iter().collect();
        let note = format!(
            "the longest of {times}, {told}: no new picture at the officer's or the caller's, whichever was longer; median {:.2} s",
            took.median()
        );
        figures.add(Figure::new(id, took.max(), "s", Target::AtMost(3.0), note));
    }
    elsewhere.block_udp()?;
    let note = "UDP blocked in mid-call, until it goes on over TCP: once".to_owned();
    figures.add(Figure::new("black_udp_tcp_s", over().await?, "s", Target::None, note));
    scene.desk.stack.stop().await?;
    Ok(())
}
