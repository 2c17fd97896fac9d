//! The registers of a thread at a fault, by architecture.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod imp {
    use crate::layout::{Segment, Status, StoreCtx};
    use crate::sys::signals::Landing;
    use std::ffi::c_void;

    /// Whether faults of guest code can be told and redirected here.
    pub(in crate::sys) const SUPPORTED: bool = true;

    /// What the kernel saved of the thread that faulted.
    pub(in crate::sys) struct Fault(*mut libc::ucontext_t);

    impl Fault {
        /// # Safety
        /// `context` is the third argument of a running `SA_SIGINFO` handler.
        pub(in crate::sys) unsafe fn new(context: *mut c_void) -> Self {
            Fault(context.cast())
        }

        fn register(&self, register: libc::c_int) -> usize {
            // SAFETY: `new` was promised the live context of a signal.
            unsafe { (*self.0).uc_mcontext.gregs[register as usize] as usize }
        }

        fn set_register(&mut self, register: libc::c_int, value: usize) {
            // SAFETY: as in `register`; the kernel loads the context when the
            // handler returns, so writing it is how a handler redirects.
            unsafe { (*self.0).uc_mcontext.gregs[register as usize] = value as i64 }
        }

        /// The instruction that faulted.
        pub(in crate::sys) fn pc(&self) -> usize {
            self.register(libc::REG_RIP)
        }

        /// The interpreter's instruction, at one of its trap sites.
        pub(in crate::sys) fn interpreter_ip(&self) -> *const u64 {
            std::ptr::with_exposed_provenance(self.register(libc::REG_RDI))
        }

        /// The interpreter's frame, at one of its trap sites.
        pub(in crate::sys) fn interpreter_fp(&self) -> *mut u64 {
            std::ptr::with_exposed_provenance_mut(self.register(libc::REG_RSI))
        }

        /// The frame of machine code.
        pub(in crate::sys) fn native_fp(&self) -> *mut u64 {
            std::ptr::with_exposed_provenance_mut(self.register(libc::REG_RBP))
        }

        /// Enters `landing` in a frame of its own below the present one, and
        /// below what the present one may use without moving its stack pointer.
        pub(in crate::sys) fn call(&mut self, landing: Landing, store: *mut StoreCtx) {
            const RED_ZONE: usize = 128;
            let sp = (self.register(libc::REG_RSP) - RED_ZONE) & !15;
            // Where the return address would be: alignment is as at an entry.
            self.set_register(libc::REG_RSP, sp - size_of::<usize>());
            self.set_register(libc::REG_RIP, landing as *const () as usize);
            self.set_register(libc::REG_RDI, store.expose_provenance());
        }

        /// Continues where `segment` resumes, with a returned `status`, when the
        /// handler returns.
        pub(in crate::sys) fn resume(&mut self, segment: &Segment, status: Status) {
            self.set_register(libc::REG_RIP, segment.resume_pc);
            self.set_register(libc::REG_RSP, segment.resume_sp);
            self.set_register(libc::REG_RBP, segment.resume_fp);
            self.set_register(libc::REG_RAX, status as u32 as usize);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod imp {
    use crate::layout::{Segment, Status, StoreCtx};
    use crate::sys::signals::Landing;
    use std::ffi::c_void;
    use std::ptr;

    /// Whether faults of guest code can be told and redirected here.
    pub(in crate::sys) const SUPPORTED: bool = false;

    /// A fault that nothing is known of: it is at no trap site.
    pub(in crate::sys) struct Fault;

    impl Fault {
        /// # Safety
        /// None; it is unsafe where it is supported.
        pub(in crate::sys) unsafe fn new(_context: *mut c_void) -> Self {
            Fault
        }

        /// No instruction.
        pub(in crate::sys) fn pc(&self) -> usize {
            0
        }

        /// Unknown.
        pub(in crate::sys) fn interpreter_ip(&self) -> *const u64 {
            ptr::null()
        }

        /// Unknown.
        pub(in crate::sys) fn interpreter_fp(&self) -> *mut u64 {
            ptr::null_mut()
        }

        /// Unknown.
        pub(in crate::sys) fn native_fp(&self) -> *mut u64 {
            ptr::null_mut()
        }

        /// Never called: no fault is claimed here.
        pub(in crate::sys) fn call(&mut self, _landing: Landing, _store: *mut StoreCtx) {}

        /// Never called: no fault is claimed here.
        pub(in crate::sys) fn resume(&mut self, _segment: &Segment, _status: Status) {}
    }
}

pub(in crate::sys) use imp::{Fault, SUPPORTED};
