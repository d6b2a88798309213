//! The control rooms of the whole country at once: 43 forces, 1,000 calls of theirs open, 5,000 screens that watch them; then calls are
//! opened and handed over at a steady pace. intake and call-transfer as processes, on a durable Postgres and a NATS of their own, without
//! certificates: a connection here carries the screens of several forces, and a certificate is one force's.

use std::{
    collections::HashMap,
    iter,
    time::{Duration, Instant},
};

use alcove_tests::control_room::ControlRoom;
use api::intake::v1::call_update::Kind;
use futures::{
    StreamExt, TryStreamExt,
    future::{try_join, try_join_all},
    stream,
};
use testkit::{Durability, Postgres, Service, TestNats, key};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    machine,
    samples::Samples,
};

/// Calls opened a second, and as many handed over: some twenty times what 1,000 calls of half an hour make.
const PACE: f64 = 10.0;
/// Screens on each call.
const SCREENS: usize = 5;
/// Streams on a connection: a server lets a client have 200.
const STREAMS: usize = 100;
/// Requests under way while the scene is set.
const TOGETHER: usize = 16;
const PATIENCE: Duration = Duration::from_secs(30);

/// How large it is.
struct Size {
    forces: usize,
    calls: usize,
    /// Calls opened, and calls handed over, while it is measured.
    paced: usize,
}

/// Measures OpenCall, and from a hand-over to the last of the screens that shows it.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let size = match quick {
        true => Size { forces: 4, calls: 40, paced: 20 },
        false => Size { forces: 43, calls: 1_000, paced: 500 },
    };
    let room = Room::open(&size).await?;
    let calls = room.open_calls(&size).await?;
    let before = machine::rss_mb(room.intake.pid())?;
    let (tell, told) = unbounded_channel();
    // Dropped at the end, and every screen with it.
    let mut screens = room.screens(&calls, tell).await?;
    let grown = machine::rss_mb(room.intake.pid())? - before;
    let streams = calls.len() * SCREENS;

    let handed: Vec<_> = calls.into_iter().take(size.paced).collect();
    let began = Instant::now();
    let used = machine::cpu_seconds(room.intake.pid())?;
    let (opened, shown) = try_join(room.open_paced(&size), room.hand_over_paced(&handed, told)).await?;
    let busy = (machine::cpu_seconds(room.intake.pid())? - used) / began.elapsed().as_secs_f64() * 100.0;
    if let Some(ended) = screens.try_join_next() {
        ended??;
        return Err("a screen's stream ended".into());
    }

    let scene = format!(
        "{} forces, {} calls open, {streams} WatchCall streams of as many screens in this process; {PACE}/s opened and as many \
         handed over",
        size.forces, size.calls,
    );
    let note = format!("{scene}; {} calls; p50 {:.1} ms, max {:.0} ms", opened.count(), opened.median(), opened.max());
    figures.add(Figure::new("open_call_p99_ms", opened.percentile(99.0), "ms", Target::None, note));
    let note = format!(
        "from sending RequestTransfer to the last of {SCREENS} screens that shows the call as queued: intake, the bus, \
         call-transfer, the bus, intake; {} calls; p50 {:.1} ms, max {:.0} ms",
        shown.count(),
        shown.median(),
        shown.max(),
    );
    figures.add(Figure::new("watch_update_p99_ms", shown.percentile(99.0), "ms", Target::None, note));
    let note = format!("intake's memory, {streams} streams; it used {busy:.0}% of a core while it was measured");
    figures.add(Figure::new("watch_stream_kb", grown * 1_024.0 / streams as f64, "kB", Target::None, note));
    Ok(())
}

/// The services, and each force's control room.
struct Room {
    control_rooms: Vec<ControlRoom>,
    // In the order in which they end.
    intake: Service,
    _transfer: Service,
    _nats: TestNats,
    _postgres: Postgres,
}

/// An open call: whose it is, by number, and its id.
type Open = (usize, String);
/// A call that a screen shows as queued, and when.
type Shown = (String, Instant);

impl Room {
    async fn open(size: &Size) -> Result<Self, Failure> {
        let (postgres, nats) = tokio::try_join!(Postgres::launch(Durability::On), TestNats::launch())?;
        let serve = async |name: &str| {
            let database = name.replace('-', "_");
            postgres.create_database(&database).await?;
            let mut env = vec![
                (key(name, "database__url"), postgres.url(&database)),
                (key(name, "nats__url"), nats.url().to_owned()),
            ];
            // At night too.
            let is_desk = name == "call-transfer";
            env.extend(is_desk.then(|| (key(name, "hours__every_day"), "00:00-24:00".to_owned())));
            let env: Vec<_> = env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            Service::migrate(name, &env).await?;
            let service = Service::start(name, &env).await?;
            service.ready().await?;
            Ok::<_, testkit::Error>(service)
        };
        let (intake, transfer) = try_join(serve("intake"), serve("call-transfer")).await?;
        let force = |number| {
            let channel = chassis::grpc::connect_lazy(&intake.url("grpc"), None)?;
            Ok::<_, Failure>(ControlRoom::new(channel, &format!("force-{number}")))
        };
        let control_rooms = (0..size.forces).map(force).collect::<Result<_, _>>()?;
        Ok(Self { control_rooms, intake, _transfer: transfer, _nats: nats, _postgres: postgres })
    }

    /// Calls that may be handed over.
    async fn open_calls(&self, size: &Size) -> Result<Vec<Open>, Failure> {
        let open = async |number: usize| {
            let whose = number % size.forces;
            let control_room = &self.control_rooms[whose];
            let call = control_room.open(&format!("{number:04}")).await?.call_id;
            control_room.triage(&call).await?;
            control_room.consent(&call).await?;
            Ok::<_, Failure>((whose, call))
        };
        stream::iter((0..size.calls).map(open)).buffer_unordered(TOGETHER).try_collect().await
    }

    /// The screens, on connections of their own; each has been told that its stream is there.
    async fn screens(
        &self,
        calls: &[Open],
        tell: UnboundedSender<Shown>,
    ) -> Result<JoinSet<Result<(), Failure>>, Failure> {
        let wanted: Vec<_> = calls.iter().flat_map(|call| iter::repeat_n(call, SCREENS)).collect();
        let mut screens = JoinSet::new();
        for group in wanted.chunks(STREAMS) {
            let channel = chassis::grpc::connect_lazy(&self.intake.url("grpc"), None)?;
            let open = group.iter().map(async |(whose, call)| {
                let control_room = ControlRoom::new(channel.clone(), &format!("force-{whose}"));
                control_room.watch(call, 0).await.map(|watch| (call.clone(), watch))
            });
            for (call, mut watch) in stream::iter(open).buffer_unordered(TOGETHER).try_collect::<Vec<_>>().await? {
                let tell = tell.clone();
                screens.spawn(async move {
                    watch.until(|kind| matches!(kind, Kind::Queued(_))).await?;
                    tell.send((call, Instant::now()))?;
                    // The screen stays open.
                    while watch.next().await?.is_some() {}
                    Ok(())
                });
            }
        }
        Ok(screens)
    }

    /// Milliseconds of OpenCall, each from when it was due.
    async fn open_paced(&self, size: &Size) -> Result<Samples, Failure> {
        let began = Instant::now();
        let opened = try_join_all((0..size.paced).map(|number| async move {
            let due = began + Duration::from_secs_f64((number as f64 + 0.5) / PACE);
            tokio::time::sleep_until(due.into()).await;
            self.control_rooms[number % size.forces].open(&format!("{}", size.calls + number)).await?;
            Ok::<_, Failure>(due.elapsed().as_secs_f64() * 1e3)
        }));
        Ok(opened.await?.into_iter().collect())
    }

    /// Milliseconds from sending each RequestTransfer to the last of its call's screens.
    async fn hand_over_paced(&self, calls: &[Open], told: UnboundedReceiver<Shown>) -> Result<Samples, Failure> {
        let began = Instant::now();
        let sent = try_join_all(calls.iter().enumerate().map(|(number, (whose, call))| async move {
            tokio::time::sleep_until((began + Duration::from_secs_f64(number as f64 / PACE)).into()).await;
            let sent = Instant::now();
            self.control_rooms[*whose].transfer(call).await?;
            Ok::<_, Failure>((call.as_str(), sent))
        }));
        let limit = Duration::from_secs_f64(calls.len() as f64 / PACE) + PATIENCE;
        let shown = tokio::time::timeout(limit, last_shown(told, calls.len()));
        let (sent, shown) = try_join(sent, async { Ok(shown.await) }).await?;
        let shown = shown.map_err(|_| "not every screen showed its call as queued")?;
        let took = |(call, sent): &(&str, Instant)| {
            shown.get(*call).map(|at| at.saturating_duration_since(*sent).as_secs_f64() * 1e3)
        };
        Ok(sent.iter().filter_map(took).collect())
    }
}

/// When the last screen of each call showed it, once all have.
async fn last_shown(mut told: UnboundedReceiver<Shown>, calls: usize) -> HashMap<String, Instant> {
    let mut last = HashMap::new();
    for _ in 0..calls * SCREENS {
        let Some((call, at)) = told.recv().await else { break };
        last.insert(call, at);
    }
    last
}
