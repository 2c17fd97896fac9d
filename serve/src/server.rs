//! The server: what it listens on, and its life.

use crate::admin;
use crate::cgi::{Cgi, Means};
use crate::error::ServeError;
use crate::exchange::Stop;
use crate::http::{self, Site};
use crate::isolate::Isolated;
use crate::listen::Workers;
use crate::metrics::Metrics;
use crate::pool::{Bounds, Pool};
use crate::program::Program;
use crate::remember::Modules;
use crate::router::Router;
use crate::settings::{Mode, Mount, Settings};
use crate::timer::Timer;
use crate::tunables::{
    ACCEPT_PAUSE, BACKLOG, HOST_STACK, ISOLATED_GUESTS, MAX_CONNECTIONS, RECEIVED_BODIES,
    SHORT_TURN,
};
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// A server that is bound to its addresses. [`Server::run`] makes it answer.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    front: Front,
    addr: SocketAddr,
    /// Where metrics are.
    admin: Option<(TcpListener, SocketAddr)>,
    site: Arc<Site>,
    modules: Modules,
    grace: Duration,
}

/// Who accepts connections.
#[derive(Debug)]
enum Front {
    /// The server, for programs that answer single requests.
    Http(TcpListener),
    /// So many instances of a program that does it itself, on threads with so
    /// much stack.
    Workers(Workers, usize, usize),
    /// The server, for a program that has an instance for each connection.
    Isolated(Isolated, TcpListener),
}

/// How a program that is the only one meets HTTP.
enum Alone {
    Listen { workers: usize },
    Isolate,
}

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Server {
    /// Loads the programs, and binds to the addresses. From now on the system
    /// lets clients connect.
    pub fn bind(settings: Settings) -> Result<Server, ServeError> {
        check(&settings)?;
        let runtime = runtime::Builder::new_multi_thread()
            .thread_name("http")
            // Of threads that remember machine code, now and then.
            .thread_keep_alive(Duration::ZERO)
            .enable_all()
            .build()
            .map_err(ServeError::Threading)?;
        let (listener, addr) = listen(&settings.addr)?;
        let metrics = Metrics::new();
        let stacks = settings.mounts.iter();
        let stacks = stacks.map(|mount| mount.program.limits.stack);
        let stack_bytes = stacks.max().unwrap_or(0) + HOST_STACK;
        let timer = Timer::start()?;
        let (front, router) = match lone_listener(&settings.mounts)? {
            Some((Mount { path, program, .. }, Alone::Listen { workers })) => {
                let program = Workers::load(program.clone(), path, listener)?;
                let front = Front::Workers(program, workers, stack_bytes);
                (front, Router::new(Vec::new())?)
            }
            Some((Mount { path, program, .. }, Alone::Isolate)) => {
                let own = listener.try_clone().map_err(ServeError::Threading)?;
                let own = in_runtime(&runtime, own)?;
                let counts = metrics.mount(path);
                let program = Isolated::load(program.clone(), path, listener, counts, &timer)?;
                (Front::Isolated(program, own), Router::new(Vec::new())?)
            }
            None => {
                let router = router(settings.mounts, &metrics, &timer)?;
                (Front::Http(in_runtime(&runtime, listener)?), router)
            }
        };
        let modules = front.programs().chain(router.programs().map(Cgi::program));
        let modules = Modules::new(modules.map(|program| program.module().clone()).collect());
        let admin = match &settings.metrics_addr {
            Some(addr) => {
                let (listener, addr) = listen(addr)?;
                Some((in_runtime(&runtime, listener)?, addr))
            }
            None => None,
        };
        let isolated = matches!(front, Front::Isolated(..));
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let bounds = Bounds {
            threads: settings
                .concurrency
                .unwrap_or_else(|| guests(isolated, processors)),
            queue: settings.queue,
            processors,
            short_turn: SHORT_TURN,
        };
        let pool = Pool::new(bounds, stack_bytes, &timer)?;
        let site = Site {
            router,
            means: Means {
                pool,
                timer,
                bodies: Arc::new(Semaphore::new(RECEIVED_BODIES)),
            },
            metrics,
            max_head: settings.max_head,
            stopping: AtomicBool::new(false),
        };
        Ok(Server {
            runtime,
            front,
            addr,
            admin,
            site: Arc::new(site),
            modules,
            grace: settings.grace,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its metrics are, if they are anywhere.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(_, addr)| *addr)
    }

    /// Answers requests until `stop` is ready. Then it takes no new ones, and
    /// gives those that it has the time that was agreed on to end.
    pub fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Server {
            runtime,
            front,
            addr,
            admin,
            site,
            modules,
            grace,
        } = self;
        runtime.spawn(modules.clone().remember_now_and_then());
        if let Some((listener, _)) = admin {
            runtime.spawn(admin::serve(Arc::clone(&site), listener));
        }
        let started = match front {
            Front::Http(listener) => {
                runtime.block_on(answer(listener, addr, &site, grace, stop));
                Ok(())
            }
            Front::Workers(program, workers, stack_bytes) => {
                let started = runtime.block_on(async {
                    tokio::select! {
                        biased;
                        () = stop => Ok(()),
                        failed = program.work(workers, stack_bytes) => failed,
                    }
                });
                site.begin_to_stop();
                program.stop(grace);
                started
            }
            Front::Isolated(program, listener) => {
                runtime.block_on(program.answer(listener, &site, grace, stop));
                Ok(())
            }
        };
        site.means.timer.stop_all(Stop::Shutdown);
        site.means.timer.end();
        runtime.shutdown_timeout(Duration::from_secs(1));
        modules.remember();
        started
    }
}

impl Front {
    /// The program, if it is the only one.
    fn programs(&self) -> impl Iterator<Item = &Program> {
        match self {
            Front::Http(_) => None,
            Front::Workers(workers, ..) => Some(workers.program()),
            Front::Isolated(isolated, _) => Some(isolated.program()),
        }
        .into_iter()
    }
}

/// Accepts connections until `stop` is ready, then lets what has begun end.
async fn answer(
    listener: TcpListener,
    addr: SocketAddr,
    site: &Arc<Site>,
    grace: Duration,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        // First, so that signals are heard before anybody is answered.
        biased;
        () = stop => {}
        () = accept(&listener, addr, site, &graceful) => {}
    }
    site.begin_to_stop();
    drop(listener);
    if timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that did not end in time are stopped");
    }
}

/// Ready when the process is asked to end, by SIGTERM or SIGINT.
pub async fn signalled() {
    let both = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    if let (Ok(mut terminate), Ok(mut interrupt)) = both {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    } else {
        // Then the signals end the process, as they do by default.
        std::future::pending().await
    }
}

fn check(settings: &Settings) -> Result<(), ServeError> {
    if settings.mounts.is_empty() {
        return Err(ServeError::NoMounts);
    }
    if settings.concurrency == Some(0) {
        return Err(ServeError::Zero("the number of guests at a time"));
    }
    for mount in &settings.mounts {
        if mount.program.limits.timeout.is_zero() {
            return Err(ServeError::Zero("the time of a request"));
        }
    }
    Ok(())
}

/// How many guests there are at a time, if nobody says so.
fn guests(isolated: bool, processors: usize) -> usize {
    if isolated {
        return ISOLATED_GUESTS;
    }
    (4 * processors).max(8)
}

/// The program that accepts connections itself, if there is one.
fn lone_listener(mounts: &[Mount]) -> Result<Option<(&Mount, Alone)>, ServeError> {
    for mount in mounts {
        let alone = match mount.mode {
            Mode::Cgi { .. } => continue,
            Mode::Listen { workers } => Alone::Listen { workers },
            Mode::Isolate => Alone::Isolate,
        };
        if mounts.len() > 1 {
            return Err(ServeError::NotAlone(mount.path.clone()));
        }
        if let Alone::Listen { workers: 0 } = alone {
            return Err(ServeError::Zero("the number of workers"));
        }
        return Ok(Some((mount, alone)));
    }
    Ok(None)
}

fn router(mounts: Vec<Mount>, metrics: &Metrics, timer: &Arc<Timer>) -> Result<Router, ServeError> {
    let mut scratch: Option<Arc<TempDir>> = None;
    let mut programs = Vec::new();
    for mount in mounts {
        if mount.program.scratch.is_some() && scratch.is_none() {
            let all = tempfile::Builder::new().prefix("rwasm-serve-").tempdir();
            scratch = Some(Arc::new(all.map_err(ServeError::Scratch)?));
        }
        let counts = metrics.mount(&mount.path);
        let scratch = scratch.clone();
        let cgi = match mount.mode {
            Mode::Cgi { snapshot: Some(at) } => {
                Cgi::load_started(mount.program, &mount.path, counts, scratch, at, timer)?
            }
            _ => Cgi::load(mount.program, &mount.path, counts, scratch)?,
        };
        programs.push((mount.path, cgi));
    }
    Router::new(programs)
}

fn listen(addr: &str) -> Result<(net::TcpListener, SocketAddr), ServeError> {
    let bound = || -> io::Result<_> {
        let listener = net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        // Again, for a longer queue than the standard library asks for.
        rustix::net::listen(&listener, BACKLOG)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    };
    bound().map_err(|source| ServeError::Listen {
        addr: addr.to_owned(),
        source,
    })
}

fn in_runtime(runtime: &Runtime, listener: net::TcpListener) -> Result<TcpListener, ServeError> {
    let _in_runtime = runtime.enter();
    TcpListener::from_std(listener).map_err(ServeError::Threading)
}

/// How many connections there may be: half of the files that the process may
/// have open, after having asked for as many as it can get. The others are for
/// guests.
pub(crate) fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let raised = setrlimit(Resource::Nofile, all).is_ok();
    let files = if raised { all.current } else { limit.current };
    let files = files.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    MAX_CONNECTIONS.min(files / 2).max(1)
}

/// The next connection, however long it takes: what fails does not end the server.
pub(crate) async fn next_connection(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let _ = stream.set_nodelay(true);
                return (stream, remote);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Accepts connections for ever.
async fn accept(
    listener: &TcpListener,
    local: SocketAddr,
    site: &Arc<Site>,
    graceful: &GracefulShutdown,
) {
    let room = Arc::new(Semaphore::new(connections()));
    loop {
        let place = Arc::clone(&room).acquire_owned().await;
        let (stream, remote) = next_connection(listener).await;
        let local = stream.local_addr().unwrap_or(local);
        let peer = Peer { remote, local };
        let (site, watcher) = (Arc::clone(site), graceful.watcher());
        tokio::spawn(async move {
            site.metrics.connections.inc();
            http::serve(Arc::clone(&site), stream, peer, watcher).await;
            site.metrics.connections.dec();
            drop(place);
        });
    }
}
