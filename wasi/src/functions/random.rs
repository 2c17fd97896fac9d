//! Random bytes.

use super::Call;
use crate::interruption::{Interruption, Stop};

pub(crate) fn random_get(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    buf: u32,
    buf_len: u32,
) -> Result<(), Stop> {
    /// What is filled at once, and copied where the memory is shared.
    const PART: u32 = 1 << 20;
    let Call { ctx, memory, .. } = call;
    memory.range(buf, buf_len)?;
    for start in (0..buf_len).step_by(PART as usize) {
        let len = PART.min(buf_len - start);
        memory.fill(buf + start, len, |bytes| {
            ctx.random.fill(bytes, interruption)?;
            Ok::<_, Stop>(bytes.len())
        })?;
    }
    Ok(())
}
