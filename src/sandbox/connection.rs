//! Connections, plain or encrypted, that can be cut from within: a listener whose streams answer a reset instead of a
//! response once told to. Central types: [`Connections`] and [`Cut`].

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The order to cut a connection: the next thing written to it breaks it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// Gives the order.
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was given.
    pub(super) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, Connections>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().cut.clone()
    }
}

/// A listener of such connections.
pub(super) struct Connections {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    /// Beside each other: a caller that is slow holds up no other.
    handshakes: JoinSet<Option<(Connection, SocketAddr)>>,
}

impl Connections {
    /// Connections that come in at a listener; encrypted where it is said how.
    pub(super) fn new(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        Self { listener, acceptor: tls.map(TlsAcceptor::from), handshakes: JoinSet::new() }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let (stream, address) = tokio::select! {
                accepted = Listener::accept(&mut self.listener) => accepted,
                Some(done) = self.handshakes.join_next() => match done {
                    Ok(Some(connection)) => return connection,
                    _ => continue,
                },
            };
            // Answers are small and each is waited for; without this, some would wait for an acknowledgement. Best effort.
            let _ = stream.set_nodelay(true);
            let Some(acceptor) = &self.acceptor else {
                return (Connection::over(Stream::Plain(stream)), address);
            };
            let handshake = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream));
            self.handshakes.spawn(async move {
                let stream = handshake.await.ok()?.ok()?;
                Some((Connection::over(Stream::Encrypted(Box::new(stream))), address))
            });
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection.
pub(super) struct Connection {
    stream: Stream,
    cut: Cut,
}

enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// What both kinds can do.
trait Channel: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Channel for T {}

impl Connection {
    fn over(stream: Stream) -> Self {
        Self { stream, cut: Cut::default() }
    }

    fn channel(&mut self) -> &mut dyn Channel {
        match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Encrypted(stream) => stream.as_mut(),
        }
    }

    /// With no time to linger, closing sends a reset in place of what is left to send.
    fn check(&self) -> io::Result<()> {
        if self.cut.is_cut() {
            let tcp = match &self.stream {
                Stream::Plain(stream) => stream,
                Stream::Encrypted(stream) => stream.get_ref().0,
            };
            tcp.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.channel()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(self.channel()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(self.channel()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Encrypted(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(self.channel()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(self.channel()).poll_shutdown(cx)
    }
}
