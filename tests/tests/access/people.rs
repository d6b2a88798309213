//! Everybody who might ask: by their certificate, and officers by a token over the console's.

use chassis::{
    Clock, Role, Tls, config,
    grpc::{Channel, Resending, connect_lazy},
};
use serde_json::json;
use testkit::{Papers, Secure, Stack, StackOptions};

/// Whose things are asked for.
pub const FORCE: &str = "wmp";
pub const ELSEWHERE: &str = "kent";
/// Who asks, if it is an officer.
pub const OFFICER: &str = "pc-okafor";
pub const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];

/// Somebody, and how the table calls them.
pub struct Person {
    pub name: String,
    /// None is somebody without a certificate.
    papers: Option<Papers>,
    pub token: Option<String>,
    /// Are they asking about their own force's things?
    pub at_home: bool,
}

/// A stack whose services ask who asks, and everybody.
pub struct House {
    pub stack: Stack,
}

impl House {
    pub async fn open() -> Self {
        Self { stack: Stack::start(StackOptions::default()).await.unwrap() }
    }

    fn secure(&self) -> &Secure {
        self.stack.secure()
    }

    /// Everybody, in the table's order.
    pub fn everybody(&self) -> Vec<Person> {
        let mut people = vec![Person { name: "nobody".into(), papers: None, token: None, at_home: true }];
        people.push(self.control_room("room", FORCE));
        people.push(self.control_room("room-elsewhere", ELSEWHERE));
        people.extend(SERVICES.map(|service| self.service(service)));
        people.extend(Role::ALL.map(|role| self.officer(role.word(), FORCE, &[role], 300)));
        people.push(self.officer("officer-elsewhere", ELSEWHERE, &Role::ALL, 300));
        people.push(self.officer("expired", FORCE, &Role::ALL, -300));
        people
    }

    pub fn control_room(&self, name: &str, force: &str) -> Person {
        let papers = self.secure().identities.control_room(force).unwrap();
        Person { name: name.to_owned(), papers: Some(papers), token: None, at_home: force == FORCE }
    }

    fn service(&self, name: &str) -> Person {
        let papers = Some(self.secure().papers(name));
        Person { name: name.to_owned(), papers, token: None, at_home: true }
    }

    /// [`OFFICER`] of a force, whose token is good for so many seconds.
    pub fn officer(&self, name: &str, force: &str, roles: &[Role], seconds: i64) -> Person {
        let now = Clock::system().now().timestamp();
        let roles: Vec<_> = roles.iter().map(|role| role.word()).collect();
        let claims = json!({
            "sub": OFFICER, "force": force, "roles": roles, "iat": now - 600, "exp": now + seconds,
        });
        let token = Some(self.stack.issuer.token(claims).unwrap());
        Person { name: name.to_owned(), token, at_home: force == FORCE, ..self.service("console") }
    }

    /// Somebody's way to the service that answers for an RPC.
    pub fn channel(&self, person: &Person, rpc: &str) -> Channel {
        let service = match rpc.split('.').nth(1).unwrap() {
            "transfer" => "call-transfer",
            "session" => "video-session",
            "evidence" => "evidence-store",
            other => other,
        };
        let section =
            person.papers.clone().map(|Papers { certificate, key, roots, .. }| config::Tls { certificate, key, roots });
        match section {
            Some(section) => connect_lazy(
                &self.stack.grpc(service),
                Tls::read(Some(&section), chassis::Clock::system()).unwrap().as_ref(),
            )
            .unwrap(),
            None => self.nameless(&self.stack.grpc(service)),
        }
    }

    /// A channel of somebody who believes the service, and shows nothing.
    fn nameless(&self, url: &str) -> Channel {
        use tonic::{
            service::interceptor::InterceptedService,
            transport::{Certificate, ClientTlsConfig, Endpoint},
        };
        let roots = self.secure().papers("console").roots;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(std::fs::read(roots).unwrap()));
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().tls_config(tls).unwrap();
        InterceptedService::new(Resending::new(endpoint.connect_lazy()), chassis::grpc::InjectTrace)
    }
}
