//! Sockets. No guest is given any yet, but its standard input may be one; so
//! these refuse, each for the right reason.

use super::Call;
use crate::abi::FileType;
use crate::errno::Errno;

pub(crate) fn sock_accept(
    call: &mut Call<'_>,
    fd: u32,
    _flags: u32,
    _connection: u32,
) -> Result<(), Errno> {
    refuse(call, fd)
}

pub(crate) fn sock_recv(
    call: &mut Call<'_>,
    fd: u32,
    _ri_data: u32,
    _ri_data_len: u32,
    _ri_flags: u32,
    _ro_datalen: u32,
    _ro_flags: u32,
) -> Result<(), Errno> {
    refuse(call, fd)
}

pub(crate) fn sock_send(
    call: &mut Call<'_>,
    fd: u32,
    _si_data: u32,
    _si_data_len: u32,
    _si_flags: u32,
    _so_datalen: u32,
) -> Result<(), Errno> {
    refuse(call, fd)
}

pub(crate) fn sock_shutdown(call: &mut Call<'_>, fd: u32, _how: u32) -> Result<(), Errno> {
    refuse(call, fd)
}

fn refuse(call: &Call<'_>, fd: u32) -> Result<(), Errno> {
    match call.ctx.table.get(fd)?.object.file_type() {
        FileType::SocketDgram | FileType::SocketStream => Err(Errno::Notsup),
        _ => Err(Errno::Notsock),
    }
}
