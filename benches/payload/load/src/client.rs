//! A connection to a server: as much of HTTP/1.1 as its answers need.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 32;

/// What is received at a time. Bodies go nowhere else.
const BUFFER: usize = 256 << 10;

/// A connection that is kept between requests.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Answered {
    pub status: u16,
    /// Whether another request may be sent.
    pub keep: bool,
}

impl Connection {
    pub async fn open(server: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let buffer = vec![0; BUFFER];
        Ok(Connection { stream, buffer })
    }

    /// Sends a request and receives all of the answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answered> {
        let (mut reader, mut writer) = self.stream.split();
        // An answer may come before all of a body was sent.
        let answered = receive(&mut reader, &mut self.buffer);
        let (sent, answered) = tokio::join!(writer.write_all(request), answered);
        let mut answered = answered?;
        answered.keep &= sent.is_ok();
        Ok(answered)
    }
}

async fn receive(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut [u8],
) -> io::Result<Answered> {
    let mut filled = 0;
    let head = loop {
        match reader.read(&mut buffer[filled..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => filled += bytes,
        }
        match Head::parse(&buffer[..filled])? {
            Some(head) => break head,
            None if filled > MAX_HEAD => return Err(io::ErrorKind::InvalidData.into()),
            None => {}
        }
    };
    match head.length {
        Some(length) => {
            let mut left = (head.bytes + length).saturating_sub(filled);
            while left > 0 {
                let room = left.min(buffer.len());
                match reader.read(&mut buffer[..room]).await? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    bytes => left -= bytes,
                }
            }
        }
        None => {
            let mut end = ChunkedEnd::default();
            let mut range = head.bytes..filled;
            while !end.is_reached(&buffer[range]) {
                match reader.read(buffer).await? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    bytes => range = 0..bytes,
                }
            }
        }
    }
    Ok(Answered {
        status: head.status,
        keep: head.keep,
    })
}

struct Head {
    status: u16,
    keep: bool,
    /// Of the head.
    bytes: usize,
    /// Of the body; `None` if it comes in chunks.
    length: Option<usize>,
}

impl Head {
    /// `None` if there is not all of it.
    fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(io::Error::other)?;
        let httparse::Status::Complete(end) = parsed else {
            return Ok(None);
        };
        let header = |name: &str| {
            let headers = &*response.headers;
            let found = headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name));
            found.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let chunked = header("transfer-encoding").is_some();
        let length = header("content-length").and_then(|length| length.parse().ok());
        let closes = |value: &str| value.eq_ignore_ascii_case("close");
        Ok(Some(Head {
            status: response.code.unwrap_or_default(),
            keep: response.version == Some(1) && !header("connection").is_some_and(closes),
            bytes: end,
            length: if chunked {
                None
            } else {
                Some(length.unwrap_or(0))
            },
        }))
    }
}

/// Looks for the last chunk. Documents have no line breaks, so that those bytes
/// are nowhere else.
#[derive(Default)]
struct ChunkedEnd {
    matched: usize,
}

impl ChunkedEnd {
    fn is_reached(&mut self, bytes: &[u8]) -> bool {
        const LAST: &[u8] = b"\r\n0\r\n\r\n";
        for &byte in bytes {
            self.matched = match byte == LAST[self.matched] {
                true => self.matched + 1,
                false => usize::from(byte == LAST[0]),
            };
            if self.matched == LAST.len() {
                return true;
            }
        }
        false
    }
}
