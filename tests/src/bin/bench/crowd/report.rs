//! What the rows say: a table for people, and the figures.

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
};

/// So many calls, and what they took.
pub struct Row {
    pub calls: usize,
    pub load: Load,
}

/// What so many calls took.
pub struct Load {
    /// Percent of a core, a call: the server's.
    pub cpu: f64,
    /// The same of whoever takes the recordings from it.
    pub evidence: f64,
    /// Percent of a core: the crowd itself.
    pub crowd: f64,
    /// MiB a call.
    pub rss: f64,
    /// Packets.
    pub sent: u64,
    /// Packets.
    pub lost: u64,
    /// Milliseconds from a phone to another.
    pub p50: f64,
    /// The same, of one in a hundred.
    pub p99: f64,
    /// The same without a server.
    pub direct: f64,
    /// How many milliseconds the crowd was late, at worst.
    pub behind: f64,
}

/// The number of calls at which the design asks for figures.
pub const ASKED: usize = 50;

impl Row {
    /// In a line.
    pub fn told(&self) -> String {
        let Self { calls, load } = self;
        format!(
            "| {calls} | {:.2}% | {:.2}% | {:.1} MiB | {} of {} | {:.2} ms | {:.1} ms | {:.2} ms | {:.0}%, {:.0} ms |",
            load.cpu,
            load.evidence,
            load.rss,
            load.lost,
            load.sent,
            load.p50,
            load.p99,
            load.direct,
            load.crowd,
            load.behind
        )
    }
}

/// Tells all rows, and what follows from them.
pub fn report(figures: &Figures, ours: &[Row], janus: &[Row]) -> Result<(), Failure> {
    println!(
        "| calls | server a call | evidence-store | memory a call | lost | p50 | p99 | direct p99 | crowd, late |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, rows) in [("video-session", ours), ("Janus", janus)] {
        rows.iter().for_each(|row| println!("| **{name}** {}", &row.told()[2..]));
    }
    let row = ours.iter().rfind(|row| row.calls <= ASKED).ok_or("nothing was measured")?;
    let (calls, load) = (row.calls, &row.load);
    let beside = janus.iter().find(|row| row.calls == calls);
    let most = ours.iter().filter(|row| row.load.keeps_up()).map(|row| row.calls).max().unwrap_or_default();
    let add = |id: &str, value, unit, target, note: String, peer: Option<f64>| {
        let figure = Figure::new(id, value, unit, target, note);
        figures.add(match peer {
            Some(peer) => figure.beside(peer),
            None => figure,
        });
    };
    if let Some(beside) = beside {
        let note = format!(
            "video-session's CPU over Janus' at {calls} calls of 1 Mb/s and Opus each way, recorded: {:.2}% of a core a call \
             over {:.2}%; 0.3 is the far aim. evidence-store takes another {:.2}%",
            load.cpu, beside.load.cpu, load.evidence
        );
        add("cpu_vs_janus", load.cpu / beside.load.cpu, "", Target::AtMost(0.6), note, None);
    }
    let note =
        format!("by the CPU of video-session at {calls} calls; it kept up with {most} here, the crowd beside it");
    let theirs = beside.map(|row| 100.0 / row.load.cpu);
    add("calls_per_core", 100.0 / load.cpu, "calls", Target::None, note, theirs);
    let note = format!("of {} packets at {calls} calls", load.sent);
    add(
        "server_lost_packets",
        load.lost as f64,
        "packets",
        Target::AtMost(0.0),
        note,
        beside.map(|row| row.load.lost as f64),
    );
    let note = format!(
        "from a phone's socket to the other's, at {calls} calls; p50 {:.2} ms; without a server p99 {:.2} ms",
        load.p50, load.direct
    );
    add("added_latency_p99_ms", load.p99, "ms", Target::AtMost(20.0), note, beside.map(|row| row.load.p99));
    let note = format!("(RSS with {calls} calls - RSS before the first) / {calls}; one process, one sample");
    add("rss_per_session_mb", load.rss, "MiB", Target::AtMost(3.0), note, beside.map(|row| row.load.rss));
    Ok(())
}
