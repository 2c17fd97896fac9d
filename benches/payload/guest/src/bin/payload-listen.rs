//! A server with one thread and many connections: an event loop over
//! `poll_oneoff`.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

use payload_guest::{Exchange, LISTENER, Next};

/// Connections at a time. The listener is left alone while there are as many.
const MAX_CONNECTIONS: usize = 48;

fn main() -> io::Result<()> {
    // SAFETY: nothing else in the program uses this descriptor.
    let listener = unsafe { TcpListener::from_raw_fd(LISTENER) };
    listener.set_nonblocking(true)?;
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let accepts = connections.len() < MAX_CONNECTIONS;
        let ready = wait(accepts.then_some(&listener), &connections)?;
        // From the last to the first: those that are done are taken out.
        for index in (0..connections.len()).rev() {
            let is_ready = ready.contains(&index);
            if is_ready && !connections[index].go_on().unwrap_or(false) {
                connections.swap_remove(index);
            }
        }
        if ready.contains(&ACCEPT) {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    connections.push(Connection::new(stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    exchange: Exchange,
    next: Next,
    sent: usize,
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            exchange: Exchange::default(),
            next: Next::Receive,
            sent: 0,
        }
    }

    /// Receives or sends as much as is possible; `false` when that was all.
    fn go_on(&mut self) -> io::Result<bool> {
        loop {
            let step = match self.next {
                Next::Receive => self.receive(),
                Next::Send | Next::SendAndClose => self.send(),
            };
            match step {
                Ok(true) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                end => return end,
            }
        }
    }

    fn receive(&mut self) -> io::Result<bool> {
        let bytes = self.stream.read(self.exchange.room())?;
        self.exchange.receive(bytes);
        self.next = self.exchange.answer(true);
        Ok(bytes > 0)
    }

    fn send(&mut self) -> io::Result<bool> {
        while self.sent < self.exchange.sending.len() {
            let bytes = self.stream.write(&self.exchange.sending[self.sent..])?;
            self.sent += bytes;
        }
        if self.next == Next::SendAndClose {
            return Ok(false);
        }
        self.sent = 0;
        self.exchange.sending = Vec::new();
        // The next request may be there already.
        self.next = self.exchange.answer(true);
        Ok(true)
    }
}

/// Stands for the listener among the indices of what is ready.
const ACCEPT: usize = usize::MAX;

/// Waits until something can be done, and returns what: indices of connections,
/// or [`ACCEPT`].
fn wait(listener: Option<&TcpListener>, connections: &[Connection]) -> io::Result<Vec<usize>> {
    let mut wanted = Vec::with_capacity(connections.len() + 1);
    if let Some(listener) = listener {
        wanted.push(subscription(
            ACCEPT,
            listener.as_raw_fd(),
            wasip1::EVENTTYPE_FD_READ,
        ));
    }
    for (index, connection) in connections.iter().enumerate() {
        let event = match connection.next {
            Next::Receive => wasip1::EVENTTYPE_FD_READ,
            Next::Send | Next::SendAndClose => wasip1::EVENTTYPE_FD_WRITE,
        };
        wanted.push(subscription(index, connection.stream.as_raw_fd(), event));
    }
    let mut events: Vec<wasip1::Event> = Vec::with_capacity(wanted.len());
    // SAFETY: there is room for an event for each subscription, and as many are
    // written as are returned.
    unsafe {
        let count = wasip1::poll_oneoff(wanted.as_ptr(), events.as_mut_ptr(), wanted.len())
            .map_err(|errno| io::Error::from_raw_os_error(errno.raw().into()))?;
        events.set_len(count);
    }
    Ok(events.iter().map(|event| event.userdata as usize).collect())
}

fn subscription(index: usize, fd: i32, event: wasip1::Eventtype) -> wasip1::Subscription {
    let fd_readwrite = wasip1::SubscriptionFdReadwrite {
        file_descriptor: fd as u32,
    };
    // The two members of the union are one type.
    wasip1::Subscription {
        userdata: index as u64,
        u: wasip1::SubscriptionU {
            tag: event.raw(),
            u: wasip1::SubscriptionUU {
                fd_read: fd_readwrite,
            },
        },
    }
}
