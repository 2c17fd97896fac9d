//! The API on actix-web: `payload-actix ADDRESS`.

use std::{env, io};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    web::{self, Bytes, PayloadConfig, resource},
};
use payload_core::{Answer, JSON};

/// A worker for each processor that the process may run on.
#[actix_web::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let app = || {
        let payload = resource("/payload")
            .get(async |request: HttpRequest| response(payload_core::get(request.query_string())))
            .post(async |body: Bytes| response(payload_core::post(&body)))
            .default_service(web::to(async || response(payload_core::wrong_method())));
        let empty = resource("/empty")
            .get(async || response(payload_core::empty()))
            .default_service(web::to(async || response(payload_core::wrong_method())));
        App::new()
            .app_data(PayloadConfig::new(64 << 20))
            .service(payload)
            .service(empty)
            .default_service(web::to(async || response(payload_core::wrong_path())))
    };
    HttpServer::new(app).bind(address)?.run().await
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).expect("it is a status of HTTP");
    let mut response = HttpResponse::build(status);
    match answer.body.is_empty() {
        true => response.finish(),
        false => response.content_type(JSON).body(answer.body),
    }
}
