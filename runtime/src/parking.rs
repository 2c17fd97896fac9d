//! Threads that wait at addresses of a shared memory (`memory.atomic.wait`),
//! and who wakes them (`memory.atomic.notify`).
//!
//! ```text
//!  wait    lock: value as expected? join the queue ─► sleep ─┬─ notified: 0
//!                          └ no: 1                           └─ time or request to
//!  notify  lock: take the first n from the queue,                stop: lock, leave
//!          mark them ─► wake each                                the queue, unless
//!                                                                marked: then 0
//! ```
//! A waiter compares and joins under the lock that notifiers take, so that no
//! notification is lost; and whoever was marked reports it, so that the number
//! that `notify` returns is right. Queues are first in, first out.

use crate::interrupt::{Interrupt, Woken};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The waiting threads of one memory, by address.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    /// No queue is empty, so that the map is no larger than the number of
    /// threads.
    queues: Mutex<HashMap<usize, VecDeque<Arc<Waiter>>>>,
}

/// A thread in a queue.
#[derive(Debug)]
struct Waiter {
    /// Where it sleeps.
    place: Arc<Interrupt>,
    /// Set under the lock of the queues, by who takes it out of its queue.
    notified: AtomicBool,
}

/// What a wait came to; as a number, what the instruction returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// Another thread notified.
    Ok = 0,
    /// The value was not the expected one.
    Mismatch = 1,
    /// Nobody notified in time.
    TimedOut = 2,
}

/// A wait was ended by a request to stop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl Parking {
    /// Waits at `address` if `expected` holds there, asleep at `place`, until
    /// `deadline` (`None`: for ever).
    pub(crate) fn wait(
        &self,
        address: usize,
        expected: impl FnOnce() -> bool,
        deadline: Option<Instant>,
        place: &Arc<Interrupt>,
    ) -> Result<WaitResult, Interrupted> {
        let waiter = Arc::new(Waiter {
            place: place.clone(),
            notified: AtomicBool::new(false),
        });
        {
            let mut queues = self.locked();
            if !expected() {
                return Ok(WaitResult::Mismatch);
            }
            queues.entry(address).or_default().push_back(waiter.clone());
        }
        let notified = || waiter.notified.load(Ordering::Acquire);
        let woken = place.sleep_until(deadline, notified);
        if woken == Woken::Ready {
            return Ok(WaitResult::Ok);
        }
        let mut queues = self.locked();
        if notified() {
            return Ok(WaitResult::Ok);
        }
        if let Some(queue) = queues.get_mut(&address) {
            queue.retain(|other| !Arc::ptr_eq(other, &waiter));
            if queue.is_empty() {
                queues.remove(&address);
            }
        }
        match woken {
            Woken::Interrupted => Err(Interrupted),
            Woken::Ready | Woken::TimedOut => Ok(WaitResult::TimedOut),
        }
    }

    /// Wakes the `count` threads that have waited longest at `address`; returns
    /// how many there were.
    pub(crate) fn notify(&self, address: usize, count: u32) -> u32 {
        let woken: Vec<Arc<Waiter>> = {
            let mut queues = self.locked();
            let Some(queue) = queues.get_mut(&address) else {
                return 0;
            };
            let count = queue.len().min(count as usize);
            let woken: Vec<_> = queue.drain(..count).collect();
            if queue.is_empty() {
                queues.remove(&address);
            }
            for waiter in &woken {
                waiter.notified.store(true, Ordering::Release);
            }
            woken
        };
        for waiter in &woken {
            waiter.place.wake();
        }
        // There are no 2^32 threads.
        woken.len() as u32
    }

    /// Nothing that runs under the lock can panic half-way.
    fn locked(&self) -> MutexGuard<'_, HashMap<usize, VecDeque<Arc<Waiter>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    /// Waits until so many threads wait at `address`.
    fn until_waiting(parking: &Parking, address: usize, count: usize) {
        while parking.locked().get(&address).map_or(0, VecDeque::len) < count {
            thread::yield_now();
        }
    }

    #[test]
    fn waits_end_for_each_reason() {
        let (parking, place) = (Parking::default(), Arc::new(Interrupt::default()));
        let soon = Some(Instant::now() + Duration::from_millis(1));
        let wait = |expected: bool, deadline| parking.wait(8, || expected, deadline, &place);
        assert_eq!(wait(false, None), Ok(WaitResult::Mismatch));
        assert_eq!(wait(true, soon), Ok(WaitResult::TimedOut));
        assert_eq!(parking.notify(8, u32::MAX), 0);
        place.request();
        assert_eq!(wait(true, None), Err(Interrupted));
        assert!(parking.locked().is_empty());
    }

    #[test]
    fn those_who_waited_longest_go_first() {
        let parking = Parking::default();
        let (send, order) = mpsc::channel();
        thread::scope(|threads| {
            for nth in 0..4 {
                let (send, parking) = (send.clone(), &parking);
                threads.spawn(move || {
                    let place = Arc::new(Interrupt::default());
                    let woken = parking.wait(16, || true, None, &place);
                    assert_eq!(woken, Ok(WaitResult::Ok));
                    send.send(nth).unwrap();
                });
                until_waiting(parking, 16, nth + 1);
            }
            assert_eq!(parking.notify(24, 1), 0);
            assert_eq!(parking.notify(16, 0), 0);
            for nth in 0..2 {
                assert_eq!(parking.notify(16, 1), 1);
                assert_eq!(order.recv().unwrap(), nth);
            }
            assert_eq!(parking.notify(16, 3), 2);
        });
        assert!(parking.locked().is_empty());
    }

    /// However a notification and a deadline meet, both sides agree.
    #[test]
    fn a_late_waiter_and_its_notifier_agree() {
        let parking = Parking::default();
        for round in 0..200 {
            thread::scope(|threads| {
                let waiter = threads.spawn(|| {
                    let place = Arc::new(Interrupt::default());
                    let deadline = Instant::now() + Duration::from_micros(round);
                    parking.wait(0, || true, Some(deadline), &place)
                });
                thread::sleep(Duration::from_micros(round / 2));
                let notified = parking.notify(0, 1);
                let expected = [WaitResult::TimedOut, WaitResult::Ok][notified as usize];
                assert_eq!(waiter.join().unwrap(), Ok(expected));
            });
        }
    }
}
