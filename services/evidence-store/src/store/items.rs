//! The index of an exhibit's items.

use chrono::{DateTime, Utc};
use exhibit::{Digest, manifest::MediaType};
use ids::{ExhibitId, TrackName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, bigint, failed};
use crate::journal::{Place, core::Entry, item::ItemFacts, ledger::HeldItem};

const TABLE: &str = "evidence.items";

/// Where one item lies, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// Its number among the exhibit's items.
    pub seq: u64,
    /// The request that brought it.
    pub id: Uuid,
    /// Its kind, in kebab-case.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// 1, 2 ... for each kind and name.
    pub version: u64,
    /// Its media type.
    pub media_type: String,
    /// Length of its data.
    pub bytes: u64,
    /// SHA-256 of its data.
    pub sha256: Digest,
    /// SHA-256 of the record's payload.
    pub payload_sha256: Digest,
    /// SHA-256 of what is stored for it.
    pub stored_sha256: Digest,
    /// The record's place in the journal.
    pub place: Place,
    /// Length of the record's payload.
    pub len: u32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it came in.
    pub added_at: DateTime<Utc>,
    /// The items' chain head before it.
    pub prev: Digest,
    /// The items' chain head after it.
    pub chain: Digest,
}

impl ItemRow {
    /// Where it lies below `bag/data/`.
    #[must_use]
    pub fn path(&self) -> String {
        // Nothing gets into the journal under another media type.
        let extension = self.media_type.parse::<MediaType>().map_or("bin", MediaType::extension);
        format!("items/{}/{}/{}.{extension}", self.kind, self.name, self.version)
    }
}

/// Takes an item in; one that is there already stays.
///
/// # Errors
/// The database is away.
pub async fn insert_item(tx: &mut PgConnection, entry: &Entry, facts: &ItemFacts) -> Result<(), StoreError> {
    let Entry { place, header, .. } = entry;
    let chain = header.chain().unwrap_or(header.prev);
    let done = sqlx::query!(
        "insert into evidence.items
             (exhibit_id, seq, item_id, kind, name, version, media_type, bytes, sha256, payload_sha256, stored_sha256,
              file, at, len, made_at, added_at, prev, chain)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict do nothing",
        header.exhibit.uuid(),
        bigint(header.seq),
        facts.id,
        facts.kind,
        facts.name,
        bigint(facts.version),
        facts.media_type,
        bigint(facts.bytes),
        facts.sha256.as_bytes().as_slice(),
        header.sha256.as_bytes().as_slice(),
        header.stored_sha256.as_bytes().as_slice(),
        bigint(place.file),
        bigint(place.at),
        header.len.cast_signed(),
        facts.made_at,
        facts.added_at,
        header.prev.as_bytes().as_slice(),
        chain.as_bytes().as_slice(),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("insert_item"))?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let track = TrackName::items();
    sqlx::query!(
        "insert into evidence.tracks as t (exhibit_id, track, segments, bytes, head) values ($1, $2, 1, $3, $4)
         on conflict (exhibit_id, track) do update
         set segments = t.segments + 1, bytes = t.bytes + excluded.bytes, head = excluded.head",
        header.exhibit.uuid(),
        track.as_str(),
        bigint(facts.bytes),
        chain.as_bytes().as_slice(),
    )
    .execute(tx)
    .await
    .map_err(failed("insert_item"))?;
    Ok(())
}

/// Every item of an exhibit, in order.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn items(conn: &mut PgConnection, id: ExhibitId) -> Result<Vec<ItemRow>, StoreError> {
    let rows = sqlx::query!(
        "select seq, item_id, kind, name, version, media_type, bytes, sha256, payload_sha256, stored_sha256, file, at,
                len, made_at, added_at, prev, chain
         from evidence.items where exhibit_id = $1 order by seq",
        id.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("items"))?;
    let at = At { table: TABLE, row: &id };
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(ItemRow {
            seq: at.count("seq", row.seq)?,
            id: row.item_id,
            kind: row.kind,
            name: row.name,
            version: at.count("version", row.version)?,
            media_type: row.media_type,
            bytes: at.count("bytes", row.bytes)?,
            sha256: at.digest("sha256", &row.sha256)?,
            payload_sha256: at.digest("payload_sha256", &row.payload_sha256)?,
            stored_sha256: at.digest("stored_sha256", &row.stored_sha256)?,
            place: Place { file: at.count("file", row.file)?, at: at.count("at", row.at)? },
            len: u32::try_from(row.len).map_err(|_| at.corrupt("len"))?,
            made_at: row.made_at,
            added_at: row.added_at,
            prev: at.digest("prev", &row.prev)?,
            chain: at.digest("chain", &row.chain)?,
        });
    }
    Ok(items)
}

/// The items of an exhibit, for the journal's ledger: as far as there is no gap.
pub(super) async fn held(conn: &mut PgConnection, id: ExhibitId) -> Result<Vec<HeldItem>, StoreError> {
    let items = items(conn, id).await?;
    let first = items.first().map_or(0, |item| item.seq);
    let whole = items.into_iter().zip(first..).take_while(|(item, seq)| item.seq == *seq);
    let held = whole.map(|(item, _)| HeldItem {
        id: item.id,
        sha256: item.sha256,
        kind: item.kind,
        name: item.name,
        version: item.version,
        chain: item.chain,
    });
    Ok(held.collect())
}
