//! The stills that were asked for during the call, taken out of the sealed master for its working copy.

use std::{path::Path, sync::Arc};

use exhibit::{
    Digest, Track,
    manifest::{ItemKind, MediaType},
};
use ids::ExhibitId;
use serde_json::{Value, json};

use super::{App, readback::open_item};
use crate::{
    error::Error,
    journal::committer::Closed,
    keys::DataKey,
    store::ItemRow,
    working_copy::{Tools, Wanted, picture},
};

/// A still that was taken.
pub(super) struct Still {
    wanted: Wanted,
    /// Of its picture.
    pub(super) name: String,
    /// Where the item that asks for it is in the exhibit.
    item: String,
    item_sha256: Digest,
}

impl Still {
    /// What binds it to its master.
    pub(super) fn facts(&self, tracks: &[Track]) -> Value {
        let track = tracks.iter().find(|track| track.name == self.wanted.track);
        json!({
            "name": self.name,
            "item": self.item,
            "item_sha256": self.item_sha256.to_string(),
            "path": track.map(|track| track.path.as_str()),
            "track_sha256": track.map(|track| track.sha256.to_string()),
            "file_ms": self.wanted.file_ms(),
        })
    }
}

impl App {
    /// Takes the stills that the exhibit's items ask for out of its tracks, which lie in the private folder under their names. What
    /// can't be taken is left out, and keeps no film back.
    pub(super) async fn take_stills(
        &self,
        id: ExhibitId,
        key: &Arc<DataKey>,
        items: Vec<ItemRow>,
        tools: &Tools,
        private: &Path,
    ) -> Result<Vec<Still>, Error> {
        let is_still =
            |row: &ItemRow| row.kind == ItemKind::Still.as_str() && row.media_type == MediaType::Json.as_str();
        let mut stills = Vec::new();
        for row in items.into_iter().filter(is_still) {
            let (reader, key, path) = (self.reader.clone(), key.clone(), row.path());
            let (name, item_sha256) = (picture(&row.name, row.version), row.sha256);
            let read = tokio::task::spawn_blocking(move || open_item(&reader, &key, id, &row));
            let item = read.await.map_err(|_| Closed)??;
            let taken = match Wanted::parse(&item.data) {
                Ok(wanted) => {
                    tools.still(private, &wanted, &name).await.map(|()| wanted).map_err(|error| chassis::chain(&error))
                }
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(wanted) => stills.push(Still { wanted, name, item: path, item_sha256 }),
                Err(error) => tracing::warn!(exhibit = %id, item = path, error, "no still"),
            }
        }
        Ok(stills)
    }
}
