//! Has the plan's faults happen, and puts each right when its time is over: what an orchestrator does, and nobody's hand. A service that ends
//! without being killed is started again, too, and told of in the report.

use std::{io, time::Duration};

use testkit::{
    Clocks, Passage, Proxy, Service,
    road::{Loss, Way, Weather},
};
use tokio::time::{Instant, sleep_until};

use super::{
    Outcome,
    place::Place,
    plan::{Fault, Line, Manner, Plan, What},
};

/// Every service that runs as a process of its own.
pub(super) const PROCESSES: [&str; 7] =
    ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console", "witness"];

/// What came of the plan.
#[derive(Debug, Default)]
pub(super) struct Injected {
    /// Faults that happened: when one really began and ended, in milliseconds.
    pub(super) done: Vec<(Fault, u64, u64)>,
    /// Faults that couldn't be had here, and why.
    pub(super) left_out: Vec<(Fault, String)>,
    /// Services that ended, or didn't come up, by themselves, and how.
    pub(super) by_themselves: Vec<String>,
}

/// Breaks things, and mends them.
pub(super) struct Injector<'p> {
    place: &'p mut Place,
    began: Instant,
    is_told: bool,
    down: Vec<&'static str>,
    injected: Injected,
}

impl<'p> Injector<'p> {
    /// With the plan's times from here on.
    pub(super) fn new(place: &'p mut Place, began: Instant, is_told: bool) -> Self {
        Self { place, began, is_told, down: Vec::new(), injected: Injected::default() }
    }

    /// Plays it to the end of its last fault, and of its length.
    pub(super) async fn play(mut self, plan: &Plan) -> Injected {
        // With when each really began: one that was late lasts as long all the same.
        let mut open: Vec<(Fault, u64)> = Vec::new();
        let ends = |(fault, from): &(Fault, u64)| from + fault.lasts_ms;
        let mut coming = plan.faults.iter().copied().peekable();
        loop {
            open.sort_by_key(ends);
            let next_end = open.first().map(ends);
            let next_begin = coming.peek().map(|fault| fault.at_ms);
            match (next_begin, next_end) {
                (Some(begin), end) if end.is_none_or(|end| begin < end) => {
                    self.until(begin).await;
                    let Some(fault) = coming.next() else { continue };
                    self.tell(&format!("{}, for {} ms", fault.what, fault.lasts_ms));
                    match self.begin(fault.what).await {
                        Ok(()) => open.push((fault, self.now())),
                        Err(why) => self.injected.left_out.push((fault, why.to_string())),
                    }
                }
                (_, Some(end)) => {
                    self.until(end).await;
                    let (fault, from) = open.remove(0);
                    if let Err(why) = self.end(fault.what).await {
                        self.injected.by_themselves.push(format!("{}: {why}", fault.what));
                    }
                    self.injected.done.push((fault, from, self.now()));
                }
                (_, None) => break,
            }
            self.look_after().await;
        }
        self.until(plan.length_ms).await;
        self.look_after().await;
        self.tell("the last fault is over");
        self.injected
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn until(&self, ms: u64) {
        sleep_until(self.began + Duration::from_millis(ms)).await;
    }

    fn tell(&self, what: &str) {
        if self.is_told {
            eprintln!("{:>8.1} s  {what}", self.began.elapsed().as_secs_f64());
        }
    }

    fn service(&mut self, name: &'static str) -> &mut Service {
        match name {
            "witness" => &mut self.place.desk.stack.witness,
            name => self.place.desk.stack.service_mut(name),
        }
    }

    fn line(&self, line: Line) -> Outcome<&Proxy> {
        let networks = self.place.desk.stack.networks.as_ref();
        let found = networks.and_then(|networks| match line {
            Line::Database(service) => networks.database(service),
            Line::Bus(service) => networks.bus(service),
            Line::Evidence => networks.evidence(),
        });
        found.ok_or_else(|| "there is no such network".into())
    }

    fn clocks(&self) -> Outcome<&Clocks> {
        let clocks = self.place.desk.stack.clocks.as_ref();
        clocks.ok_or_else(|| "a process's clock can only be set where libfaketime is (Debian's package)".into())
    }

    async fn begin(&mut self, what: What) -> Outcome<()> {
        match what {
            What::Kill(name) => {
                self.down.push(name);
                self.service(name).kill().await?;
            }
            What::Freeze(name) => self.service(name).freeze()?,
            What::KillPostgres => self.place.desk.stack.postgres.crash().await?,
            What::FreezePostgres => self.place.desk.stack.postgres.freeze()?,
            What::KillNats => self.place.desk.stack.nats.stop().await?,
            What::FreezeNats => self.place.desk.stack.nats.freeze()?,
            What::Network(line, manner) => self.line(line)?.be(match manner {
                Manner::Slow(delay, lost) => {
                    Passage::Slow { delay: Duration::from_millis(delay.into()), lost: f64::from(lost) / 100.0 }
                }
                Manner::HalfOpen => Passage::HalfOpen,
                Manner::Cut => Passage::Cut,
            }),
            What::Full(disk) => match self.place.disks.get(&disk) {
                Some(disk) => disk.fill()?,
                None => return Err("a disk can only be filled where a tmpfs can be mounted: as root".into()),
            },
            What::Media(100) => self.place.road.cut(),
            What::Media(lost) => self.media(Loss::Random(f64::from(lost) / 100.0)),
            What::PartnerInTrouble => self.place.partner.in_trouble(true),
            What::Clock(name, ahead) => self.clocks()?.set(name, ahead.into())?,
        }
        Ok(())
    }

    async fn end(&mut self, what: What) -> Outcome<()> {
        match what {
            What::Kill(name) => {
                self.down.retain(|down| *down != name);
                self.service(name).restart().await?;
            }
            What::Freeze(name) => self.service(name).thaw()?,
            What::KillPostgres => self.place.desk.stack.postgres.start().await?,
            What::FreezePostgres => self.place.desk.stack.postgres.thaw()?,
            What::KillNats => self.place.desk.stack.nats.start().await?,
            What::FreezeNats => self.place.desk.stack.nats.thaw()?,
            What::Network(line, _) => self.line(line)?.heal(),
            What::Full(disk) => match self.place.disks.get(&disk) {
                Some(disk) => disk.clear()?,
                None => return Err(io::Error::from(io::ErrorKind::NotFound).into()),
            },
            What::Media(100) => self.place.road.heal(),
            What::Media(_) => self.media(Loss::None),
            What::PartnerInTrouble => self.place.partner.in_trouble(false),
            What::Clock(name, _) => self.clocks()?.set(name, 0)?,
        }
        Ok(())
    }

    fn media(&self, loss: Loss) {
        for way in [Way::Up, Way::Down] {
            self.place.road.weather(way, Weather { loss, ..Weather::default() });
        }
    }

    /// Starts again what isn't meant to be down.
    async fn look_after(&mut self) {
        for name in PROCESSES {
            if self.down.contains(&name) {
                continue;
            }
            let service = self.service(name);
            let how = match service.ended() {
                Ok(Some(status)) => format!("{name} ended with {status}"),
                Ok(None) if service.pid() == 0 => format!("{name} was down"),
                Ok(None) => continue,
                Err(why) => format!("{name}: {why}"),
            };
            let how = format!("{:.1} s: {how}\n{}", self.began.elapsed().as_secs_f64(), self.service(name).log());
            self.tell(&how);
            self.injected.by_themselves.push(how);
            if let Err(why) = self.service(name).restart().await {
                self.injected.by_themselves.push(format!("{name}: {why}"));
            }
        }
    }
}
