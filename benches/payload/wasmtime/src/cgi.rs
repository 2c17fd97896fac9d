//! As much of RFC 3875 as the experiment's program uses.

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use crate::engine::Program;

/// Answers a request by an instance of its own.
pub async fn answer(
    program: &Program,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut variables = vec![
        ("GATEWAY_INTERFACE".to_owned(), "CGI/1.1".to_owned()),
        ("SERVER_PROTOCOL".to_owned(), "HTTP/1.1".to_owned()),
        ("REQUEST_METHOD".to_owned(), head.method.to_string()),
        ("SCRIPT_NAME".to_owned(), String::new()),
        ("PATH_INFO".to_owned(), head.uri.path().to_owned()),
        (
            "QUERY_STRING".to_owned(),
            head.uri.query().unwrap_or_default().to_owned(),
        ),
    ];
    if !body.is_empty() {
        variables.push(("CONTENT_LENGTH".to_owned(), body.len().to_string()));
    }
    for (name, value) in &head.headers {
        if let Ok(value) = value.to_str() {
            let name = match *name {
                CONTENT_TYPE => "CONTENT_TYPE".to_owned(),
                _ => format!(
                    "HTTP_{}",
                    name.as_str().replace('-', "_").to_ascii_uppercase()
                ),
            };
            variables.push((name, value.to_owned()));
        }
    }
    let response = match program.run(&variables, body).await {
        Ok(output) => response(output),
        Err(error) => {
            eprintln!("{error:?}");
            None
        }
    };
    Ok(response.unwrap_or_else(|| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

/// The response that a program has written, if it is one.
fn response(mut output: BytesMut) -> Option<Response<Full<Bytes>>> {
    let end = output.windows(2).position(|bytes| bytes == b"\n\n")?;
    let head = output.split_to(end + 2);
    let mut response = Response::new(Full::new(output.freeze()));
    for line in std::str::from_utf8(&head).ok()?.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        if name == "Status" {
            *response.status_mut() = value.parse().ok()?;
        } else {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_str(value).ok()?;
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}
