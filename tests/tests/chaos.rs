//! `make chaos` in short: the same code, three calls, and a plan of half a minute.

use std::time::Duration;

use alcove_tests::chaos::{
    self, Settings,
    plan::{Plan, Shape},
};

/// Its plan has services killed and frozen, a crash of Postgres, and bad networks.
const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn journey_chaos_leaves_every_promise_kept() {
    let plan = Plan::of(SEED, Shape { length: Duration::from_secs(24), at_once: 3 });
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { plan, folder: folder.path().join("chaos"), is_told: false };
    let report = chaos::run(settings).await.unwrap();
    assert!(report.holds(), "{report}");
}
