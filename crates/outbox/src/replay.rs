//! Idempotent requests: the first answer to a `request_id` is every answer to it.
//!
//! The claim, the effect and the answer commit together. A twin that arrives meanwhile waits for the first one's
//! transaction: if that commits it gets its answer, if that rolls back it does the work itself.
//!
//! Answers hold personal data. Each request that is new forgets two that are older than a quarter of a year, when nobody asks again:
//! their ids and hashes stay, so that a repeat is refused even then and has no second effect.

use ids::RequestId;
use prost::Message;
use ring::digest::{SHA256, digest};
use sqlx::PgTransaction;

use crate::Error;

/// The first answer to this request; `None` if this is the first time, and then [`remember`] must follow in the same
/// transaction.
///
/// # Errors
/// [`Error::RequestIdReused`] when the id came with another method or other content.
pub async fn first_answer<Req, Resp>(
    tx: &mut PgTransaction<'_>,
    request_id: RequestId,
    rpc: &'static str,
    request: &Req,
) -> Result<Option<Resp>, Error>
where
    Req: Message,
    Resp: Message + Default,
{
    let hash = digest(&SHA256, &request.encode_to_vec());
    let claimed = sqlx::query!(
        "with forgotten as (
             update outbox.answers set answer = null where request_id in (
                 select request_id from outbox.answers
                 where answer is not null and claimed_at < now() - interval '90 days'
                 order by claimed_at limit 2 for update skip locked))
         insert into outbox.answers (request_id, rpc, request_hash) values ($1, $2, $3) on conflict do nothing",
        request_id.uuid(),
        rpc,
        hash.as_ref(),
    )
    .execute(&mut **tx)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    let first =
        sqlx::query!("select rpc, request_hash, answer from outbox.answers where request_id = $1", request_id.uuid(),)
            .fetch_one(&mut **tx)
            .await?;
    if first.rpc != rpc || first.request_hash != hash.as_ref() {
        return Err(Error::RequestIdReused);
    }
    let lost = || Error::AnswerLost { rpc };
    let answer = first.answer.ok_or_else(lost)?;
    Resp::decode(answer.as_slice()).map(Some).map_err(|_| lost())
}

/// Keeps the answer that this request, claimed by [`first_answer`], is about to get.
///
/// # Errors
/// When the database can't.
pub async fn remember<Resp: Message>(
    tx: &mut PgTransaction<'_>,
    request_id: RequestId,
    answer: &Resp,
) -> Result<(), Error> {
    sqlx::query!(
        "update outbox.answers set answer = $2 where request_id = $1",
        request_id.uuid(),
        answer.encode_to_vec(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
