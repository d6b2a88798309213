//! The stills that were asked for during the call, taken out of the sealed master for its working copy.
//!
//! One that came after the fence is in an addendum, but its picture is the master's: it is made with the master's working copy, which is
//! made again for it, and kept under the master's key, so that a disposal takes both.

use std::path::Path;

use exhibit::{
    Digest, Track,
    manifest::{ItemKind, MediaType},
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{App, readback::open_item};
use crate::{
    domain::{Exhibit, State},
    error::Error,
    journal::committer::Closed,
    keys,
    store::{self, ItemRow, Key},
    working_copy::{Tools, Wanted, picture},
};

/// A still that was taken.
pub(super) struct Still {
    wanted: Wanted,
    /// Of its picture.
    pub(super) name: String,
    /// Of the exhibit or addendum whose item asks for it.
    reference: String,
    /// Where the item is in that.
    item: String,
    item_sha256: Digest,
}

impl Still {
    /// What binds it to its master.
    pub(super) fn facts(&self, tracks: &[Track]) -> Value {
        let track = tracks.iter().find(|track| track.name == self.wanted.track);
        json!({
            "name": self.name,
            "reference": self.reference,
            "item": self.item,
            "item_sha256": self.item_sha256.to_string(),
            "path": track.map(|track| track.path.as_str()),
            "track_sha256": track.map(|track| track.sha256.to_string()),
            "file_ms": self.wanted.file_ms(),
        })
    }
}

/// A part of a call's exhibit, and its items that ask for stills.
pub(super) struct Asking {
    part: Exhibit,
    items: Vec<ItemRow>,
}

impl App {
    /// Who asks for stills of an exhibit: itself, and the addenda to it that are sealed.
    pub(super) async fn asking(&self, tx: &mut PgConnection, exhibit: &Exhibit) -> Result<Vec<Asking>, Error> {
        let mut parts = vec![exhibit.clone()];
        for id in store::addenda(tx, exhibit.id).await? {
            let located = store::exhibit(tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
            parts.extend(Some(located.exhibit).filter(|part| matches!(part.state, State::Sealed(_))));
        }
        let mut asking = Vec::new();
        for part in parts {
            let mut items = store::items(tx, part.id).await?;
            items.retain(|row| row.kind == ItemKind::Still.as_str() && row.media_type == MediaType::Json.as_str());
            asking.push(Asking { part, items });
        }
        Ok(asking)
    }

    /// What an addendum asks for is looked for in its parent once more, unless that is gone.
    pub(super) async fn ask_parent(&self, exhibit: &Exhibit, asking: &[Asking]) -> Result<(), Error> {
        let Some(parent) = exhibit.parent.filter(|_| asking.iter().any(|asking| !asking.items.is_empty())) else {
            return Ok(());
        };
        match self.keys.load(parent).await {
            Ok(_) => self.derived.want(parent),
            Err(keys::Error::Destroyed) => {}
            Err(error) => return Err(error.into()),
        }
        self.derived.sealed();
        Ok(())
    }

    /// Takes the stills that are asked for out of an exhibit's tracks, which lie in the private folder under their names. What can't be taken
    /// is left out, and keeps no film back.
    pub(super) async fn take_stills(
        &self,
        asking: Vec<Asking>,
        tools: &Tools,
        private: &Path,
    ) -> Result<Vec<Still>, Error> {
        let mut stills = Vec::new();
        for Asking { part, items } in asking.into_iter().filter(|asking| !asking.items.is_empty()) {
            let key = match self.keys.load(part.id).await {
                Err(keys::Error::Destroyed) => continue,
                key => key?,
            };
            for row in items {
                let (reader, key, id, item) = (self.reader.clone(), key.clone(), part.id, row.path());
                let (name, item_sha256) = (picture(&row.name, part.part, row.version), row.sha256);
                let read = tokio::task::spawn_blocking(move || open_item(&reader, &key, id, &row));
                let read = read.await.map_err(|_| Closed)??;
                let taken = match Wanted::parse(&read.data) {
                    // Another part has it.
                    Ok(wanted) if !private.join(wanted.track.as_str()).exists() => continue,
                    Ok(wanted) => tools
                        .still(private, &wanted, &name)
                        .await
                        .map(|()| wanted)
                        .map_err(|error| chassis::chain(&error)),
                    Err(error) => Err(error.to_string()),
                };
                let reference = part.reference.to_string();
                match taken {
                    Ok(wanted) => stills.push(Still { wanted, name, reference, item, item_sha256 }),
                    Err(error) => tracing::warn!(exhibit = %id, item, error, "no still"),
                }
            }
        }
        Ok(stills)
    }
}
