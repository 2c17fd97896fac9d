//! The head of a program's response (RFC 3875, section 6).

use crate::tunables::MAX_RESPONSE_HEAD;
use bytes::{Bytes, BytesMut};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use std::str::FromStr;
use thiserror::Error;

/// What a program says before the body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The bytes of the body, if the program tells.
    pub(crate) length: Option<u64>,
    /// The path of this server whose answer is to be the response.
    pub(crate) elsewhere: Option<String>,
}

/// Why what a program has printed is no head.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum HeadError {
    #[error("it ended without having printed headers and an empty line behind them")]
    Missing,
    #[error("its headers have more than {MAX_RESPONSE_HEAD} bytes")]
    TooLong,
    #[error("it printed a status line; `Status: 200 OK` is how a program says it")]
    StatusLine,
    #[error("line {0} of its headers is not `Name: value`")]
    Line(usize),
    #[error("its headers give {0} twice")]
    Twice(&'static str),
    #[error("its `Status` is not from 200 to 599")]
    Status,
    #[error("its `Content-Length` is no number")]
    Length,
    #[error("it printed an empty line only, and no header")]
    Empty,
}

/// Headers that speak of the connection, which is not the program's.
static CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Looks for the end of a head in output that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// Bytes that were looked at already.
    seen: usize,
    /// Where the line begins that they end in.
    line: usize,
}

impl Finder {
    /// Takes the head off the output, the empty line behind it included; `None`
    /// as long as there is none.
    pub(crate) fn find(&mut self, output: &mut BytesMut) -> Option<Result<Bytes, HeadError>> {
        let end = output.len().min(MAX_RESPONSE_HEAD);
        while self.seen < end {
            let at = self.seen;
            self.seen += 1;
            if output[at] != b'\n' {
                continue;
            }
            if matches!(&output[self.line..at], b"" | b"\r") {
                return Some(Ok(output.split_to(at + 1).freeze()));
            }
            self.line = at + 1;
        }
        (self.seen >= MAX_RESPONSE_HEAD).then_some(Err(HeadError::TooLong))
    }
}

impl Head {
    /// From all its lines.
    pub(crate) fn parse(text: &[u8]) -> Result<Head, HeadError> {
        let mut headers = HeaderMap::new();
        let (mut status, mut location, mut length) = (None, None, None);
        let lines = text.split(|&byte| byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut count = 0;
        for line in lines.take_while(|line| !line.is_empty()) {
            count += 1;
            if count == 1 && line.starts_with(b"HTTP/") {
                return Err(HeadError::StatusLine);
            }
            let (name, value) = field(line).ok_or(HeadError::Line(count))?;
            if name == "status" {
                let code = parse_status(&value).ok_or(HeadError::Status)?;
                once(&mut status, code, "Status")?;
            } else if name == header::LOCATION {
                once(&mut location, value, "Location")?;
            } else if name == header::CONTENT_LENGTH {
                let number = parse_length(&value).ok_or(HeadError::Length)?;
                once(&mut length, number, "Content-Length")?;
            } else if name == header::CONTENT_TYPE && headers.contains_key(&name) {
                return Err(HeadError::Twice("Content-Type"));
            } else if !CONNECTION.contains(&name) {
                headers.append(name, value);
            }
        }
        if count == 0 {
            return Err(HeadError::Empty);
        }
        // Section 6.2.2: a path of this server, and nothing else.
        let elsewhere = match &location {
            Some(path) if status.is_none() => path.to_str().ok().filter(|path| is_local(path)),
            _ => None,
        };
        let elsewhere = elsewhere.map(str::to_owned);
        let redirects = location.is_some();
        if let Some(location) = location {
            headers.insert(header::LOCATION, location);
        }
        Ok(Head {
            status: status.unwrap_or(match redirects {
                true => StatusCode::FOUND,
                false => StatusCode::OK,
            }),
            headers,
            length,
            elsewhere,
        })
    }
}

fn is_local(path: &str) -> bool {
    // `//host` is another server's.
    path.starts_with('/') && !path.starts_with("//")
}

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}

fn once<T>(place: &mut Option<T>, value: T, name: &'static str) -> Result<(), HeadError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(HeadError::Twice(name)),
    }
}

/// `404 Not Found`; the words are for people.
fn parse_status(value: &HeaderValue) -> Option<StatusCode> {
    let text = value.to_str().ok()?;
    let code = text.split(' ').next()?;
    let code = StatusCode::from_str(code).ok()?;
    (200..600).contains(&code.as_u16()).then_some(code)
}

fn parse_length(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        for (text, head) in [
            ("A: b\n\nbody", "A: b\n\n"),
            ("A: b\r\n\r\n\nbody", "A: b\r\n\r\n"),
            ("A: b\r\n\nbody", "A: b\r\n\n"),
            ("\nbody", "\n"),
        ] {
            // In whatever pieces it comes.
            let (mut finder, mut output) = (Finder::default(), BytesMut::new());
            let mut found = None;
            for byte in text.bytes() {
                output.extend_from_slice(&[byte]);
                found = found.or_else(|| finder.find(&mut output));
            }
            assert_eq!(found.unwrap().unwrap(), head, "{text:?}");
            assert_eq!(output, &text[head.len()..], "{text:?}");
        }
        let mut output = BytesMut::from(&b"A: b\nC"[..]);
        assert_eq!(Finder::default().find(&mut output), None);
        let mut output = BytesMut::from(&[b'x'; MAX_RESPONSE_HEAD][..]);
        let found = Finder::default().find(&mut output);
        assert_eq!(found, Some(Err(HeadError::TooLong)));
    }

    #[test]
    fn what_a_head_says() {
        for (text, status, location, elsewhere) in [
            ("Content-Type: text/plain\n\n", 200, None, None),
            ("Status: 404 Not Found\r\n\r\n", 404, None, None),
            ("STATUS:204\n\n", 204, None, None),
            (
                "Location: https://a.example/\n\n",
                302,
                Some("https://a.example/"),
                None,
            ),
            (
                "Location: //a.example/\n\n",
                302,
                Some("//a.example/"),
                None,
            ),
            ("Location: /x?y\n\n", 302, Some("/x?y"), Some("/x?y")),
            ("Location: /x\nStatus: 301\n\n", 301, Some("/x"), None),
        ] {
            let head = Head::parse(text.as_bytes()).expect(text);
            assert_eq!(head.status.as_u16(), status, "{text:?}");
            let found = head.headers.get("location").map(|l| l.to_str().unwrap());
            assert_eq!(found, location, "{text:?}");
            assert_eq!(head.elsewhere.as_deref(), elsewhere, "{text:?}");
        }
        let text = "Set-Cookie: a\nset-cookie: b\nConnection: close\nContent-Length: 7\n\n";
        let head = Head::parse(text.as_bytes()).unwrap();
        let cookies: Vec<_> = head.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a", "b"]);
        assert_eq!(head.length, Some(7));
        assert_eq!(head.headers.len(), 2);
    }

    #[test]
    fn what_is_no_head() {
        for (text, error) in [
            ("\n", HeadError::Empty),
            ("hello\n\n", HeadError::Line(1)),
            ("A: b\n c\n\n", HeadError::Line(2)),
            ("A : b\n\n", HeadError::Line(1)),
            (": b\n\n", HeadError::Line(1)),
            ("A: b\rSet-Cookie: x\n\n", HeadError::Line(1)),
            ("A: \0\n\n", HeadError::Line(1)),
            ("HTTP/1.1 200 OK\n\n", HeadError::StatusLine),
            ("Status: 101\n\n", HeadError::Status),
            ("Status: 99\n\n", HeadError::Status),
            ("Status: 600\n\n", HeadError::Status),
            ("Status: OK\n\n", HeadError::Status),
            ("Status: 200\nStatus: 200\n\n", HeadError::Twice("Status")),
            ("Content-Length: -1\n\n", HeadError::Length),
            ("Content-Length: +1\n\n", HeadError::Length),
            ("Content-Length:\n\n", HeadError::Length),
            (
                "Content-Length: 99999999999999999999\n\n",
                HeadError::Length,
            ),
            (
                "Content-Length: 1\nContent-Length: 1\n\n",
                HeadError::Twice("Content-Length"),
            ),
        ] {
            let found = Head::parse(text.as_bytes()).map(drop);
            assert_eq!(found, Err(error), "{text:?}");
        }
    }
}
