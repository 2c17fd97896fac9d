//! Waiting.

use super::Call;
use crate::abi::{Event, Subscription};
use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use crate::poll;

pub(crate) fn poll_oneoff(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    in_: u32,
    out: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Result<(), Stop> {
    let Call {
        ctx,
        memory,
        snapshot,
    } = call;
    if nsubscriptions == 0 {
        return Err(Errno::Inval.into());
    }
    let size = Subscription::size(*snapshot);
    memory.array(in_, nsubscriptions, size)?;
    memory.array(out, nsubscriptions, Event::BYTES)?;
    memory.range(nevents, 4)?;
    if nsubscriptions > ctx.limits.subscriptions {
        return Err(Errno::Inval.into());
    }
    // Copied, because the events may be written over the subscriptions.
    let subscriptions = memory
        .records(in_, nsubscriptions, size)?
        .chunks_exact(size)
        .map(|bytes| Subscription::decode(*snapshot, bytes))
        .collect::<Result<Vec<_>, Errno>>()?;

    let listening = ctx.turn.waits(&ctx.table, &subscriptions)?;
    let mut count = 0;
    poll::wait(
        &ctx.table,
        listening,
        &ctx.clocks,
        interruption,
        &subscriptions,
        |event| {
            // One event for each subscription at most, so that there is a place.
            memory.write(out + count * Event::BYTES as u32, &event.encode())?;
            count += 1;
            Ok(())
        },
    )?;
    memory.write_u32(nevents, count)?;
    Ok(())
}
