//! What a service does beside answering, each under its name. At the end all of it is waited for, but not for ever: Postgres may be
//! frozen with a statement of ours in its hands, and a process that doesn't end by itself is killed, its last log lines with it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::task::{Id, JoinSet};

/// How long what is in hand may take once nobody is answered any more. Then it is dropped: its transaction is rolled back, and whoever
/// comes next finds things as after a kill. Short of what an orchestrator gives a process, with the drain before and the flush after.
const LIMIT: Duration = Duration::from_secs(5);

/// The workers of a service. Dropping them ends them where they are.
#[derive(Debug, Default)]
pub struct Workers {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Workers {
    /// Sets one going. It must end at the shutdown by itself: the limit is for what it waits for, not for it.
    pub fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work);
        self.names.insert(task.id(), name);
    }

    /// Returns when all have ended, to be called once they were asked to. Whoever isn't there within a limit is named in the log, and
    /// dropped.
    pub async fn end(mut self) {
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
                let worker = self.names.remove(&id);
                if let Err(error) = ended {
                    tracing::error!(worker, %error, "a worker ended badly");
                }
            }
        };
        if tokio::time::timeout(LIMIT, all).await.is_err() {
            let late: BTreeSet<_> = self.names.values().collect();
            tracing::warn!(?late, limit = ?LIMIT, "workers were still at it at the limit");
        }
    }
}
