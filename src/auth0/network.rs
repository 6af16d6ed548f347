//! Why no usable answer came. Central type: [`NetworkFailure`].

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// A request without a usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFailure {
    /// What happened.
    pub cause: NetworkCause,
    /// Whether the server may have received the request. Where this is false it certainly has not.
    pub maybe_sent: bool,
    /// The innermost cause in the words of the system or library; holds no URL and no header.
    pub detail: String,
}

/// What happened to a request without a usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkCause {
    /// The name has no address: a wrong domain, or no network.
    UnknownHost,
    /// Nobody listens there.
    Refused,
    /// No secure connection: certificate or protocol.
    Tls,
    /// Somebody listens who does not speak TLS.
    NotTls,
    /// Somebody listens who answers plain HTTP with something else, such as TLS.
    NotHttp,
    /// Another failure to connect, time-outs included.
    Connect,
    /// Connected, but no complete answer in time.
    Timeout,
    /// The connection ended before an answer.
    Reset,
    /// An answer began and did not end, or was not what the API answers.
    CutOff,
}

impl NetworkCause {
    /// In a few words, to stand in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown host",
            Self::Refused => "connection refused",
            Self::Tls | Self::NotTls => "no secure connection",
            Self::NotHttp => "no HTTP there",
            Self::Connect => "cannot connect",
            Self::Timeout => "no answer in time",
            Self::Reset => "connection reset",
            Self::CutOff => "answer cut off or unreadable",
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::UnknownHost => "check the domain, and whether this machine has network access",
            Self::Refused => {
                "nothing listens at that address: check the domain and port, or start the sandbox"
            }
            Self::Tls => {
                "check the domain and this machine's clock; where a proxy or a sandbox signs with a certificate authority of its own, name the file of its certificate in SSL_CERT_FILE"
            }
            Self::NotTls => {
                "what listens there does not speak TLS: check the domain and port; a sandbox without --tls is an `http://` domain"
            }
            Self::NotHttp => {
                "what listens there does not speak plain HTTP: for a sandbox with --tls leave `http://` out of the domain"
            }
            Self::Connect => "check the network, and HTTPS_PROXY if there is a proxy",
            Self::Timeout => "try again, or allow more time with --timeout",
            Self::Reset | Self::CutOff => "try again; if it goes on, look at proxies on the way",
        }
    }
}

impl NetworkFailure {
    /// A 2xx answer whose body does not hold what it must.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self { cause: NetworkCause::CutOff, maybe_sent: true, detail: detail.into() }
    }

    /// Of a request whose answer did not begin.
    pub(crate) fn before_answer(error: &reqwest::Error) -> Self {
        let connecting = error.is_connect();
        let cause = match () {
            () if error.is_dns() => NetworkCause::UnknownHost,
            () if chain(error).any(is_no_tls) => NetworkCause::NotTls,
            () if chain(error).any(is_tls) => NetworkCause::Tls,
            () if connecting && chain(error).any(is_refused) => NetworkCause::Refused,
            () if connecting => NetworkCause::Connect,
            () if error.is_timeout() => NetworkCause::Timeout,
            () if is_plain(error) && innermost(error).contains("invalid HTTP version") => {
                NetworkCause::NotHttp
            }
            () => NetworkCause::Reset,
        };
        Self { cause, maybe_sent: !connecting && !error.is_builder(), detail: innermost(error) }
    }

    /// Of a request whose answer began and did not end.
    pub(crate) fn within_answer(error: &reqwest::Error) -> Self {
        let cause = if error.is_timeout() { NetworkCause::Timeout } else { NetworkCause::CutOff };
        Self { cause, maybe_sent: true, detail: innermost(error) }
    }

    /// Whether the name or the certificate is wrong for good, rather than for the moment.
    pub(crate) fn is_configuration(&self) -> bool {
        let passing = self.detail.to_lowercase().contains("temporary failure");
        let wrong = matches!(
            self.cause,
            NetworkCause::UnknownHost | NetworkCause::Tls | NetworkCause::NotTls | NetworkCause::NotHttp
        );
        wrong && !passing
    }
}

impl fmt::Display for NetworkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.as_str())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}

type Link<'a> = &'a (dyn StdError + 'static);

/// An error and its sources. What an `io::Error` carries is not its `source`, so it is looked for separately.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = Link<'_>> {
    std::iter::successors(Some(error as Link<'_>), inner)
}

fn inner<'a>(link: &Link<'a>) -> Option<Link<'a>> {
    let link: Link<'a> = *link;
    match link.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|carried| carried as Link<'_>),
        None => link.source(),
    }
}

/// Whether it was asked without TLS, as sandboxes alone are.
fn is_plain(error: &reqwest::Error) -> bool {
    error.url().is_some_and(|url| url.scheme() == "http")
}

fn is_refused(link: Link<'_>) -> bool {
    link.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused)
}

/// A first answer that is no TLS at all, such as that of a server of plain HTTP.
fn is_no_tls(link: Link<'_>) -> bool {
    let error = link.downcast_ref::<rustls::Error>();
    matches!(error, Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}

fn is_tls(link: Link<'_>) -> bool {
    link.is::<rustls::Error>()
}

/// The cause at the end of the chain, where the library says more than that something failed.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    match chain(error).last() {
        Some(last) if !last.is::<reqwest::Error>() => last.to_string(),
        _ => String::new(),
    }
}
