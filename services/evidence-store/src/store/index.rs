//! The index of the journal: which record holds which segment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, bigint, failed};
use crate::journal::{
    Place,
    core::Entry,
    ledger::{Book, Held},
    record::Kind,
};

/// Where one segment lies, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    /// Its number in the track.
    pub seq: u64,
    /// The record's place in the journal.
    pub place: Place,
    /// Length of its bytes.
    pub len: u32,
    /// Their SHA-256.
    pub sha256: Digest,
    /// SHA-256 of what is stored for them.
    pub stored_sha256: Digest,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
    /// The track's chain head after it.
    pub chain: Digest,
}

/// A track, counted. The exhibit's items are one, by the name of `items`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackRow {
    /// Its name.
    pub track: TrackName,
    /// The number of its first segment: above 0 in an addendum.
    pub first: u64,
    /// Segments held.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The chain head after the last; `None` while there is no segment.
    pub head: Option<Digest>,
}

/// Takes segments and conflicts in; what is there already stays. Says which conflicts are new, and which exhibits
/// aren't in the index at all: their records are left out.
///
/// # Errors
/// The database is away.
pub async fn index_entries(
    tx: &mut PgConnection,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> Result<(Vec<Place>, BTreeSet<ExhibitId>), StoreError> {
    let wanted: BTreeSet<Uuid> = entries.iter().map(|entry| entry.header.exhibit.uuid()).collect();
    let wanted: Vec<Uuid> = wanted.into_iter().collect();
    let known = sqlx::query_scalar!("select exhibit_id from evidence.exhibits where exhibit_id = any($1)", &wanted)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("index_entries"))?;
    let unknown = wanted.iter().filter(|id| !known.contains(id)).map(|id| (*id).into()).collect();
    let of = |kind| {
        entries.iter().filter(move |e| e.header.kind == kind).filter(|e| known.contains(&e.header.exhibit.uuid()))
    };
    // Of two records for one place the later counts, and one statement may not change a row twice.
    let place = |e: &Entry| (e.header.exhibit, e.header.track.clone(), e.header.seq);
    let segments: BTreeMap<_, _> = of(Kind::Segment).map(|entry| (place(entry), entry)).collect();
    insert_segments(tx, &segments.into_values().collect::<Vec<_>>()).await?;
    let mut conflicts = Vec::new();
    for Entry { place, header, .. } in of(Kind::Conflict) {
        let done = sqlx::query!(
            "insert into evidence.conflicts (exhibit_id, track, seq, sha256, stored_sha256, file, at, len, noticed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
            header.exhibit.uuid(),
            header.track.as_ref().map_or("", TrackName::as_str),
            bigint(header.seq),
            header.sha256.as_bytes().as_slice(),
            header.stored_sha256.as_bytes().as_slice(),
            bigint(place.file),
            bigint(place.at),
            header.len.cast_signed(),
            now,
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("index_entries"))?;
        if done.rows_affected() == 1 {
            conflicts.push(*place);
        }
    }
    Ok((conflicts, unknown))
}

async fn insert_segments(tx: &mut PgConnection, entries: &[&Entry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let exhibits: Vec<Uuid> = entries.iter().map(|e| e.header.exhibit.uuid()).collect();
    let track = |e: &&Entry| e.header.track.as_ref().map_or_else(String::new, ToString::to_string);
    let names: Vec<String> = entries.iter().map(track).collect();
    let column = |get: fn(&Entry) -> i64| entries.iter().map(|e| get(e)).collect::<Vec<i64>>();
    let digests = |get: fn(&Entry) -> Digest| entries.iter().map(|e| get(e).as_bytes().to_vec()).collect::<Vec<_>>();
    let times = |get: fn(&Entry) -> DateTime<Utc>| entries.iter().map(|e| get(e)).collect::<Vec<_>>();
    let lens: Vec<i32> = entries.iter().map(|e| e.header.len.cast_signed()).collect();
    sqlx::query!(
        "insert into evidence.tracks (exhibit_id, track, segments, bytes, head)
         select distinct t.exhibit_id, t.track, 0, 0, ''::bytea from unnest($1::uuid[], $2::text[]) as t (exhibit_id, track)
         on conflict do nothing",
        &exhibits,
        &names,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("insert_segments"))?;
    // Only what is really new counts: a record may come again after a crash. Another record for the same place was sent
    // again after damage before it: encrypted anew, it has a chain to hang on, and the first no longer has. Where
    // anything else differs the row stays, and the seal will fail until a person has looked.
    sqlx::query!(
        "with new as (
             insert into evidence.segments
                 (exhibit_id, track, seq, file, at, len, sha256, starts_at, ends_at, prev, chain, stored_sha256)
             select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[],
                                  $7::bytea[], $8::timestamptz[], $9::timestamptz[], $10::bytea[], $11::bytea[],
                                  $12::bytea[])
             on conflict (exhibit_id, track, seq) do update
             set file = excluded.file, at = excluded.at, prev = excluded.prev, chain = excluded.chain,
                 stored_sha256 = excluded.stored_sha256
             where segments.chain <> excluded.chain and segments.sha256 = excluded.sha256
                   and (segments.starts_at, segments.ends_at) = (excluded.starts_at, excluded.ends_at)
                   and (segments.file, segments.at) < (excluded.file, excluded.at)
             returning exhibit_id, track, seq, len, chain, xmax = 0 as added
         ), sums as (
             select exhibit_id, track, count(*) filter (where added) as segments,
                    coalesce(sum(len) filter (where added), 0) as bytes, (array_agg(chain order by seq desc))[1] as head
             from new group by exhibit_id, track
         )
         update evidence.tracks t
         set segments = t.segments + sums.segments, bytes = t.bytes + sums.bytes, head = sums.head
         from sums where t.exhibit_id = sums.exhibit_id and t.track = sums.track",
        &exhibits,
        &names,
        &column(|e| bigint(e.header.seq)),
        &column(|e| bigint(e.place.file)),
        &column(|e| bigint(e.place.at)),
        &lens,
        &digests(|e| e.header.sha256),
        &times(|e| e.header.starts_at),
        &times(|e| e.header.ends_at),
        &digests(|e| e.header.prev),
        &digests(|e| e.header.chain().unwrap_or(e.header.prev)),
        &digests(|e| e.header.stored_sha256),
    )
    .execute(tx)
    .await
    .map_err(failed("insert_segments"))?;
    Ok(())
}

/// What an exhibit holds, for the journal's ledger.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn book(conn: &mut PgConnection, id: ExhibitId) -> Result<Book, StoreError> {
    let at = At { table: "evidence.segments", row: &id };
    let rows = sqlx::query!(
        "select track, seq, sha256, chain from evidence.segments where exhibit_id = $1 order by track, seq",
        id.uuid()
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(failed("book"))?;
    let tracks = tracks(&mut *conn, id).await?.into_iter();
    let starts = tracks.map(|track| (track.track, track.first)).filter(|(_, first)| *first > 0).collect();
    let mut book = Book { starts, items: super::items::held(&mut *conn, id).await?, ..Book::default() };
    for row in rows {
        let held = Held { sha256: at.digest("sha256", &row.sha256)?, chain: at.digest("chain", &row.chain)? };
        let name = at.parse("track", &row.track)?;
        let start = book.starts.get(&name).copied().unwrap_or(0);
        let track = book.tracks.entry(name).or_default();
        // Behind a gap, which only damage makes, nothing is taken for held: it has to be sent again, and is the same.
        if at.count("seq", row.seq)? == start + track.len() as u64 {
            track.push(held);
        }
    }
    book.tracks.retain(|_, held| !held.is_empty());
    let conflicts = sqlx::query!("select track, seq, sha256 from evidence.conflicts where exhibit_id = $1", id.uuid())
        .fetch_all(conn)
        .await
        .map_err(failed("book"))?;
    let at = At { table: "evidence.conflicts", row: &id };
    for row in conflicts {
        let (track, seq) = (at.parse("track", &row.track)?, at.count("seq", row.seq)?);
        book.conflicts.insert((track, seq, at.digest("sha256", &row.sha256)?));
    }
    Ok(book)
}

/// One segment of an exhibit that the ledger no longer has.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn held_segment(
    conn: &mut PgConnection,
    id: ExhibitId,
    track: &TrackName,
    seq: u64,
) -> Result<Option<Held>, StoreError> {
    let row = sqlx::query!(
        "select sha256, chain from evidence.segments where exhibit_id = $1 and track = $2 and seq = $3",
        id.uuid(),
        track.as_str(),
        bigint(seq),
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("held_segment"))?;
    let at = At { table: "evidence.segments", row: &id };
    row.map(|r| Ok(Held { sha256: at.digest("sha256", &r.sha256)?, chain: at.digest("chain", &r.chain)? })).transpose()
}

/// Every segment of an exhibit, by track and number.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn segments(
    conn: &mut PgConnection,
    id: ExhibitId,
) -> Result<BTreeMap<TrackName, Vec<SegmentRow>>, StoreError> {
    let rows = sqlx::query_as!(
        Segment,
        "select track, seq, file, at, len, sha256, stored_sha256, starts_at, ends_at, chain
         from evidence.segments where exhibit_id = $1 order by track, seq",
        id.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("segments"))?;
    let at = At { table: "evidence.segments", row: &id };
    let mut tracks: BTreeMap<TrackName, Vec<SegmentRow>> = BTreeMap::new();
    for row in rows {
        tracks.entry(at.parse("track", &row.track)?).or_default().push(row.read(&at)?);
    }
    Ok(tracks)
}

/// A track's segments from this number on, in order.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn segments_from(
    conn: &mut PgConnection,
    id: ExhibitId,
    track: &TrackName,
    from: u64,
) -> Result<Vec<SegmentRow>, StoreError> {
    let rows = sqlx::query_as!(
        Segment,
        "select track, seq, file, at, len, sha256, stored_sha256, starts_at, ends_at, chain
         from evidence.segments where exhibit_id = $1 and track = $2 and seq >= $3 order by seq",
        id.uuid(),
        track.as_str(),
        bigint(from),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("segments_from"))?;
    let at = At { table: "evidence.segments", row: &id };
    rows.into_iter().map(|row| row.read(&at)).collect()
}

/// A row of `evidence.segments`, as it is.
struct Segment {
    track: String,
    seq: i64,
    file: i64,
    at: i64,
    len: i32,
    sha256: Vec<u8>,
    stored_sha256: Vec<u8>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    chain: Vec<u8>,
}

impl Segment {
    fn read(self, at: &At<'_>) -> Result<SegmentRow, StoreError> {
        Ok(SegmentRow {
            seq: at.count("seq", self.seq)?,
            place: Place { file: at.count("file", self.file)?, at: at.count("at", self.at)? },
            len: u32::try_from(self.len).map_err(|_| at.corrupt("len"))?,
            sha256: at.digest("sha256", &self.sha256)?,
            stored_sha256: at.digest("stored_sha256", &self.stored_sha256)?,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            chain: at.digest("chain", &self.chain)?,
        })
    }
}

/// An exhibit's tracks, counted.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn tracks(conn: &mut PgConnection, id: ExhibitId) -> Result<Vec<TrackRow>, StoreError> {
    let rows = sqlx::query!(
        "select track, first, segments, bytes, head from evidence.tracks where exhibit_id = $1 order by track",
        id.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("tracks"))?;
    let at = At { table: "evidence.tracks", row: &id };
    let mut tracks = Vec::with_capacity(rows.len());
    for row in rows {
        let head = (row.segments > 0).then(|| at.digest("head", &row.head)).transpose()?;
        tracks.push(TrackRow {
            track: at.parse("track", &row.track)?,
            first: at.count("first", row.first)?,
            segments: at.count("segments", row.segments)?,
            bytes: at.count("bytes", row.bytes)?,
            head,
        });
    }
    Ok(tracks)
}

/// Notes where an addendum's tracks start: no segment is held of them yet.
///
/// # Errors
/// The database is away.
pub async fn insert_starts(
    tx: &mut PgConnection,
    id: ExhibitId,
    starts: &BTreeMap<TrackName, u64>,
) -> Result<(), StoreError> {
    for (track, first) in starts {
        sqlx::query!(
            "insert into evidence.tracks (exhibit_id, track, segments, bytes, head, first)
             values ($1, $2, 0, 0, ''::bytea, $3) on conflict do nothing",
            id.uuid(),
            track.as_str(),
            bigint(*first),
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("insert_starts"))?;
    }
    Ok(())
}

/// The first segment (or item) of each track whose record lies within a part of a journal file.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn segments_at(
    conn: &mut PgConnection,
    from: Place,
    until: u64,
) -> Result<Vec<(ExhibitId, TrackName, u64)>, StoreError> {
    let rows = sqlx::query!(
        r#"select exhibit_id as "exhibit_id!", track as "track!", min(seq) as "seq!"
           from (select exhibit_id, track, seq, file, at, len from evidence.segments
                 union all select exhibit_id, 'items', seq, file, at, len from evidence.items) as records
           where file = $1 and at + len >= $2 and at < $3 group by exhibit_id, track order by exhibit_id, track"#,
        bigint(from.file),
        bigint(from.at),
        bigint(until),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("segments_at"))?;
    let at = At { table: "evidence.segments", row: &from.file };
    rows.into_iter().map(|r| Ok((r.exhibit_id.into(), at.parse("track", &r.track)?, at.count("seq", r.seq)?))).collect()
}
