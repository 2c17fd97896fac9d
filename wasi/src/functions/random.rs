//! Random bytes.

use super::Call;
use crate::interruption::{Interruption, Stop};

pub(crate) fn random_get(
    call: &mut Call<'_>,
    interruption: &Interruption,
    buf: u32,
    buf_len: u32,
) -> Result<(), Stop> {
    let bytes = call.memory.bytes_mut(buf, buf_len)?;
    call.ctx.random.fill(bytes, interruption)
}
