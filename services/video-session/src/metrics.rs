//! What this instance carries, as figures: calls, people, packets that never came, and seconds that evidence-store doesn't have yet.

use std::{collections::BTreeSet, sync::LazyLock};

use chassis::metrics::{self, Gauge, KeyValue, counter};
use opentelemetry::metrics::Counter;

use crate::{
    media::{Counters, Medium},
    rooms::Rooms,
    spool::Spool,
};

const LIVE: Gauge =
    Gauge { name: "alcove.session.live", unit: "{session}", about: "Calls that somebody is in, here on this instance" };
const PARTICIPANTS: Gauge = Gauge {
    name: "alcove.session.participants",
    unit: "{participant}",
    about: "Those who publish or watch, here on this instance",
};
const SPOOLED: Gauge = Gauge {
    name: "alcove.spool.segments",
    unit: "{segment}",
    about: "Recorded segments that evidence-store has not acknowledged",
};
const SPOOL_AGE: Gauge = Gauge {
    name: "alcove.spool.age",
    unit: "s",
    about: "How long the oldest unacknowledged segment has waited; 0 when none does",
};

static LOST: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("alcove.media.packets.lost", "{packet}", "RTP packets that never came, repairs included"));
static RECEIVED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("alcove.media.packets.received", "{packet}", "RTP packets that came, counted when a publication ends")
});
static SEGMENTS: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("alcove.media.segments", "{segment}", "Segments that were recorded"));

static NOT_WRITTEN: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter(
        "alcove.session.writes.failed",
        "{try}",
        "Tries to write down what was seen of a call that failed for a reason that doesn't pass by itself",
    )
});

/// What is to be written down of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writing {
    /// What was seen: who flows, what was ordered.
    Fact,
    /// The documents that go with the recording.
    Documents,
    /// That it has ended.
    End,
}

/// Has what the instance carries read whenever metrics are exported.
pub(crate) fn measure(rooms: Rooms, spool: Spool) {
    // Said from the start, so that the first can be told from none.
    for medium in [Medium::Audio, Medium::Video] {
        lost(medium, 0);
    }
    for what in [Writing::Fact, Writing::Documents, Writing::End] {
        count_unwritten(what, 0);
    }
    let register = rooms.clone();
    metrics::observe(LIVE, move || vec![(register.sessions().len() as f64, Vec::new())]);
    metrics::observe(PARTICIPANTS, move || {
        let people: BTreeSet<_> = rooms.held().values().map(|held| held.participant).collect();
        vec![(people.len() as f64, Vec::new())]
    });
    let waiting = spool.clone();
    metrics::observe(SPOOLED, move || vec![(waiting.waiting().0 as f64, Vec::new())]);
    metrics::observe(SPOOL_AGE, move || vec![(spool.waiting().1.as_secs_f64(), Vec::new())]);
}

/// A segment was recorded.
pub(crate) fn recorded() {
    SEGMENTS.add(1, &[]);
}

/// It failed, and will be tried again until somebody has mended what is wrong.
pub(crate) fn not_written(what: Writing) {
    count_unwritten(what, 1);
}

fn count_unwritten(what: Writing, tries: u64) {
    let what = match what {
        Writing::Fact => "fact",
        Writing::Documents => "documents",
        Writing::End => "end",
    };
    NOT_WRITTEN.add(tries, &[KeyValue::new("alcove.writing", what)]);
}

/// Packets were given up.
pub(crate) fn lost(medium: Medium, packets: u64) {
    LOST.add(packets, &of(medium));
}

/// A publication is over.
pub(crate) fn ended(counters: &Counters) {
    RECEIVED.add(counters.video_packets, &of(Medium::Video));
    RECEIVED.add(counters.audio_packets, &of(Medium::Audio));
}

fn of(medium: Medium) -> [KeyValue; 1] {
    let medium = match medium {
        Medium::Audio => "audio",
        Medium::Video => "video",
    };
    [KeyValue::new("alcove.medium", medium)]
}
