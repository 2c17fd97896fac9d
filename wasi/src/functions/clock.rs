//! Clocks.

use super::Call;
use crate::abi::ClockId;
use crate::errno::Errno;

pub(crate) fn clock_res_get(call: &mut Call<'_>, id: u32, resolution: u32) -> Result<(), Errno> {
    let id = ClockId::try_from(id)?;
    call.memory
        .write_u64(resolution, call.ctx.clocks.resolution(id))
}

/// The precision is a lag that the guest allows; we have none.
#[inline]
pub(crate) fn clock_time_get(
    call: &mut Call<'_>,
    id: u32,
    _precision: u64,
    time: u32,
) -> Result<(), Errno> {
    let id = ClockId::try_from(id)?;
    call.memory.write_u64(time, call.ctx.clocks.now(id))
}
