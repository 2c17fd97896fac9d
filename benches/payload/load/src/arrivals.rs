//! When requests are sent, and to whom.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinSet, LocalSet},
    time::{sleep_until, timeout_at},
};

use crate::{
    client::Connection,
    options::Options,
    outcome::{Kind, Outcome, Record, Result},
};

/// How long answers are waited for when no more requests are sent.
const GRACE: Duration = Duration::from_secs(2);

/// A request that is due.
struct Arrival {
    due: Instant,
    kind: Kind,
    server: usize,
}

/// Sends `rate` requests per second, at random.
pub async fn open(options: &Options, rate: f64) -> Outcome {
    let begin = Instant::now();
    let count_from = begin + options.warm_up;
    let end = count_from + options.time;
    let (sender, mut due) = mpsc::unbounded_channel();
    let mut random = Random(options.seed);
    let (servers, get_share) = (options.servers.len(), options.get_share);
    // A thread sleeps more exactly than tokio's timers, whose unit is 1 ms.
    let arrivals = thread::spawn(move || {
        let mut due = begin;
        loop {
            due += Duration::from_secs_f64(-(1.0 - random.unit()).ln() / rate);
            let kind = match random.unit() < get_share {
                true => Kind::Get,
                false => Kind::Post,
            };
            let server = (random.unit() * servers as f64) as usize;
            if due >= end {
                return;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if sender.send(Arrival { due, kind, server }).is_err() {
                return;
            }
        }
    });

    let session = Rc::new(Session::new(options, count_from, end));
    let mut sent = 0;
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut requests = JoinSet::new();
            while let Some(arrival) = due.recv().await {
                sent += u64::from(arrival.due >= count_from);
                let session = Rc::clone(&session);
                requests.spawn_local(async move { session.request(&arrival).await });
            }
            let all = async { while requests.join_next().await.is_some() {} };
            // Those that are late by then count as unanswered.
            let _ = timeout_at((end + GRACE).into(), all).await;
        })
        .await;
    // It has closed the channel.
    let _ = arrivals.join();
    session.outcome(sent, options.time)
}

/// Has so many clients send one request after the other.
pub async fn closed(options: &Options, clients: usize) -> Outcome {
    let begin = Instant::now();
    let count_from = begin + options.warm_up;
    let end = count_from + options.time;
    let session = Rc::new(Session::new(options, count_from, end));
    let sent = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut tasks = JoinSet::new();
            for client in 0..clients {
                let (session, sent) = (Rc::clone(&session), Rc::clone(&sent));
                let server = client % options.servers.len();
                let mut random = Random(options.seed + client as u64);
                let get_share = options.get_share;
                tasks.spawn_local(async move {
                    loop {
                        let due = Instant::now();
                        if due >= end {
                            return;
                        }
                        let kind = match random.unit() < get_share {
                            true => Kind::Get,
                            false => Kind::Post,
                        };
                        sent.set(sent.get() + u64::from(due >= count_from));
                        session.request(&Arrival { due, kind, server }).await;
                    }
                });
            }
            sleep_until(end.into()).await;
            let all = async { while tasks.join_next().await.is_some() {} };
            let _ = timeout_at((end + GRACE).into(), all).await;
        })
        .await;
    session.outcome(sent.get(), options.time)
}

/// The connections, and what came of requests.
struct Session {
    servers: Vec<Server>,
    get: Arc<[u8]>,
    post: Arc<[u8]>,
    count_from: Instant,
    end: Instant,
    records: RefCell<Vec<Record>>,
}

struct Server {
    address: std::net::SocketAddr,
    /// Whoever has one may open a connection.
    permits: Semaphore,
    idle: RefCell<Vec<Connection>>,
}

impl Session {
    fn new(options: &Options, count_from: Instant, end: Instant) -> Session {
        let server = |&address: &_| Server {
            address,
            permits: Semaphore::new(options.connections),
            idle: RefCell::default(),
        };
        Session {
            servers: options.servers.iter().map(server).collect(),
            get: Arc::clone(&options.get),
            post: options.post.clone().unwrap_or_default(),
            count_from,
            end,
            records: RefCell::default(),
        }
    }

    async fn request(&self, arrival: &Arrival) {
        let result = self.exchange(arrival).await;
        let done = Instant::now();
        if arrival.due >= self.count_from {
            self.records.borrow_mut().push(Record {
                kind: arrival.kind,
                time: done - arrival.due,
                in_time: done < self.end,
                result,
            });
        }
    }

    async fn exchange(&self, arrival: &Arrival) -> Result {
        let server = &self.servers[arrival.server];
        // It is never closed.
        let _permit = server.permits.acquire().await;
        let idle = server.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => match Connection::open(server.address).await {
                Ok(connection) => connection,
                Err(_) => return Result::NoConnection,
            },
        };
        let request = match arrival.kind {
            Kind::Get => &self.get,
            Kind::Post => &self.post,
        };
        match connection.exchange(request).await {
            Ok(answered) => {
                if answered.keep {
                    server.idle.borrow_mut().push(connection);
                }
                Result::Status(answered.status)
            }
            Err(_) => Result::Broken,
        }
    }

    fn outcome(&self, sent: u64, time: Duration) -> Outcome {
        Outcome::new(self.records.take(), sent, time)
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    /// From 0 to 1, exclusive.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
