//! A watch as a stream: each item is read when the client has room for it, so a slow client holds up nobody.

use std::pin::Pin;

use api::intake::v1::WatchCallResponse;
use futures::stream::{self, BoxStream};
use tonic::Status;

use super::answer;
use crate::app::CallWatch;

/// What WatchCall answers.
pub type Stream = Pin<Box<dyn futures::Stream<Item = Result<WatchCallResponse, Status>> + Send>>;

pub(super) fn stream(watch: CallWatch) -> BoxStream<'static, Result<WatchCallResponse, Status>> {
    Box::pin(stream::try_unfold(watch, async |mut watch| {
        let told = watch.next().await?;
        Ok(told.map(|told| (answer::told(told), watch)))
    }))
}
