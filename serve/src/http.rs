//! HTTP: connections, and what becomes of a request.

use crate::body::ResponseBody;
use crate::cgi::{Answer, Means, plain};
use crate::metrics::Metrics;
use crate::record::{Problem, Record};
use crate::router::{self, Router, Target};
use crate::server::Peer;
use crate::tunables::{HEAD_TIMEOUT, MAX_LOCAL_REDIRECTS, MAX_STREAMS};
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) means: Means,
    pub(crate) metrics: Metrics,
    /// The most bytes of a request's head.
    pub(crate) max_head: usize,
    /// Whether the server was told to stop.
    pub(crate) stopping: AtomicBool,
}

impl Site {
    /// From now on no new requests are taken.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        tracing::info!("stopping");
    }
}

/// What a client of HTTP/2 sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves a connection to its end.
pub(crate) async fn serve(site: Arc<Site>, stream: TcpStream, peer: Peer, watcher: Watcher) {
    let Ok(Ok(version_2)) = timeout(HEAD_TIMEOUT, speaks_http_2(&stream)).await else {
        return;
    };
    let max_head = site.max_head;
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.handle(request, peer).await) }
    });
    let stream = TokioIo::new(stream);
    // That a connection fails is the client's doing, or a response that could not
    // be completed, which is in the access log.
    if version_2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(max_head).unwrap_or(u32::MAX))
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(HEAD_TIMEOUT)
            .serve_connection(stream, service);
        let _ = watcher.watch(connection).await;
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            // hyper reads heads of 8 KiB at least.
            .max_buf_size(max_head.max(8 << 10))
            .serve_connection(stream, service);
        let _ = watcher.watch(connection).await;
    }
}

/// Whether a client begins in HTTP/2 without having asked.
async fn speaks_http_2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; PREFACE.len()];
    loop {
        let len = stream.peek(&mut first).await?;
        if len == 0 || !PREFACE.starts_with(&first[..len]) {
            return Ok(false);
        }
        if len == PREFACE.len() {
            return Ok(true);
        }
        // It is in pieces. The socket is ready whether more is there or not.
        sleep(Duration::from_millis(2)).await;
    }
}

impl Site {
    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<ResponseBody> {
        let (mut head, body) = request.into_parts();
        let mut body = (!body.is_end_stream()).then_some(body);
        let mut record = Record::new(Instant::now(), peer.remote, &head);
        for _ in 0..=MAX_LOCAL_REDIRECTS {
            let Some(path) = router::decode(head.uri.path()) else {
                return plain(StatusCode::BAD_REQUEST, record);
            };
            let Some((cgi, script, rest)) = self.router.find(&path) else {
                return plain(StatusCode::NOT_FOUND, record);
            };
            record.belongs_to(cgi.metrics());
            let uri = head.uri.clone();
            let target = Target {
                script,
                rest,
                query: uri.query().unwrap_or(""),
                uri: uri.path_and_query().map_or("", |uri| uri.as_str()),
            };
            let answer = cgi.answer(&self.means, &head, body.take(), &target, &peer, record);
            match answer.await {
                Answer::Response(response) => return response,
                Answer::Elsewhere(path, unanswered) => {
                    record = unanswered;
                    if let Err(problem) = redirect(&mut head, &path) {
                        record.failed(problem);
                        return plain(StatusCode::BAD_GATEWAY, record);
                    }
                }
            }
        }
        record.failed(Problem {
            kind: "redirect",
            message: format!("it was sent on more than {MAX_LOCAL_REDIRECTS} times"),
        });
        plain(StatusCode::BAD_GATEWAY, record)
    }
}

/// Makes of a request the one that a program has asked for in its place.
fn redirect(head: &mut Parts, path: &str) -> Result<(), Problem> {
    let uri: Uri = path.parse().map_err(|_| Problem {
        kind: "redirect",
        message: format!("it sent the request on to {path:?}, which is no path"),
    })?;
    let mut parts = uri.into_parts();
    let old = std::mem::take(&mut head.uri).into_parts();
    (parts.scheme, parts.authority) = (old.scheme, old.authority);
    head.uri = Uri::from_parts(parts).unwrap_or_default();
    if head.method != Method::HEAD {
        head.method = Method::GET;
    }
    for name in [
        hyper::header::CONTENT_LENGTH,
        hyper::header::CONTENT_TYPE,
        hyper::header::TRANSFER_ENCODING,
    ] {
        head.headers.remove(name);
    }
    Ok(())
}
