//! What a guest writes to its standard error: lines of the log, as many as are
//! bearable.

use crate::tunables::{MAX_STDERR, MAX_STDERR_LINE};
use std::io::{self, Write};
use std::sync::Arc;

/// The name under which the log has what guests say.
const TARGET: &str = "rwasm::guest";

/// Takes everything, and logs the first lines.
#[derive(Debug)]
pub(crate) struct Stderr {
    mount: Arc<str>,
    line: Vec<u8>,
    /// Bytes that will still be logged.
    room: usize,
}

impl Stderr {
    pub(crate) fn new(mount: &Arc<str>) -> Stderr {
        Stderr {
            mount: Arc::clone(mount),
            line: Vec::new(),
            room: MAX_STDERR,
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        // As Rust quotes it: the guest has chosen it.
        tracing::warn!(target: TARGET, mount = &*self.mount, stderr = ?text);
        self.line.clear();
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let logged = &bytes[..bytes.len().min(self.room)];
        self.room -= logged.len();
        for part in logged.split_inclusive(|&byte| byte == b'\n') {
            for piece in part.chunks(MAX_STDERR_LINE) {
                let ends = piece.ends_with(b"\n");
                self.line
                    .extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
                if ends || self.line.len() >= MAX_STDERR_LINE {
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

impl Drop for Stderr {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}
