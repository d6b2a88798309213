//! Chapters: marked while the call lasts, in the spool's line file only, and made a document at its end.

use std::io;

use api::session::v1::{self as proto, MarkChapterRequest};
use chrono::{DateTime, SubsecRound, Utc};
use exhibit::{jcs, time};
use ids::Malformed;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tracing::Instrument;

use crate::{
    app::{App, Order},
    domain::{Chapter, ChapterKind, Illegal, MOST_LINES, Remark, Unsayable},
    error::Error,
    ledger,
    spool::{Lines, Owner, Spool},
};

/// A chapter that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Its number within this part of the session, from 1.
    pub number: u32,
    /// When it begins.
    pub at: DateTime<Utc>,
}

/// Marks that something begins now. Kept when this returns; a repeat of its request gets the first answer.
///
/// # Errors
/// Not the officer's call, or one that isn't recorded or has ended; no such kind, no such note; the disk or the database fails.
pub async fn mark(app: &App, spool: &Spool, order: &Order<MarkChapterRequest>) -> Result<Marked, Error> {
    // Before it waits for anybody.
    let at = app.now().trunc_subsecs(6);
    let kind = kind(order.message.kind())?;
    let note = Remark::parse("note", &order.message.note)?;
    let floor = app.give_floor(app.officer_in(order).await?).await?;
    let owner = floor.kept.clone().ok_or(Illegal::NotRecorded)?;
    let chapter = Chapter { at, kind, note, request: order.request.to_string() };
    let spool = spool.clone();
    let marked = async {
        let marked = spawn_blocking(move || append(&spool, &owner, &chapter)).await;
        marked.map_err(io::Error::other).map_err(Error::Spool)?
    };
    let marked = marked.instrument(floor.span.clone()).await?;
    floor.yield_up().await?;
    Ok(marked)
}

/// The session is locked, so nobody else appends meanwhile. Blocks on the disk.
fn append(spool: &Spool, owner: &Owner, chapter: &Chapter) -> Result<Marked, Error> {
    let marked = |index: usize, at| Marked { number: u32::try_from(index + 1).unwrap_or(u32::MAX), at };
    for part in spool.lines_by_part(owner.session, Lines::Chapters).map_err(Error::Spool)?.values() {
        let same = |(_, known): &(usize, Chapter)| known.request == chapter.request;
        if let Some((index, known)) = parsed(part).into_iter().enumerate().find(same) {
            let is_same = (known.kind, &known.note) == (chapter.kind, &chapter.note);
            return if is_same { Ok(marked(index, known.at)) } else { Err(Error::RequestIdReused) };
        }
    }
    // Marked, perhaps, before anybody's picture is there.
    spool.prepare(owner).map_err(Error::Spool)?;
    let before = parsed(&spool.lines(owner.session, Lines::Chapters).map_err(Error::Spool)?).len();
    if before >= MOST_LINES {
        return Err(Unsayable::Full.into());
    }
    let text = jcs::to_vec(chapter)
        .map_err(io::Error::other)
        .and_then(|text| String::from_utf8(text).map_err(io::Error::other));
    let kept = text.and_then(|text| spool.append(owner.session, Lines::Chapters, &[text]));
    kept.map_err(Error::Spool)?;
    Ok(marked(before, chapter.at))
}

fn parsed(lines: &[String]) -> Vec<Chapter> {
    // A line torn by a crash was acknowledged to nobody.
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn kind(kind: proto::ChapterKind) -> Result<ChapterKind, Malformed> {
    match kind {
        proto::ChapterKind::Consent => Ok(ChapterKind::Consent),
        proto::ChapterKind::Account => Ok(ChapterKind::Account),
        proto::ChapterKind::Child => Ok(ChapterKind::Child),
        proto::ChapterKind::Surroundings => Ok(ChapterKind::Surroundings),
        proto::ChapterKind::Injuries => Ok(ChapterKind::Injuries),
        proto::ChapterKind::Break => Ok(ChapterKind::Break),
        proto::ChapterKind::Other => Ok(ChapterKind::Other),
        proto::ChapterKind::Unspecified => Err(Malformed { kind: "chapter", rule: "one of those that there are" }),
    }
}

/// The document. Where a chapter is in each track's file is known from when the track's first media came, which is when its
/// file begins.
pub(crate) fn document(owner: &Owner, chapters: &[String], noted: &[String]) -> Value {
    let tracks = tracks(noted);
    let chapter = |(index, Chapter { at, kind, note, .. }): (usize, Chapter)| {
        let there = tracks.iter().filter(|track| track.began <= at && track.ended.is_none_or(|ended| at <= ended));
        let into = |track: &Track| {
            let millis = (at - track.began).num_milliseconds();
            json!({ "track": track.name, "seconds": format!("{}.{:03}", millis / 1000, millis % 1000) })
        };
        json!({
            "number": (index + 1).to_string(), "at": time::write(at), "kind": kind, "note": note.expose(),
            "tracks": there.map(into).collect::<Vec<_>>(),
        })
    };
    let mut document = ledger::head(owner, "alcove-chapters/1");
    document.insert("chapters".to_owned(), parsed(chapters).into_iter().enumerate().map(chapter).collect());
    document.into()
}

struct Track {
    name: String,
    began: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
}

/// From the gap ledger: when each track's first media came, and its last word.
fn tracks(noted: &[String]) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for event in noted.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let word = |name: &str| event[name].as_str();
        let (Some(what), Some(name), Some(at)) = (word("what"), word("track"), word("at").and_then(time::read)) else {
            continue;
        };
        match what {
            "began" => tracks.push(Track { name: name.to_owned(), began: at, ended: None }),
            "ended" => tracks.iter_mut().filter(|track| track.name == name).for_each(|track| track.ended = Some(at)),
            _ => {}
        }
    }
    tracks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_says_where_it_is_in_the_files_that_were_being_recorded() {
        let at = |second: u32| format!("2026-11-24T12:00:{second:02}.250000Z");
        let noted =
            [("began", "caller-1", 1), ("began", "officer-1", 5), ("ended", "caller-1", 20), ("began", "caller-2", 30)];
        let noted =
            noted.map(|(what, track, second)| json!({ "what": what, "track": track, "at": at(second) }).to_string());
        let chapter = |second, kind: &str| {
            json!({ "at": at(second), "kind": kind, "note": "by the door", "request": second.to_string() }).to_string()
        };
        let chapters = [chapter(0, "consent"), chapter(12, "injuries"), "{\"at\":".to_owned(), chapter(31, "break")];
        let document = document(&Owner::numbered(1), &chapters, &noted);
        assert_eq!(document["format"], "alcove-chapters/1");
        let within = |index: usize| document["chapters"][index]["tracks"].clone();
        assert_eq!(within(0), json!([]), "before anybody's picture");
        let both = [("caller-1", "11.000"), ("officer-1", "7.000")];
        assert_eq!(within(1), json!(both.map(|(track, seconds)| json!({ "track": track, "seconds": seconds }))));
        assert_eq!(within(2)[1], json!({ "track": "caller-2", "seconds": "1.000" }));
        let injuries = &document["chapters"][1];
        let expected = (&json!("2"), &json!("injuries"), &json!("by the door"));
        assert_eq!((&injuries["number"], &injuries["kind"], &injuries["note"]), expected);
    }
}
