//! Of the service's domain, what the media core goes by.

#[path = "../../../services/video-session/src/domain/illegal.rs"]
mod illegal;
#[path = "../../../services/video-session/src/domain/plea.rs"]
mod plea;
#[path = "../../../services/video-session/src/domain/recording.rs"]
mod recording;
#[path = "../../../services/video-session/src/domain/remark.rs"]
mod remark;
#[path = "../../../services/video-session/src/domain/tap.rs"]
mod tap;

pub use illegal::Illegal;
pub use plea::{Counted, How, Pleas};
pub use recording::{RecordOrder, Recording};
pub use remark::Remark;
pub use tap::{Covering, Tap};
