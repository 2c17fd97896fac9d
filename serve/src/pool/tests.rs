use super::*;
use crate::exchange::{Exchange, Output, Stop};
use crate::timer::TimerThread;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Waker};

const LONG: Duration = Duration::from_secs(3600);

/// A pool, and the timer that it lives by.
fn pool(
    threads: usize,
    queue: usize,
    processors: usize,
    short_turn: Duration,
) -> (Pool, TimerThread) {
    let timer = Timer::start().unwrap();
    let bounds = Bounds {
        threads,
        queue,
        processors,
        short_turn,
    };
    (Pool::new(bounds, 64 << 10, &timer).unwrap(), timer)
}

fn submit(pool: &Pool, job: impl FnOnce(&Arc<Turn>) + Send + 'static) {
    pool.submit(Box::new(job)).unwrap();
}

/// A job that says that it has begun, and ends when it is told to.
fn held(pool: &Pool) -> (Receiver<()>, Sender<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel::<()>();
    submit(pool, move |_| {
        begun.send(()).unwrap();
        let _ = may_end.recv();
    });
    (has_begun, end)
}

/// Waits until nothing is left of any job, and tries out that all turns are there.
fn all_turns_are_free(pool: &Pool, processors: usize) {
    let held: Vec<_> = (0..processors).map(|_| held(pool)).collect();
    for (begun, _) in &held {
        begun.recv().unwrap();
    }
    drop(held);
    while pool.load() != (0, 0) {
        thread::yield_now();
    }
    let state = pool.0.state();
    assert!(state.running.is_empty() && state.returning.is_empty());
}

#[test]
fn threads_and_queue_are_bounded() {
    let (pool, _timer) = pool(2, 3, 8, LONG);
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (done, all) = mpsc::channel();
    let mut accepted = 0;
    for _ in 0..20 {
        let (gate, done) = (Arc::clone(&gate), done.clone());
        let job = move |_: &Arc<Turn>| {
            let _ = gate.lock().unwrap().recv();
            done.send(()).unwrap();
        };
        accepted += usize::from(pool.submit(Box::new(job)).is_ok());
    }
    assert_eq!(accepted, 2 + 3);
    drop(release);
    for _ in 0..accepted {
        all.recv().unwrap();
    }
    assert!(pool.0.state().threads <= 2);
}

#[test]
fn a_job_that_panics_costs_no_thread_and_no_turn() {
    let (pool, _timer) = pool(1, 10, 1, LONG);
    submit(&pool, |_| std::panic::resume_unwind(Box::new(())));
    submit(&pool, |turn| {
        turn.rest(|| std::panic::resume_unwind(Box::new(())))
    });
    all_turns_are_free(&pool, 1);
}

#[test]
fn no_more_jobs_run_than_there_are_processors() {
    let (pool, _timer) = pool(8, 100, 2, LONG);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..50 {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        let run = move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_micros(200));
            now.fetch_sub(1, Ordering::SeqCst);
        };
        submit(&pool, move |turn| {
            run();
            turn.rest(|| thread::sleep(Duration::from_micros(200)));
            run();
        });
    }
    while pool.load() != (0, 0) {
        thread::yield_now();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    all_turns_are_free(&pool, 2);
}

/// What it waits for may be done by a job that comes after it.
#[test]
fn who_rests_lets_others_run() {
    let (pool, _timer) = pool(2, 10, 1, LONG);
    let (wake, woken) = mpsc::channel();
    let (done, all) = mpsc::channel();
    submit(&pool, move |turn| {
        turn.rest(|| woken.recv().unwrap());
        done.send(()).unwrap();
    });
    submit(&pool, move |_| wake.send(()).unwrap());
    all.recv().unwrap();
    all_turns_are_free(&pool, 1);
}

#[test]
fn jobs_begin_in_their_order() {
    let (pool, _timer) = pool(4, 100, 1, LONG);
    let (begun, first) = held(&pool);
    begun.recv().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..50 {
        let order = Arc::clone(&order);
        submit(&pool, move |_| order.lock().unwrap().push(number));
    }
    drop(first);
    all_turns_are_free(&pool, 1);
    assert!(order.lock().unwrap().iter().copied().eq(0..50));
}

/// Whoever has begun goes before those who have not.
#[test]
fn who_returns_goes_first() {
    let (pool, _timer) = pool(3, 100, 1, LONG);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (wake, woken) = mpsc::channel();
    let said = Arc::clone(&order);
    submit(&pool, move |turn| {
        turn.rest(|| woken.recv().unwrap());
        said.lock().unwrap().push("returned");
    });
    let (begun, second) = held(&pool);
    begun.recv().unwrap();
    let said = Arc::clone(&order);
    submit(&pool, move |_| said.lock().unwrap().push("began"));
    wake.send(()).unwrap();
    while pool.0.state().returning.is_empty() {
        thread::yield_now();
    }
    drop(second);
    all_turns_are_free(&pool, 1);
    assert_eq!(*order.lock().unwrap(), ["returned", "began"]);
}

/// However many return, those who have not begun get their turn.
#[test]
fn who_has_not_begun_is_not_forgotten() {
    let (pool, _timer) = pool(22, 10, 1, LONG);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (wake, woken) = mpsc::channel::<()>();
    let woken = Arc::new(Mutex::new(woken));
    for _ in 0..20 {
        let (woken, said) = (Arc::clone(&woken), Arc::clone(&order));
        submit(&pool, move |turn| {
            turn.rest(|| woken.lock().unwrap().recv().unwrap_err());
            said.lock().unwrap().push("returned");
        });
    }
    let (begun, last) = held(&pool);
    begun.recv().unwrap();
    drop(wake);
    while pool.0.state().returning.len() < 20 {
        thread::yield_now();
    }
    let said = Arc::clone(&order);
    submit(&pool, move |_| said.lock().unwrap().push("began"));
    drop(last);
    all_turns_are_free(&pool, 1);
    let began = order
        .lock()
        .unwrap()
        .iter()
        .position(|what| *what == "began");
    assert_eq!(began, Some(MOST_PASSED));
}

/// Neither those who have not begun wait for it, nor those who return; and when it
/// ends or rests after all, no turn comes of it.
#[test]
fn nobody_waits_for_a_job_without_end() {
    let (pool, _timer) = pool(4, 10, 1, Duration::from_millis(1));
    let others = Arc::new(AtomicUsize::new(0));
    let endless = || {
        let others = Arc::clone(&others);
        move || {
            while others.load(Ordering::SeqCst) < 2 {
                thread::yield_now();
            }
        }
    };
    let (wake, woken) = mpsc::channel();
    let counted = Arc::clone(&others);
    submit(&pool, move |turn| {
        turn.rest(|| woken.recv().unwrap());
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let run = endless();
    submit(&pool, move |_| run());
    let run = endless();
    submit(&pool, move |turn| {
        run();
        turn.rest(|| ());
    });
    let counted = Arc::clone(&others);
    submit(&pool, move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        wake.send(()).unwrap();
    });
    while others.load(Ordering::SeqCst) < 2 {
        thread::yield_now();
    }
    all_turns_are_free(&pool, 1);
}

/// Whatever it waits for in its exchange, and however that ends.
#[test]
fn a_guest_that_waits_for_its_client_rests() {
    let (pool, _timer) = pool(2, 10, 1, LONG);
    let most = crate::tunables::PIPE_BYTES;
    type Waits = fn(&Arc<Exchange>) -> io::Result<usize>;
    let reads: Waits = |exchange| exchange.stdin().read(&mut [0; 10]);
    let writes: Waits = |exchange| {
        let much = vec![0; crate::tunables::PIPE_BYTES];
        let written = exchange.stdout().write(&much)?;
        Ok(written + exchange.stdout().write(&much)?)
    };
    type Ends = fn(&Exchange);
    let cases: [(Waits, Ends, Option<usize>); 6] = [
        (
            reads,
            |exchange| {
                exchange.push("some".into());
                exchange.tell_of_input();
            },
            Some(4),
        ),
        (reads, |exchange| exchange.end_input(), Some(0)),
        (reads, |exchange| exchange.stop(Stop::TimeOver), None),
        (writes, |exchange| exchange.discard_output(), Some(2 * most)),
        (writes, |exchange| exchange.stop(Stop::ClientGone), None),
        (
            writes,
            |exchange| {
                let cx = Context::from_waker(Waker::noop());
                let all = exchange.poll_output(&cx, |output, _| Some(output.split()));
                assert!(matches!(all, Poll::Ready(Output::Found(_))));
            },
            Some(2 * most),
        ),
    ];
    for (waits, ends, result) in cases {
        let exchange = Exchange::new(u64::MAX);
        let (done, all) = mpsc::channel();
        let waiting = Arc::clone(&exchange);
        submit(&pool, move |turn| {
            waiting.begin(turn);
            done.send(waits(&waiting).ok()).unwrap();
        });
        submit(&pool, move |_| ends(&exchange));
        assert_eq!(all.recv().unwrap(), result);
    }
    all_turns_are_free(&pool, 1);
}
