//! A pooler of transactions in small: one client at a time has two backends, and each statement
//! goes to the one that did not get the last.

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;

/// Runs until it is dropped.
pub(crate) struct Pooler {
    url: String,
    serving: JoinHandle<()>,
}

impl Pooler {
    /// Before the database of that URL.
    pub(crate) async fn start(database_url: &str) -> Self {
        let database: PgConnectOptions = database_url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "postgres://{user}:{user}@{}/{}?sslmode=disable",
            listener.local_addr().unwrap(),
            database.get_database().unwrap(),
            user = database.get_username(),
        );
        let serving = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(client, database.clone()));
            }
        });
        Self { url, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(database: &PgConnectOptions) -> Box<dyn Stream> {
    let port = database.get_port();
    if let Some(folder) = database.get_socket() {
        let socket = folder.join(format!(".s.PGSQL.{port}"));
        Box::new(UnixStream::connect(socket).await.unwrap())
    } else {
        let place = (database.get_host(), port);
        Box::new(TcpStream::connect(place).await.unwrap())
    }
}

/// Ends when the client or a backend does.
async fn serve(mut client: TcpStream, database: PgConnectOptions) -> Option<()> {
    let startup = read(&mut client, &[]).await?;
    let mut backends = [connect(&database).await, connect(&database).await];
    for (number, backend) in backends.iter_mut().enumerate() {
        backend.write_all(&startup).await.ok()?;
        let welcome = answers(backend).await?;
        if number == 0 {
            client.write_all(&welcome).await.ok()?;
        }
    }
    loop {
        for backend in &mut backends {
            // One statement: everything up to the message that asks for the answers.
            loop {
                let kind = client.read_u8().await.ok()?;
                let message = read(&mut client, &[kind]).await?;
                backend.write_all(&message).await.ok()?;
                if matches!(kind, b'Q' | b'S') {
                    break;
                }
            }
            let answers = answers(backend).await?;
            client.write_all(&answers).await.ok()?;
        }
    }
}

/// Every message of a backend, up to the one that says that it is ready for the next statement.
async fn answers(backend: &mut Box<dyn Stream>) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let kind = backend.read_u8().await.ok()?;
        all.extend(read(backend, &[kind]).await?);
        if kind == b'Z' {
            return Some(all);
        }
    }
}

/// The rest of a message, behind what was read of it: a length that counts itself, and as much.
async fn read(from: &mut (impl AsyncRead + Unpin), begun: &[u8]) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut message = begun.to_vec();
    message.extend(length.to_be_bytes());
    let begun = message.len();
    message.resize(begun + usize::try_from(length).ok()? - 4, 0);
    from.read_exact(&mut message[begun..]).await.ok()?;
    Some(message)
}
