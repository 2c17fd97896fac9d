//! The API on axum: `payload-axum ADDRESS`.

use std::{env, io};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use payload_core::{Answer, JSON};
use tokio::net::TcpListener;

/// A thread for each processor that the process may run on.
#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let payload = get(async |RawQuery(query): RawQuery| {
        response(payload_core::get(&query.unwrap_or_default()))
    })
    .post(async |body: Bytes| response(payload_core::post(&body)));
    let app = Router::new()
        .route("/payload", payload)
        .route("/empty", get(async || response(payload_core::empty())))
        .method_not_allowed_fallback(async || response(payload_core::wrong_method()))
        .fallback(async || response(payload_core::wrong_path()))
        .layer(DefaultBodyLimit::max(64 << 20));
    axum::serve(TcpListener::bind(address).await?, app).await
}

fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).expect("it is a status of HTTP");
    match answer.body.is_empty() {
        true => status.into_response(),
        false => (status, [(CONTENT_TYPE, JSON)], answer.body).into_response(),
    }
}
