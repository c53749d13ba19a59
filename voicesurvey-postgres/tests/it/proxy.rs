//! A proxy in front of PostgreSQL that cuts a connection at a message of the test's choice.
//!
//! It understands how the protocol frames its messages, and nothing of what they say. So a test can
//! cut at each message of a transaction in turn, in either direction, and it is the same message
//! each time: no chance and no timing is involved. Whatever came before the message was delivered,
//! the message and whatever comes after it is not.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
    BufWriter,
};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The largest message that is believed; a longer one means that the frames were misread.
const LARGEST_MESSAGE: usize = 64 << 20;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

/// Where to cut: instead of delivering this message, counted from 1 in its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) direction: Direction,
    pub(crate) message: u64,
}

impl Cut {
    /// One message later.
    pub(crate) const fn next(self) -> Self {
        Self {
            message: self.message + 1,
            ..self
        }
    }
}

/// What has passed since the count began, and where to cut.
#[derive(Debug, Default)]
struct Plan {
    to_server: u64,
    to_client: u64,
    cut: Option<Cut>,
    was_cut: bool,
    /// The server, too, has let go of the connection that was cut.
    is_over: bool,
}

impl Plan {
    /// Counts a message; `true` when it is the one at which to cut.
    fn counts(&mut self, direction: Direction) -> bool {
        let count = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        *count += 1;
        let here = Cut {
            direction,
            message: *count,
        };
        let hit = !self.was_cut && self.cut == Some(here);
        self.was_cut |= hit;
        hit
    }
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Notify,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    async fn until(&self, condition: impl Fn(&Plan) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(&self.plan()) {
                return;
            }
            changed.await;
        }
    }
}

/// Listens on a port of its own, and connects whoever comes to one server.
#[derive(Debug)]
pub(crate) struct Proxy {
    url: String,
    shared: Arc<Shared>,
    /// Ends with this value.
    _listener: JoinSet<()>,
}

impl Proxy {
    /// A proxy in front of the database of that URL.
    pub(crate) async fn before(url: &str) -> Self {
        let server: PgConnectOptions = url.parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, server.clone(), shared.clone()));
        let user = server.get_username();
        let database = server.get_database().unwrap();
        Self {
            // Encrypted messages have no frames to be seen. The role's password is its name.
            url: format!("postgres://{user}:{user}@127.0.0.1:{port}/{database}?sslmode=disable"),
            shared,
            _listener: tasks,
        }
    }

    /// The database's URL, by way of the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Counts messages from now on, and cuts at that one. Then everything passes again.
    pub(crate) fn arm(&self, cut: Option<Cut>) {
        *self.shared.plan() = Plan {
            cut,
            ..Plan::default()
        };
    }

    /// Cuts no more. Tells whether it has.
    pub(crate) fn disarm(&self) -> bool {
        let mut plan = self.shared.plan();
        plan.cut = None;
        plan.was_cut
    }

    /// Waits until the server has undone what was not committed on the connection that was cut.
    pub(crate) async fn cut_is_over(&self) {
        self.shared.until(|plan| plan.is_over).await;
    }

    /// Waits until that many messages have been counted, in both directions together.
    pub(crate) async fn has_passed(&self, messages: u64) {
        let passed = |plan: &Plan| plan.to_server + plan.to_client >= messages;
        self.shared.until(passed).await;
    }
}

async fn serve(listener: TcpListener, server: PgConnectOptions, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (server, shared) = (server.clone(), shared.clone());
        connections.spawn(async move {
            // A server that is down, and one that breaks off, look alike to the client.
            let _ = connect(client, server, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(client: TcpStream, server: PgConnectOptions, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    if let Some(folder) = server.get_socket() {
        let socket = PathBuf::from(folder).join(format!(".s.PGSQL.{}", server.get_port()));
        relay(client, UnixStream::connect(socket).await?, shared).await
    } else {
        let place = (server.get_host(), server.get_port());
        let upstream = TcpStream::connect(place).await?;
        upstream.set_nodelay(true)?;
        relay(client, upstream, shared).await
    }
}

/// Passes messages on until one side is gone, or until the cut.
async fn relay(
    mut client: TcpStream,
    server: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Shared,
) -> io::Result<()> {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (from_client, to_client) = client.split();
    let was_cut = tokio::select! {
        end = pass(from_client, &mut to_server, Direction::ToServer, shared) => end?,
        end = pass(&mut from_server, to_client, Direction::ToClient, shared) => end?,
    };
    if let Some(cut) = was_cut {
        // A client must be ready for both ways in which a connection ends.
        if cut.is_multiple_of(2) {
            client.set_zero_linger()?;
        }
        drop(client);
        // Whatever the server says about it. It lets go last, when it has undone everything.
        let _ = to_server.shutdown().await;
        let _ = tokio::io::copy(&mut from_server, &mut tokio::io::sink()).await;
        shared.plan().is_over = true;
        shared.changed.notify_waiters();
    }
    Ok(())
}

/// Passes messages on; at the end of the stream `None`, at the cut the number of its message.
async fn pass(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    direction: Direction,
    shared: &Shared,
) -> io::Result<Option<u64>> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    // Only the client's first message has no type.
    let mut type_length = usize::from(direction == Direction::ToClient);
    while !from.fill_buf().await?.is_empty() {
        let message = read_message(&mut from, type_length).await?;
        type_length = 1;
        if shared.plan().counts(direction) {
            to.flush().await?;
            return Ok(shared.plan().cut.map(|cut| cut.message));
        }
        shared.changed.notify_waiters();
        to.write_all(&message).await?;
        if from.buffer().is_empty() {
            to.flush().await?;
        }
    }
    Ok(None)
}

/// One message: its type, its length, which counts itself, and the rest.
async fn read_message(
    from: &mut (impl AsyncRead + Unpin),
    type_length: usize,
) -> io::Result<Vec<u8>> {
    let mut message = vec![0; type_length + 4];
    from.read_exact(&mut message).await?;
    let mut length = [0; 4];
    length.copy_from_slice(&message[type_length..]);
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
    assert!(
        (4..LARGEST_MESSAGE).contains(&length),
        "no message of PostgreSQL is {length} bytes long"
    );
    message.resize(type_length + length, 0);
    from.read_exact(&mut message[type_length + 4..]).await?;
    Ok(message)
}
