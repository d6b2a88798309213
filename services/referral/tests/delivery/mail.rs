//! E-mail, by a mail server and an OpenSSL that share no code with us.

use std::{fs, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::config::Profile;
use referral::{books::partners::PartnerBook, domain::delivery::reference};
use tempfile::TempDir;
use testkit::{Port, until};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command as Spawned},
};

use super::rig::{NAME, NOTE, Rig, Sent};

/// An authority and its server, another's server, and a partner with a key of each kind.
const PAPERS: &str = "
    key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    for who in ca other; do
        openssl req -x509 $key -keyout $who.key -out $who.pem -days 30 -subj /CN=$who \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -x509 $key -keyout $who-server.key -out $who-server.pem -days 30 -subj /CN=server -CA $who.pem -CAkey $who.key \
            -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth
    done
    openssl req -x509 -newkey rsa:2048 -nodes -keyout partner.key -out partner.pem -days 30 -subj /CN=partner
    openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -days 30 -subj /CN=stranger
    openssl req -x509 -newkey rsa:1024 -nodes -keyout small.key -out small.pem -days 30 -subj /CN=small
    openssl req -x509 $key -keyout curve.key -out curve.pem -days 30 -subj /CN=curve";

/// A mail server; ends when dropped.
pub struct Server {
    folder: TempDir,
    port: Port,
    _process: Child,
}

pub fn papers() -> TempDir {
    let folder = TempDir::new().unwrap();
    let made = Command::new("bash").args(["-euc", PAPERS]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

impl Server {
    /// Which is "plain", "starttls" or "implicit", with the certificate of that name.
    pub async fn open(how: &str, papers: &Path, certificate: Option<&str>) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), Port::claim().unwrap());
        let root = testkit::workspace();
        let mut command = Spawned::new(root.join("target/tools/venv/bin/python"));
        command.arg(root.join("tests/foreign/mail_server.py")).arg(folder.path());
        command.arg(port.address().port().to_string()).arg(how);
        for end in certificate.iter().flat_map(|_| ["pem", "key"]) {
            command.arg(papers.join(format!("{}.{end}", certificate.unwrap())));
        }
        let mut process = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().next_line().await.unwrap();
        assert_eq!(said.as_deref(), Some("ready"));
        Self { folder, port, _process: process }
    }

    /// How it is reached, and whom it shows that it is by.
    pub fn settings(&self, papers: &Path) -> [(&'static str, String); 4] {
        [
            ("MAIL__HOST", "localhost".to_owned()),
            ("MAIL__PORT", self.port.address().port().to_string()),
            ("MAIL__FROM", "alcove@kent.example".to_owned()),
            ("DELIVERY__ROOTS", papers.join("ca.pem").display().to_string()),
        ]
    }

    /// Referral with these partners and this server, which it trusts by this authority.
    async fn rig(&self, papers: &Path, partners: &[(&str, &str)], settings: &[(&str, &str)]) -> Rig {
        let routes = partners.iter().map(|(who, how)| {
            let how = how.replace("PAPERS", &papers.display().to_string());
            (*who, format!("email = \"{who}@partner.example\", {how}"))
        });
        let ours = self.settings(papers);
        let mut all: Vec<_> = ours.iter().map(|(key, value)| (*key, value.as_str())).collect();
        all.extend(settings);
        Rig::open(&routes.collect::<Vec<_>>(), &all).await
    }

    /// The letters that it has.
    pub fn letters(&self) -> Vec<String> {
        let read = |n: usize| fs::read_to_string(self.folder.path().join(format!("{n}.eml"))).ok();
        (1..).map_while(read).collect()
    }
}

/// A letter's header of that name.
fn header<'l>(letter: &'l str, name: &str) -> &'l str {
    let head = letter.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

/// What OpenSSL makes of it with that key, if anything.
fn opened(papers: &Path, program: &str, letter: &str, who: &str) -> Option<String> {
    fs::write(papers.join("letter"), letter).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        program,
        "-decrypt",
        "-in",
        "letter",
        "-recip",
        &format!("{who}.pem"),
        "-inkey",
        &format!("{who}.key"),
    ]);
    let read = openssl.current_dir(papers).output().unwrap();
    read.status.success().then(|| String::from_utf8_lossy(&read.stdout).into_owned())
}

/// What is written in it, as a mail program shows it.
pub fn decoded(letter: &str) -> String {
    let body = letter.split_once("\r\n\r\n").unwrap().1;
    let bytes = STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn delivered(rig: &Rig, sent: Sent, attempts: i32) {
    assert_eq!(rig.settled(sent, "referral").await, ("delivered".to_owned(), attempts, None));
}

#[tokio::test]
async fn a_letter_is_readable_by_its_holder_alone_and_its_subject_says_nothing() {
    let papers = papers();
    let server = Server::open("starttls", papers.path(), Some("ca-server")).await;
    let partners = [("sealed", "certificate = \"PAPERS/partner.pem\""), ("agreed", "secure_mail = true")];
    let rig = server.rig(papers.path(), &partners, &[]).await;
    let sent = rig.send("sealed").await;
    delivered(&rig, sent, 1).await;
    let letters = server.letters();
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    assert!(!letter.contains(NAME) && !letter.contains(NOTE) && !letter.contains("idva"));
    assert_eq!(header(letter, "Subject"), format!("Referral {}", reference(sent.referral)));
    let parcel = header(letter, "X-Alcove-Parcel");
    assert_eq!(header(letter, "Message-ID"), format!("<{parcel}@kent.example>"));
    for program in ["cms", "smime"] {
        let text = opened(papers.path(), program, letter, "partner").expect("the partner reads it");
        assert!(text.contains("Content-Type: text/plain; charset=utf-8"), "{text}");
        let text = decoded(&text.replace('\r', "").replace('\n', "\r\n"));
        assert!(text.contains(NAME) && text.contains(NOTE) && text.contains(&reference(sent.referral)), "{text}");
    }
    let strange = opened(papers.path(), "cms", letter, "stranger").unwrap_or_default();
    assert!(!strange.contains(NAME));

    let sent = rig.send("agreed").await;
    delivered(&rig, sent, 1).await;
    let letter = server.letters().pop().unwrap();
    assert_eq!(header(&letter, "Subject"), format!("Referral {}", reference(sent.referral)));
    assert!(decoded(&letter).contains(NAME));
    rig.kept_to_itself();
}

#[tokio::test]
async fn a_server_that_refuses_is_believed_and_one_that_falters_is_tried_again() {
    let papers = papers();
    let server = Server::open("starttls", papers.path(), Some("ca-server")).await;
    let names = ["refuse", "spam", "greylist", "full", "stall", "drop", "lost"];
    let rig = server.rig(papers.path(), &names.map(|name| (name, "secure_mail = true")), &[]).await;
    let mut sent = vec![];
    for name in names {
        sent.push(rig.send(name).await);
    }
    for refused in &sent[..2] {
        let settled = rig.settled(*refused, "referral").await;
        assert_eq!(settled, ("failed".to_owned(), 1, Some("REFUSED".to_owned())));
    }
    for (sent, why) in sent[2..].iter().zip(["BUSY", "BUSY", "TOO_SLOW", "CUT_OFF", "CUT_OFF"]) {
        delivered(&rig, *sent, 2).await;
        assert_eq!(rig.attempts(*sent).await, [(1, Some(why.to_owned())), (2, None)]);
    }
    // Of the one whose answer was lost the partner has two, and sees that they are the same.
    let to = |letter: &String| header(letter, "To") == "lost@partner.example";
    let twice: Vec<_> = server.letters().into_iter().filter(to).collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(header(&twice[0], "Message-ID"), header(&twice[1], "Message-ID"));
    assert_eq!(rig.failed(sent[1]).await.len().max(rig.failed(sent[0]).await.len()), 2, "each raised once");
    rig.kept_to_itself();
}

#[tokio::test]
async fn without_tls_that_is_verified_nothing_is_said_and_a_login_is_shown_only_under_it() {
    let papers = papers();
    let partners = [("agreed", "secure_mail = true")];
    for (how, certificate) in [("plain", None), ("starttls", Some("other-server"))] {
        let server = Server::open(how, papers.path(), certificate).await;
        let rig = server.rig(papers.path(), &partners, &[]).await;
        let sent = rig.send("agreed").await;
        until("it is tried", async || !rig.attempts(sent).await.is_empty()).await;
        assert_eq!(rig.attempts(sent).await[0].1.as_deref(), Some("NOT_TRUSTED"), "{how}");
        assert!(server.letters().is_empty(), "{how}");
    }
    let server = Server::open("implicit", papers.path(), Some("ca-server")).await;
    let password = papers.path().join("password");
    fs::write(&password, "open barley\n").unwrap();
    let file = password.display().to_string();
    let login = [("MAIL__SECURITY", "implicit"), ("MAIL__USER", "alcove"), ("MAIL__PASSWORD_FILE", file.as_str())];
    let mut rig = server.rig(papers.path(), &partners, &login).await;
    let sent = rig.send("agreed").await;
    until("it is tried", async || !rig.attempts(sent).await.is_empty()).await;
    assert_eq!(rig.attempts(sent).await[0].1.as_deref(), Some("NOT_LOGGED_IN"));
    fs::write(&password, "open sesame\n").unwrap();
    rig.service.restart().await.unwrap();
    assert_eq!(rig.settled(sent, "referral").await.0, "delivered");
    let log = fs::read_to_string(rig.service.log_file()).unwrap();
    assert!(!log.contains("sesame") && !log.contains("barley"));
}

#[test]
fn a_certificate_that_nothing_can_be_encrypted_to_is_refused_by_name() {
    let papers = papers();
    let book = |file: &str| {
        let path = papers.path().join(file);
        let route = format!("route = {{ email = \"a@b.example\", certificate = \"{}\" }}", path.display());
        let partner = "[[partner]]\nid = \"p\"\nforce = \"kent\"\nname = \"p\"\nservices = [\"idva\"]\nphone = \"1\"\n";
        PartnerBook::read("book", &format!("{partner}{route}"), Profile::Production).map_err(|error| error.to_string())
    };
    assert!(book("partner.pem").is_ok());
    for (file, wrong) in [("curve.pem", "no RSA key"), ("small.pem", "2,048"), ("partner.key", "no certificate")] {
        let said = book(file).unwrap_err();
        assert!(said.starts_with("partner p: ") && said.contains(wrong), "{said}");
    }
}
