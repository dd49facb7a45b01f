//! The page served on loopback, and what is new of it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sortie_report::{Page, content_security_policy};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::source::Source;
use super::{ReportError, host};

type Answer = Response<Full<Bytes>>;

/// A server of one page.
pub(super) struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

/// What it serves.
struct Site {
    port: u16,
    /// The first part of the path. Every user of a machine can connect to its loopback address: only the
    /// one who is told knows this.
    secret: String,
    source: Mutex<Source>,
}

impl Server {
    /// Listens on 127.0.0.1; a port of 0 is any.
    pub(super) async fn bind(source: Source, port: u16) -> Result<Self, ReportError> {
        let listen = |cause| ReportError::Listen { port, cause };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        let secret = Uuid::new_v4().simple().to_string();
        let site = Arc::new(Site { port, secret, source: Mutex::new(source) });
        Ok(Self { listener, site })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.site.port, self.site.secret)
    }

    /// Serves until it is dropped.
    pub(super) async fn run(&self) {
        loop {
            // Out of descriptors, for one: it passes.
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            let site = Arc::clone(&self.site);
            let answer = service_fn(move |request: Request<Incoming>| {
                let answer = site.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A timer ends connections over which no request comes.
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), answer);
            tokio::spawn(connection);
        }
    }
}

impl Site {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        if !host::is_ours(host, self.port) {
            return said(StatusCode::FORBIDDEN, "not by that name");
        }
        if request.method() != Method::GET {
            return said(StatusCode::METHOD_NOT_ALLOWED, "only GET");
        }
        let path = request.uri().path().strip_prefix('/');
        let page = path.and_then(|path| path.split_once('/')).filter(|(it, _)| *it == self.secret);
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = match page.map(|(_, page)| page) {
            Some("") => page_of(&mut source),
            Some("changes") => changes(&mut source, request.uri().query(), request.headers()),
            _ => return said(StatusCode::NOT_FOUND, "nothing here: the address was printed"),
        };
        answered.unwrap_or_else(|error| said(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
    }
}

fn page_of(source: &mut Source) -> Result<Answer, ReportError> {
    source.refresh()?;
    let page = Page::Live { epoch: source.epoch() };
    let html = source.report().html(page).map_err(|_| ReportError::TooLarge)?;
    let mut answer = with_type(StatusCode::OK, "text/html; charset=utf-8", html);
    let policy = format!("{}; frame-ancestors 'none'", content_security_policy(page));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(answer)
}

/// What a page does not have that has so many rows, if there is anything new.
fn changes(
    source: &mut Source,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Answer, ReportError> {
    source.refresh()?;
    let number = |name: &str| {
        let mut fields = query.unwrap_or_default().split('&').filter_map(|it| it.split_once('='));
        fields.find(|(it, _)| *it == name).and_then(|(_, number)| number.parse::<u64>().ok())
    };
    let known = number("rows").and_then(|rows| usize::try_from(rows).ok());
    let known = known.filter(|known| *known <= source.report().candidates());
    let (Some(known), true) = (known, number("epoch") == Some(source.epoch())) else {
        return Ok(said(StatusCode::CONFLICT, "that page is of another state: load it again"));
    };
    let tag = format!("\"{}-{}\"", source.epoch(), source.version());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == tag.as_bytes()) {
        return Ok(with_type(StatusCode::NOT_MODIFIED, "application/json", ""));
    }
    let json = source.report().changes(known).map_err(|_| ReportError::TooLarge)?;
    let mut answer = with_type(StatusCode::OK, "application/json", json);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    Ok(answer)
}

fn said(status: StatusCode, text: &str) -> Answer {
    with_type(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn with_type(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
