//! HTTP/1.1 for programs that are servers of their own: as much of it as clients
//! of the experiment use.

use payload_core::JSON;

/// The listener that a program is given.
pub const LISTENER: i32 = 3;

/// The most bytes of a request's head.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

/// What a connection has received, and what is to be sent.
#[derive(Default)]
pub struct Exchange {
    /// What was received, and room for more.
    buffer: Vec<u8>,
    received: usize,
    /// The answer, or what is left of it.
    pub sending: Vec<u8>,
}

/// What to do next with a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Receive more.
    Receive,
    /// Send the answer, then receive the next request.
    Send,
    /// Send the answer and close the connection.
    SendAndClose,
}

impl Exchange {
    /// Room for what is received next: the rest of a body at once, or else some
    /// pages.
    pub fn room(&mut self) -> &mut [u8] {
        let rest = match request(&self.buffer[..self.received]) {
            Parsed::Whole(request) => request.end.saturating_sub(self.received),
            _ => 0,
        };
        let wanted = self.received + rest.max(8 << 10);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        &mut self.buffer[self.received..]
    }

    /// So many bytes were received there.
    pub fn receive(&mut self, bytes: usize) {
        self.received += bytes;
    }

    /// Answers the first request, if all of it is there. `keep` says whether the
    /// connection may serve another one.
    pub fn answer(&mut self, keep: bool) -> Next {
        let request = match request(&self.buffer[..self.received]) {
            Parsed::Whole(request) if request.end <= self.received => request,
            Parsed::Whole(_) => return Next::Receive,
            Parsed::Partial if self.received < MAX_HEAD => return Next::Receive,
            _ => {
                self.sending = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".to_vec();
                return Next::SendAndClose;
            }
        };
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((request.target, ""));
        let body = &self.buffer[request.head..request.end];
        let answer = payload_core::answer(request.method, path, query, body);
        let keep = keep && request.keep;
        let bytes = answer.body.len();
        let status = answer.status;
        let mut head = format!(
            "HTTP/1.1 {status} {}\r\ncontent-length: {bytes}\r\n",
            reason(status)
        );
        if bytes > 0 {
            head += &format!("content-type: {JSON}\r\n");
        }
        if !keep {
            head += "connection: close\r\n";
        }
        head += "\r\n";
        let end = request.end;
        self.sending = head.into_bytes();
        self.sending.extend_from_slice(&answer.body);
        self.buffer.copy_within(end..self.received, 0);
        self.received -= end;
        match keep {
            true => Next::Send,
            false => Next::SendAndClose,
        }
    }
}

enum Parsed<'a> {
    Whole(Request<'a>),
    Partial,
    Wrong,
}

/// A request whose head is there.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    keep: bool,
    /// Where the body begins.
    head: usize,
    /// Where it ends.
    end: usize,
}

fn request(bytes: &[u8]) -> Parsed<'_> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Wrong,
    };
    let header = |name: &str| {
        let found = request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| std::str::from_utf8(header.value).unwrap_or(""))
    };
    let (None, Ok(length)) = (
        header("transfer-encoding"),
        header("content-length").unwrap_or("0").parse::<usize>(),
    ) else {
        return Parsed::Wrong;
    };
    Parsed::Whole(Request {
        method: request.method.unwrap_or_default(),
        target: request.path.unwrap_or_default(),
        keep: request.version == Some(1)
            && !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
        head,
        end: head + length,
    })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Unprocessable Content",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_answered_one_by_one() {
        let mut exchange = Exchange::default();
        let receive = |exchange: &mut Exchange, text: &str| {
            exchange.room()[..text.len()].copy_from_slice(text.as_bytes());
            exchange.receive(text.len());
            exchange.answer(true)
        };
        assert_eq!(
            receive(&mut exchange, "POST /payload HTTP/1.1\r\nContent-Le"),
            Next::Receive
        );
        assert_eq!(receive(&mut exchange, "ngth: 2\r\n\r\n{"), Next::Receive);
        assert_eq!(
            receive(&mut exchange, "}GET /empty HTTP/1.1\r\n"),
            Next::Send
        );
        assert!(exchange.sending.starts_with(b"HTTP/1.1 400 "));
        assert!(exchange.sending.ends_with(b"{\"error\":\"document\"}"));
        assert_eq!(
            receive(&mut exchange, "Connection: close\r\n\r\n"),
            Next::SendAndClose
        );
        assert!(exchange.sending.starts_with(b"HTTP/1.1 200 "));
        assert_eq!(receive(&mut exchange, "?\r\n\r\n"), Next::SendAndClose);
    }
}
