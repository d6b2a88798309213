//! Where it happens: the whole stack, on networks and disks that can be broken, and the people around it with their ways in, which stay
//! the same over every restart.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use api::referral::v1::referral_service_client::ReferralServiceClient;
use testkit::{StackOptions, key, road::Road};

use super::{
    Outcome,
    disk::SmallDisk,
    plan::{Disk, Plan},
};
use crate::{desk::Desk, help::Partner, identity::Way, officer::Officer, package::WHO};

/// Where the phones find the media.
const ROAD: &str = "127.0.0.2";

/// All of it; ends when dropped.
pub(super) struct Place {
    /// The services and the control room.
    pub(super) desk: Desk,
    /// The partners.
    pub(super) partner: Partner,
    /// Between the phones and the media.
    pub(super) road: Road,
    /// Those that can be filled.
    pub(super) disks: BTreeMap<Disk, SmallDisk>,
    /// One for each call at once.
    pub(super) officers: Vec<Hands>,
    /// The disclosure officer's way to evidence-store.
    pub(super) evidence: Way,
    /// Everything of it.
    pub(super) folder: PathBuf,
}

/// What an officer does things with.
#[derive(Clone)]
pub(super) struct Hands {
    /// At the desk and in the session.
    pub(super) officer: Officer,
    /// Who.
    pub(super) id: String,
    /// Where referrals are made.
    pub(super) referral: ReferralServiceClient<Way>,
    /// What callers open.
    pub(super) page: String,
}

impl Place {
    /// Starts everything, in an empty folder.
    pub(super) async fn open(folder: &Path, plan: &Plan) -> Outcome<Self> {
        let _ = fs::remove_dir_all(folder);
        let data = folder.join("data");
        fs::create_dir_all(&data)?;
        // A call of ours is some 50 KB a second, twice over, and its film as much again.
        let megabytes = 256 + u64::from(plan.at_once) * plan.length_ms / 1_000 / 6;
        let mut disks = BTreeMap::new();
        for (disk, at) in [(Disk::Evidence, "evidence"), (Disk::Spool, "spool")] {
            if let Some(mounted) = SmallDisk::mount(&data.join(at), megabytes)? {
                disks.insert(disk, mounted);
            }
        }
        let partner = Partner::open(folder).await?;
        let set = |service: &str, settings: &[(&str, &str)]| {
            settings.iter().map(|(name, value)| (key(service, name), (*value).to_owned())).collect::<Vec<_>>()
        };
        let book = Partner::book(folder).display().to_string();
        // Whatever waits by minutes and hours in life would still be waiting when the report is written.
        let delivery =
            [("delivery__retry_after_ms", "500"), ("delivery__longest_pause_ms", "4000"), ("books__partners", &*book)];
        let evidence = [
            ("journal__max_file_mb", "64"),
            ("journal__reserve_mb", "16"),
            ("journal__refuse_new_below_mb", "48"),
            ("addendum__quiet_seconds", "5"),
        ];
        let env = [
            set("referral", &delivery),
            set("evidence-store", &evidence),
            set("video-session", &[("media__advertise", ROAD)]),
        ];
        let options = StackOptions {
            data_dir: Some(data),
            log_dir: Some(folder.join("logs")),
            durable: true,
            networks: true,
            clocks: true,
            env: env.concat(),
            ..StackOptions::default()
        };
        let desk = Desk::open(options).await?;
        let server = desk.stack.service("video-session").address("udp").parse()?;
        let road = Road::open(server, ROAD.parse::<IpAddr>()?, plan.seed).await?;
        let hands = |nth: u32| -> Outcome<Hands> {
            let id = format!("pc.chaos{nth}");
            let referral = ReferralServiceClient::new(desk.way("referral", &id)?);
            Ok(Hands { officer: desk.officer(&id)?, id, referral, page: desk.stack.caller_page() })
        };
        let officers = (0..plan.at_once).map(hands).collect::<Outcome<_>>()?;
        let evidence = desk.way("evidence-store", WHO)?;
        Ok(Self { desk, partner, road, disks, officers, evidence, folder: folder.to_owned() })
    }

    /// What video-session keeps of evidence-store's receipts.
    pub(super) fn receipts(&self) -> PathBuf {
        self.folder.join("data/receipts")
    }

    /// Ends everything in order.
    pub(super) async fn close(self) -> Outcome<()> {
        self.desk.stack.stop().await?;
        Ok(())
    }
}
