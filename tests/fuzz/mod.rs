//! Clients that speak any nonsense, at once and over both transports, to a server in this process.
//!
//! After each round the server must be as before it: nothing has panicked, nothing is held, it answers. A round is
//! made from a seed, which is said when it fails. `HRANAD_FUZZ_SEED` begins with another, `HRANAD_FUZZ_SECONDS` goes
//! on for longer.

mod http;
mod random;
mod script;
mod seeds;
mod sockets;

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hranad::limits::MIB;
use tokio::runtime::Builder;

use self::random::Random;
use self::seeds::Seeds;
use crate::harness::{Clients, TestServer, eventually};

/// Clients that speak at once.
const CLIENTS: u64 = 8;

/// What each says in a round.
const CONVERSATIONS: usize = 12;

/// Memory that a round may add to that of the process, in which other tests run too.
const MEMORY_MAX: usize = 2048 * MIB;

/// Everything that the server waits for is over within half a second.
const FLAGS: [&str; 8] = [
    "--statement-timeout",
    "0.2",
    "--transaction-idle",
    "0.3",
    "--write-wait",
    "0.3",
    "--client-silence",
    "1",
];

/// The threads of the runtime in which both sides are.
const THREADS: &str = "fuzzed";

/// Panics on those threads. Some are caught, and would be noticed nowhere else.
static PANICS: LazyLock<AtomicUsize> = LazyLock::new(|| {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |information| {
        if std::thread::current().name() == Some(THREADS) {
            PANICS.fetch_add(1, Relaxed);
        }
        before(information);
    }));
    AtomicUsize::new(0)
});

fn variable(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

#[test]
fn the_server_survives_nonsense() {
    LazyLock::force(&PANICS);
    let runtime = Builder::new_multi_thread().thread_name(THREADS).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Arc::new(TestServer::start_with(&FLAGS).await);
        let duration = Duration::from_secs(variable("HRANAD_FUZZ_SECONDS").unwrap_or(3));
        let first = variable("HRANAD_FUZZ_SEED").unwrap_or(1);
        let (started, before, mut rounds) = (Instant::now(), memory(), 0);
        while started.elapsed() < duration {
            let saying = SayOnPanic(format!("HRANAD_FUZZ_SEED={}", first + rounds));
            round(&server, first + rounds, before).await;
            drop(saying);
            rounds += 1;
            if rounds % 100 == 0 {
                println!("{rounds} rounds; memory: {} MiB", memory() / MIB);
            }
        }
        println!("{rounds} rounds; memory: {} MiB", memory() / MIB);
        Arc::into_inner(server).unwrap().stop().await;
    });
}

/// Says which seed it was.
struct SayOnPanic(String);

impl Drop for SayOnPanic {
    #[expect(clippy::print_stderr, reason = "a test that fails says with what")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this round began with {}", self.0);
        }
    }
}

async fn round(server: &Arc<TestServer>, seed: u64, memory_before: usize) {
    let tasks = tokio::runtime::Handle::current().metrics();
    let tasks_before = tasks.num_alive_tasks();
    let seeds = Arc::new(Seeds::read());
    let clients = Arc::new(Clients::new());
    let talking: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (server, clients) = (Arc::clone(server), Arc::clone(&clients));
            let (seeds, mut random) = (Arc::clone(&seeds), Random::new(seed * CLIENTS + number));
            tokio::spawn(async move {
                for _ in 0..CONVERSATIONS {
                    if random.one_in(3) {
                        http::client(&server, &clients, &seeds, &mut random).await;
                    } else {
                        sockets::client(&server, &seeds, &mut random).await;
                    }
                }
            })
        })
        .collect();
    for client in talking {
        client.await.unwrap();
    }
    drop(clients);
    let is_idle = async || server.in_use() == Default::default();
    let has_ended = async || is_idle().await && tasks.num_alive_tasks() <= tasks_before;
    eventually(has_ended).await;
    assert_eq!(PANICS.load(Relaxed), 0, "something panicked");
    assert!(memory() < memory_before + MEMORY_MAX, "{} MiB", memory() / MIB);
    check_answers(server).await;
}

/// A new client is served, also one that writes.
async fn check_answers(server: &TestServer) {
    let clients = Clients::new();
    let body = r#"{"requests":[{"type":"sequence","sql":"BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS x(a); COMMIT"},{"type":"close"}]}"#;
    let request = hyper::Request::post(server.url("/v2/pipeline")).body(body.into()).unwrap();
    let answer = clients.send(crate::harness::Http::One, request).await;
    assert_eq!(answer.json()["results"][0]["type"], "ok", "{answer:?}");
}

/// Memory of this process, in bytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
