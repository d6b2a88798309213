//! A whole stack with the people around it: what most journeys begin with.

use std::{
    net::UdpSocket,
    path::{Path, PathBuf},
};

use api::{intake::v1::call_update::Kind, session::v1::JoinSessionResponse, transfer::v1::Offer};
use testkit::{
    Stack, StackOptions, key,
    phone::{Pass, Phone},
};

use crate::{
    control_room::{ControlRoom, OpenedCall, Watch},
    identity::{self, Way},
    officer::Officer,
    package::WHO,
};

/// The force of every journey: the first of the console's development list.
pub const FORCE: &str = "wmp";

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The services, and a control room on them.
#[derive(Debug)]
pub struct Desk {
    /// The running services.
    pub stack: Stack,
    /// The force's control room.
    pub control_room: ControlRoom,
}

/// A call that an officer has accepted, with the control room still watching.
#[derive(Debug)]
pub struct AcceptedCall {
    /// The call.
    pub call: OpenedCall,
    /// The officer who has it.
    pub officer: Officer,
    /// What the control room sees of it.
    pub watch: Watch,
}

impl Desk {
    /// Starts everything.
    ///
    /// # Errors
    /// When something doesn't come up: with its log.
    pub async fn open(options: StackOptions) -> Outcome<Self> {
        let stack = Stack::start(options).await?;
        let control_room = ControlRoom::new(identity::control_room(&stack, FORCE)?, FORCE);
        Ok(Self { stack, control_room })
    }

    /// An officer's way to a service.
    ///
    /// # Errors
    /// When its address isn't one.
    pub fn way(&self, service: &str, officer: &str) -> Outcome<Way> {
        identity::officer(&self.stack, service, FORCE, officer)
    }

    /// An officer without a screen.
    ///
    /// # Errors
    /// When an address isn't one.
    pub fn officer(&self, id: &str) -> Outcome<Officer> {
        Ok(Officer::new(self.way("call-transfer", id)?, self.way("video-session", id)?, FORCE, id))
    }

    /// Opens a call, hands it over, and has a free officer accept it.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn accepted_call(&self, incident: &str, officer: &str) -> Outcome<AcceptedCall> {
        let call = self.control_room.hand_over(incident).await?;
        let watch = self.control_room.watch(&call.call_id, 0).await?;
        let officer = self.officer(officer)?;
        officer.go_free().await?;
        let offer: Offer = officer.next_offer().await?;
        if offer.call_id != call.call_id {
            return Err(format!("{} was offered instead of {}", offer.call_id, call.call_id).into());
        }
        officer.accept(&call.call_id).await?;
        officer.session_until(&call.call_id, |_| true).await?;
        Ok(AcceptedCall { call, officer, watch })
    }

    /// Exports the sealed exhibit of a call into a folder and has it verified, with every root and key of this stack: signer,
    /// timestamps, log and witness.
    ///
    /// # Errors
    /// When it isn't sealed, or doesn't verify: with what `alcove-verify` said.
    pub async fn verified_package(&self, call_id: &str, to: &Path) -> Outcome<PathBuf> {
        let evidence = self.way("evidence-store", WHO)?;
        let exhibit = crate::package::exhibit_of(evidence.clone(), FORCE, call_id).await?;
        crate::package::export(evidence, FORCE, &exhibit.exhibit_id, to).await?;
        let output = tokio::process::Command::new(testkit::binary("alcove-verify")?)
            .arg(to)
            .args(crate::package::trust(&self.stack)?)
            .output()
            .await?;
        if output.status.success() {
            return Ok(to.to_owned());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("alcove-verify: {}", String::from_utf8_lossy(&said)).into())
    }
}

/// A synthetic phone for staff who have joined.
#[must_use]
pub fn phone(joined: JoinSessionResponse) -> Phone {
    Phone::new(Pass {
        participant_id: joined.participant_id,
        token: joined.token,
        whip_url: joined.whip_url,
        whep_url: joined.whep_url,
        events_url: joined.events_url,
    })
}

impl AcceptedCall {
    /// The officer's media, played by a synthetic phone.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn officers_phone(&self) -> Outcome<Phone> {
        let mut phone = phone(self.officer.join(&self.call.call_id).await?);
        phone.publish().await?;
        Ok(phone)
    }

    /// Waits until the control room has the exhibit's seal: its reference and digest.
    ///
    /// # Errors
    /// When the stream ends without it.
    pub async fn sealed(&mut self) -> Outcome<api::intake::v1::call_update::Sealed> {
        match self.watch.until(|kind| matches!(kind, Kind::Sealed(_))).await? {
            Kind::Sealed(sealed) => Ok(sealed),
            other => Err(format!("waited for the seal, got {other:?}").into()),
        }
    }
}

/// A stack whose media is at an address of this machine that is not loopback: Firefox and GStreamer pair no candidate of theirs with one
/// on loopback.
///
/// # Errors
/// When it has none.
pub fn off_loopback() -> Outcome<StackOptions> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // Sends nothing; says what would be sent from.
    socket.connect("192.0.2.1:9")?;
    let own = socket.local_addr()?.ip();
    let media = [("media__listen", "0.0.0.0:0".to_owned()), ("media__advertise", own.to_string())];
    let env = media.map(|(name, value)| (key("video-session", name), value)).into();
    Ok(StackOptions { env, ..StackOptions::default() })
}
