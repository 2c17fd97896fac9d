//! Lowered bodies as bytes, to be kept in a file and run by another process of
//! the same program.
//!
//! ```text
//!  frame slots:32  words:32  types:32  0:32
//!  kinds: 2 bits a word, in whole words      types { word:32 type:32 }
//!  words:64…
//! ```
//! Most words are the same in every process. The others ([`Kind`]) are written as
//! distances and indices. Distances between handlers are those of one program as
//! it was linked: whoever keeps bytes keeps [`program`] too, and makes sure that
//! they are what [`write`] gave.

use crate::exec::control;
use rwasm_parser::{LocalFuncIndex, TypeIndex};
use rwasm_runtime::code::{BodyHash, InterpCode, InterpOrigin, ModuleCode};
use rwasm_runtime::sys::build_id::build_id;

/// What a word is that is not the same in every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// The address of a handler; kept as the distance from one of them.
    Handler = 1,
    /// An address in the words themselves; kept as the index of a word.
    Own = 2,
    /// The address of a code cell; kept as the index of the function.
    Cell = 3,
}

/// Kinds in a word of their list, and the bits of each.
const KINDS: usize = 32;
const BITS: usize = 2;

/// Notes kinds while code is encoded.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    kinds: Vec<u64>,
    types: Vec<(u32, u32)>,
}

impl Kinds {
    pub(crate) fn note(&mut self, word: usize, kind: Kind) {
        if word / KINDS >= self.kinds.len() {
            self.kinds.resize(word / KINDS + 1, 0);
        }
        self.kinds[word / KINDS] |= (kind as u64) << (BITS * (word % KINDS));
    }

    /// The word is a canonical type.
    pub(crate) fn note_type(&mut self, word: usize, ty: u32) {
        self.types.push((word as u32, ty));
    }

    /// What was noted, of code of so many words that was lowered from this body.
    pub(crate) fn into_origin(mut self, body: BodyHash, words: usize) -> InterpOrigin {
        // The last ones may have no kind.
        self.kinds.resize(words.div_ceil(KINDS), 0);
        InterpOrigin {
            body,
            kinds: self.kinds.into(),
            types: self.types.into(),
        }
    }
}

/// Every word that has a kind.
fn noted(kinds: &[u64]) -> impl Iterator<Item = (usize, Kind)> {
    kinds.iter().enumerate().flat_map(|(index, &kinds)| {
        let mut left = kinds;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize / BITS;
            let kind = match left.checked_shr((BITS * at) as u32)? & 3 {
                1 => Kind::Handler,
                2 => Kind::Own,
                3 => Kind::Cell,
                _ => return None,
            };
            left &= !(3 << (BITS * at));
            Some((KINDS * index + at, kind))
        })
    })
}

/// The program that handlers are in, if it has a name.
pub fn program() -> Option<Vec<u8>> {
    build_id(control::unreachable_handler() as *const ())
}

/// The handler that distances are from.
fn anchor() -> u64 {
    control::unreachable_handler() as usize as u64
}

/// The lowered body of a function as bytes, and the body that it was lowered from,
/// if that was done for it to be kept.
pub fn write(code: &ModuleCode, func: LocalFuncIndex) -> Option<(BodyHash, Vec<u8>)> {
    let lowered = code.cells[func.index()].interp_code()?;
    let origin = lowered.origin.as_deref()?;
    let words = &lowered.words;
    let (base, cells) = (words.as_ptr() as u64, code.cells.as_ptr() as u64);
    let (kinds, types) = (&origin.kinds, &origin.types);
    let before = 16 + 8 * (kinds.len() + types.len());
    let mut bytes = Vec::with_capacity(before + 8 * words.len());
    for number in [
        lowered.frame_slots,
        words.len() as u32,
        types.len() as u32,
        0,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(kinds.iter().flat_map(|kinds| kinds.to_le_bytes()));
    for &(word, ty) in types {
        bytes.extend(word.to_le_bytes());
        bytes.extend(ty.to_le_bytes());
    }
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    for (at, kind) in noted(kinds) {
        let word = match kind {
            Kind::Handler => words[at].wrapping_sub(anchor()),
            Kind::Own => (words[at] - base) / size_of::<u64>() as u64,
            Kind::Cell => (words[at] - cells) / size_of_val(&code.cells[0]) as u64,
        };
        bytes[before + 8 * at..][..8].copy_from_slice(&word.to_le_bytes());
    }
    Some((origin.body, bytes))
}

/// The lowered body that bytes are, which [`write`] gave for a function of the
/// same module in the same program.
pub(crate) fn read(code: &ModuleCode, bytes: &[u8]) -> Option<InterpCode> {
    let (head, rest) = bytes.split_first_chunk::<16>()?;
    let number =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (frame_slots, count, types) = (number(0), number(4) as usize, number(8) as usize);
    let kinds = count.div_ceil(KINDS);
    let (kinds, rest) = rest.split_at_checked(8 * kinds)?;
    let (types, words) = rest.split_at_checked(types.checked_mul(8)?)?;
    if words.len() != count.checked_mul(8)? {
        return None;
    }
    let (kinds, types) = (to_words(kinds), to_words(types));
    let mut words = to_words(words);
    let base = words.as_ptr() as u64;
    for (at, kind) in noted(&kinds) {
        let word = words.get_mut(at)?;
        *word = match kind {
            Kind::Handler => word.wrapping_add(anchor()),
            Kind::Own if *word < count as u64 => base + 8 * *word,
            Kind::Own => return None,
            Kind::Cell => &raw const *code.cells.get(usize::try_from(*word).ok()?)? as u64,
        };
    }
    for &pair in &types {
        let (at, ty) = (pair as u32, TypeIndex::from_u32((pair >> 32) as u32));
        let id = code.type_ids.get(ty.index())?.as_u32();
        *words.get_mut(at as usize)? = id.into();
    }
    Some(InterpCode {
        words,
        frame_slots,
        origin: None,
    })
}

fn to_words(bytes: &[u8]) -> Box<[u64]> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|&word| u64::from_le_bytes(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_as_they_were_noted() {
        let all = [
            (0, Kind::Handler),
            (1, Kind::Own),
            (31, Kind::Cell),
            (32, Kind::Handler),
            (63, Kind::Own),
            (200, Kind::Cell),
        ];
        let mut kinds = Kinds::default();
        // Fixups come last, for words in the middle.
        for &(word, kind) in all.iter().rev() {
            kinds.note(word, kind);
        }
        kinds.note_type(5, 7);
        let origin = kinds.into_origin([0; 32], 225);
        assert_eq!(noted(&origin.kinds).collect::<Vec<_>>(), all);
        // As many as there are words, of which the last have no kind.
        assert_eq!(origin.kinds.len(), 8);
        assert_eq!(*origin.types, [(5, 7)]);
        assert_eq!(noted(&[]).count(), 0);
        assert_eq!(noted(&[u64::MAX]).count(), KINDS);
    }
}
