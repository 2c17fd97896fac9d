//! `engine/src/tiers/pending.rs`: guests that ask for code, workers that make it,
//! and whoever waits for them or ends them. That all of them come to an end is
//! what loom looks for, too.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{self, Arc};
use loom::thread::{self, JoinHandle};
use pending::{Hot, Pending};
use std::cell::RefCell;

#[path = "../../engine/src/tiers/pending.rs"]
mod pending;

/// A request: how hot it is, and whether it is followed by an unhurried one.
struct Request {
    heat: u32,
    is_loop: bool,
}

impl Hot for Request {
    fn heat(&self) -> u32 {
        self.heat
    }
}

fn request(heat: u32) -> Request {
    Request {
        heat,
        is_loop: false,
    }
}

struct Queue {
    pending: Pending<Request>,
    served: AtomicUsize,
    /// Those after which nothing waited.
    last: AtomicUsize,
}

impl Queue {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Queue {
            pending: Pending::new(limit),
            served: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
        })
    }

    /// What a worker does.
    fn work(&self) {
        while let Some((request, last)) = self.pending.take() {
            if request.is_loop {
                self.pending.push_unhurried(super::tiers::request(0));
            }
            self.served.fetch_add(1, Ordering::Relaxed);
            if last {
                self.last.fetch_add(1, Ordering::Relaxed);
            }
            self.pending.finish();
        }
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }
}

/// The threads that `push` starts.
#[derive(Default)]
struct Workers(RefCell<Vec<JoinHandle<()>>>);

impl Workers {
    fn push(&self, queue: &Arc<Queue>, request: Request, workers: usize) -> bool {
        let pushed = queue.pending.push(request, || {
            for _ in 0..workers {
                let queue = queue.clone();
                let worker = thread::spawn(move || queue.work());
                self.0.borrow_mut().push(worker);
            }
            Ok(())
        });
        pushed.expect("threads can be started")
    }

    fn join(self) {
        for worker in self.0.into_inner() {
            worker.join().unwrap();
        }
    }
}

/// As many orders as there are with so many changes of the thread at any point:
/// without a bound, two workers take minutes.
fn model(bound: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.check(body);
}

#[test]
fn what_is_asked_for_is_done_and_waited_for() {
    for (workers, bound) in [(1, None), (2, Some(3))] {
        model(bound, move || {
            let (queue, threads) = (Queue::new(8), Workers::default());
            for heat in [1, 2] {
                assert!(threads.push(&queue, request(heat), workers));
            }
            queue.pending.wait_until_idle();
            assert_eq!(queue.served(), 2);
            assert!(queue.last.load(Ordering::Relaxed) >= 1);
            queue.pending.close();
            threads.join();
        });
    }
}

/// A loop is followed by its whole function, which is waited for as well, also by
/// a worker that has nothing to do when it is asked for.
#[test]
fn what_is_unhurried_is_done_too() {
    for (workers, bound) in [(1, None), (2, Some(3))] {
        model(bound, move || {
            let (queue, threads) = (Queue::new(8), Workers::default());
            let looping = Request {
                heat: 1,
                is_loop: true,
            };
            assert!(threads.push(&queue, looping, workers));
            queue.pending.wait_until_idle();
            assert_eq!(queue.served(), 2);
            queue.pending.close();
            threads.join();
        });
    }
}

/// What found no place is not done, all else is, and once.
#[test]
fn a_full_queue_takes_no_more() {
    model(None, || {
        let (queue, threads) = (Queue::new(1), Workers::default());
        let taken = [1, 2, 3].map(|heat| threads.push(&queue, request(heat), 1));
        assert!(taken[0], "it was empty");
        queue.pending.wait_until_idle();
        let taken = taken.into_iter().filter(|taken| *taken).count();
        assert_eq!(queue.served(), taken);
        queue.pending.close();
        threads.join();
    });
}

/// The engine is dropped while a guest of another thread waits for its code.
#[test]
fn all_end_when_it_is_closed() {
    model(Some(3), || {
        let (queue, threads) = (Queue::new(8), Workers::default());
        assert!(threads.push(&queue, request(1), 1));
        let guest = {
            let queue = queue.clone();
            thread::spawn(move || {
                let pushed = queue.pending.push(request(2), || panic!("it has workers"));
                assert!(pushed.expect("nothing is started"));
                queue.pending.wait_until_idle();
            })
        };
        queue.pending.close();
        guest.join().unwrap();
        threads.join();
        assert!(queue.served() <= 2);
    });
}

/// Where no thread can be started, nobody waits for one.
#[test]
fn nothing_is_waited_for_without_workers() {
    model(None, || {
        let queue = Queue::new(8);
        let guest = {
            let queue = queue.clone();
            thread::spawn(move || {
                let pushed = queue
                    .pending
                    .push(request(1), || Err(std::io::ErrorKind::Other.into()));
                queue.pending.wait_until_idle();
                pushed.is_ok()
            })
        };
        let pushed = queue
            .pending
            .push(request(2), || Err(std::io::ErrorKind::Other.into()));
        queue.pending.wait_until_idle();
        let others = guest.join().unwrap();
        assert_ne!(pushed.is_ok(), others, "one of them is told");
    });
}
