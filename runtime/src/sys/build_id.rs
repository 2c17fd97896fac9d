//! The name that the linker gave a program: a hash of all that is in it.

use std::ffi::{c_int, c_void};
use std::slice;

/// The build id of the program or library that has code at `address`. Where two
/// have the same, everything in them has the same distances. `None` if the linker
/// was not asked for one.
pub fn build_id(address: *const ()) -> Option<Vec<u8>> {
    let mut search = Search {
        address: address.addr(),
        found: None,
    };
    // SAFETY: the callback has the signature that is asked for, and is called
    // before this returns, with the pointer to the search.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}

struct Search {
    address: usize,
    found: Option<Vec<u8>>,
}

/// # Safety
/// Called by `dl_iterate_phdr` with a pointer to a [`Search`].
unsafe extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    search: *mut c_void,
) -> c_int {
    // SAFETY: as the caller promises; the headers are those of a loaded object,
    // whose segments are mapped.
    unsafe {
        let (info, search) = (&*info, &mut *search.cast::<Search>());
        if info.dlpi_phdr.is_null() {
            return 0;
        }
        let headers = slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
        let start = |header: &libc::Elf64_Phdr| {
            (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize)
        };
        let holds = |header: &libc::Elf64_Phdr| {
            let offset = search.address.wrapping_sub(start(header));
            header.p_type == libc::PT_LOAD && (offset as u64) < header.p_memsz
        };
        if !headers.iter().any(holds) {
            return 0;
        }
        for header in headers {
            if header.p_type == libc::PT_NOTE {
                let notes = std::ptr::with_exposed_provenance::<u8>(start(header));
                let notes = slice::from_raw_parts(notes, header.p_memsz as usize);
                search.found = find_note(notes).or(search.found.take());
            }
        }
        1
    }
}

/// The build id among notes.
fn find_note(mut notes: &[u8]) -> Option<Vec<u8>> {
    const OWNER: &[u8] = b"GNU\0";
    const BUILD_ID: u32 = 3;

    let number = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    loop {
        let (name, len) = (number(notes, 0)? as usize, number(notes, 4)? as usize);
        let kind = number(notes, 8)?;
        let owner = notes.get(12..)?.get(..name)?;
        let contents = notes.get(12 + name.next_multiple_of(4)..)?;
        if owner == OWNER && kind == BUILD_ID {
            return contents.get(..len).map(<[u8]>::to_vec);
        }
        notes = contents.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes() {
        let note = |owner: &[u8], kind: u32, contents: &[u8]| {
            let mut bytes = Vec::new();
            for number in [owner.len() as u32, contents.len() as u32, kind] {
                bytes.extend(number.to_le_bytes());
            }
            for part in [owner, contents] {
                bytes.extend_from_slice(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            bytes
        };
        let abi = note(b"GNU\0", 1, &[0; 16]);
        let other = note(b"Other\0", 3, b"12345");
        let id = note(b"GNU\0", 3, b"abcde");
        let all = [&abi[..], &other, &id].concat();
        assert_eq!(find_note(&all), Some(b"abcde".to_vec()));
        assert_eq!(find_note(&[&abi[..], &other].concat()), None);
        for len in 0..all.len() - 3 {
            assert_eq!(find_note(&all[..len]), None, "{len}");
        }
    }

    #[test]
    fn code_of_this_program_has_the_same_everywhere() {
        let here = build_id(build_id as *const ());
        assert_eq!(build_id(find_note as *const ()), here);
        assert_eq!(build_id(std::ptr::null()), None);
    }
}
