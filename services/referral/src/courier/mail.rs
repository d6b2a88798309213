//! E-mail: over TLS that is verified or not at all, and to whoever has given us a certificate for their eyes only. What isn't encrypted, the
//! header, says a reference and nothing else.

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::{ConfigError, Entropy};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::Envelope,
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{blames_certificate, letter::Letter, smime::Recipient};
use crate::{
    config::{Delivery, Mail as Settings, Security},
    domain::delivery::{Answer, Problem},
};

/// The answers of a server to which we haven't shown who we are, or not well enough.
const NOT_LOGGED_IN: [u16; 4] = [530, 534, 535, 538];
/// What is written, and an encrypted letter, as every mail program knows them.
const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const ENVELOPED: &str = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"\r\n\
                         Content-Disposition: attachment; filename=\"smime.p7m\"\r\n";
/// Characters in a line of base64.
const LINE: usize = 76;

/// What sends.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    entropy: Entropy,
    answer_within: Duration,
}

impl Mail {
    /// By this server of ours.
    ///
    /// # Errors
    /// Names the key that can't be gone by.
    pub(super) fn new(mail: &Settings, delivery: &Delivery, entropy: Entropy) -> Result<Self, ConfigError> {
        let mut tls = TlsParameters::builder(mail.host.clone());
        if let Some(path) = &delivery.roots {
            let pem = fs::read(path).map_err(|error| ConfigError::unusable("delivery.roots", error))?;
            let roots = Certificate::from_pem(&pem).map_err(|error| ConfigError::unusable("delivery.roots", error))?;
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(roots);
        }
        let tls = tls.build_rustls().map_err(|error| ConfigError::unusable("delivery.roots", error))?;
        let from: Address = mail.from.parse().map_err(|error| ConfigError::unusable("mail.from", error))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.host.clone())
            .port(mail.port)
            .tls(match mail.security {
                Security::Starttls => Tls::Required(tls),
                Security::Implicit => Tls::Wrapper(tls),
            })
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .timeout(Some(delivery.answer_within()));
        if let (Some(user), Some(path)) = (&mail.user, &mail.password_file) {
            let password =
                fs::read_to_string(path).map_err(|error| ConfigError::unusable("mail.password_file", error))?;
            transport = transport.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()));
        }
        Ok(Self { transport: transport.build(), from, entropy, answer_within: delivery.answer_within() })
    }

    /// Sends it, once.
    pub(super) async fn send(&self, letter: &Letter<'_>, to: (&Address, Option<&Recipient>)) -> Answer {
        let (Some(message), Ok(envelope)) =
            (self.message(letter, to), Envelope::new(Some(self.from.clone()), vec![to.0.clone()]))
        else {
            return Answer::Never(Problem::Unwritable);
        };
        // All of it, from the first word to the last answer: longer than this nobody keeps the parcel for us.
        match tokio::time::timeout(self.answer_within, self.transport.send_raw(&envelope, message.as_bytes())).await {
            Ok(Ok(_)) => Answer::Taken,
            Ok(Err(error)) => judged(&error),
            Err(_) => Answer::Later(Problem::TooSlow, None),
        }
    }

    /// The message as it goes over the wire: what is in its header is ASCII and ours, or an address that was parsed.
    fn message(&self, letter: &Letter<'_>, (to, recipient): (&Address, Option<&Recipient>)) -> Option<String> {
        let plain = part(PLAIN, letter.text().as_bytes());
        let part = match recipient {
            None => plain,
            Some(recipient) => part(ENVELOPED, &recipient.enveloped(plain.as_bytes(), &self.entropy)?),
        };
        let Letter { id, reference, made_at, .. } = letter;
        let (from, domain, date) = (&self.from, self.from.domain(), made_at.to_rfc2822());
        Some(format!(
            "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nMessage-ID: <{id}@{domain}>\r\nSubject: Referral {reference}\r\n\
             X-Alcove-Parcel: {id}\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n{part}"
        ))
    }
}

/// A part of a message, in base64.
fn part(header: &str, content: &[u8]) -> String {
    let mut part = format!("{header}Content-Transfer-Encoding: base64\r\n\r\n");
    let mut rest = STANDARD.encode(content);
    while !rest.is_empty() {
        let next = rest.split_off(rest.len().min(LINE));
        part.extend([rest.as_str(), "\r\n"]);
        rest = next;
    }
    part
}

/// What a failure means. What the server said isn't kept: it may repeat what we said.
fn judged(error: &SmtpError) -> Answer {
    let later = |problem| Answer::Later(problem, None);
    match error.status().map(u16::from) {
        Some(code) if NOT_LOGGED_IN.contains(&code) => later(Problem::NotLoggedIn),
        Some(_) if error.is_permanent() => Answer::Never(Problem::Refused),
        Some(_) => later(Problem::Busy),
        // The client's own: the server offers no TLS, or no way to log in that keeps the password.
        None if error.is_client() || error.is_tls() || blames_certificate(error) => later(Problem::NotTrusted),
        None if error.is_timeout() => later(Problem::TooSlow),
        None if is_refused(error) => later(Problem::NoConnection),
        None => later(Problem::CutOff),
    }
}

/// Nobody listens there, or there is no such place.
fn is_refused(error: &SmtpError) -> bool {
    use std::io::{Error, ErrorKind};
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<Error>() {
            let cut = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
            return !cut.contains(&io.kind());
        }
        cause = error.source();
    }
    false
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}
