//! Everything at once: Postgres, NATS, a timestamp authority, the log's witness and the six services, each as its own process
//! on free ports (the authority answers from this one). Whoever calls one must say who they are, services among themselves too.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
};

mod clocks;
mod networks;
mod options;
mod secure;
mod witness;

use crate::{
    Durability, Error, Front, Issuer, Port, Postgres, Proxy, Service, TestNats, scratch::Scratch, service::key,
    tsa::Tsa, workspace,
};
pub use clocks::Clocks;
pub use networks::Networks;
pub use options::StackOptions;
pub use secure::Secure;

/// The services that keep something in a database of their own.
const WITH_DATABASE: [&str; 5] = ["intake", "call-transfer", "evidence-store", "referral", "video-session"];

/// A running stack; ends when dropped.
#[derive(Debug)]
pub struct Stack {
    // In the order in which they end.
    services: BTreeMap<&'static str, Service>,
    second: Option<Second>,
    /// Who remembers what the log has said.
    pub witness: Service,
    /// The services' Postgres.
    pub postgres: Postgres,
    /// The services' NATS.
    pub nats: TestNats,
    /// Who says when a seal was there.
    pub tsa: Tsa,
    /// Where officers sign in.
    pub issuer: Issuer,
    /// The session must know the console's origin, and the console the session's address: so this comes first.
    console: Port,
    /// What lies between them, if that was asked for.
    pub networks: Option<Networks>,
    /// The services' own wall clocks, if those were asked for and can be had.
    pub clocks: Option<Clocks>,
    secure: Secure,
    data: PathBuf,
    logs: PathBuf,
    _own_data: Option<Scratch>,
}

/// A second video-session, and how both are reached.
#[derive(Debug)]
struct Second {
    service: Service,
    front: Front,
    /// Its own way to Postgres.
    database: Proxy,
    /// To the second as long as it listens: so it carries what begins, and the first what it leaves behind.
    _grpc: Proxy,
}

impl Stack {
    /// Starts everything, in the order in which one needs the other.
    ///
    /// # Errors
    /// When a tool or a binary is missing, or something doesn't come up: with its log.
    pub async fn start(options: StackOptions) -> Result<Self, Error> {
        let own_data = match options.data_dir {
            Some(_) => None,
            None => Some(Scratch::new("stack-")?),
        };
        let given = options.data_dir.as_deref().or(own_data.as_ref().map(Scratch::path));
        let data = given.map(Path::to_owned).unwrap_or_default();
        let logs = options.log_dir.clone().unwrap_or_else(|| data.join("logs"));
        for folder in [&data, &logs] {
            fs::create_dir_all(folder).map_err(Error::io(format!("making {}", folder.display())))?;
        }
        let durability = if options.durable { Durability::On } else { Durability::Off };
        let console = Port::claim()?;
        let origin = format!("http://{}", console.address());
        let secure = Secure::new(&data.join("tls"))?;
        let (postgres, nats, tsa, issuer, witness) = tokio::try_join!(
            Postgres::launch(durability),
            TestNats::launch_guarded(&secure.identities),
            Tsa::start(),
            Issuer::start(&origin, options.access()),
            witness::start(&data, &logs)
        )?;
        let networks = match options.networks {
            true => Some(Networks::open(&postgres, &nats).await?),
            false => None,
        };
        let clocks = Clocks::find(options.clocks, data.join("clocks"))?;
        let (services, second) = (BTreeMap::new(), None);
        let (plan, _own_data) = (Plan { options, data: data.clone() }, own_data);
        let mut stack = Self {
            services,
            second,
            witness,
            postgres,
            nats,
            tsa,
            issuer,
            console,
            networks,
            clocks,
            secure,
            data,
            logs,
            _own_data,
        };
        fs::write(stack.tsa_roots(), stack.tsa.roots_pem()).map_err(Error::io("writing the authority's roots"))?;
        stack.up(&plan).await?;
        witness::introduce(&stack.data, &line(&stack.log_key())?)?;
        for (_, service) in stack.services() {
            service.ready().await?;
        }
        if let Some(second) = &stack.second {
            second.service.ready().await?;
        }
        Ok(stack)
    }

    async fn up(&mut self, plan: &Plan) -> Result<(), Error> {
        let console = self.console.address().to_string();
        let [intake, transfer, evidence, referral, session] = WITH_DATABASE;
        let one = |name| self.one(plan, name, Vec::new());
        let (a, b, c, ()) = tokio::try_join!(one(intake), one(transfer), one(evidence), self.prepare(plan, session))?;
        let asks = vec![(key(referral, "evidence__url"), c.url("grpc")), (key(referral, "intake__url"), a.url("grpc"))];
        let d = self.one(plan, referral, asks).await?;
        let store = match &mut self.networks {
            Some(networks) => c.url_at("grpc", &networks.evidence_at(c.address("grpc")).await?),
            None => c.url("grpc"),
        };
        let mut needs = vec![
            (key(session, "evidence__url"), store),
            (key(session, "intake__url"), a.url("grpc")),
            (key(session, "http__console_origins"), format!("http://{console}")),
        ];
        let mut alone = None;
        if plan.options.second_session {
            let front = Front::open().await?;
            needs.push((key(session, "http__public_url"), front.url()));
            let database = self.postgres.network().await?;
            let second = self.second(plan, &database, needs.clone()).await?;
            front.lead("second", second.address("http"));
            alone = Some((front, database, second));
        }
        let e = self.serve(plan, session, needs).await?;
        let (mut media, mut orders) = (e.url("http"), e.url("grpc"));
        if let Some((front, database, service)) = alone {
            let both = [&service, &e].map(|one| one.address("grpc").to_owned());
            let grpc = Proxy::to_first_of(both.into()).await?;
            (media, orders) = (front.url(), e.url_at("grpc", &grpc.address().to_string()));
            self.second = Some(Second { service, front, database, _grpc: grpc });
        }
        let sign_in = self.issuer.settings(&format!("http://{console}"));
        let mut needs = vec![
            (key("console", "http__listen"), console),
            (key("console", "web__media_origin"), media),
            (key("console", "web__root"), workspace().join("services/console/web/dist").display().to_string()),
        ];
        needs.extend(sign_in.map(|(setting, value)| (key("console", setting), value)));
        let upstreams = [("intake", &a), ("transfer", &b), ("evidence", &c), ("referral", &d)];
        needs.extend(upstreams.map(|(name, up)| (key("console", &format!("upstreams__{name}")), up.url("grpc"))));
        needs.push((key("console", "upstreams__session"), orders));
        let console = self.serve(plan, "console", needs).await?;
        self.services =
            [(intake, a), (transfer, b), (evidence, c), (referral, d), (session, e), ("console", console)].into();
        Ok(())
    }

    /// Another video-session, with a disk of its own.
    async fn second(&self, plan: &Plan, database: &Proxy, needs: Vec<(String, String)>) -> Result<Service, Error> {
        let name = "video-session";
        let mut env = needs;
        env.extend(self.env(plan, name));
        env.push((key(name, "instance__name"), "second".to_owned()));
        env.push((key(name, "database__url"), Postgres::url_over(database, &name.replace('-', "_"))));
        let (folder, logs) = (plan.data.join("second"), self.logs.join("second"));
        fs::create_dir_all(&logs).map_err(Error::io("a folder for the second video-session"))?;
        for (setting, own) in [("spool__dir", "spool"), ("spool__receipts_dir", "receipts")] {
            env.push((key(name, setting), folder.join(own).display().to_string()));
        }
        Service::start_in(name, &refs(&env), &logs).await
    }

    async fn one(&self, plan: &Plan, name: &'static str, needs: Vec<(String, String)>) -> Result<Service, Error> {
        self.prepare(plan, name).await?;
        self.serve(plan, name, needs).await
    }

    /// A service's database, with its tables.
    async fn prepare(&self, plan: &Plan, name: &str) -> Result<(), Error> {
        self.postgres.create_database(&name.replace('-', "_")).await?;
        let env = self.env(plan, name);
        Service::migrate(name, &refs(&env)).await
    }

    async fn serve(&self, plan: &Plan, name: &str, needs: Vec<(String, String)>) -> Result<Service, Error> {
        let mut env = needs;
        env.extend(self.env(plan, name));
        env.extend(Clocks::env(self.clocks.as_ref(), name)?);
        Service::start_in(name, &refs(&env), &self.logs).await
    }

    /// A service's settings as far as they don't come from another one.
    fn env(&self, plan: &Plan, name: &str) -> Vec<(String, String)> {
        let mut env = Vec::new();
        let mut set = |setting: &str, value: String| env.push((key(name, setting), value));
        if let Some(endpoint) = &plan.options.otlp_endpoint {
            set("telemetry__otlp_endpoint", endpoint.clone());
        }
        for (setting, value) in self.secure.settings(name, &self.issuer) {
            set(setting, value);
        }
        if WITH_DATABASE.contains(&name) {
            let (database, bus) = Networks::urls(self.networks.as_ref(), (&self.postgres, &self.nats), name);
            set("database__url", database);
            set("nats__url", bus);
        }
        let under = |folder: &str| plan.data.join(folder).display().to_string();
        match name {
            "evidence-store" => {
                set("journal__data_dir", under("evidence"));
                set("timestamping__url", self.tsa.url());
                set("timestamping__roots_file", self.tsa_roots().display().to_string());
                set("witness__url", self.witness.url("http"));
                // Without its key the service refuses to start, and says so.
                set("witness__key", line(&self.witness_key()).unwrap_or_default());
            }
            // Tests and demos are made at night too.
            "call-transfer" => set("hours__every_day", "00:00-24:00".to_owned()),
            "video-session" => {
                set("spool__dir", under("spool"));
                set("spool__receipts_dir", under("receipts"));
            }
            _ => {}
        }
        let own = key(name, "");
        env.extend(plan.options.env.iter().filter(|(key, _)| key.starts_with(&own)).cloned());
        env
    }

    /// A service by name.
    ///
    /// # Panics
    /// When there is no such service.
    #[must_use]
    #[expect(clippy::panic, reason = "a misspelt name in a test")]
    pub fn service(&self, name: &str) -> &Service {
        self.services.get(name).unwrap_or_else(|| panic!("no service {name}"))
    }

    /// A service by name, to kill or restart it.
    ///
    /// # Panics
    /// When there is no such service.
    #[expect(clippy::panic, reason = "a misspelt name in a test")]
    pub fn service_mut(&mut self, name: &str) -> &mut Service {
        self.services.get_mut(name).unwrap_or_else(|| panic!("no service {name}"))
    }

    /// Has the ingress, which led only to the second video-session so far, lead to both.
    pub fn lead_to_both(&self) {
        if let Some(Second { front, .. }) = &self.second {
            front.lead("1", self.service("video-session").address("http"));
        }
    }

    /// The second video-session, to kill or restart it.
    ///
    /// # Panics
    /// When none was asked for.
    #[expect(clippy::panic, reason = "a mistake in a test")]
    pub fn second_session(&mut self) -> &mut Service {
        self.second.as_mut().map_or_else(|| panic!("there is one video-session"), |second| &mut second.service)
    }

    /// The second video-session's way to Postgres, to cut it.
    ///
    /// # Panics
    /// When none was asked for.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake in a test")]
    pub fn second_database(&self) -> &Proxy {
        self.second.as_ref().map_or_else(|| panic!("there is one video-session"), |second| &second.database)
    }

    /// The services by name.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, &Service)> {
        self.services.iter().map(|(name, service)| (*name, service))
    }

    /// The gRPC URL of a service.
    #[must_use]
    pub fn grpc(&self, name: &str) -> String {
        self.service(name).url("grpc")
    }

    /// Who vouches for whom in it.
    #[must_use]
    pub fn secure(&self) -> &Secure {
        &self.secure
    }

    /// The neutral page that callers open.
    #[must_use]
    pub fn caller_page(&self) -> String {
        match &self.second {
            Some(second) => second.front.url(),
            None => self.service("video-session").url("http"),
        }
    }

    /// The officers' page.
    #[must_use]
    pub fn console(&self) -> String {
        self.service("console").url("http")
    }

    /// evidence-store's folder: its journals and, in development, its signing identity.
    #[must_use]
    pub fn evidence_dir(&self) -> PathBuf {
        self.data.join("evidence")
    }

    /// What a verifier of this stack's exhibits is to trust: the development identity's root.
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.evidence_dir().join("signing/roots.pem")
    }

    /// What a verifier is to trust for timestamps: the authority's root.
    #[must_use]
    pub fn tsa_roots(&self) -> PathBuf {
        self.data.join("tsa-roots.pem")
    }

    /// What a verifier is to trust for the log: its key, as one line.
    #[must_use]
    pub fn log_key(&self) -> PathBuf {
        self.evidence_dir().join("log/log.vkey")
    }

    /// What a verifier is to trust for the witness's word: its key, as one line.
    #[must_use]
    pub fn witness_key(&self) -> PathBuf {
        self.data.join("witness/witness.vkey")
    }

    /// Where the logs are.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Asks every service to end, those that others need last, and answers how each did.
    ///
    /// # Errors
    /// When one doesn't end: with its log.
    pub async fn stop(mut self) -> Result<Vec<(&'static str, ExitStatus)>, Error> {
        let mut ended = Vec::new();
        if let Some(second) = self.second.as_mut().filter(|second| second.service.pid() != 0) {
            ended.push(("video-session", second.service.terminate().await?));
        }
        for name in ["console", "video-session", "call-transfer", "intake", "referral", "evidence-store"] {
            if let Some(service) = self.services.get_mut(name).filter(|service| service.pid() != 0) {
                ended.push((name, service.terminate().await?));
            }
        }
        if self.witness.pid() != 0 {
            ended.push(("witness", self.witness.terminate().await?));
        }
        Ok(ended)
    }
}

struct Plan {
    options: StackOptions,
    data: PathBuf,
}

/// The one line of a key's file.
fn line(file: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(file).map_err(Error::io(format!("reading {}", file.display())))?;
    Ok(text.trim().to_owned())
}

fn refs(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}
