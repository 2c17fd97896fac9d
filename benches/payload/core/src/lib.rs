//! The API of the payload experiment (`../README.md`), without a network.
//!
//! The same code is in the native servers and in the WASI programs.

mod build;
mod check;
mod document;
pub mod words;

use serde::Serialize;

/// The content type of an answer that has a body.
pub const JSON: &str = "application/json";

/// The most items that may be asked for.
const MAX_ITEMS: u32 = 200_000;

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

/// Answers a request, whatever it asks for.
pub fn answer(method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
    match (path, method) {
        ("/payload", "GET") => get(query),
        ("/payload", "POST") => post(body),
        ("/empty", "GET") => empty(),
        ("/payload" | "/empty", _) => wrong_method(),
        _ => wrong_path(),
    }
}

/// `GET /payload?items=N`
pub fn get(query: &str) -> Answer {
    let items = query
        .strip_prefix("items=")
        .and_then(|items| items.parse().ok());
    match items {
        Some(items @ 1..=MAX_ITEMS) => json(200, &build::document(items)),
        _ => error(400, "items"),
    }
}

/// `POST /payload`
pub fn post(body: &[u8]) -> Answer {
    let Ok(document) = serde_json::from_slice(body) else {
        return error(400, "document");
    };
    match check::summary(&document) {
        Ok(summary) => json(200, &summary),
        Err(wrong) => json(422, &wrong),
    }
}

/// `GET /empty`
pub fn empty() -> Answer {
    Answer {
        status: 200,
        body: Vec::new(),
    }
}

/// Another method of a path that there is.
pub fn wrong_method() -> Answer {
    error(405, "method")
}

/// A path that there is not.
pub fn wrong_path() -> Answer {
    error(404, "path")
}

fn error(status: u16, error: &'static str) -> Answer {
    json(status, &check::Wrong { error, item: None })
}

fn json(status: u16, value: &impl Serialize) -> Answer {
    // A buffer never fails, and all keys are strings.
    let body = serde_json::to_vec(value).expect("it can be written as JSON");
    Answer { status, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_passes_the_checks() {
        let built = get("items=100");
        assert_eq!(built.status, 200);
        let answered = post(&built.body);
        let text = String::from_utf8(answered.body).expect("it is text");
        assert_eq!(answered.status, 200, "{text}");
        assert!(text.starts_with("{\"items\":100,\"active\":"), "{text}");
    }

    #[test]
    fn what_was_changed_fails_a_check() {
        let built = String::from_utf8(get("items=3").body).expect("it is text");
        let cases = [
            ("\"id\":1,", "\"id\":2,", 422, "\"id\",\"item\":1"),
            ("\"price\":", "\"price\":-", 422, "\"price\",\"item\":0"),
            ("\"x\":-", "\"x\":", 422, "\"checksum\""),
            ("\"checksum\":", "\"sum\":", 400, "\"document\""),
            ("]", "", 400, "\"document\""),
        ];
        for (old, new, status, body) in cases {
            let changed = built.replacen(old, new, 1);
            let answered = post(changed.as_bytes());
            let body = format!("{{\"error\":{body}}}");
            assert_eq!(answered.body, body.as_bytes(), "{changed}");
            assert_eq!(answered.status, status);
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        let cases = [
            ("GET", "/payload", "items=0", 400),
            ("GET", "/payload", "items=200001", 400),
            ("GET", "/payload", "", 400),
            ("PUT", "/payload", "", 405),
            ("POST", "/empty", "", 405),
            ("GET", "/", "", 404),
            ("GET", "/empty", "", 200),
        ];
        for (method, path, query, status) in cases {
            let answered = answer(method, path, query, b"");
            assert_eq!(answered.status, status, "{method} {path} {query}");
        }
    }
}
