//! The journal's thread, and the handle that the rest of the service has on it.

use std::{
    collections::BTreeMap,
    io,
    thread::{self, JoinHandle},
};

use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    Storage,
    core::{Core, Entry, Refused, Write},
    item::NewItem,
    ledger::{Book, ItemDecision},
    receipts::{Acknowledged, Receipts},
};

/// Most commands taken into one write.
const MOST_COMMANDS: usize = 64;
/// A write is not made larger than about this.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// EX_IOERR of sysexits.h: the disk can't be trusted.
const EXIT: i32 = 74;

type Answer = oneshot::Sender<Result<Acknowledged, Refused>>;

enum Command {
    Write(Write, Answer),
    Know(ExhibitId, Book, oneshot::Sender<()>),
    Retire(ExhibitId),
    Held(ExhibitId, oneshot::Sender<Option<BTreeMap<TrackName, u64>>>),
    Fence(ExhibitId, oneshot::Sender<Option<BTreeMap<TrackName, u64>>>),
    Roll(Option<u64>, oneshot::Sender<Option<u64>>),
    Item {
        exhibit: ExhibitId,
        id: Uuid,
        sha256: Digest,
        kind: String,
        name: String,
        answer: oneshot::Sender<ItemDecision>,
    },
    Close,
}

/// The journal is gone: the process is ending.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the journal has been closed")]
pub struct Closed;

/// A handle on the journal's thread.
#[derive(Clone)]
pub struct Journal {
    commands: mpsc::Sender<Command>,
}

impl Journal {
    /// Starts the thread. Each batch's records go to `index` before they are acknowledged.
    ///
    /// # Errors
    /// No thread can be made.
    pub fn start<S: Storage>(
        core: Core<S>,
        receipts: Receipts,
        index: mpsc::UnboundedSender<Vec<Entry>>,
    ) -> io::Result<(Self, JoinHandle<()>)>
    where
        S::File: 'static,
    {
        // Short, so that a slow disk is felt by the senders: what waits here is held in memory.
        let (commands, queue) = mpsc::channel(MOST_COMMANDS);
        let thread =
            thread::Builder::new().name("journal".to_owned()).spawn(move || work(core, queue, &receipts, &index))?;
        Ok((Self { commands }, thread))
    }

    /// Queues a write. The answer comes when it is durable.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn write(&self, write: Write) -> Result<oneshot::Receiver<Result<Acknowledged, Refused>>, Closed> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Write(write, answer)).await.map_err(|_| Closed)?;
        Ok(answered)
    }

    /// Puts an exhibit into the ledger; one that is there stays as it is.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn know(&self, exhibit: ExhibitId, book: Book) -> Result<(), Closed> {
        self.ask(|done| Command::Know(exhibit, book, done)).await
    }

    /// Drops what a sealed exhibit held from the ledger.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn retire(&self, exhibit: ExhibitId) -> Result<(), Closed> {
        self.commands.send(Command::Retire(exhibit)).await.map_err(|_| Closed)
    }

    /// The number behind the last segment of each track of an exhibit, its items counting as the track `items`; `None`: not
    /// in the ledger.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn held(&self, exhibit: ExhibitId) -> Result<Option<BTreeMap<TrackName, u64>>, Closed> {
        self.ask(|answer| Command::Held(exhibit, answer)).await
    }

    /// Brings an exhibit's fence down, and says how many segments each track holds: all of them durable.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn fence(&self, exhibit: ExhibitId) -> Result<Option<BTreeMap<TrackName, u64>>, Closed> {
        self.ask(|answer| Command::Fence(exhibit, answer)).await
    }

    /// Ends the active file if it is this one, so that it can be archived. Says which is active then.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn roll(&self, file: Option<u64>) -> Result<Option<u64>, Closed> {
        self.ask(|answer| Command::Roll(file, answer)).await
    }

    /// What would be done with an item now: which version it would be, or that it is held.
    ///
    /// # Errors
    /// The journal is closed.
    pub async fn item(&self, item: &NewItem) -> Result<ItemDecision, Closed> {
        let NewItem { exhibit, id, sha256, .. } = *item;
        let (kind, name) = (item.kind.clone(), item.name.clone());
        self.ask(|answer| Command::Item { exhibit, id, sha256, kind, name, answer }).await
    }

    /// Ends the thread once everything queued so far is written.
    pub async fn close(&self) {
        // If it can't be asked, it has ended.
        let _ = self.commands.send(Command::Close).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Closed> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }
}

fn work<S: Storage>(
    mut core: Core<S>,
    mut queue: mpsc::Receiver<Command>,
    receipts: &Receipts,
    index: &mpsc::UnboundedSender<Vec<Entry>>,
) {
    let (mut writes, mut answers) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    'open: while let Some(first) = queue.blocking_recv() {
        let mut next = Some(first);
        while let Some(command) = next.take() {
            match command {
                Command::Write(write, answer) => {
                    bytes += write.bytes().len();
                    writes.push(write);
                    answers.push(answer);
                    if writes.len() < MOST_COMMANDS && bytes < MOST_BYTES {
                        next = queue.try_recv().ok();
                    }
                }
                Command::Close => {
                    commit(&mut core, &mut writes, &mut answers, receipts, index);
                    break 'open;
                }
                // Whatever was queued before a question is part of its answer.
                other => {
                    commit(&mut core, &mut writes, &mut answers, receipts, index);
                    answer(&mut core, other);
                    next = queue.try_recv().ok();
                }
            }
        }
        commit(&mut core, &mut writes, &mut answers, receipts, index);
        bytes = 0;
    }
    if let Err(error) = core.close() {
        tracing::warn!(%error, "journal file could not be cut to its length");
    }
}

fn commit<S: Storage>(
    core: &mut Core<S>,
    writes: &mut Vec<Write>,
    answers: &mut Vec<Answer>,
    receipts: &Receipts,
    index: &mpsc::UnboundedSender<Vec<Entry>>,
) {
    if writes.is_empty() {
        return;
    }
    let done = match core.run(writes) {
        Ok(done) => done,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "journal failed, nothing more can be promised: ending the process");
            std::process::exit(EXIT);
        }
    };
    if !done.entries.is_empty() {
        // A closed index means that the process is ending; the journal alone is enough to rebuild it.
        let _ = index.send(done.entries);
    }
    for (answer, outcome) in answers.drain(..).zip(receipts.sign(writes, done.answers)) {
        // A client that went away sends again and gets the same answer.
        let _ = answer.send(outcome);
    }
    writes.clear();
}

fn answer<S: Storage>(core: &mut Core<S>, command: Command) {
    match command {
        Command::Write(..) | Command::Close => {}
        Command::Know(exhibit, book, done) => {
            core.ledger.know(exhibit, book);
            let _ = done.send(());
        }
        Command::Retire(exhibit) => core.ledger.retire(exhibit),
        Command::Held(exhibit, answer) => {
            let _ = answer.send(core.ledger.held(exhibit));
        }
        Command::Roll(file, answer) => {
            if file.is_some()
                && file == core.active()
                && let Err(error) = core.close()
            {
                tracing::warn!(%error, "journal file could not be cut to its length");
            }
            let _ = answer.send(core.active());
        }
        Command::Fence(exhibit, answer) => {
            let _ = answer.send(core.ledger.fence(exhibit));
        }
        Command::Item { exhibit, id, sha256, kind, name, answer } => {
            let _ = answer.send(core.ledger.decide_item(exhibit, id, sha256, &kind, &name));
        }
    }
}
