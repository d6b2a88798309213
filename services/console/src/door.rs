//! Who comes in, who stays, and who goes: the sessions, kept against what the issuer says.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chassis::Ambient;
use chrono::{DateTime, TimeDelta, Utc};
use ids::Secret;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::SignIn,
    domain::{Beginnings, Grant, Key, Limits, Officer, Session, Sessions, Tries},
    error::Error,
    oidc::{NoGrant, Provider, SignedOut},
};

/// The sessions of this process.
#[derive(Debug)]
pub struct Door {
    sessions: RwLock<Sessions<Live>>,
    beginnings: Beginnings,
    provider: Arc<Provider>,
    ambient: Ambient,
    /// Under way to the issuer. Nobody waits for them but the end of the process.
    revocations: TaskTracker,
    /// One more began: the next end may be nearer.
    began: Notify,
}

/// What a running session has beside its facts.
#[derive(Debug)]
struct Live {
    ended: CancellationToken,
    /// One renews at a time: a refresh token is good once.
    turn: Arc<Mutex<Tries>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

/// With this a request goes on to a service, as long as the session holds.
#[derive(Debug)]
pub struct Pass {
    /// The issuer's word for who asks.
    pub access: Secret<String>,
    /// The session's end.
    pub ended: CancellationToken,
}

/// What comes back from the issuer with a browser.
#[derive(Debug)]
pub struct Returned<'a> {
    /// To be redeemed.
    pub code: Option<&'a str>,
    /// What the browser was sent with.
    pub state: Option<&'a str>,
    /// Who says so (RFC 9207).
    pub issuer: Option<&'a str>,
}

impl Door {
    /// Nobody is in.
    ///
    /// # Errors
    /// When the issuer's address can't be used.
    pub fn new(sign_in: &SignIn, ambient: Ambient) -> Result<Self, Error> {
        let limits = Limits {
            idle: TimeDelta::minutes(sign_in.idle_minutes.into()),
            absolute: TimeDelta::hours(sign_in.hours.into()),
            most: sign_in.most,
        };
        Ok(Self {
            sessions: RwLock::new(Sessions::new(limits)),
            beginnings: Beginnings::new(&ambient.entropy.bytes()),
            provider: Arc::new(Provider::new(sign_in, ambient.clone())?),
            ambient,
            revocations: TaskTracker::new(),
            began: Notify::new(),
        })
    }

    /// A ticket for a browser, and where it goes to sign in.
    ///
    /// # Errors
    /// When the issuer is away.
    pub async fn begin(&self) -> Result<(String, String), Error> {
        let ticket = self.beginnings.ticket(self.ambient.entropy.bytes(), self.now());
        let begun = self.beginnings.begun(&ticket, self.now()).ok_or(Error::SignInRefused)?;
        let url = self.provider.door(&begun).await?;
        Ok((ticket, url.into()))
    }

    /// The cookie of a browser that comes back to the door it left by.
    ///
    /// # Errors
    /// When it doesn't, or the issuer doesn't stand by it.
    pub async fn come_in(
        &self,
        ticket: Option<&str>,
        back: Returned<'_>,
        before: Option<&str>,
    ) -> Result<String, Error> {
        let begun = ticket.and_then(|ticket| self.beginnings.begun(ticket, self.now())).ok_or(Error::SignInRefused)?;
        if back.state != Some(&begun.state) {
            return Err(Error::SignInRefused);
        }
        let code = back.code.ok_or(Error::SignInRefused)?;
        let session = self.provider.redeem(code, back.issuer, &begun).await?;
        tracing::info!(officer = %session.officer.id, "signed in");
        let cookie = URL_SAFE_NO_PAD.encode(self.ambient.entropy.bytes::<32>());
        let live = Live { ended: CancellationToken::new(), turn: Arc::default() };
        let gone = {
            let mut sessions = self.write();
            // Whoever signs in again where somebody was signed in takes their place.
            let replaced = before.and_then(|cookie| sessions.end(Key::of(cookie)));
            let mut gone = sessions.begin(Key::of(&cookie), session, live, self.now());
            gone.extend(replaced);
            gone
        };
        self.began.notify_one();
        self.revoke(gone);
        Ok(cookie)
    }

    /// Who it is.
    ///
    /// # Errors
    /// When they are not signed in.
    pub fn whoever(&self, cookie: &str) -> Result<Officer, Error> {
        let sessions = self.read();
        sessions.find(Key::of(cookie), self.now()).map(|(session, _)| session.officer.clone()).ok_or(Error::NotSignedIn)
    }

    /// The person is there.
    ///
    /// # Errors
    /// When they are not signed in.
    pub fn here(&self, cookie: &str) -> Result<(), Error> {
        if self.write().touch(Key::of(cookie), self.now()) { Ok(()) } else { Err(Error::NotSignedIn) }
    }

    /// What a request goes on with. It waits for the issuer only if there is nothing to go on with any more: before
    /// that it has the token renewed, and goes on with the old one.
    ///
    /// # Errors
    /// When they are not signed in, or nobody can tell whether they still may be.
    pub async fn pass(self: &Arc<Self>, cookie: &str) -> Result<Pass, Error> {
        let key = Key::of(cookie);
        let (session, pass, turn) = self.look(key)?;
        let (door, now) = (Arc::clone(self), self.now());
        if session.grant.holds(now) {
            if session.grant.is_old(now)
                && let Ok(tries) = turn.try_lock_owned()
                && tries.may(&session.grant, now)
            {
                tokio::spawn(async move { door.renewed(key, tries).await });
            }
            return Ok(pass);
        }
        // A browser that goes away in between must not take the new refresh token with it.
        let renewing = tokio::spawn(async move {
            let tries = turn.lock_owned().await;
            door.renewed(key, tries).await
        });
        renewing.await.unwrap_or(Err(Error::IssuerAway))
    }

    async fn renewed(&self, key: Key, mut tries: OwnedMutexGuard<Tries>) -> Result<Pass, Error> {
        // Somebody before us may have done it, or tried to.
        let (session, pass, _) = self.look(key)?;
        let (grant, now) = (&session.grant, self.now());
        if grant.holds(now) && !grant.is_old(now) {
            return Ok(pass);
        }
        if tries.may(grant, now) {
            match self.provider.renew(&session).await {
                Ok((grant, officer)) => {
                    *tries = Tries::default();
                    let unneeded = self.write().renew(key, grant, officer);
                    self.revoke_grants(unneeded);
                    return self.look(key).map(|(_, pass, _)| pass);
                }
                Err(NoGrant::Away { heard }) => tries.fail(heard, self.now()),
                Err(NoGrant::Invalid) if tries.forgive(grant, self.now()) => {
                    tracing::warn!(officer = %session.officer.id, "a sign-in can't be renewed after a lost answer");
                }
                Err(NoGrant::Invalid | NoGrant::Unbelieved) => {
                    tracing::info!(officer = %session.officer.id, "the issuer has taken a sign-in back");
                    self.write().end(key);
                    return Err(Error::NotSignedIn);
                }
            }
        }
        if grant.holds(self.now()) { Ok(pass) } else { Err(Error::IssuerAway) }
    }

    /// Ends all of an officer's sign-ins. Answers where their browser ends the issuer's.
    ///
    /// # Errors
    /// When they are not signed in.
    pub async fn go_out(&self, cookie: &str) -> Result<Option<String>, Error> {
        let officer = self.whoever(cookie)?;
        let gone = self.write().end_all(&officer.id);
        tracing::info!(officer = %officer.id, "signed out");
        self.revoke(gone);
        Ok(self.provider.way_out().await.map(String::from))
    }

    /// Ends what the issuer says is over.
    ///
    /// # Errors
    /// When it isn't the issuer who says so.
    pub async fn told_out(&self, logout_token: &str) -> Result<(), Error> {
        let gone = match self.provider.signed_out(logout_token).await? {
            SignedOut::Session(sid) => self.write().end_sid(&sid),
            SignedOut::Officer(sub) => sub.parse().map(|officer| self.write().end_all(&officer)).unwrap_or_default(),
        };
        self.revoke(gone);
        Ok(())
    }

    /// Ends sessions when their time is over, also those of whom nothing is heard any more. Runs for ever.
    pub async fn close_in_time(&self) {
        loop {
            let next = self.read().next_end();
            let over = async {
                match next {
                    Some(next) => self.ambient.clock.sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { () = over => {}, () = self.began.notified() => {} }
            let gone = self.write().sweep(self.now());
            self.revoke(gone);
        }
    }

    fn look(&self, key: Key) -> Result<(Session, Pass, Arc<Mutex<Tries>>), Error> {
        let sessions = self.read();
        let (session, live) = sessions.find(key, self.now()).ok_or(Error::NotSignedIn)?;
        let pass = Pass { access: session.grant.access.clone(), ended: live.ended.clone() };
        Ok((session.clone(), pass, Arc::clone(&live.turn)))
    }

    /// Returns once the issuer knows what is over, or can't be told.
    pub async fn told_all(&self) {
        self.revocations.close();
        self.revocations.wait().await;
    }

    fn revoke(&self, gone: Vec<Session>) {
        self.revoke_grants(gone.into_iter().map(|session| session.grant));
    }

    /// Each by itself: an issuer that doesn't answer holds up no other's end, and a browser that goes away none at all.
    fn revoke_grants(&self, grants: impl IntoIterator<Item = Grant>) {
        for grant in grants {
            let provider = Arc::clone(&self.provider);
            self.revocations.spawn(async move { provider.revoke(&grant).await });
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.ambient.clock.now()
    }

    fn read(&self) -> RwLockReadGuard<'_, Sessions<Live>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Sessions<Live>> {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner)
    }
}
