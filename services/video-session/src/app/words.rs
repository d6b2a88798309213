//! The word that means "come now": only what it is known by gets here, and what callers write is compared with that.

use ids::{ComeNowWord, Secret, SessionId};

use super::App;
use crate::{
    error::Error,
    store::{self, UnknownWord},
};
use outbox::Scope;

impl App {
    /// The calls that are ours or nobody's, and of whose word intake is still to be asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unknown_words(&self) -> Result<Vec<UnknownWord>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        Ok(store::list_unknown_words(&mut connection, self.own.instance.id).await?)
    }

    /// Intake has told: there is this word, or none. False: another instance carries the session by now, and asks for itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learn_word(&self, session: SessionId, word: Option<&ComeNowWord>) -> Result<bool, Error> {
        let hash = word.map(|word| self.keys.word_hash(session, &word.folded()));
        let mut tx = self.begin(Scope::All).await?;
        let ours = store::save_word(&mut tx, session, self.own.instance.id, hash).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// Is the word that is known by this hash in that text?
    #[must_use]
    pub fn is_word_in(&self, session: SessionId, hash: [u8; 32], text: &Secret<String>) -> bool {
        let candidates = ComeNowWord::candidates(text.expose());
        candidates.iter().any(|candidate| self.keys.word_hash(session, candidate) == hash)
    }
}
