//! A server as it is written first: one connection after the other, with one
//! request each.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::FromRawFd;

use payload_guest::{Exchange, LISTENER, Next};

fn main() -> io::Result<()> {
    // SAFETY: nothing else in the program uses this descriptor.
    let listener = unsafe { TcpListener::from_raw_fd(LISTENER) };
    loop {
        let (stream, _) = listener.accept()?;
        // A client that goes away costs its own connection only.
        let _ = serve(stream);
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut exchange = Exchange::default();
    while exchange.answer(false) == Next::Receive {
        let bytes = stream.read(exchange.room())?;
        exchange.receive(bytes);
        if bytes == 0 {
            return Ok(());
        }
    }
    stream.write_all(&exchange.sending)?;
    stream.shutdown(Shutdown::Write)
}
