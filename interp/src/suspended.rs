//! The frames of a suspended guest, for its state to go to another store.

use crate::exec::call::EXIT;
use crate::exec::regs::header;
use rwasm_runtime::store::{Link, Links, Store};

/// The words in the headers of suspended frames that are addresses of the store,
/// as [`Store::snapshot`] wants them. None if no guest is suspended.
///
/// What else a header has leads to code, which all instances of the module share.
pub fn links(store: &Store) -> Links {
    let mut links = Links::new();
    let Some(suspension) = store.suspension() else {
        return links;
    };
    let base = store.ctx.stack_base.cast_const();
    // The newest frame is that of the host's function.
    let mut at = suspension.frame();
    let mut running = Link::Callee;
    loop {
        let word = |offset: isize| at.wrapping_add_signed(offset);
        // SAFETY: the frames of a suspended guest are intact, and each header names
        // the caller's, up to the one that returns to `EXIT`; `&Store` says that no
        // guest runs.
        let (caller, return_to) = unsafe {
            let caller = *base.add(word(header::CALLER)) as *const u64;
            let return_to = *base.add(word(header::RETURN));
            (caller.offset_from_unsigned(base), return_to)
        };
        links.push((word(header::VMCTX), running));
        links.push((word(header::CALLER), Link::Slot(caller)));
        running = Link::Instance;
        at = caller;
        if return_to == EXIT.ip() as u64 {
            // A header without a frame, of which nothing else is read.
            links.push((at.wrapping_add_signed(header::VMCTX), running));
            return links;
        }
        links.push((at.wrapping_add_signed(header::MEMORY), Link::Memory));
    }
}
