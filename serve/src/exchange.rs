//! Where a request and its guest meet: two streams of bounded size, and the end
//! of either side.
//!
//! The side of HTTP never blocks: it is a task, and woken. The guest's side is a
//! thread that waits for it. Whoever stops an exchange interrupts the guest and
//! wakes both.
//!
//! ```text
//!  feed() ──push──► input  ──► Stdin::read     only after the guest has asked
//!  poll_output() ◄─ output ◄── Stdout::write   waits while it is full
//!           end ◄──────────── finish(Ended)
//!  stop(why) ──► both, and the guest's InterruptHandle
//! ```

use crate::pool::Turn;
use crate::program::Ended;
use crate::tunables::PIPE_BYTES;
use bytes::{Bytes, BytesMut};
use rwasm::InterruptHandle;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

/// Why an exchange was stopped before its guest had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its time was over.
    TimeOver,
    /// The guest wrote more than it may.
    TooMuchOutput,
    /// The body of the request is larger than it may be.
    BodyTooLarge,
    /// The client does not go on with the body of the request.
    BodyBroken,
    /// Nobody waits for the response any more.
    ClientGone,
    /// The server stops.
    Shutdown,
}

/// One request and its guest.
pub(crate) struct Exchange {
    state: Mutex<State>,
    /// What the guest's thread waits for: input, or room for output.
    guest: Condvar,
    /// What who feeds the input waits for: that there is room.
    feeder: Notify,
    most_output: u64,
}

#[derive(Default)]
struct State {
    input: VecDeque<Bytes>,
    input_bytes: usize,
    /// Whether the guest has ever asked for input.
    input_wanted: bool,
    input_ended: bool,
    output: BytesMut,
    /// Bytes that the guest has written so far.
    written: u64,
    /// Output is forgotten.
    discards: bool,
    waiting: Option<Waker>,
    /// Whether a thread has taken it up, and its turn if it has one.
    begun: bool,
    turn: Option<Arc<Turn>>,
    ended: Option<Ended>,
    stopped: Option<Stop>,
    interrupt: Option<InterruptHandle>,
}

/// What there is of the output.
#[derive(Debug)]
pub(crate) enum Output<T> {
    /// What was looked for.
    Found(T),
    /// It is not there, and the guest has ended.
    Ended(Ended),
    /// It is not there, and nothing will come. Whether the guest has begun.
    Stopped(Stop, bool),
}

impl Exchange {
    /// The guest may write up to `most_output` bytes.
    pub(crate) fn new(most_output: u64) -> Arc<Exchange> {
        Arc::new(Exchange {
            state: Mutex::default(),
            guest: Condvar::new(),
            feeder: Notify::new(),
            most_output,
        })
    }

    /// Ends it early, unless the guest has ended.
    pub(crate) fn stop(&self, why: Stop) {
        let mut state = self.state();
        if state.is_over() {
            return;
        }
        state.stopped = Some(why);
        // With the lock: once the guest has ended, its handle is another's.
        if let Some(handle) = &state.interrupt {
            handle.interrupt();
        }
        let waiting = state.waiting.take();
        drop(state);
        self.guest.notify_one();
        self.feeder.notify_one();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    // The side of the guest.

    /// A thread takes it up, whose turn is given away whenever the guest waits.
    /// Whether there is still anything to do.
    pub(crate) fn begin(&self, turn: &Arc<Turn>) -> bool {
        let mut state = self.state();
        state.begun = true;
        state.turn = Some(Arc::clone(turn));
        state.stopped.is_none()
    }

    /// From now on, `handle` stops the guest.
    pub(crate) fn guest_starts(&self, handle: InterruptHandle) {
        let mut state = self.state();
        if state.stopped.is_some() {
            handle.interrupt();
        }
        state.interrupt = Some(handle);
    }

    /// The guest has ended. The first time counts.
    pub(crate) fn finish(&self, ended: Ended) {
        let mut state = self.state();
        state.interrupt = None;
        if state.ended.is_some() {
            return;
        }
        state.ended = Some(ended);
        let waiting = state.waiting.take();
        drop(state);
        self.feeder.notify_one();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// The guest's standard input.
    pub(crate) fn stdin(self: &Arc<Exchange>) -> impl Read + Send + use<> {
        Stdin(Arc::clone(self))
    }

    /// The guest's standard output.
    pub(crate) fn stdout(self: &Arc<Exchange>) -> impl Write + Send + use<> {
        Stdout(Arc::clone(self))
    }

    // The side of HTTP.

    /// Waits until the guest has asked for input and there is room for it.
    /// Whether there will ever be.
    pub(crate) async fn wants_input(&self) -> bool {
        loop {
            {
                let state = self.state();
                if state.is_over() {
                    return false;
                }
                if state.input_wanted && state.input_bytes < PIPE_BYTES {
                    return true;
                }
            }
            self.tell_of_input();
            self.feeder.notified().await;
        }
    }

    /// Waits until the guest has ended, or was stopped.
    pub(crate) async fn over(&self) {
        while !self.state().is_over() {
            self.feeder.notified().await;
        }
    }

    /// More input. A guest that waits for some is told later, by
    /// [`Exchange::tell_of_input`].
    pub(crate) fn push(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.state();
        state.input_bytes += bytes.len();
        state.input.push_back(bytes);
    }

    /// Wakes a guest that waits for input, if there is some.
    pub(crate) fn tell_of_input(&self) {
        self.guest.notify_one();
    }

    /// That was all input.
    pub(crate) fn end_input(&self) {
        self.state().input_ended = true;
        self.guest.notify_one();
    }

    /// Output is not looked at any more: the guest may write what it likes.
    pub(crate) fn discard_output(&self) {
        let mut state = self.state();
        state.discards = true;
        state.output = BytesMut::new();
        drop(state);
        self.guest.notify_one();
    }

    /// Looks for something in the output that the guest has written and that was
    /// not taken yet, and waits for more if `find` does not find it. `find` gets
    /// the output, and whether that is all.
    pub(crate) fn poll_output<T>(
        &self,
        cx: &Context<'_>,
        find: impl FnOnce(&mut BytesMut, bool) -> Option<T>,
    ) -> Poll<Output<T>> {
        let mut state = self.state();
        if let Some(why) = state.stopped {
            return Poll::Ready(Output::Stopped(why, state.begun));
        }
        let (before, ended) = (state.output.len(), state.ended.is_some());
        if let Some(found) = find(&mut state.output, ended) {
            drop(state);
            self.guest.notify_one();
            return Poll::Ready(Output::Found(found));
        }
        let taken = before > state.output.len();
        if let Some(ended) = &state.ended {
            return Poll::Ready(Output::Ended(ended.clone()));
        }
        state.waiting = Some(cx.waker().clone());
        drop(state);
        if taken {
            self.guest.notify_one();
        }
        Poll::Pending
    }

    /// How the guest has ended, if it has.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.state().ended.clone()
    }

    /// Why it was stopped, if it was.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.state().stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is under the lock is whole whenever anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the guest's thread wait until something is so, and until it is its turn
    /// again. By then it may be otherwise.
    fn wait_until<'s>(
        &'s self,
        state: MutexGuard<'s, State>,
        is_so: impl Fn(&State) -> bool,
    ) -> MutexGuard<'s, State> {
        let turn = state.turn.clone();
        // Not while it waits for its turn: HTTP must go on.
        drop(state);
        let wait = || drop(self.guest.wait_while(self.state(), |state| !is_so(state)));
        match turn {
            Some(turn) => turn.rest(wait),
            None => wait(),
        }
        self.state()
    }
}

impl State {
    /// Whether a guest that reads need not wait.
    fn has_input(&self) -> bool {
        self.stopped.is_some() || self.input_ended || !self.input.is_empty()
    }

    /// Whether a guest that writes need not wait.
    fn has_room(&self) -> bool {
        self.stopped.is_some() || self.discards || self.output.len() < PIPE_BYTES
    }

    fn is_over(&self) -> bool {
        self.ended.is_some() || self.stopped.is_some()
    }
}

struct Stdin(Arc<Exchange>);

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        loop {
            if state.stopped.is_some() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if into.is_empty() {
                return Ok(0);
            }
            let state_now = &mut *state;
            if let Some(first) = state_now.input.front_mut() {
                let len = first.len().min(into.len());
                into[..len].copy_from_slice(&first.split_to(len));
                if first.is_empty() {
                    state_now.input.pop_front();
                }
                let was_full = state_now.input_bytes >= PIPE_BYTES;
                state_now.input_bytes -= len;
                if was_full && state_now.input_bytes < PIPE_BYTES {
                    self.0.feeder.notify_one();
                }
                return Ok(len);
            }
            if state.input_ended {
                return Ok(0);
            }
            if !state.input_wanted {
                state.input_wanted = true;
                self.0.feeder.notify_one();
            }
            state = self.0.wait_until(state, State::has_input);
        }
    }
}

struct Stdout(Arc<Exchange>);

impl Write for Stdout {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        if from.len() as u64 > self.0.most_output.saturating_sub(state.written) {
            drop(state);
            self.0.stop(Stop::TooMuchOutput);
            return Err(io::ErrorKind::Interrupted.into());
        }
        loop {
            if state.stopped.is_some() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if state.discards {
                state.written += from.len() as u64;
                return Ok(from.len());
            }
            let len = from
                .len()
                .min(PIPE_BYTES - state.output.len().min(PIPE_BYTES));
            if len > 0 || from.is_empty() {
                state.output.extend_from_slice(&from[..len]);
                state.written += len as u64;
                return Ok(len);
            }
            if let Some(waiting) = state.waiting.take() {
                waiting.wake();
            }
            state = self.0.wait_until(state, State::has_room);
        }
    }

    /// Comes after each write of the guest, of however many buffers.
    fn flush(&mut self) -> io::Result<()> {
        let waiting = self.0.state().waiting.take();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
        Ok(())
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Exchange")
            .field("written", &state.written)
            .field("ended", &state.ended)
            .field("stopped", &state.stopped)
            .finish_non_exhaustive()
    }
}
