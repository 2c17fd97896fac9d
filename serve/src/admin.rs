//! What whoever runs the server asks for, on an address of its own: `/healthz`
//! and `/metrics`.

use crate::http::Site;
use crate::tunables::{ACCEPT_PAUSE, HEAD_TIMEOUT, MAX_ADMIN_CONNECTIONS};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Answers for ever.
pub(crate) async fn serve(site: Arc<Site>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(MAX_ADMIN_CONNECTIONS));
    loop {
        let place = Arc::clone(&room).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&site, &request);
                async { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // That it fails is the client's doing.
            let _ = connection.await;
            drop(place);
        });
    }
}

fn answer(site: &Site, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => match site.stopping.load(Ordering::Relaxed) {
            false => (StatusCode::OK, "ok\n".to_owned()),
            true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
        },
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let (queued, running) = site.means.pool.load();
            (StatusCode::OK, site.metrics.text(queued, running))
        }
        (_, "/healthz" | "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned()),
        _ => {
            let text = "here are /healthz and /metrics\n";
            (StatusCode::NOT_FOUND, text.to_owned())
        }
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
