//! Codes, links and tokens: made from the server's key, stored only as hashes.
//!
//! A repeated request must get its first answer, and the first answer of JoinSession or IssueInvitation is a secret.
//! Remembering it would put the secret into the replay table in clear; encrypting it there would be one more format and
//! key to rotate. So officers' tokens and codes are HMACs of the server's key over the request's id: whoever sends the
//! same request gets the same secret computed anew, and the database holds nothing that opens a door.

use chassis::Entropy;
use ids::{ParticipantId, RequestId, Secret, SessionId};
use ring::{digest, hmac};

use crate::domain::{Code, Link, Presented};

mod number;

/// The server's key, ready for use.
#[derive(Debug, Clone)]
pub struct Keys(hmac::Key);

/// What lets a participant publish, watch and listen: 256 bits, hex.
#[derive(Debug, Clone)]
pub struct Token(Secret<String>);

/// What a page has made up for itself, and tells nobody but us: its code is used by it alone, and may be sent again by it.
#[derive(Debug, Clone)]
pub struct PageSecret(Secret<String>);

impl PageSecret {
    /// 128 random bits, in hex: anything shorter might be somebody else's, too.
    #[must_use]
    pub fn parse(text: Secret<String>) -> Option<Self> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.expose().len() == 32 && text.expose().bytes().all(hex)).then_some(Self(text))
    }
}

impl Keys {
    /// From the configured secret.
    #[must_use]
    pub fn new(secret: &Secret<String>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
    }

    /// The officer's token that answers this request.
    #[must_use]
    pub fn officer_token(&self, participant: ParticipantId, request: RequestId) -> Token {
        Token::from_bytes(&self.mac("token", &[participant.uuid().as_bytes(), request.uuid().as_bytes()]))
    }

    /// The token of whoever came in by this code or link, for the page whose secret that is: the same page gets the same one again.
    #[must_use]
    pub fn token_by(&self, shown: &Presented, page: &PageSecret) -> Token {
        let purpose = match shown {
            Presented::Code(_) => "token-by-code",
            Presented::Link(_) => "token-by-link",
        };
        Token::from_bytes(&self.mac(purpose, &[shown.symbols(), page.0.expose().as_bytes()]))
    }

    /// The token that comes after this one, when whoever holds it comes back.
    #[must_use]
    pub fn next_token(&self, token: &Token) -> Token {
        Token::from_bytes(&self.mac("next-token", &[&token.hash()]))
    }

    /// The code that answers this request.
    #[must_use]
    pub fn code(&self, session: SessionId, request: RequestId) -> Code {
        let mac = self.mac("code", &[session.uuid().as_bytes(), request.uuid().as_bytes()]);
        Code::from_bits([mac[0], mac[1], mac[2], mac[3], mac[4]])
    }

    /// The link's key that answers this request, beside its code.
    #[must_use]
    pub fn link(&self, session: SessionId, request: RequestId) -> Link {
        let mac = self.mac("link", &[session.uuid().as_bytes(), request.uuid().as_bytes()]);
        let mut bits = [0; 16];
        bits.copy_from_slice(&mac[..16]);
        Link::from_bits(bits)
    }

    /// What is stored of a code or link: keyed, because 40 bits alone could be tried out.
    #[must_use]
    pub fn hash(&self, shown: &Presented) -> [u8; 32] {
        let purpose = match shown {
            Presented::Code(_) => "code-hash",
            Presented::Link(_) => "link-hash",
        };
        self.mac(purpose, &[shown.symbols()])
    }

    /// What is stored of a call's word for "come now", folded: keyed, because words can be tried out; and another in every call.
    #[must_use]
    pub fn word_hash(&self, session: SessionId, folded: &Secret<String>) -> [u8; 32] {
        self.mac("word-hash", &[session.uuid().as_bytes(), folded.expose().as_bytes()])
    }

    /// Every input but the last has a fixed length, so that no two lists of inputs are the same bytes.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        for part in parts {
            context.update(part);
        }
        let mut mac = [0; 32];
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }
}

impl Token {
    /// For whoever won't ask for the same one twice: plain chance.
    #[must_use]
    pub fn random(entropy: &Entropy) -> Self {
        Self::from_bytes(&entropy.bytes::<32>())
    }

    /// As it came in an Authorization header; anything may be in it.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(Secret::new(text.to_owned()))
    }

    /// For the one answer that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored and looked up. Plain SHA-256: 256 random bits need no key.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.expose().as_bytes()).as_ref());
        hash
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(hex::encode(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn the_same_request_gets_the_same_secret_and_no_other_does() {
        let keys = Keys::new(&Secret::new("k".repeat(32)));
        let code = keys.code(id(1), id(2));
        assert_eq!(code, keys.code(id(1), id(2)));
        assert_ne!(code, keys.code(id(1), id(3)));
        assert_ne!(code, Keys::new(&Secret::new("l".repeat(32))).code(id(1), id(2)));
        let hash = |code: &Code| keys.hash(&Presented::Code(code.clone()));
        assert_ne!(hash(&code), hash(&keys.code(id(1), id(3))));
        let link = keys.link(id(1), id(2));
        assert_eq!(link, keys.link(id(1), id(2)));
        assert_ne!(link, keys.link(id(1), id(3)));
        assert_ne!(keys.hash(&Presented::Link(link)), hash(&code));
        let token = keys.officer_token(id(1), id(2));
        assert_eq!(token.hash(), keys.officer_token(id(1), id(2)).hash());
        assert_eq!(token.expose().len(), 64);
        let next = keys.next_token(&token);
        assert_eq!(next.hash(), keys.next_token(&token).hash());
        assert_ne!(next.hash(), keys.next_token(&next).hash());
        let word = |session, text: &str| keys.word_hash(session, &Secret::new(text.to_owned()));
        assert_eq!(word(id(1), "tea"), word(id(1), "tea"));
        assert!(word(id(1), "tea") != word(id(2), "tea") && word(id(1), "tea") != word(id(1), "teas"));
        let page = |text: &str| PageSecret::parse(Secret::new(text.to_owned()));
        let [one, other] = ["0", "f"].map(|digit| page(&digit.repeat(32)).expect("32 digits"));
        let code = Presented::Code(code);
        assert_eq!(keys.token_by(&code, &one).hash(), keys.token_by(&code, &one).hash());
        assert_ne!(keys.token_by(&code, &one).hash(), keys.token_by(&code, &other).hash());
        assert!(["0".repeat(31), String::new(), "G".repeat(32)].iter().all(|text| page(text).is_none()));
        assert!(!format!("{token:?}{keys:?}").contains(token.expose()));
    }
}
