//! The variables of a request (RFC 3875, section 4.1).

use crate::router::Target;
use crate::server::Peer;
use hyper::header::{self, HeaderName};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Version};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Headers that are no variables `HTTP_…`. Some are variables of their own, or
/// speak of the connection and not of the request. `Proxy` would be the variable
/// that many programs take for the address of a proxy (CVE-2016-5385).
static WITHHELD: [HeaderName; 12] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy"),
    HeaderName::from_static("proxy-connection"),
];

/// The variables of a request. `body_bytes` is the length of its body, if that is
/// known.
///
/// As the RFC allows, a header whose name has an underscore is left out: it could
/// pass for another. `Authorization` is there, for it is the program that checks
/// it; there are no `AUTH_TYPE` and `REMOTE_USER`. The query is never made
/// arguments of the program (section 4.4).
pub(crate) fn variables(
    head: &Parts,
    target: &Target<'_>,
    peer: &Peer,
    body_bytes: Option<u64>,
) -> Vec<(OsString, OsString)> {
    let mut variables = Vec::with_capacity(14 + head.headers.len());
    let mut set = |name: &str, value: Vec<u8>| {
        variables.push((OsString::from(name), OsString::from_vec(value)));
    };
    set("GATEWAY_INTERFACE", b"CGI/1.1".into());
    set("SERVER_SOFTWARE", SOFTWARE.into());
    set("SERVER_PROTOCOL", protocol(head.version).into());
    set("SERVER_NAME", server_name(head, peer));
    set("SERVER_PORT", peer.local.port().to_string().into());
    set("REQUEST_METHOD", head.method.as_str().into());
    set("SCRIPT_NAME", target.script.into());
    set("PATH_INFO", target.rest.into());
    set("QUERY_STRING", target.query.into());
    set("REQUEST_URI", target.uri.into());
    let address = peer.remote.ip().to_canonical().to_string();
    set("REMOTE_HOST", address.clone().into());
    set("REMOTE_ADDR", address.into());
    set("REMOTE_PORT", peer.remote.port().to_string().into());
    if let Some(bytes) = body_bytes {
        set("CONTENT_LENGTH", bytes.to_string().into());
    }
    if let Some(value) = head.headers.get(header::CONTENT_TYPE) {
        set("CONTENT_TYPE", value.as_bytes().into());
    }
    for name in head.headers.keys() {
        if WITHHELD.contains(name) || name.as_str().contains('_') {
            continue;
        }
        let variable = format!("HTTP_{}", name.as_str().replace('-', "_"));
        set(&variable.to_ascii_uppercase(), joined(&head.headers, name));
    }
    variables
}

const SOFTWARE: &str = concat!("rwasm/", env!("CARGO_PKG_VERSION"));

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

/// The host that the client has asked for, or else the address that it came to.
fn server_name(head: &Parts, peer: &Peer) -> Vec<u8> {
    let asked = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    };
    let name = asked.map(|asked| match asked.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => asked,
    });
    match name {
        Some(name) if !name.is_empty() => name.into(),
        _ => peer.local.ip().to_canonical().to_string().into(),
    }
}

/// All values of a header as one (section 4.1.18).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    // RFC 9113, section 8.2.3: cookies may come in pieces.
    let separator: &[u8] = match *name {
        header::COOKIE => b"; ",
        _ => b", ",
    };
    let values: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes())
        .collect();
    values.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;
    use std::collections::HashMap;

    fn of(request: Request<()>) -> HashMap<String, String> {
        let peer = Peer {
            remote: "[::ffff:192.0.2.7]:5000".parse().unwrap(),
            local: "192.0.2.1:8080".parse().unwrap(),
        };
        let target = Target {
            script: b"/app",
            rest: b"/a b",
            query: "x=1&y",
            uri: "/app/a%20b?x=1&y",
        };
        let head = request.into_parts().0;
        variables(&head, &target, &peer, Some(3))
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    #[test]
    fn the_request_is_in_the_variables() {
        let request = Request::post("/app/a%20b?x=1&y")
            .header("Host", "example.org:8080")
            .header("Content-Type", "text/plain")
            .header("Content-Length", "3")
            .header("X-Twice", "1")
            .header("X-Twice", "2")
            .header("Cookie", "a=1")
            .header("Cookie", "b=2")
            .header("Authorization", "Bearer x")
            .header("Proxy", "http://evil.example")
            .header("X_Forged", "1")
            .header("Connection", "close");
        let found = of(request.body(()).unwrap());
        for (name, value) in [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", "POST"),
            ("SCRIPT_NAME", "/app"),
            ("PATH_INFO", "/a b"),
            ("QUERY_STRING", "x=1&y"),
            ("REQUEST_URI", "/app/a%20b?x=1&y"),
            ("SERVER_NAME", "example.org"),
            ("SERVER_PORT", "8080"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", "192.0.2.7"),
            ("REMOTE_PORT", "5000"),
            ("CONTENT_LENGTH", "3"),
            ("CONTENT_TYPE", "text/plain"),
            ("HTTP_X_TWICE", "1, 2"),
            ("HTTP_COOKIE", "a=1; b=2"),
            ("HTTP_AUTHORIZATION", "Bearer x"),
        ] {
            assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
        }
        for name in [
            "HTTP_PROXY",
            "HTTP_X_FORGED",
            "HTTP_CONNECTION",
            "HTTP_CONTENT_LENGTH",
            "HTTP_CONTENT_TYPE",
            "AUTH_TYPE",
        ] {
            assert!(!found.contains_key(name), "{name}");
        }
    }

    #[test]
    fn the_server_has_a_name_whatever_the_client_says() {
        for (host, name) in [
            (Some("example.org"), "example.org"),
            (Some("[::1]:80"), "[::1]"),
            (Some("[::1]"), "[::1]"),
            (Some(":80"), "192.0.2.1"),
            (None, "192.0.2.1"),
        ] {
            let mut request = Request::get("/");
            if let Some(host) = host {
                request = request.header("Host", host);
            }
            assert_eq!(of(request.body(()).unwrap())["SERVER_NAME"], name);
        }
    }
}
