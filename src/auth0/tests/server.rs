//! A server whose every answer the test decides, and the values to talk to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::auth0::{Access, Backoff, Connection, Credential, Reserve, Settings};
use crate::model::event::ProgressSink;
use crate::model::{Domain, Endpoint, Paging, Scopes, Secret};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Header names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x{}", self.path)).unwrap();
        url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

/// What the server does with a request.
pub(super) enum Answer {
    Json(u16, Value),
    /// A status, headers and a body as they are.
    Raw(u16, &'static str, String),
    /// A success that ends in the middle of its body.
    CutOff(Value),
    /// Nothing: the connection is closed.
    Reset,
    /// Nothing at all, for a long time.
    Hang,
}

/// The server, and all that it was asked.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts one. `/oauth/token` is answered with tokens `token-1`, `token-2`, … unless `decide` does so.
    pub(super) async fn start(decide: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), log: Arc::default() };
        let (this, decide) = (server.clone(), Arc::new(decide));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (this, decide) = (this.clone(), Arc::clone(&decide));
                tokio::spawn(async move { this.serve(stream, &*decide).await });
            }
        });
        server
    }

    async fn serve(
        &self,
        mut stream: TcpStream,
        decide: &(dyn Fn(&Request) -> Option<Answer> + Send + Sync),
    ) {
        while let Some(request) = read(&mut stream).await {
            let tokens = {
                let mut log = self.log.lock().unwrap();
                log.push(request.clone());
                log.iter().filter(|request| request.path == "/oauth/token").count()
            };
            let answer = decide(&request).unwrap_or_else(|| {
                if request.path == "/oauth/token" {
                    Answer::Json(200, json!({"access_token": format!("token-{tokens}"), "expires_in": 86400, "scope": "read:clients update:clients"}))
                } else {
                    Answer::Json(404, json!({"statusCode": 404, "error": "Not Found", "message": "No such client", "errorCode": "inexistent_client"}))
                }
            });
            if !write(&mut stream, answer).await {
                return;
            }
        }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn count(&self, method: &str, path: &str) -> usize {
        self.requests().iter().filter(|r| r.method == method && r.path.starts_with(path)).count()
    }

    pub(super) fn access(&self) -> Access {
        let domain = Domain::parse(&format!("http://{}", self.address)).unwrap();
        let credential =
            Credential::ClientSecret { client_id: "own-client".into(), secret: Secret::new("s3cr3t-value") };
        Access { audience: domain.default_audience(), domain, credential }
    }

    pub(super) fn connect(&self) -> Connection {
        Connection::open("acme".into(), self.access(), quick(), ProgressSink::none()).unwrap()
    }
}

/// Settings that do not keep a test waiting.
pub(super) fn quick() -> Settings {
    Settings {
        backoff: Backoff { base: Duration::from_millis(2), cap: Duration::from_millis(5) },
        timeout: Duration::from_millis(400),
        reserve: Reserve::Tokens(0),
        ..Settings::default()
    }
}

pub(in crate::auth0) fn clients() -> Endpoint {
    Endpoint {
        path: "clients".into(),
        collection: "clients".into(),
        id_field: "client_id".into(),
        name_field: "name".into(),
        list_filter: vec![("is_global".into(), "false".into())],
        excluded_filter: vec![("is_global".into(), "true".into())],
        paging: Paging { numbers: true, totals: true, checkpoints: true },
        projection: true,
        offset_limit: 1000,
        page_size: 100,
        scopes: Scopes {
            read: vec!["read:clients".into()],
            update: vec!["update:clients".into()],
            create: vec!["create:clients".into()],
        },
        ..Endpoint::default()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head).unwrap();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let split =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<_> = lines.filter_map(split).collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, path, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// Tells whether the connection lives on.
async fn write(stream: &mut TcpStream, answer: Answer) -> bool {
    let (status, headers, body) = match answer {
        Answer::Json(status, body) => (status, "content-type: application/json\r\n", body.to_string()),
        Answer::Raw(status, headers, body) => (status, headers, body),
        Answer::CutOff(body) => {
            let body = body.to_string();
            let text = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}",
                body.len(),
                &body[..body.len() / 2]
            );
            let _ = stream.write_all(text.as_bytes()).await;
            return false;
        }
        Answer::Reset => return false,
        Answer::Hang => {
            tokio::time::sleep(Duration::from_secs(20)).await;
            return false;
        }
    };
    let text = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.is_ok()
}
