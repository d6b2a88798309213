//! The documents that a session leaves in its exhibit beside the media. Pure, but for [`leave`], which keeps them.
//! `docs/session-items.md` explains every field. All are canonical JSON (RFC 8785) without numbers.

use std::io;

use chrono::{DateTime, Utc};
use exhibit::{jcs, time};
use ids::{ParticipantId, TrackName};
use serde_json::{Map, Value, json};

use crate::{
    app::Sight,
    chapters,
    domain::{
        Ended, FastTrack, How, Mark, Participant, Presence, Raised, RecordOrder, Recording, Remark, Taken, Tap, With,
    },
    media::{EndedWhy, Instruction, Medium, Noted, Plea, Tapped, What, Why},
    recorder::{Hole, LostLines},
    spool::{Document, Lines, Owner, Piece, Spool},
    stills::Still,
};

/// One person, with all that the record has of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub who: Participant,
    /// When they were in the call, and with what.
    pub stays: Vec<Stay>,
}

/// One presence, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// As it is on the record.
    pub presence: Presence,
    /// How many segments were recorded of it.
    pub segments: u64,
}

/// Makes a session's documents, once, and keeps them in the spool. Blocks on the disk.
///
/// # Errors
/// When the disk refuses.
pub fn leave(spool: &Spool, owner: &Owner, people: &[Person], now: DateTime<Utc>) -> io::Result<()> {
    leave_part(spool, owner, now)?;
    keep(spool, owner, Document::Participants, &participants(owner, people), now)
}

/// Makes the documents of one part, once, and keeps them in the spool: nothing more is noted of it. Blocks on the disk.
///
/// # Errors
/// When the disk refuses.
pub fn leave_part(spool: &Spool, owner: &Owner, now: DateTime<Utc>) -> io::Result<()> {
    let (session, part) = (owner.session, owner.part);
    let noted = spool.lines(session, Lines::Ledger)?;
    let written = listed(owner, "alcove-chat-transcript/1", "lines", &spool.lines(session, Lines::Chat)?);
    let marked = chapters::document(owner, &spool.lines(session, Lines::Chapters)?, &noted);
    keep(spool, owner, Document::ChatTranscript { part }, &written, now)?;
    keep(spool, owner, Document::Chapters { part }, &marked, now)?;
    // Last: with this one the part is over.
    keep(spool, owner, Document::GapLedger { part }, &listed(owner, "alcove-gap-ledger/1", "events", &noted), now)
}

fn keep(spool: &Spool, owner: &Owner, document: Document, content: &Value, now: DateTime<Utc>) -> io::Result<()> {
    let bytes = jcs::to_vec(content).map_err(io::Error::other)?;
    spool.keep_document(owner.session, document, &Piece::new(now, now, bytes.into()))
}

/// One line of the ledger: an event of the gap ledger.
#[must_use]
pub fn line(noted: &Noted) -> String {
    let mut event = match &noted.what {
        What::Began { video, audio, paused } => {
            let recording = if *paused { Recording::Paused } else { Recording::On };
            json!({ "what": "began", "video": video, "audio": audio, "recording": recording.as_str() })
        }
        What::Lost { medium, first, packets } => json!({
            "what": "lost", "medium": medium_word(*medium),
            "first_rtp_sequence": first.to_string(), "packets": packets.to_string(),
        }),
        What::BrokenFrame => json!({ "what": "frame-left-out", "medium": "video" }),
        What::NoKeyFrame { since, frames } => json!({
            "what": "no-key-frame", "medium": "video", "since": time::write(*since), "frames": frames.to_string(),
        }),
        What::Silent { medium, since } => {
            json!({ "what": "silent", "medium": medium_word(*medium), "since": time::write(*since) })
        }
        What::Size { width, height } => {
            json!({ "what": "size", "width": width.to_string(), "height": height.to_string() })
        }
        What::TurnedOff { medium, why, reason } => json!({
            "what": "turned-off", "medium": medium_word(*medium), "why": off_word(*why),
            "reason": reason.as_ref().map(Remark::expose),
        }),
        What::TurnedOn { medium } => json!({ "what": "turned-on", "medium": medium_word(*medium) }),
        What::Disconnected => json!({ "what": "disconnected" }),
        What::Connected => json!({ "what": "connected" }),
        What::Ended { why, counters } => json!({
            "what": "ended", "why": why_word(*why),
            "video_first_rtp_sequence": counters.video_first.map(|first| first.to_string()),
            "audio_first_rtp_sequence": counters.audio_first.map(|first| first.to_string()),
            "video_packets": counters.video_packets.to_string(), "video_lost": counters.video_lost.to_string(),
            "video_frames": counters.video_frames.to_string(),
            "video_frames_left_out": counters.video_frames_broken.to_string(),
            "audio_packets": counters.audio_packets.to_string(), "audio_lost": counters.audio_lost.to_string(),
            "audio_frames": counters.audio_frames.to_string(), "other_packets": counters.other_packets.to_string(),
        }),
    };
    event["at"] = time::write(noted.at).into();
    event["track"] = noted.track.as_str().into();
    event["participant"] = noted.participant.to_string().into();
    canonical(&event)
}

/// The line of an order that was carried out: about every track.
#[must_use]
pub fn ordered(Instruction { order, by, reason, .. }: &Instruction, at: DateTime<Utc>) -> String {
    canonical(&json!({
        "what": order_word(*order), "at": time::write(at), "track": null, "participant": null,
        "officer": by.as_ref().map(ToString::to_string), "reason": reason.expose(),
    }))
}

/// The line of a call that the caller has covered, or come back to: about every track.
#[must_use]
pub fn covered(Tapped { caller, tap, at, .. }: &Tapped, recording: Recording) -> String {
    let what = if *tap == Tap::Away { "covered" } else { "uncovered" };
    canonical(&json!({
        "what": what, "at": time::write(*at), "track": null, "participant": caller.to_string(),
        "recording": recording.as_str(),
    }))
}

/// The line of a caller who asks for help without saying so. Never in what they wrote: the word is theirs.
#[must_use]
pub fn pleaded(Plea { caller, how, at, .. }: &Plea) -> String {
    canonical(&json!({
        "what": "asked-for-help", "at": time::write(*at), "track": null, "participant": caller.to_string(), "how": how.as_str(),
    }))
}

/// The line of an officer who has seen that.
#[must_use]
pub fn seen(Sight { raised, seen, .. }: &Sight) -> String {
    canonical(&json!({
        "what": "asking-seen", "at": time::write(seen.at), "since": time::write(raised.at), "track": null, "participant": null,
        "officer": seen.by.to_string(), "how": raised.how.as_str(),
    }))
}

/// The line of one step of a fast-track.
#[must_use]
pub fn fast_track(one: &FastTrack, mark: &Mark<'_>) -> String {
    let mut event = match mark {
        Mark::Requested => json!({
            "what": "fast-track", "at": time::write(one.requested_at), "officer": one.officer.to_string(),
            "risk": one.risk.as_str(), "reason": one.cause.as_str(),
            "still": one.still.map(|number| Document::Still(number).name()),
        }),
        Mark::RaisedAgain { times, at } => {
            json!({ "what": "fast-track-again", "at": time::write(*at), "times": times.to_string() })
        }
        Mark::Taken(Taken { by, unit, at }) => {
            json!({ "what": "fast-track-taken", "at": time::write(*at), "by": by, "unit": unit })
        }
    };
    event["fast_track"] = one.id.to_string().into();
    event["track"] = Value::Null;
    event["participant"] = Value::Null;
    canonical(&event)
}

/// The line of segments that the disk didn't take while memory had room for them.
#[must_use]
pub(crate) fn not_kept(Hole { participant, track, segments, starts_at, ends_at }: &Hole) -> String {
    canonical(&json!({
        "what": "not-kept", "at": time::write(*ends_at), "since": time::write(*starts_at), "track": track.as_str(),
        "participant": participant.to_string(), "first_segment": segments.start.to_string(),
        "segments": (segments.end - segments.start).to_string(),
    }))
}

/// The line of lines that the disk didn't take.
#[must_use]
pub(crate) fn lines_lost(LostLines { count, since, until }: LostLines) -> String {
    canonical(&json!({
        "what": "lines-lost", "at": time::write(until), "since": time::write(since), "track": null, "participant": null,
        "lines": count.to_string(),
    }))
}

/// The line of a still.
#[must_use]
pub fn still(Still { number, participant, officer, frame }: &Still, at: DateTime<Utc>) -> String {
    canonical(&json!({
        "what": "still", "at": time::write(at), "track": frame.track.as_str(), "participant": participant.to_string(),
        "officer": officer.to_string(), "number": number.to_string(), "rtp_timestamp": frame.rtp_timestamp.to_string(),
        "file_ms": frame.file_ms.to_string(), "segment": frame.segment.to_string(),
    }))
}

/// The line of a photograph.
#[must_use]
pub fn photograph(number: u32, participant: ParticipantId, track: Option<&TrackName>, piece: &Piece) -> String {
    let sha256: String = piece.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    canonical(&json!({
        "what": "photograph", "at": time::write(piece.starts_at), "track": track.map(TrackName::as_str),
        "participant": participant.to_string(), "number": number.to_string(), "sha256": sha256,
        "bytes": piece.data.len().to_string(),
    }))
}

/// The item that says which picture of the recording a still is.
///
/// # Errors
/// Never: it has nothing that JCS could refuse.
pub fn still_item(owner: &Owner, Still { number, participant, officer, frame }: &Still) -> io::Result<Vec<u8>> {
    let mut item = Value::from(head(owner, "alcove-still/1"));
    item["number"] = number.to_string().into();
    item["track"] = frame.track.as_str().into();
    item["participant"] = participant.to_string().into();
    item["rtp_timestamp"] = frame.rtp_timestamp.to_string().into();
    item["file_ms"] = frame.file_ms.to_string().into();
    item["segment"] = frame.segment.to_string().into();
    item["shown_at"] = time::write(frame.at).into();
    item["officer"] = officer.to_string().into();
    jcs::to_vec(&item).map_err(io::Error::other)
}

/// The order that holds, by a session's ledger: the last one, but a stop is for good. A process that died may not have got as far as the
/// database.
#[must_use]
pub fn standing_order(lines: &[String]) -> Option<RecordOrder> {
    let orders = [RecordOrder::Pause, RecordOrder::Resume, RecordOrder::Stop];
    let what = |line: &String| Some(serde_json::from_str::<Value>(line).ok()?["what"].as_str()?.to_owned());
    let order = |line| what(line).and_then(|what| orders.into_iter().find(|order| order_word(*order) == what));
    let given: Vec<_> = lines.iter().filter_map(order).collect();
    if given.contains(&RecordOrder::Stop) { Some(RecordOrder::Stop) } else { given.last().copied() }
}

/// Who asked for help last, and when, by a session's ledger.
#[must_use]
pub fn last_plea(lines: &[String]) -> Option<(ParticipantId, Raised)> {
    let plea = |line: &String| {
        let line: Value = serde_json::from_str(line).ok().filter(|line: &Value| line["what"] == "asked-for-help")?;
        let word = |name: &str| line[name].as_str();
        let raised = Raised { how: How::parse(word("how")?)?, at: time::read(word("at")?)? };
        Some((word("participant")?.parse().ok()?, raised))
    };
    lines.iter().filter_map(plea).max_by_key(|(_, raised)| raised.at)
}

fn canonical(event: &Value) -> String {
    // Strings only: there is nothing that JCS could refuse.
    jcs::to_vec(event).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// How each of them begins.
pub(crate) fn head(owner: &Owner, format: &str) -> Map<String, Value> {
    let fields =
        [("format", format.to_owned()), ("session", owner.session.to_string()), ("call", owner.call.to_string())];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// A document that is the lines of a file, as they were written.
fn listed(owner: &Owner, format: &str, name: &str, lines: &[String]) -> Value {
    let parsed = lines.iter().map(|line| match serde_json::from_str::<Value>(line) {
        Ok(line) => line,
        // Torn by a crash: said, and not hidden.
        Err(_) => json!({ "what": "unreadable", "text": line }),
    });
    let mut document = head(owner, format);
    document.insert(name.to_owned(), parsed.collect());
    document.into()
}

fn participants(owner: &Owner, people: &[Person]) -> Value {
    let person = |Person { who, stays }: &Person| {
        json!({
            "participant": who.id.to_string(), "role": who.role.as_str(),
            "officer": who.staff.as_ref().map(ToString::to_string),
            "came_at": time::write(who.came_at), "admitted_at": who.admitted_at.map(time::write),
            "removed_at": who.removed_at.map(time::write),
            "presences": stays.iter().map(stay).collect::<Vec<_>>(),
        })
    };
    let mut document = head(owner, "alcove-participants/2");
    document.insert("participants".to_owned(), people.iter().map(person).collect());
    document.into()
}

fn stay(Stay { presence, segments }: &Stay) -> Value {
    let (left_at, gone_by) = match presence.ended {
        Some(Ended::At(at)) => (Some(at), None),
        Some(Ended::By(at)) => (None, Some(at)),
        None => (None, None),
    };
    let mut stay = json!({
        "joined_at": time::write(presence.began_at), "left_at": left_at.map(time::write), "gone_by": gone_by.map(time::write),
    });
    match &presence.with {
        With::Track(track) => {
            stay["track"] = track.as_str().into();
            stay["segments"] = segments.to_string().into();
        }
        With::Watching(publisher) => stay["watched"] = publisher.to_string().into(),
    }
    stay
}

fn medium_word(medium: Medium) -> &'static str {
    match medium {
        Medium::Audio => "audio",
        Medium::Video => "video",
    }
}

fn order_word(order: RecordOrder) -> &'static str {
    match order {
        RecordOrder::Pause => "paused",
        RecordOrder::Resume => "resumed",
        RecordOrder::Stop => "recording-stopped",
    }
}

fn off_word(why: Why) -> &'static str {
    match why {
        Why::Choice => "choice",
        Why::Signal => "signal",
        Why::Taken => "taken",
    }
}

fn why_word(why: EndedWhy) -> &'static str {
    match why {
        EndedWhy::Closed => "closed",
        EndedWhy::PeerGone => "peer-gone",
        EndedWhy::Failed => "failed",
        EndedWhy::ShuttingDown => "shutting-down",
        EndedWhy::RecordingStopped => "recording-stopped",
    }
}

#[cfg(test)]
mod tests;
