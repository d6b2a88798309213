//! The whole stack, durable, with everything of it on one disk; and calls on it, from the 999 call to the seal.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use alcove_tests::{
    desk::{AcceptedCall, Desk, FORCE},
    identity::Way,
};
use api::{
    intake::v1::call_update::Kind,
    transfer::v1::{Presence, SetPresenceRequest, transfer_service_client::TransferServiceClient},
};
use futures::StreamExt;
use testkit::StackOptions;
use tokio::sync::{Mutex as Turn, watch};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status};

use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running stack, and an ear on its bus.
pub struct Stage {
    /// The services, and a control room.
    pub desk: Desk,
    /// Where the stack keeps what it keeps.
    pub data: PathBuf,
    bus: Bus,
    numbers: AtomicU32,
    // One offer at a time: each call is for the officer who came for it.
    turn: Turn<()>,
    retries: AtomicU32,
}

/// A call that an officer has, and whose code is in the officer's hand.
pub struct Invited {
    /// The call.
    pub accepted: AcceptedCall,
    /// What is read out.
    pub code: String,
    /// From AcceptOffer's answer to the code.
    pub after_accept: Duration,
}

/// How long the end of a call took.
pub struct Sealed {
    /// From EndSession to the control room's Sealed.
    pub all: Duration,
    /// Of this, from SessionEnded on the bus to ExhibitSealed on the bus: evidence-store's part.
    pub evidence: Duration,
}

impl Stage {
    /// Starts everything, in an empty folder.
    pub async fn set(folder: &Path) -> Result<Self, Failure> {
        let data = folder.join("data");
        let _ = fs::remove_dir_all(&data);
        let options = StackOptions {
            data_dir: Some(data.clone()),
            log_dir: Some(folder.join("logs")),
            durable: true,
            ..StackOptions::default()
        };
        let _ = fs::remove_dir_all(folder.join("logs"));
        let desk = Desk::open(options).await?;
        let bus = Bus::hear(desk.stack.nats.client().await?).await?;
        let (numbers, retries) = (AtomicU32::new(7000), AtomicU32::new(0));
        Ok(Self { desk, data, bus, numbers, turn: Turn::new(()), retries })
    }

    /// Ends everything in order, and clears away what it kept.
    pub async fn strike(self) -> Result<(), Failure> {
        let ended = self.desk.stack.stop().await?;
        fs::remove_dir_all(&self.data)?;
        match ended.iter().find(|(_, status)| !status.success()) {
            Some((name, status)) => Err(format!("{name} did not end cleanly: {status}").into()),
            None => Ok(()),
        }
    }

    /// A service's process.
    pub fn pid(&self, service: &str) -> u32 {
        self.desk.stack.service(service).pid()
    }

    /// A new call, accepted by a new officer, who has a code to read out.
    pub async fn invited(&self) -> Result<Invited, Failure> {
        let turn = self.turn.lock().await;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let name = format!("pc.{number}");
        let officer = self.desk.officer(&name)?;
        self.surely(|| officer.go_free()).await?;
        let call = self.desk.control_room.hand_over(&number.to_string()).await?;
        let watch = self.desk.control_room.watch(&call.call_id, 0).await?;
        let offer = tokio::time::timeout(PATIENCE, officer.next_offer()).await.map_err(|_| "no offer came")??;
        if offer.call_id != call.call_id {
            return Err("the wrong call was offered".into());
        }
        self.surely(|| officer.accept(&call.call_id)).await?;
        let answered = Instant::now();
        officer.session_until(&call.call_id, |_| true).await?;
        let code = officer.invite(&call.call_id).await?.code;
        let after_accept = answered.elapsed();
        let transfer = TransferServiceClient::new(self.desk.way("call-transfer", &name)?);
        self.surely(|| self.away(transfer.clone(), &name)).await?;
        drop(turn);
        Ok(Invited { accepted: AcceptedCall { call, officer, watch }, code, after_accept })
    }

    /// This officer wants no further call.
    async fn away(&self, mut transfer: TransferServiceClient<Way>, officer: &str) -> Result<(), Status> {
        let request = SetPresenceRequest {
            request_id: self.desk.control_room.request_id(),
            force_id: FORCE.into(),
            officer_id: officer.into(),
            presence: Presence::Away.into(),
            ..Default::default()
        };
        transfer.set_presence(request).await.map(drop)
    }

    /// Asks again when the answer is UNAVAILABLE, as the console does.
    async fn surely<F: Future<Output = Result<(), Status>>>(&self, ask: impl Fn() -> F) -> Result<(), Status> {
        for _ in 0..3 {
            match ask().await {
                Err(status) if status.code() == Code::Unavailable => {
                    self.retries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                answered => return answered,
            }
        }
        ask().await
    }

    /// How often call-transfer had to be asked again.
    pub fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// When an event of a call was heard on the bus; waits for it.
    pub async fn heard(&self, call: &str, event: &str, patience: Duration) -> Result<Instant, Failure> {
        let mut news = self.bus.news.clone();
        let heard = async {
            loop {
                news.borrow_and_update();
                if let Some(at) = self.bus.when(call, event) {
                    return Ok(at);
                }
                news.changed().await?;
            }
        };
        tokio::time::timeout(patience, heard).await.map_err(|_| format!("no {event} of call {call}"))?
    }

    /// Ends a call, and waits until the control room has its seal.
    pub async fn end(&self, call: &mut AcceptedCall) -> Result<Sealed, Failure> {
        let asked = Instant::now();
        let id = call.call.call_id.clone();
        call.officer.end(&id).await?;
        let heard = call.watch.until(|kind| matches!(kind, Kind::Sealed(_)));
        tokio::time::timeout(PATIENCE, heard).await.map_err(|_| format!("call {id} wasn't sealed in time"))??;
        let all = asked.elapsed();
        // The control room may be told of it before our own ear on a busy machine.
        let from = self.heard(&id, "session_ended", PATIENCE).await?;
        let to = self.heard(&id, "exhibit_sealed", PATIENCE).await?;
        Ok(Sealed { all, evidence: to.saturating_duration_since(from) })
    }
}

/// When which event of a call was first heard on the bus.
struct Bus {
    heard: Arc<Mutex<HashMap<(String, String), Instant>>>,
    news: watch::Receiver<()>,
    _ear: AbortOnDropHandle<()>,
}

impl Bus {
    async fn hear(client: async_nats::Client) -> Result<Self, Failure> {
        let mut messages = client.subscribe("alcove.>").await?;
        client.flush().await?;
        let heard = Arc::new(Mutex::new(HashMap::new()));
        let keep = Arc::clone(&heard);
        let (tell, news) = watch::channel(());
        let ear = tokio::spawn(async move {
            // The client lives as long as its subscription is listened to.
            let _client = client;
            while let Some(message) = messages.next().await {
                let now = Instant::now();
                let call = message.headers.as_ref().and_then(|headers| headers.get("ce-subject"));
                let name = message.subject.split('.').nth(3);
                let (Some(call), Some(name)) = (call, name) else { continue };
                let mut heard = keep.lock().unwrap_or_else(PoisonError::into_inner);
                heard.entry((call.to_string(), name.to_owned())).or_insert(now);
                tell.send_replace(());
            }
        });
        Ok(Self { heard, news, _ear: AbortOnDropHandle::new(ear) })
    }

    fn when(&self, call: &str, event: &str) -> Option<Instant> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(&(call.to_owned(), event.to_owned())).copied()
    }
}
