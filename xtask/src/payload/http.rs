//! One request on a connection of its own.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// What a client gets to see.
#[derive(PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Without parameters.
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a request and receives the answer.
pub fn ask(address: &str, method: &str, target: &str, body: Option<&[u8]>) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: payload\r\nconnection: close\r\n");
    if let Some(body) = body {
        head += "content-type: application/json\r\n";
        head += &format!("content-length: {}\r\n", body.len());
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body.unwrap_or_default())?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    parse(&received).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let body = &received[end + 4..];
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut content_type, mut length, mut chunked) = (None, None, false);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-type" => {
                content_type = value.split(';').next().map(str::to_owned);
            }
            "content-length" => length = Some(value.parse::<usize>().ok()?),
            "transfer-encoding" => chunked = true,
            _ => {}
        }
    }
    let body = match chunked {
        true => chunks(body)?,
        false => body.to_vec(),
    };
    let is_whole = length.is_none_or(|length| length == body.len());
    is_whole.then_some(Answer {
        status,
        content_type,
        body,
    })
}

fn chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|bytes| bytes == b"\r\n")?;
        let length = std::str::from_utf8(&bytes[..end]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let chunk = bytes.get(end + 2..)?;
        body.extend_from_slice(chunk.get(..length)?);
        bytes = chunk.get(length + 2..)?;
    }
}
