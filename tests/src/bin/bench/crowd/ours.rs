//! Calls of the crowd on our own stack: from the 999 call to the code, then WHIP and WHEP for both.

use alcove_tests::desk::phone;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::header::CONTENT_TYPE;
use testkit::phone::{Pass, join};

use super::Crowd;
use crate::{
    Failure,
    stage::{Invited, Stage},
};

/// One call, both sides publishing and watching.
pub struct Call {
    invited: Invited,
}

/// So many, set up a few at a time.
pub async fn begin_all(stage: &Stage, crowd: &Crowd, count: usize) -> Result<Vec<Call>, Failure> {
    stream::iter((0..count).map(|_| begin(stage, crowd))).buffer_unordered(4).try_collect().await
}

/// Ends them, a few at a time; each is sealed.
pub async fn end_all(stage: &Stage, calls: Vec<Call>) -> Result<(), Failure> {
    let ending = calls.into_iter().map(async |mut call: Call| stage.end(&mut call.invited.accepted).await.map(drop));
    stream::iter(ending).buffer_unordered(4).try_collect().await
}

async fn begin(stage: &Stage, crowd: &Crowd) -> Result<Call, Failure> {
    let invited = stage.invited().await?;
    let officer = phone(invited.accepted.officer.join(&invited.accepted.call.call_id).await?).pass().clone();
    let caller = join(&stage.desk.stack.caller_page(), &invited.code).await?;
    for pass in [&officer, &caller] {
        end(crowd, pass, &pass.whip_url, true).await?;
    }
    for (pass, other) in [(&officer, &caller), (&caller, &officer)] {
        end(crowd, pass, &format!("{}/{}", pass.whep_url.trim_end_matches('/'), other.participant_id), false).await?;
    }
    Ok(Call { invited })
}

async fn end(crowd: &Crowd, pass: &Pass, url: &str, sends: bool) -> Result<(), Failure> {
    let fresh = crowd.fresh([127, 0, 0, 1].into())?;
    let me = crowd.me(&fresh);
    let offer = if sends { me.publish(fresh.ssrcs()) } else { me.watch() };
    let request = crowd.http.post(url).bearer_auth(&pass.token).header(CONTENT_TYPE, "application/sdp").body(offer);
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        return Err(format!("POST {url}: {status}: {text}").into());
    }
    crowd.connect(fresh, &text, sends).await
}
