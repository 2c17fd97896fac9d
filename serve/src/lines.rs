//! What a guest writes for people: lines of the log, as many as are bearable.

use crate::tunables::MAX_LOGGED_LINE;
use std::io::{self, Write};
use std::sync::Arc;

/// The name under which the log has what guests say.
const TARGET: &str = "rwasm::guest";

/// Takes everything, and logs the first lines.
#[derive(Debug)]
pub(crate) struct Lines {
    stream: &'static str,
    mount: Arc<str>,
    line: Vec<u8>,
    /// Bytes that will still be logged.
    room: usize,
}

impl Lines {
    /// For a stream of the program at `mount`; up to `room` bytes are logged.
    pub(crate) fn new(stream: &'static str, mount: &Arc<str>, room: usize) -> Lines {
        Lines {
            stream,
            mount: Arc::clone(mount),
            line: Vec::new(),
            room,
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        // As Rust quotes it: the guest has chosen it.
        tracing::warn!(target: TARGET, mount = &*self.mount, stream = self.stream, ?text);
        self.line.clear();
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let logged = &bytes[..bytes.len().min(self.room)];
        self.room -= logged.len();
        for part in logged.split_inclusive(|&byte| byte == b'\n') {
            for piece in part.chunks(MAX_LOGGED_LINE) {
                let ends = piece.ends_with(b"\n");
                self.line
                    .extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
                if ends || self.line.len() >= MAX_LOGGED_LINE {
                    self.end_line();
                }
            }
        }
        if self.room == 0 && !logged.is_empty() {
            if !self.line.is_empty() {
                self.end_line();
            }
            tracing::warn!(target: TARGET, mount = &*self.mount, "more is not logged");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}
