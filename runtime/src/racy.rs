//! Access to bytes that other threads may change at the same time: those of
//! shared memories.
//!
//! A race between plain accesses is undefined behaviour in Rust, and so is one
//! between atomic accesses of different sizes; a guest may do both. On x86-64
//! every access is therefore an instruction of `asm!`: to Rust it is opaque,
//! and its effect is the processor's, where any two accesses may race. A `mov`
//! reads or writes an aligned word as a whole and in the order of the program;
//! what has the `lock` prefix (`xchg` has it always) is atomic and sequentially
//! consistent. An `asm!` without `nomem` is also a barrier to the compiler.
//!
//! On other processors these are the standard library's atomics, by bytes where
//! an address is not aligned. Races between accesses of different sizes are
//! then outside of Rust's model, and LLVM gives them the processor's meaning.

/// An integer in memory, little-endian as WebAssembly's are.
pub trait Word: Copy {
    /// Reads. An aligned word is read as a whole, and later accesses come later.
    ///
    /// # Safety
    /// The bytes at `address` are readable as long as this runs.
    unsafe fn load(address: *const u8) -> Self;

    /// Writes. An aligned word is written as a whole, and earlier accesses come
    /// earlier.
    ///
    /// # Safety
    /// The bytes at `address` are writable as long as this runs.
    unsafe fn store(address: *mut u8, value: Self);

    /// Writes and returns what was there, as one atomic step.
    ///
    /// # Safety
    /// As for [`Word::store`]; the address is aligned to the word's size.
    unsafe fn swap(address: *mut u8, value: Self) -> Self;

    /// Adds, wrapping, and returns what was there, as one atomic step.
    ///
    /// # Safety
    /// As for [`Word::swap`].
    unsafe fn fetch_add(address: *mut u8, value: Self) -> Self;

    /// Writes `new` if `expected` is there; returns what was, all as one atomic
    /// step.
    ///
    /// # Safety
    /// As for [`Word::swap`].
    unsafe fn compare_exchange(address: *mut u8, expected: Self, new: Self) -> Self;

    /// Writes what `f` makes of what was there and returns that, as one atomic
    /// step.
    ///
    /// # Safety
    /// As for [`Word::swap`].
    unsafe fn fetch_update(address: *mut u8, f: impl Fn(Self) -> Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
macro_rules! words {
    ($($word:ty, $class:ident, $value:literal, $size:literal, $acc:tt;)*) => {$(
        impl Word for $word {
            #[inline(always)]
            unsafe fn load(address: *const u8) -> Self {
                let value: $word;
                // SAFETY: the bytes are readable; see the module on races.
                unsafe {
                    std::arch::asm!(
                        concat!("mov ", $value, ", ", $size, " ptr [{address}]"),
                        address = in(reg) address,
                        value = lateout($class) value,
                        options(nostack, preserves_flags, readonly),
                    );
                }
                value
            }

            #[inline(always)]
            unsafe fn store(address: *mut u8, value: Self) {
                // SAFETY: the bytes are writable; see the module on races.
                unsafe {
                    std::arch::asm!(
                        concat!("mov ", $size, " ptr [{address}], ", $value),
                        address = in(reg) address,
                        value = in($class) value,
                        options(nostack, preserves_flags),
                    );
                }
            }

            #[inline(always)]
            unsafe fn swap(address: *mut u8, mut value: Self) -> Self {
                // SAFETY: the bytes are writable; see the module on races.
                unsafe {
                    std::arch::asm!(
                        concat!("xchg ", $size, " ptr [{address}], ", $value),
                        address = in(reg) address,
                        value = inout($class) value,
                        options(nostack, preserves_flags),
                    );
                }
                value
            }

            #[inline(always)]
            unsafe fn fetch_add(address: *mut u8, mut value: Self) -> Self {
                // SAFETY: the bytes are writable; see the module on races.
                unsafe {
                    std::arch::asm!(
                        concat!("lock xadd ", $size, " ptr [{address}], ", $value),
                        address = in(reg) address,
                        value = inout($class) value,
                        options(nostack),
                    );
                }
                value
            }

            #[inline(always)]
            unsafe fn compare_exchange(address: *mut u8, expected: Self, new: Self) -> Self {
                let mut found = expected;
                // SAFETY: the bytes are writable; see the module on races.
                unsafe {
                    std::arch::asm!(
                        concat!("lock cmpxchg ", $size, " ptr [{address}], ", $value),
                        address = in(reg) address,
                        value = in($class) new,
                        inout($acc) found,
                        options(nostack),
                    );
                }
                found
            }

            #[inline(always)]
            unsafe fn fetch_update(address: *mut u8, f: impl Fn(Self) -> Self) -> Self {
                // SAFETY: the caller's contract.
                unsafe {
                    let mut expected = Self::load(address);
                    loop {
                        let found = Self::compare_exchange(address, expected, f(expected));
                        if found == expected {
                            return found;
                        }
                        expected = found;
                    }
                }
            }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
words! {
    u8, reg_byte, "{value}", "byte", "al";
    u16, reg, "{value:x}", "word", "ax";
    u32, reg, "{value:e}", "dword", "eax";
    u64, reg, "{value}", "qword", "rax";
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! words {
    ($($word:ty, $atomic:ident;)*) => {$(
        impl Word for $word {
            #[inline(always)]
            unsafe fn load(address: *const u8) -> Self {
                // SAFETY: the bytes are readable, and aligned where that is
                // asked for.
                unsafe {
                    if address.addr() % size_of::<Self>() == 0 {
                        let atomic = &*address.cast::<$atomic>();
                        return Self::from_le(atomic.load(Ordering::SeqCst));
                    }
                    let byte = |at| (*address.add(at).cast::<AtomicU8>()).load(Ordering::Relaxed);
                    Self::from_le_bytes(std::array::from_fn(byte))
                }
            }

            #[inline(always)]
            unsafe fn store(address: *mut u8, value: Self) {
                // SAFETY: as in `load`.
                unsafe {
                    if address.addr() % size_of::<Self>() == 0 {
                        let atomic = &*address.cast::<$atomic>();
                        return atomic.store(value.to_le(), Ordering::SeqCst);
                    }
                    for (at, byte) in value.to_le_bytes().into_iter().enumerate() {
                        (*address.add(at).cast::<AtomicU8>()).store(byte, Ordering::Relaxed);
                    }
                }
            }

            #[inline(always)]
            unsafe fn swap(address: *mut u8, value: Self) -> Self {
                // SAFETY: the caller's contract.
                let atomic = unsafe { &*address.cast::<$atomic>() };
                Self::from_le(atomic.swap(value.to_le(), Ordering::SeqCst))
            }

            #[inline(always)]
            unsafe fn fetch_add(address: *mut u8, value: Self) -> Self {
                // SAFETY: the caller's contract.
                unsafe { Self::fetch_update(address, |old| old.wrapping_add(value)) }
            }

            #[inline(always)]
            unsafe fn compare_exchange(address: *mut u8, expected: Self, new: Self) -> Self {
                // SAFETY: the caller's contract.
                let atomic = unsafe { &*address.cast::<$atomic>() };
                let (expected, new) = (expected.to_le(), new.to_le());
                let found =
                    atomic.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst);
                Self::from_le(found.unwrap_or_else(|found| found))
            }

            #[inline(always)]
            unsafe fn fetch_update(address: *mut u8, f: impl Fn(Self) -> Self) -> Self {
                // SAFETY: the caller's contract.
                let atomic = unsafe { &*address.cast::<$atomic>() };
                let next = |old| Some(f(Self::from_le(old)).to_le());
                let old = atomic.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
                Self::from_le(old.unwrap_or_else(|old| old))
            }
        }
    )*};
}

#[cfg(not(target_arch = "x86_64"))]
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
#[cfg(not(target_arch = "x86_64"))]
words! {
    u8, AtomicU8;
    u16, AtomicU16;
    u32, AtomicU32;
    u64, AtomicU64;
}

/// Fills `len` bytes.
///
/// # Safety
/// They are writable as long as this runs.
pub unsafe fn fill(dst: *mut u8, byte: u8, len: usize) {
    let word = u64::from_ne_bytes([byte; 8]);
    let (words, rest) = (len / 8, len % 8);
    // SAFETY: all of these lie in the range.
    unsafe {
        for at in 0..words {
            u64::store(dst.add(8 * at), word);
        }
        for at in 0..rest {
            u8::store(dst.add(8 * words + at), byte);
        }
    }
}

/// Copies `len` bytes, as if by way of a buffer where the ranges overlap.
///
/// # Safety
/// The source is readable and the destination writable as long as this runs.
pub unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
    let (words, rest) = (len / 8, len % 8);
    // A word is read before it is written, so what matters is the direction:
    // away from the part that is still to be read.
    // SAFETY: all of these lie in the ranges.
    unsafe {
        let word = |at: usize| u64::store(dst.add(at), u64::load(src.add(at)));
        let byte = |at: usize| u8::store(dst.add(at), u8::load(src.add(at)));
        if dst.addr().wrapping_sub(src.addr()) >= len {
            (0..words).for_each(|at| word(8 * at));
            (8 * words..len).for_each(byte);
        } else {
            (0..words).for_each(|at| word(len - 8 * (at + 1)));
            (0..rest).rev().for_each(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation of a width, at an address with other bytes around it.
    macro_rules! check {
        ($($word:ty)*) => {$({
            const SIZE: usize = size_of::<$word>();
            let mut bytes = [0xa5_u8; 24];
            let at = bytes.as_ptr().align_offset(8) + 8 - SIZE;
            // SAFETY: the word lies in the array and is aligned to its size;
            // the array is reached by this pointer alone.
            unsafe {
                let address = bytes.as_mut_ptr().add(at);
                let (one, top) = (1 as $word, 1 << (8 * SIZE - 1));
                <$word>::store(address, top);
                assert_eq!(<$word>::load(address), top);
                assert_eq!(<$word>::swap(address, <$word>::MAX), top);
                assert_eq!(<$word>::fetch_add(address, one + 1), <$word>::MAX);
                assert_eq!(<$word>::compare_exchange(address, 0, 7), 1);
                assert_eq!(<$word>::compare_exchange(address, 1, 7), 1);
                assert_eq!(<$word>::fetch_update(address, |old| old | top), 7);
                assert_eq!(<$word>::load(address), top | 7);
                <$word>::store(address, 0);
                // Not aligned, and not where anything above was.
                <$word>::store(address.add(SIZE).add(1), one << 1);
                assert_eq!(<$word>::load(address.add(SIZE).add(1)), 2);
            }
            assert!(bytes[..at].iter().all(|&byte| byte == 0xa5));
            assert_eq!(bytes[at + SIZE], 0xa5);
        })*};
    }

    #[test]
    fn words_of_every_width() {
        check!(u8 u16 u32 u64);
    }

    #[test]
    fn copies_and_fills_are_those_of_slices() {
        let pattern: Vec<u8> = (0..=255).collect();
        for len in [0, 1, 7, 8, 9, 16, 23, 64, 100] {
            for (src, dst) in [
                (0, 120),
                (120, 0),
                (10, 11),
                (11, 10),
                (20, 27),
                (27, 20),
                (5, 5),
            ] {
                let (mut expected, mut got) = (pattern.clone(), pattern.clone());
                expected.copy_within(src..src + len, dst);
                // SAFETY: both ranges lie in the vector.
                unsafe {
                    let base = got.as_mut_ptr();
                    copy(base.add(src), base.add(dst), len);
                }
                assert_eq!(got, expected, "{src} to {dst}, {len} bytes");
            }
            let (mut expected, mut got) = (pattern.clone(), pattern.clone());
            expected[3..3 + len].fill(9);
            // SAFETY: the range lies in the vector.
            unsafe { fill(got.as_mut_ptr().add(3), 9, len) };
            assert_eq!(got, expected, "{len} bytes");
        }
    }
}
