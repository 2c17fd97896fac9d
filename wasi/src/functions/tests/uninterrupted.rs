//! The functions that may take long, where nobody interrupts them.

use super::{Errno, Interruption};
use crate::functions::{self, Call};
use crate::interruption::Stop;

macro_rules! uninterrupted {
    ($($name:ident($($param:ident),*);)*) => {$(
        pub(in crate::functions::tests) fn $name(call: &mut Call<'_>, $($param: uninterrupted!(@type $param)),*) -> Result<(), Errno> {
            match functions::$name(call, &Interruption::never(), $($param),*) {
                Err(Stop::Errno(errno)) => Err(errno),
                Err(Stop::Interrupted | Stop::Later | Stop::Suspended) => unreachable!("nobody does"),
                Ok(()) => Ok(()),
            }
        }
    )*};
    (@type offset) => { u64 };
    (@type $other:ident) => { u32 };
}

uninterrupted! {
    fd_read(fd, iovs, len, nread);
    fd_pread(fd, iovs, len, offset, nread);
    fd_write(fd, iovs, len, nwritten);
    fd_pwrite(fd, iovs, len, offset, nwritten);
    sock_accept(fd, flags, connection);
    sock_send(fd, iovs, len, flags, sent);
}

#[allow(
    clippy::too_many_arguments,
    reason = "the parameters are those of the witx"
)]
mod many {
    use super::*;
    uninterrupted! {
        sock_recv(fd, iovs, len, flags, received, received_flags);
    }
}
pub(super) use many::sock_recv;
