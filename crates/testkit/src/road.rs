//! The network between phones and a server, as bad as a test wants it, which knows what it did: RTP's headers are in the
//! clear under SRTP, so of each stream it can say which packets it lost and which it let through.
//!
//! A relay, not `tc netem`: it needs no root and no kernel module, the same seed loses the same packets of a stream, and
//! the kernel could not say which ones it dropped. It stands at a loopback address of its own with the server's port; that
//! address is what the server advertises.

mod link;
mod stream;

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr, UdpSocket as Bound},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

pub use link::{Loss, Weather};
pub use stream::Stream;
use tokio::{
    net::UdpSocket,
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        watch,
    },
    time::sleep_until,
};
use tokio_util::task::AbortOnDropHandle;

use crate::Error;
use link::Link;
use stream::{Streams, is_media};

/// Larger than any datagram of a phone.
const LARGEST: usize = 2_048;

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From a phone to the server.
    Up,
    /// From the server to a phone.
    Down,
}

/// The road. It ends when dropped.
#[derive(Debug)]
pub struct Road {
    shared: Arc<Shared>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    seed: u64,
    front: Arc<UdpSocket>,
    state: Mutex<State>,
    parcels: UnboundedSender<Parcel>,
    /// How many datagrams are under way.
    under_way: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    weather: [Weather; 2],
    streams: [Streams; 2],
    phones: HashMap<SocketAddr, Phone>,
}

/// One connection of a phone: its own link each way, and the socket by which the server knows it.
#[derive(Debug)]
struct Phone {
    links: [Link; 2],
    back: Arc<UdpSocket>,
    _from_server: AbortOnDropHandle<()>,
}

/// A datagram under way.
#[derive(Debug)]
struct Parcel {
    arrives: Instant,
    bytes: Box<[u8]>,
    by: Arc<UdpSocket>,
    to: SocketAddr,
}

impl Road {
    /// Opens one at `at` (127.0.0.2, say), with the port of the `server` it leads to. The weather is clear.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn open(server: SocketAddr, at: IpAddr, seed: u64) -> Result<Self, Error> {
        let front = UdpSocket::bind((at, server.port())).await.map_err(Error::io("the road's address"))?;
        let (parcels, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            server,
            seed,
            front: Arc::new(front),
            state: Mutex::default(),
            parcels,
            under_way: watch::Sender::new(0),
        });
        let tasks =
            [tokio::spawn(Arc::clone(&shared).from_phones()), tokio::spawn(deliver(receiver, Arc::clone(&shared)))];
        Ok(Self { shared, _tasks: tasks.map(AbortOnDropHandle::new) })
    }

    /// Changes the weather one way, for every phone; each connection of a phone has links of its own.
    pub fn weather(&self, way: Way, weather: Weather) {
        self.shared.state().weather[way as usize] = weather;
    }

    /// Nothing gets through any more, either way. What is under way still arrives.
    pub fn cut(&self) {
        self.shared.state().cut = true;
    }

    /// Ends [`Road::cut`].
    pub fn heal(&self) {
        self.shared.state().cut = false;
    }

    /// The server sees every phone from a new port, and no longer reaches it by the old one, as when a router forgets.
    pub fn rebind(&self) {
        self.shared.state().phones.clear();
    }

    /// The RTP streams seen one way, in the order of their SSRCs.
    #[must_use]
    pub fn streams(&self, way: Way) -> Vec<Stream> {
        self.shared.state().streams[way as usize].all()
    }

    /// Waits until nothing is under way.
    pub async fn settled(&self) {
        // The sender lives in `self`, so waiting can't fail.
        let _ = self.shared.under_way.subscribe().wait_for(|under_way| *under_way == 0).await;
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        // The phones' tasks hold what they are kept in.
        self.rebind();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn from_phones(self: Arc<Self>) {
        let mut buffer = [0; LARGEST];
        loop {
            // An ICMP error of an earlier datagram is none of this one's.
            let Ok((length, phone)) = self.front.recv_from(&mut buffer).await else { continue };
            self.take(Way::Up, phone, &buffer[..length]);
        }
    }

    async fn from_server(self: Arc<Self>, back: Arc<UdpSocket>, phone: SocketAddr) {
        let mut buffer = [0; LARGEST];
        loop {
            let Ok((length, _)) = back.recv_from(&mut buffer).await else { continue };
            self.take(Way::Down, phone, &buffer[..length]);
        }
    }

    /// Decides what becomes of a datagram.
    fn take(self: &Arc<Self>, way: Way, phone: SocketAddr, datagram: &[u8]) {
        let now = Instant::now();
        let mut state = self.state();
        let State { cut, weather, streams, phones } = &mut *state;
        let (cut, weather) = (*cut, weather[way as usize]);
        let phone_of = match phones.get_mut(&phone) {
            Some(known) => known,
            None if way == Way::Up => match self.welcome(phone) {
                Ok(new) => phones.entry(phone).or_insert(new),
                Err(_) => return,
            },
            None => return,
        };
        let link = &mut phone_of.links[way as usize];
        // How a connection is made is not what the weather is for.
        let lost = cut || is_media(datagram) && streams[way as usize].loses(weather.loss, self.seed, way, datagram);
        let arrives = if lost { None } else { link.carry(now, &weather, datagram.len()) };
        streams[way as usize].note(datagram, arrives.is_some());
        let Some(arrives) = arrives else { return };
        let (by, to) = match way {
            Way::Up => (Arc::clone(&phone_of.back), self.server),
            Way::Down => (Arc::clone(&self.front), phone),
        };
        self.under_way.send_modify(|under_way| *under_way += 1);
        let _ = self.parcels.send(Parcel { arrives, bytes: datagram.into(), by, to });
    }

    /// A phone that was not seen before.
    fn welcome(self: &Arc<Self>, phone: SocketAddr) -> std::io::Result<Phone> {
        let socket = Bound::bind((self.server.ip(), 0))?;
        socket.set_nonblocking(true)?;
        let back = Arc::new(UdpSocket::from_std(socket)?);
        let from_server = tokio::spawn(Arc::clone(self).from_server(Arc::clone(&back), phone));
        let seeds = [Way::Up, Way::Down].map(|way| self.seed ^ way as u64);
        Ok(Phone { links: seeds.map(Link::new), back, _from_server: AbortOnDropHandle::new(from_server) })
    }
}

/// Delivers datagrams when their time has come; those of one instant in the order in which they were sent.
async fn deliver(mut parcels: UnboundedReceiver<Parcel>, shared: Arc<Shared>) {
    let (mut waiting, mut number) = (BTreeMap::new(), 0_u64);
    loop {
        let next = waiting.first_key_value().map(|((arrives, _), _): (&(Instant, u64), &Parcel)| *arrives);
        tokio::select! {
            parcel = parcels.recv() => {
                let Some(parcel) = parcel else { return };
                number += 1;
                waiting.insert((parcel.arrives, number), parcel);
            }
            () = sleep_until(next.unwrap_or_else(Instant::now).into()), if next.is_some() => {}
        }
        while let Some(due) = waiting.first_entry().filter(|due| due.key().0 <= Instant::now()) {
            let parcel = due.remove();
            // A phone that has gone.
            let _ = parcel.by.send_to(&parcel.bytes, parcel.to).await;
            shared.under_way.send_modify(|under_way| *under_way -= 1);
        }
    }
}
