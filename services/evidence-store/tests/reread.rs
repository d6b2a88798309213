//! Reading back as it comes in: at the fence only what came last is left to read.

use std::{fs, os::unix::fs::FileExt};

use crate::support::{
    inside::{app, ended, pool, receipts, recorded, settings, track},
    *,
};
use chassis::{Ambient, Health, Shutdown};
use evidence_store::{
    Error,
    app::{Step, keys, readback},
    journal::Disk,
    store,
};
use exhibit::Digest;
use ids::CallId;

const SEGMENTS: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_back_is_not_read_again_before_the_seal() {
    let mut room = Room::open().await;
    room.service.kill().await.unwrap();
    let config = settings(&room, &[]);
    let ambient = Ambient::real();
    let disk = Disk::lock(&config.journal.data_dir).unwrap();
    let app = app(&config, pool(&config).await, &disk, &ambient);
    let (stop, shutdown) = Shutdown::manual();
    app.log().compare(&room.nats.jetstream().await.unwrap()).await.unwrap();
    let found = app.recover(&disk).await.unwrap();
    let thread = app.serve(found, disk.clone(), receipts(&config, &ambient), 64 << 20, &Health::new()).unwrap();
    let index = tokio::spawn(app.index().run(shutdown.clone()));
    let reread = tokio::spawn(app.reread().run(shutdown));

    let (call, track): (CallId, _) = (fresh().parse().unwrap(), track());
    let exhibit = recorded(&app, &ambient.clock, call, SEGMENTS).await;
    let all = tokio::time::timeout(PATIENCE, async {
        while app.reread().through(exhibit).get(&track) != Some(&SEGMENTS) {
            tokio::task::yield_now().await;
        }
    });
    all.await.expect("everything is read back while the call is on");

    // Altered after that: the seal doesn't look there again. Whoever reads it later finds it.
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    let rows = store::segments(&mut tx, exhibit).await.unwrap().remove(&track).unwrap();
    drop(tx);
    let file = fs::OpenOptions::new().write(true).read(true).open(&room.journal()[0]).unwrap();
    let (mut byte, at) = ([0], rows[7].place.at + 300);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    let key = keys(&config, &ambient).unwrap().load(exhibit).await.unwrap();
    let open = |row| readback::open_segment(&disk.reader(), &key, exhibit, &track, row);
    assert_eq!(open(&rows[6]).unwrap(), bytes("caller-1", 6, 5_000));
    assert!(matches!(open(&rows[7]), Err(Error::Damaged { seq: 7, .. })));

    ended(&app, &ambient.clock, call, SEGMENTS).await;
    for _ in 0..2 {
        assert_eq!(app.step(exhibit).await.unwrap(), Step::Done);
    }
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    let manifest = exhibit::Manifest::parse(&store::manifest(&mut tx, exhibit).await.unwrap().unwrap()).unwrap();
    drop(tx);
    let whole: Vec<u8> = (0..SEGMENTS).flat_map(|seq| bytes("caller-1", seq, 5_000)).collect();
    assert_eq!(manifest.tracks[0].sha256, Digest::of(&whole));
    // And so is the list: each of its lines is what the index has of the segment.
    let sealed = &manifest.tracks[0].segments;
    let list = exhibit::Segment::read_list(&readback::list_of(&track, &rows, sealed.sha256).unwrap()).unwrap();
    manifest.check_list(&manifest.tracks[0], &list).unwrap();
    assert_eq!((list.len() as u64, list[7].stored_sha256), (sealed.count, rows[7].stored_sha256));
    // An index that says something else of one is refused: the list would not be the sealed one.
    let mut altered = rows.clone();
    altered[7].starts_at = altered[8].starts_at;
    let refused = readback::list_of(&track, &altered, sealed.sha256);
    assert!(matches!(refused, Err(Error::Damaged { seq: 0, .. })), "{refused:?}");

    app.close().await;
    thread.join().unwrap();
    stop.request();
    index.await.unwrap();
    reread.await.unwrap();
}
