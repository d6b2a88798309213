//! A watch as a stream: each item is read when the client has room for it, so a slow client holds up nobody.

use std::pin::Pin;

use futures::stream::{self, BoxStream};
use tonic::Status;

use crate::{
    app::{Log, Watch},
    domain::Told,
};

/// What WatchCall and WatchForce answer.
pub type Stream<T> = Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>>;

pub(super) fn stream<L, T>(watch: Watch<L>, answer: fn(Told<L::Update>) -> T) -> BoxStream<'static, Result<T, Status>>
where
    L: Log + 'static,
    T: 'static,
{
    Box::pin(stream::try_unfold(watch, move |mut watch| async move {
        let told = watch.next().await?;
        Ok(told.map(|told| (answer(told), watch)))
    }))
}
