//! Tail duplication of dispatch: at the end of an interpreter's case, its
//! `br_table` is translated again, instead of a jump to the one at the head of
//! the loop.
//!
//! ```text
//!  loop $l                          ┌─ head: short, without calls
//!    block … block  <head> br_table ┘
//!    end  <case 1>  br $l      ◄─ <head> br_table here
//!    end  <case 2>  br $l      ◄─ and here
//!  end
//! ```
//! The processor then predicts each case's successor by itself, and what one
//! case leaves in registers the next finds there. Measured on guests that are
//! interpreters: 1.9 to 2.1 times as fast.

use super::control::Frame;
use super::{FuncTranslator, TranslateError};
use wasmparser::{BlockType, BrTable, Operator, OperatorsReader};

/// The most instructions of a head, not counting `block`: there is one for each
/// case, and they cost nothing.
const MAX_HEAD: usize = 40;

/// The most blocks that are opened in a head, hence cases: each duplicate copies
/// what is known of them.
const MAX_CASES: usize = 1024;

/// The most entries of jump tables that a function gets by duplication, or blocks
/// of heads if there are more. An entry costs 4 bytes, and an edge of control
/// flow to compile.
pub(super) const MAX_ENTRIES: usize = 8192;

/// The dispatch at the head of a loop.
#[derive(Clone)]
pub(super) struct Dispatch<'a> {
    /// Stands at the loop's first instruction.
    head: OperatorsReader<'a>,
    /// Where its `br_table` stands.
    branch_at: u64,
    /// The blocks opened in the head and the number of entries, once the
    /// `br_table` was met.
    met: Option<(Vec<Frame<'a>>, usize)>,
}

impl<'a> Dispatch<'a> {
    /// Looks for a dispatch at the head of the loop that `rest` is the body of.
    pub(super) fn find(rest: &OperatorsReader<'a>) -> Result<Option<Self>, TranslateError> {
        let mut reader = rest.clone();
        let (mut straight, mut blocks) = (0, 0);
        while straight < MAX_HEAD && blocks < MAX_CASES {
            let branch_at = reader.original_position();
            match reader.read()? {
                Operator::BrTable { .. } => {
                    return Ok(Some(Dispatch {
                        head: rest.clone(),
                        branch_at,
                        met: None,
                    }));
                }
                Operator::Block {
                    blockty: BlockType::Empty,
                } => blocks += 1,
                other if is_straight(&other) => straight += 1,
                _ => break,
            }
        }
        Ok(None)
    }

    /// The blocks opened in the head.
    pub(super) fn frames(&self) -> &[Frame<'a>] {
        self.met.as_ref().map_or(&[], |(frames, _)| frames)
    }
}

/// Whether an instruction goes on to the next one, always or unless it branches,
/// and is cheap to repeat.
fn is_straight(operator: &Operator<'_>) -> bool {
    use Operator as O;
    !matches!(
        operator,
        O::Unreachable
            | O::Block { .. }
            | O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrOnNull { .. }
            | O::BrOnNonNull { .. }
            | O::BrOnCast { .. }
            | O::BrOnCastFail { .. }
            | O::Return
            | O::Call { .. }
            | O::CallIndirect { .. }
            | O::CallRef { .. }
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
            | O::ReturnCallRef { .. }
            | O::TryTable { .. }
            | O::Throw { .. }
            | O::ThrowRef
            | O::Try { .. }
            | O::Catch { .. }
            | O::CatchAll
            | O::Delegate { .. }
            | O::Rethrow { .. }
            | O::MemoryGrow { .. }
            | O::MemoryFill { .. }
            | O::MemoryCopy { .. }
            | O::MemoryInit { .. }
            | O::TableGrow { .. }
            | O::TableFill { .. }
            | O::TableCopy { .. }
            | O::TableInit { .. }
    )
}

impl<'a> FuncTranslator<'a> {
    /// Notes that the current instruction, a `br_table`, is a loop's dispatch,
    /// if it is.
    pub(super) fn note_dispatch(&mut self, table: &BrTable<'_>) {
        let Some(at) = self.current_offset() else {
            return;
        };
        let index = self.frames.iter().rposition(Frame::is_loop);
        let Some(index) = index else {
            return;
        };
        let (outer, inner) = self.frames.split_at_mut(index + 1);
        if let Some(dispatch) = outer[index].dispatch()
            && dispatch.branch_at == at
            && dispatch.met.is_none()
        {
            for frame in &mut *inner {
                frame.leave_unsealed();
            }
            dispatch.met = Some((inner.to_vec(), table.len() as usize + 1));
        }
    }

    /// Instead of a branch to a loop with a dispatch at its head, dispatches
    /// right here; returns whether that was done.
    pub(super) fn dispatch_again(&mut self, depth: u32) -> Result<bool, TranslateError> {
        let index = self.frames.len() - 1 - depth as usize;
        let height = self.frames[index].height();
        let Some(dispatch) = self.frames[index].dispatch() else {
            return Ok(false);
        };
        let Some((inner, entries)) = &dispatch.met else {
            return Ok(false);
        };
        let cost = inner.len().max(*entries);
        if cost > self.dispatch_entries_left {
            return Ok(false);
        }
        self.dispatch_entries_left -= cost;
        let inner = inner.clone();
        let (mut reader, branch_at) = (dispatch.head.clone(), dispatch.branch_at);
        // The stack and the frames as the head has them; what follows the
        // branch is dead, but its blocks must be found as they were.
        let outer_stack = self.stack.clone();
        self.stack.truncate(height);
        let outer_frames = self.frames.split_off(index + 1);
        self.frames.extend(inner);
        self.begin_fuel_block();
        self.check_interrupt();
        loop {
            let offset = reader.original_position();
            self.begin_instruction(offset);
            match reader.read()? {
                // It is open.
                Operator::Block { .. } => self.charge_fuel(),
                operator => {
                    self.operator(&operator, offset, None)?;
                }
            }
            if offset == branch_at {
                break;
            }
        }
        self.frames.truncate(index + 1);
        self.frames.extend(outer_frames);
        self.stack = outer_stack;
        Ok(true)
    }
}
