//! What C2SP says, status by status, and what is ours: `/seen`, the list that may come later, the folder's lock.

use std::fs;

use exhibit::tlog::note::SignerKey;
use reqwest::StatusCode;
use testkit::Service;

use crate::{Log, Witness, list, settings};

#[tokio::test]
async fn an_honest_log_is_cosigned_as_it_grows() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    witness.service.ready().await.unwrap();
    assert_eq!(witness.seen(log.origin()).await, None);
    let mut old = 0;
    for by in [0, 1, 1, 5, 0, 300, 7] {
        log.grow(by, "entry");
        witness.cosigned(log.body(old)).await;
        let seen = witness.seen(log.origin()).await.unwrap();
        assert_eq!(seen.text(), log.checkpoint().text());
        seen.verify(&log.vkey()).unwrap();
        old = log.size();
    }
    // Who doesn't know where the witness is asks with 0, and is told.
    let answer = witness.post(log.body(0)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert_eq!(answer.headers()["content-type"], "text/x.tlog.size");
    assert_eq!(answer.text().await.unwrap(), format!("{}\n", log.size()));
}

#[tokio::test]
async fn each_refusal_has_its_status() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    log.grow(5, "entry");
    witness.cosigned(log.body(0)).await;
    let refused = async |body: String| witness.add(body).await.0.as_u16();

    assert_eq!(refused(Log::new("log.example/b", 1).grow(5, "entry").body(0)).await, 404, "an unknown origin");
    assert_eq!(refused(Log::new("log.example/a", 2).grow(5, "entry").body(5)).await, 403, "another key by the name");
    let unsigned = log.body(5).replace("— log.example/a", "— log.example/x");
    assert_eq!(refused(unsigned).await, 403, "no signature of a known key");
    assert_eq!(refused(log.body(5).replace("old 5", "old 6")).await, 400, "the old size above the new");
    let mut longer = log.clone();
    longer.grow(3, "entry");
    assert_eq!(refused(longer.body(4)).await, 409, "another old size");
    assert_eq!(
        refused(longer.body(5).replacen("old 5\n", "old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1)).await,
        422
    );
    assert_eq!(
        refused(longer.body(5).split_once("\n\n").map(|(_, note)| format!("old 5\n\n{note}")).unwrap()).await,
        422
    );
    assert_eq!(witness.seen(log.origin()).await.unwrap().text(), log.checkpoint().text());
    // And none of it has hurt.
    witness.cosigned(longer.body(5)).await;
}

#[tokio::test]
async fn signatures_of_others_are_ignored_and_not_kept() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    log.grow(2, "entry");
    let stranger = SignerKey::from_seed("stranger.example", &[9; 32]).unwrap();
    let body = format!("{}{}", log.body(0), stranger.sign("something else\n"));
    witness.cosigned(body).await;
    let seen = witness.seen(log.origin()).await.unwrap();
    assert_eq!(
        seen.signatures().iter().map(|s| s.name()).collect::<Vec<_>>(),
        ["log.example/a", witness.vkey().name()]
    );
}

#[tokio::test]
async fn garbage_is_refused_and_so_is_too_much() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    let good = log.grow(4, "entry").body(0);
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let (head, note) = good.split_once("\n\n").unwrap();
    for bad in [
        String::new(),
        "\n".to_owned(),
        "\0".repeat(1_000),
        note.to_owned(),
        head.to_owned(),
        good.replace('\n', "\r\n"),
        good.replace("old 0", "old 00"),
        good.replace("old 0", "old"),
        good.replace("old 0", "old -1"),
        good.replace("old 0", "old 0 "),
        good.replace("old 0", "old 18446744073709551616"),
        good.replace("old 0\n", "old 0\nnot a hash\n"),
        good.replacen("old 0\n", &format!("old 0\n{}", hash.repeat(64)), 1),
        good.replace("\n4\n", "\n04\n"),
        good.replace("\n4\n", "\n4\n\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}junk\n"),
    ] {
        let (status, said) = witness.add(bad.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{said}\n{bad}");
    }
    let bytes: &[u8] = b"old 0\n\n\xff\xfe\n";
    assert_eq!(witness.add(bytes).await.0, StatusCode::BAD_REQUEST);
    let (status, _) = witness.add(format!("{good}{}", "x".repeat(1 << 20))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = reqwest::get(format!("{}/seen", witness.service.url("http"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    witness.cosigned(good).await;
}

#[tokio::test]
async fn the_list_of_logs_may_be_written_later() {
    let (mut a, mut b) = (Log::new("log.example/a", 1), Log::new("log.example/b", 2));
    let witness = Witness::of(&a).await;
    a.grow(1, "entry");
    b.grow(1, "entry");
    assert_eq!(witness.add(b.body(0)).await.0, StatusCode::NOT_FOUND);
    fs::write(witness.dir.path().join("logs.toml"), "not a list").unwrap();
    assert_eq!(witness.add(b.body(0)).await.0, StatusCode::NOT_FOUND);
    list(witness.dir.path(), &[&a, &b]);
    witness.cosigned(b.body(0)).await;
    witness.cosigned(a.body(0)).await;
}

#[tokio::test]
async fn the_folder_is_one_processs_and_what_is_damaged_is_not_forgotten() {
    let mut log = Log::new("log.example/a", 1);
    let mut witness = Witness::of(&log).await;
    witness.cosigned(log.grow(3, "entry").body(0)).await;
    let second = tempfile::tempdir().unwrap();
    let error = Service::start_in("witness", &settings(witness.dir.path()), second.path()).await.unwrap_err();
    assert!(error.to_string().contains("for this process alone"), "{error}");

    let status = witness.service.terminate().await.unwrap();
    assert!(status.success());
    let logs = witness.dir.path().join("data/logs");
    let file = fs::read_dir(&logs).unwrap().next().unwrap().unwrap().path();
    let good = fs::read_to_string(&file).unwrap();
    for bad in [good.replace("\n3\n", "\n2\n"), String::new(), good[..good.len() / 2].to_owned()] {
        fs::write(&file, bad).unwrap();
        let error = witness.service.restart().await.unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
    fs::write(&file, &good).unwrap();
    fs::write(logs.join("half.new"), "half").unwrap();
    witness.service.restart().await.unwrap();
    assert_eq!(witness.seen(log.origin()).await.unwrap().to_text(), good);
}
