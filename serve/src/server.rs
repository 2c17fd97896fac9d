//! The server: what it listens on, and its life.

use crate::admin;
use crate::cgi::{Cgi, Means};
use crate::error::ServeError;
use crate::exchange::Stop;
use crate::http::{self, Site};
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::router::Router;
use crate::settings::Settings;
use crate::timer::Timer;
use crate::tunables::{ACCEPT_PAUSE, BACKLOG, HOST_STACK, MAX_CONNECTIONS};
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// A server that is bound to its addresses. [`Server::run`] makes it answer.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    addr: SocketAddr,
    /// Where metrics are.
    admin: Option<(TcpListener, SocketAddr)>,
    site: Arc<Site>,
    grace: Duration,
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
        let metrics = Metrics::new();
        let scratch = tempfile::Builder::new().prefix("rwasm-serve-").tempdir();
        let scratch = Arc::new(scratch.map_err(ServeError::Scratch)?);
        let mut programs = Vec::new();
        let mut stack_bytes = 0;
        for mount in settings.mounts {
            let program = mount.program;
            stack_bytes = stack_bytes.max(program.limits.stack);
            let counts = metrics.mount(&mount.path);
            let cgi = Cgi::load(program, &mount.path, counts, Arc::clone(&scratch))?;
            programs.push((mount.path, cgi));
        }
        let router = Router::new(programs)?;
        let stack_bytes = stack_bytes + HOST_STACK;
        let pool = Pool::new(settings.concurrency, settings.queue, stack_bytes)?;
        let timer = Timer::start()?;
        let runtime = runtime::Builder::new_multi_thread()
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(ServeError::Threading)?;
        let (listener, addr) = listen(&runtime, &settings.addr)?;
        let admin = match &settings.metrics_addr {
            Some(addr) => Some(listen(&runtime, addr)?),
            None => None,
        };
        let site = Site {
            router,
            means: Means { pool, timer },
            metrics,
            max_head: settings.max_head,
            stopping: AtomicBool::new(false),
        };
        Ok(Server {
            runtime,
            listener,
            addr,
            admin,
            site: Arc::new(site),
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
            listener,
            addr,
            admin,
            site,
            grace,
        } = self;
        if let Some((listener, _)) = admin {
            runtime.spawn(admin::serve(Arc::clone(&site), listener));
        }
        runtime.block_on(async {
            let graceful = GracefulShutdown::new();
            tokio::select! {
                () = accept(&listener, addr, &site, &graceful) => {}
                () = stop => {}
            }
            site.stopping.store(true, Ordering::Relaxed);
            drop(listener);
            tracing::info!("stopping");
            if timeout(grace, graceful.shutdown()).await.is_err() {
                tracing::warn!("requests that did not end in time are stopped");
                site.means.timer.stop_all(Stop::Shutdown);
            }
        });
        site.means.timer.stop_all(Stop::Shutdown);
        site.means.timer.end();
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
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
    if settings.concurrency == 0 {
        return Err(ServeError::Zero("the number of guests at a time"));
    }
    for mount in &settings.mounts {
        if mount.program.limits.timeout.is_zero() {
            return Err(ServeError::Zero("the time of a request"));
        }
    }
    Ok(())
}

fn listen(runtime: &Runtime, addr: &str) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen {
        addr: addr.to_owned(),
        source,
    };
    let bound = || -> io::Result<_> {
        let listener = net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        // Again, for a longer queue than the standard library asks for.
        rustix::net::listen(&listener, BACKLOG)?;
        let _in_runtime = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    };
    bound().map_err(failed)
}

/// How many connections there may be: half of the files that the process may
/// have open, after having asked for as many as it can get. The others are for
/// guests.
fn connections() -> usize {
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
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
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
