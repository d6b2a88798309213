//! Duress, carried out: what the officer has seen goes into the rows, from there to the control room, and into the ledger.

mod words;

use std::io;

use api::session::v1::{AcknowledgeDuressRequest, AcknowledgeDuressResponse};

use crate::{
    app::{App, Order, Sight},
    error::Error,
    ledger,
    spool::Spool,
};

pub use words::Words;

/// The officer has seen that the caller asks for help.
///
/// # Errors
/// Not the officer's call, no such session, an ended one, nothing to be seen; the database fails.
pub async fn acknowledge(
    app: &App,
    spool: &Spool,
    order: &Order<AcknowledgeDuressRequest>,
) -> Result<AcknowledgeDuressResponse, Error> {
    let (answer, sight) = app.acknowledge_duress(order).await?;
    if let Some(sight) = sight {
        note(spool.clone(), sight).await;
    }
    Ok(answer)
}

/// The rows have it by now: a disk in trouble keeps nobody from going on.
async fn note(spool: Spool, sight: Sight) {
    let session = sight.session;
    let noted = tokio::task::spawn_blocking(move || {
        // Of a call that isn't recorded there is no ledger.
        if spool.owner(session).is_none() { Ok(()) } else { spool.note(session, &[ledger::seen(&sight)]) }
    });
    if let Err(error) = noted.await.map_err(io::Error::other).flatten() {
        tracing::error!(session_id = %session, %error, "that the officer has seen it is in the rows, and not in the ledger");
    }
}
