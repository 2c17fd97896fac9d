//! Sockets: listeners that were given at the start, and the connections that
//! they accept.

#![expect(
    clippy::too_many_arguments,
    reason = "the parameters are those of the witx"
)]

use super::Call;
use crate::abi::{FdFlags, RiFlags, RoFlags, SdFlags};
use crate::descriptor::{Descriptor, HostFile, Object};
use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use crate::io::{self, At};
use crate::iovec::Iovecs;
use crate::rights::Rights;
use crate::socket;

pub(crate) fn sock_accept(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    flags: u32,
    connection: u32,
) -> Result<(), Stop> {
    let flags = FdFlags::try_from(flags)?;
    if !FdFlags::NONBLOCK.contains(flags) {
        return Err(Errno::Inval.into());
    }
    let descriptor = call.ctx.table.get(fd)?;
    let listener = socket(descriptor, Rights::SOCK_ACCEPT)?;
    let inheriting = descriptor.inheriting;
    call.memory.range(connection, 4)?;
    call.ctx.table.require_room()?;
    let accepted = match call.ctx.turn.accept(&call.ctx.table, listener)? {
        Some(connection) => socket::only_connection(connection, flags)?,
        None => socket::accept(listener, flags, interruption)?,
    };
    let accepted = call.ctx.table.insert(Descriptor {
        object: Object::File(accepted),
        rights: Rights::CONNECTION & inheriting,
        inheriting: Rights::empty(),
        origin: None,
    })?;
    Ok(call.memory.write_u32(connection, accepted)?)
}

pub(crate) fn sock_recv(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    ri_data: u32,
    ri_data_len: u32,
    ri_flags: u32,
    ro_datalen: u32,
    ro_flags: u32,
) -> Result<(), Stop> {
    let flags = RiFlags::try_from(ri_flags)?;
    let socket = socket(call.ctx.table.get(fd)?, Rights::FD_READ)?;
    call.memory.range(ro_datalen, 4)?;
    call.memory.range(ro_flags, 2)?;
    let mut iovecs = Iovecs::default();
    let limit = call.ctx.limits.iovecs;
    let iovecs = iovecs.decode(&call.memory, ri_data, ri_data_len, limit)?;
    let received = socket::receive(socket, &mut call.memory, iovecs, flags, interruption)?;
    let mut flags = RoFlags::empty();
    flags.set(RoFlags::RECV_DATA_TRUNCATED, received.truncated);
    call.memory.write_u32(ro_datalen, received.bytes)?;
    Ok(call.memory.write(ro_flags, &flags.bits().to_le_bytes())?)
}

/// No flags are defined for it.
pub(crate) fn sock_send(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    si_data: u32,
    si_data_len: u32,
    si_flags: u32,
    so_datalen: u32,
) -> Result<(), Stop> {
    if si_flags != 0 {
        return Err(Errno::Inval.into());
    }
    let descriptor = call.ctx.table.get_mut(fd)?;
    socket(descriptor, Rights::FD_WRITE)?;
    call.memory.range(so_datalen, 4)?;
    let mut iovecs = Iovecs::default();
    let limit = call.ctx.limits.iovecs;
    let iovecs = iovecs.decode(&call.memory, si_data, si_data_len, limit)?;
    let object = &mut descriptor.object;
    let sent = io::write(object, &call.memory, iovecs, At::Cursor, interruption)?;
    Ok(call.memory.write_u32(so_datalen, sent)?)
}

pub(crate) fn sock_shutdown(call: &mut Call<'_>, fd: u32, how: u32) -> Result<(), Errno> {
    let how = SdFlags::try_from(how)?;
    let socket = socket(call.ctx.table.get(fd)?, Rights::SOCK_SHUTDOWN)?;
    socket::shutdown(socket, how)
}

/// The socket that a descriptor is.
fn socket(descriptor: &Descriptor, needed: Rights) -> Result<&HostFile, Errno> {
    match &descriptor.object {
        Object::File(file) if file.is_socket() => {
            descriptor.rights.require(needed)?;
            Ok(file)
        }
        _ => Err(Errno::Notsock),
    }
}
