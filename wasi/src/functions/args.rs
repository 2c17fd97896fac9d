//! Arguments and environment.

use super::Call;
use crate::errno::Errno;
use crate::interruption::Stop;
use crate::memory::GuestMemory;

pub(crate) fn args_get(call: &mut Call<'_>, argv: u32, argv_buf: u32) -> Result<(), Errno> {
    call.ctx.args.copy_to(&mut call.memory, argv, argv_buf)
}

#[inline]
pub(crate) fn args_sizes_get(
    call: &mut Call<'_>,
    argc: u32,
    argv_buf_size: u32,
) -> Result<(), Errno> {
    write_pair(&mut call.memory, call.ctx.args.sizes(), argc, argv_buf_size)
}

pub(crate) fn environ_get(call: &mut Call<'_>, environ: u32, environ_buf: u32) -> Result<(), Stop> {
    call.ctx.turn.environment()?;
    Ok(call
        .ctx
        .env
        .copy_to(&mut call.memory, environ, environ_buf)?)
}

#[inline]
pub(crate) fn environ_sizes_get(
    call: &mut Call<'_>,
    environc: u32,
    environ_buf_size: u32,
) -> Result<(), Stop> {
    call.ctx.turn.environment()?;
    let sizes = call.ctx.env.sizes();
    Ok(write_pair(
        &mut call.memory,
        sizes,
        environc,
        environ_buf_size,
    )?)
}

#[inline]
fn write_pair(
    memory: &mut GuestMemory<'_>,
    (first, second): (u32, u32),
    first_ptr: u32,
    second_ptr: u32,
) -> Result<(), Errno> {
    memory.range(second_ptr, 4)?;
    memory.write_u32(first_ptr, first)?;
    memory.write_u32(second_ptr, second)
}
