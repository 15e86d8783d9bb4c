//! The example application, `examples/per-user-todos`, as `make` has built it; and the scripts that look at it in
//! a real Chromium.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::NamedTempFile;

use super::run::run;
use crate::program::Program;

/// Longer than the application takes to start on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Variables of the environment.
pub(super) type Settings = Vec<(String, String)>;

/// The application on a free port. Killed when dropped.
pub(super) struct App {
    process: Child,
    pub(super) url: String,
    /// What it printed when it started.
    pub(super) greeting: String,
}

impl App {
    /// Starts the application with these settings and no others.
    pub(super) fn start(settings: &Settings) -> Self {
        let output = NamedTempFile::new().unwrap();
        let mut next = node("node_modules/next/dist/bin/next", settings);
        next.args(["start", "--hostname", "127.0.0.1", "--port", "0"]).stdin(Stdio::null());
        next.stdout(output.reopen().unwrap()).stderr(output.reopen().unwrap());
        let process = next.spawn().unwrap();
        let mut app = App { process, url: String::new(), greeting: String::new() };
        let started = Instant::now();
        while !app.greeting.contains("Ready in ") {
            let ended = app.process.try_wait().unwrap().is_some();
            let said = &app.greeting;
            assert!(!ended && started.elapsed() < PATIENCE, "the example does not start:\n{said}");
            thread::sleep(Duration::from_millis(20));
            app.greeting = fs::read_to_string(output.path()).unwrap();
        }
        let address = app.greeting.split_whitespace().find(|word| word.starts_with("http://"));
        app.url = address.expect("the address of the example").to_owned();
        app
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `npm run db:migrate`
pub(super) fn migrate(settings: &Settings, server: &Program) {
    let mut drizzle_kit = node("node_modules/drizzle-kit/bin.cjs", settings);
    drizzle_kit.arg("migrate");
    run(drizzle_kit, server);
}

/// A program among the packages of the application.
fn node(program: &str, settings: &Settings) -> Command {
    let mut node = Command::new("node");
    node.arg(program).current_dir(built()).env_clear();
    node.env("PATH", env::var_os("PATH").unwrap()).env("NEXT_TELEMETRY_DISABLED", "1");
    node.envs(settings.iter().cloned());
    node
}

/// Runs a script in the browser to its end.
pub(super) fn run_script(mut command: Command, name: &str, server: &Program) {
    let directory = super::directory("browser");
    let installed = modified(&directory.join("node_modules/.package-lock.json"));
    let wanted = modified(&directory.join("package-lock.json"));
    assert!(installed >= wanted, "what drives the browser is not installed; use `make test`");
    command.arg(directory.join(name));
    if let Some(chromium) = env::var_os("CHROMIUM") {
        command.env("CHROMIUM", chromium);
    }
    if let Some(directory) = pictures() {
        command.env("HRANAD_PICTURES", directory);
    }
    run(command, server);
}

/// Where pictures for README.md are wanted, if they are.
pub(super) fn pictures() -> Option<PathBuf> {
    let directory = env::var_os("HRANAD_PICTURES").filter(|directory| !directory.is_empty())?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    fs::create_dir_all(&directory).unwrap();
    Some(directory)
}

/// The directory of the application. Panics with what to do if it is not built as it is written.
fn built() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/per-user-todos");
    let sources = ["package-lock.json", "next.config.js", "app", "app/edge", "app/sign-in", "lib"];
    let newest = sources.iter().flat_map(|source| newest(&directory.join(source))).max();
    let built = modified(&directory.join(".next/BUILD_ID"));
    assert!(built >= newest, "the example is not built, or not as it is written; use `make test`");
    directory
}

/// When a file, or the newest file in a directory, was written.
fn newest(path: &Path) -> Option<std::time::SystemTime> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.unwrap().path());
            paths.filter(|path| path.is_file()).filter_map(|path| modified(&path)).max()
        }
        Err(_) => modified(path),
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
