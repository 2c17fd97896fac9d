//! Waiting.

use super::Call;
use crate::abi::{Event, Subscription};
use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use crate::poll;

pub(crate) fn poll_oneoff(
    call: &mut Call<'_>,
    interruption: &Interruption,
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
    let subscribed = memory.array(in_, nsubscriptions, size)?;
    let events = memory.array(out, nsubscriptions, Event::BYTES)?;
    memory.range(nevents, 4)?;
    if nsubscriptions > ctx.limits.subscriptions {
        return Err(Errno::Inval.into());
    }
    // Copied, because the events may be written over the subscriptions.
    let subscriptions = memory.all()[subscribed]
        .chunks_exact(size)
        .map(|bytes| Subscription::decode(*snapshot, bytes))
        .collect::<Result<Vec<_>, Errno>>()?;

    let mut count = 0;
    let mut places = memory.all_mut()[events].chunks_exact_mut(Event::BYTES);
    poll::wait(
        &ctx.table,
        &ctx.clocks,
        interruption,
        &subscriptions,
        |event| {
            // One event for each subscription at most, and as many places.
            let place = places.next().ok_or(Errno::Overflow)?;
            place.copy_from_slice(&event.encode());
            count += 1;
            Ok(())
        },
    )?;
    memory.write_u32(nevents, count)?;
    Ok(())
}
