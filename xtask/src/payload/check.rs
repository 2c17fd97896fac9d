//! Whether all arms give the same answers.

use super::{arms::Arms, http, options::Options, servers::Servers};
use crate::error::{Error, Result};

/// A request, with a body if it is a `POST`.
struct Request {
    method: &'static str,
    target: String,
    body: Option<Vec<u8>>,
}

/// Asks every arm for the same, and compares with the first one byte by byte.
pub fn all(arms: &Arms, options: &Options) -> Result<()> {
    let mut requests = errors();
    for items in [1, 2, 100, 5000, 40_000] {
        requests.push(get(&format!("/payload?items={items}")));
    }
    let mut expected = Vec::new();
    for arm in &arms.arms {
        let servers = Servers::start(arm, 1, options)?;
        let address = servers.addresses()[0].clone();
        let ask = |request: &Request| {
            let Request {
                method,
                target,
                body,
            } = request;
            let failed = |source| Error::Asked {
                arm: arm.name,
                request: format!("{method} {target}"),
                source,
            };
            http::ask(&address, method, target, body.as_deref()).map_err(failed)
        };
        if expected.is_empty() {
            // What is sent to be checked is what was built, whole and damaged.
            let built = ask(&get("/payload?items=5000"))?.body;
            requests.extend(posts(&built));
        }
        for (index, request) in requests.iter().enumerate() {
            let answer = ask(request)?;
            match expected.get(index) {
                None => expected.push(answer),
                Some(expected) if *expected == answer => {}
                Some(_) => {
                    return Err(Error::OtherAnswer {
                        arm: arm.name,
                        request: format!("{} {} (number {index})", request.method, request.target),
                    });
                }
            }
        }
        eprintln!(
            "{}: {} answers, all as they must be",
            arm.name,
            requests.len()
        );
    }
    Ok(())
}

fn get(target: &str) -> Request {
    Request {
        method: "GET",
        target: target.to_owned(),
        body: None,
    }
}

fn errors() -> Vec<Request> {
    let mut requests: Vec<Request> = [
        "/empty",
        "/",
        "/payload",
        "/payload?items=0",
        "/payload?items=200001",
        "/payload?items=x",
        "/nothing?items=1",
    ]
    .map(get)
    .into();
    for target in ["/payload", "/empty"] {
        requests.push(Request {
            method: "PUT",
            target: target.to_owned(),
            body: Some(b"{}".to_vec()),
        });
    }
    requests
}

fn posts(built: &[u8]) -> Vec<Request> {
    let text = String::from_utf8_lossy(built);
    let mut bodies = vec![
        built.to_vec(),
        built[..built.len() / 2].to_vec(),
        Vec::new(),
        b"{\"items\":[],\"checksum\":0}".to_vec(),
        b" {\"unknown\":null,\"checksum\":1,\"items\":[]}\n".to_vec(),
    ];
    for (old, new) in [
        ("\"id\":17,", "\"id\":18,"),
        (
            "\"name\":\"",
            "\"name\":\"0123456789012345678901234567890123456789012345678901234567890123456789",
        ),
        ("\"active\":true", "\"active\":1"),
        ("\"price\":", "\"price\":-"),
        ("\"quantity\":", "\"quantity\":1000"),
        ("\"tags\":[", "\"tags\":[1,"),
        (
            "\"tags\":[",
            "\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",",
        ),
        ("\"x\":", "\"y\":"),
        ("\"x\":-", "\"x\":"),
        ("\"checksum\":", "\"checksum\":1"),
    ] {
        bodies.push(text.replacen(old, new, 1).into_bytes());
    }
    let post = |body| Request {
        method: "POST",
        target: "/payload".to_owned(),
        body: Some(body),
    };
    bodies.into_iter().map(post).collect()
}
