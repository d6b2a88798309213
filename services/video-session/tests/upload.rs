//! The uploader against an evidence-store that misbehaves on purpose.

use std::time::Duration;

use crate::stand_in::{Moody, receipt_key};
use chassis::{Clock, Entropy, ManualClock, Shutdown};
use chrono::TimeDelta;
use exhibit::receipt::check;
use testkit::until;
use video_session::spool::{Document, Owner, Piece, Place, Spool, Uploader};

const LEDGER: Document = Document::GapLedger { part: 1 };

struct Stage {
    spool: Spool,
    owner: Owner,
    moody: Moody,
    clock: ManualClock,
    dir: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (segments, receipts) = (dir.path().join("spool"), dir.path().join("receipts"));
        let spool = Spool::open(&segments, &receipts, Some(receipt_key().public())).unwrap();
        let clock = ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap());
        let owner = Owner::numbered(1);
        spool.prepare(&owner).unwrap();
        let moody = Moody::default();
        let channel = chassis::grpc::connect_lazy(&moody.serve().await, None).unwrap();
        let (_, shutdown) = Shutdown::manual();
        let uploader = Uploader::new(spool.clone(), channel, clock.clone().into(), Entropy::os(), ASK_AGAIN);
        tokio::spawn(uploader.run(shutdown));
        Self { spool, owner, moody, clock, dir }
    }

    fn record(&self, track: &str, seqs: std::ops::Range<u64>) {
        for seq in seqs {
            let at = Clock::system().now();
            let piece = Piece::new(at, at, format!("{track} {seq}").into_bytes().into());
            self.spool.keep(self.owner.session, &Place { track: track.parse().unwrap(), seq }, &piece).unwrap();
        }
    }

    async fn owing(&self, wanted: u64) {
        let mut changes = self.spool.changes();
        let waiting = async {
            while self.spool.owed(self.owner.session) != wanted {
                changes.changed().await.unwrap();
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        came.unwrap_or_else(|_| panic!("owes {}, not {wanted}", self.spool.owed(self.owner.session)));
    }

    async fn holding(&self, track: &str, wanted: usize) {
        let so = async || (self.held(track).len() == wanted).then_some(());
        let came = testkit::eventually(&format!("{wanted} segments"), so).await;
        came.unwrap_or_else(|late| panic!("{late}holds {:?}", self.held(track)));
    }

    fn held(&self, track: &str) -> Vec<String> {
        let mut held = self.moody.0.lock().unwrap();
        let segments = held.track(track).into_iter().flatten();
        segments.map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect()
    }
}

const ASK_AGAIN: TimeDelta = TimeDelta::minutes(5);

fn all(track: &str, count: u64) -> Vec<String> {
    (0..count).map(|seq| format!("{track} {seq}")).collect()
}

#[tokio::test]
async fn what_it_forgot_is_sent_again_from_where_it_says() {
    let stage = Stage::set().await;
    stage.record("caller-1", 0..5);
    stage.owing(0).await;
    // It comes back from an older state, and the next segment is too early for it.
    stage.moody.0.lock().unwrap().track("caller-1").unwrap().truncate(1);
    stage.record("caller-1", 5..8);
    stage.owing(0).await;
    assert_eq!(stage.held("caller-1"), all("caller-1", 8));
}

#[tokio::test]
async fn a_loss_that_nobody_mentions_is_found_by_asking_and_made_good_from_the_first_segment() {
    let stage = Stage::set().await;
    stage.record("caller-1", 0..5);
    stage.record("officer-1", 0..3);
    stage.owing(0).await;
    // The call is over, everything was acknowledged; then its disk is lost, and with it the exhibit.
    {
        let mut held = stage.moody.0.lock().unwrap();
        held.tracks.clear();
        held.refuse = vec!["UNKNOWN_EXHIBIT"];
    }
    let mut changes = stage.spool.changes();
    let asking = async {
        while stage.held("caller-1").len() < 5 || stage.held("officer-1").len() < 3 {
            stage.clock.advance(ASK_AGAIN.to_std().unwrap());
            // The upload before may still be on its way out.
            let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("it is sent again");
    stage.owing(0).await;
    assert_eq!((stage.held("caller-1"), stage.held("officer-1")), (all("caller-1", 5), all("officer-1", 3)));
    // Each acknowledgement is proved by the receipts, the first ones as well as the later ones.
    let path = stage.dir.path().join("receipts").join(format!("{}.jsonl", stage.owner.session));
    let checked = check(&std::fs::read_to_string(path).unwrap(), &receipt_key().public(), None).unwrap();
    assert!(checked.is_good() && checked.receipts.len() >= 16, "{checked}");
}

#[tokio::test]
async fn what_is_gone_for_good_stops_its_own_track_only() {
    let stage = Stage::set().await;
    stage.record("caller-1", 0..5);
    stage.owing(0).await;
    stage.moody.0.lock().unwrap().track("caller-1").unwrap().truncate(1);
    let film = stage.dir.path().join("spool").join(stage.owner.session.to_string()).join("caller-1.film");
    let mut bytes = std::fs::read(&film).unwrap();
    let lost = bytes.windows(10).position(|window| window == b"caller-1 2").unwrap();
    bytes[lost] ^= 1;
    std::fs::write(&film, bytes).unwrap();
    stage.record("caller-1", 5..7);
    stage.record("officer-1", 0..4);
    stage.holding("officer-1", 4).await;
    stage.holding("caller-1", 2).await;
    stage.record("officer-1", 4..6);
    stage.holding("officer-1", 6).await;
    assert_eq!(stage.held("officer-1"), all("officer-1", 6));
    assert_eq!(stage.held("caller-1"), all("caller-1", 2));
    assert!(stage.spool.owed(stage.owner.session) >= 5, "segments 2 to 6 stay owed");
}

#[tokio::test]
async fn what_is_disposed_of_is_not_sent_again() {
    let stage = Stage::set().await;
    stage.moody.0.lock().unwrap().refuse = vec!["DISPOSED"];
    stage.record("caller-1", 0..3);
    until("the refusal", async || stage.moody.0.lock().unwrap().refuse.is_empty()).await;
    // It would be taken now, and would go first; only what was begun since is sent.
    stage.record("officer-1", 0..2);
    stage.holding("officer-1", 2).await;
    stage.owing(3).await;
    assert!(stage.held("caller-1").is_empty());
}

#[tokio::test]
async fn documents_are_sent_until_they_are_taken_once_each() {
    let stage = Stage::set().await;
    stage.moody.0.lock().unwrap().refuse_items = 3;
    let now = Clock::system().now();
    let session = stage.owner.session;
    for document in [
        LEDGER,
        Document::Participants,
        Document::Still(3),
        Document::ChatTranscript { part: 2 },
        Document::Chapters { part: 1 },
    ] {
        let piece = Piece::new(now, now, format!("{{\"of\":\"{}\"}}", document.name()).into());
        stage.spool.keep_document(session, document, &piece).unwrap();
    }
    let mut changes = stage.spool.changes();
    let sent = async {
        while !stage.spool.documents_owed(session).is_empty() {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sent).await.expect("they are taken");
    let held = stage.moody.0.lock().unwrap();
    assert_eq!(held.items["gap-ledger"].0, LEDGER.request_id(session).to_string());
    assert_eq!(held.items["participants"].1, b"{\"of\":\"participants\"}");
    assert_eq!(held.items["still-3"].1, b"{\"of\":\"still-3\"}");
    assert_ne!(LEDGER.request_id(session), Document::Participants.request_id(session));
}

#[tokio::test]
async fn a_document_that_is_refused_or_unreadable_holds_up_no_other() {
    let stage = Stage::set().await;
    stage.moody.0.lock().unwrap().refuse_item = Some("gap-ledger");
    let (now, session) = (Clock::system().now(), stage.owner.session);
    let folder = stage.dir.path().join("spool").join(session.to_string());
    std::fs::write(folder.join("participants.doc"), "damaged").unwrap();
    let piece = Piece::new(now, now, "{}".into());
    let (still, marked) = (Document::Still(1), Document::Chapters { part: 1 });
    for document in [LEDGER, Document::Participants, still, marked] {
        stage.spool.keep_document(session, document, &piece).unwrap();
    }
    let owed = [LEDGER, Document::Participants].into();
    let mut changes = stage.spool.changes();
    let sent = async {
        while stage.spool.documents_owed(session) != owed || !stage.spool.documents_settled(session) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sent).await.expect("those after them are taken");
    // It is not given up, either.
    stage.moody.0.lock().unwrap().refuse_item = None;
    let sent = async {
        while stage.spool.documents_owed(session) != [Document::Participants].into() {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sent).await.expect("it is taken at last");
}

#[tokio::test]
async fn refusals_and_an_unknown_exhibit_are_got_over() {
    let stage = Stage::set().await;
    stage.moody.0.lock().unwrap().refuse = vec!["WHATEVER", "UNKNOWN_EXHIBIT"];
    stage.record("caller-1", 0..3);
    stage.record("officer-1", 0..3);
    stage.owing(0).await;
    assert_eq!((stage.held("caller-1"), stage.held("officer-1")), (all("caller-1", 3), all("officer-1", 3)));
    assert_eq!(stage.moody.0.lock().unwrap().opened, 2, "opened again after it was unknown");
}
