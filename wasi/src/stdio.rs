//! What an embedder connects to a guest's standard streams.

use crate::descriptor::{Descriptor, HostFile, Object};
use crate::rights::Rights;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// A source for the guest's standard input.
pub struct Input(Source);

enum Source {
    Inherit,
    File(File),
    Reader(Box<dyn Read + Send>),
}

impl Input {
    /// Nothing: the end of file at once.
    pub fn null() -> Input {
        Input::reader(io::empty())
    }

    /// The standard input of this process.
    pub fn inherit() -> Input {
        Input(Source::Inherit)
    }

    /// A file, pipe, terminal or socket. Reads go straight to it.
    pub fn file(file: File) -> Input {
        Input(Source::File(file))
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Input {
        Input::reader(Cursor::new(bytes.into()))
    }

    /// Anything that can be read. `poll_oneoff` takes it to be always ready.
    ///
    /// A reader that waits fails with [`Interrupted`](io::ErrorKind::Interrupted)
    /// when the guest is to stop ([`InterruptHandle`](rwasm::InterruptHandle)):
    /// the call then traps. Otherwise it is called again.
    pub fn reader(reader: impl Read + Send + 'static) -> Input {
        Input(Source::Reader(Box::new(reader)))
    }

    pub(crate) fn into_descriptor(self) -> io::Result<Descriptor> {
        let object = match self.0 {
            Source::Inherit => host_file(io::stdin().as_fd().try_clone_to_owned()?)?,
            Source::File(file) => host_file(file.into())?,
            Source::Reader(reader) => Object::Reader(reader),
        };
        Ok(stream(object, Rights::FD_WRITE))
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Inherit => "Input::inherit",
            Source::File(_) => "Input::file",
            Source::Reader(_) => "Input::reader",
        })
    }
}

/// A sink for the guest's standard output or error.
pub struct Output(Sink);

enum Sink {
    Inherit,
    File(File),
    Writer(Box<dyn Write + Send>),
}

impl Output {
    /// Everything is accepted and forgotten.
    pub fn null() -> Output {
        Output::writer(io::sink())
    }

    /// The stream of this process that has the same role.
    pub fn inherit() -> Output {
        Output(Sink::Inherit)
    }

    /// A file, pipe, terminal or socket. Writes go straight to it.
    pub fn file(file: File) -> Output {
        Output(Sink::File(file))
    }

    /// Memory, which `capture` gives access to.
    pub fn capture(capture: &Capture) -> Output {
        Output::writer(capture.clone())
    }

    /// Anything that can be written to. It is flushed after each write of the
    /// guest. For one that waits, the same holds as for [`Input::reader`].
    pub fn writer(writer: impl Write + Send + 'static) -> Output {
        Output(Sink::Writer(Box::new(writer)))
    }

    pub(crate) fn into_stdout(self) -> io::Result<Descriptor> {
        self.into_descriptor(|| io::stdout().as_fd().try_clone_to_owned())
    }

    pub(crate) fn into_stderr(self) -> io::Result<Descriptor> {
        self.into_descriptor(|| io::stderr().as_fd().try_clone_to_owned())
    }

    fn into_descriptor(
        self,
        inherited: impl FnOnce() -> io::Result<OwnedFd>,
    ) -> io::Result<Descriptor> {
        let object = match self.0 {
            Sink::Inherit => host_file(inherited()?)?,
            Sink::File(file) => host_file(file.into())?,
            Sink::Writer(writer) => Object::Writer(writer),
        };
        Ok(stream(object, Rights::FD_READ))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Sink::Inherit => "Output::inherit",
            Sink::File(_) => "Output::file",
            Sink::Writer(_) => "Output::writer",
        })
    }
}

/// What a guest wrote, kept in memory up to a limit. Clones share it.
///
/// ```
/// use rwasm_wasi::{Capture, Output};
/// use std::io::Write;
///
/// let mut capture = Capture::new(5);
/// let output = Output::capture(&capture);
/// assert_eq!(capture.write(b"hello, world").unwrap(), 5);
/// assert_eq!(capture.bytes(), b"hello");
/// # drop(output);
/// ```
#[derive(Clone, Debug)]
pub struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
}

impl Capture {
    /// Keeps up to `limit` bytes. A guest that writes more is told `nospc`.
    pub fn new(limit: usize) -> Capture {
        Capture {
            bytes: Arc::default(),
            limit,
        }
    }

    /// What was written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(|bytes| bytes.clone())
    }

    /// The same as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        self.with(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn with<R>(&self, look: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        // Bytes are appended or not: nothing is half done after a panic.
        look(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Capture {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.with(|bytes| {
            let room = self.limit.saturating_sub(bytes.len());
            if room == 0 && !data.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let len = data.len().min(room);
            bytes.extend_from_slice(&data[..len]);
            Ok(len)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn host_file(fd: OwnedFd) -> io::Result<Object> {
    Ok(Object::File(HostFile::from_host(fd)?))
}

/// A standard stream goes one way, whatever the file behind it could do.
fn stream(object: Object, without: Rights) -> Descriptor {
    let rights = Rights::applicable(object.file_type(), object.seekable()) - without;
    Descriptor {
        object,
        rights,
        inheriting: Rights::empty(),
        origin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::FileType;

    #[test]
    fn a_capture_is_bounded() {
        let capture = Capture::new(4);
        let mut writer = capture.clone();
        assert_eq!(writer.write(b"ab").unwrap(), 2);
        assert_eq!(writer.write(b"cde").unwrap(), 2);
        assert_eq!(writer.write(b"").unwrap(), 0);
        let error = writer.write(b"f").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(capture.text(), "abcd");
    }

    #[test]
    fn streams_go_one_way() {
        let input = Input::bytes("x").into_descriptor().unwrap();
        assert!(input.rights.contains(Rights::FD_READ));
        assert!(!input.rights.intersects(Rights::FD_WRITE | Rights::FD_SEEK));
        let output = Output::null().into_stdout().unwrap();
        assert!(output.rights.contains(Rights::FD_WRITE));
        assert!(!output.rights.contains(Rights::FD_READ));
    }

    #[test]
    fn a_redirected_file_stays_a_file() {
        let file = tempfile::tempfile().unwrap();
        let input = Input::file(file).into_descriptor().unwrap();
        assert_eq!(input.object.file_type(), FileType::RegularFile);
        assert!(input.rights.contains(Rights::FD_SEEK | Rights::FD_TELL));
    }

    #[test]
    fn pipes_cannot_seek() {
        let (reader, _writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(reader));
        let input = Input::file(file).into_descriptor().unwrap();
        assert_eq!(input.object.file_type(), FileType::Unknown);
        assert!(!input.rights.intersects(Rights::FD_SEEK | Rights::FD_TELL));
    }
}
