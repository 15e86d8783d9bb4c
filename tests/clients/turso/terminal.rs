//! A terminal for programs that talk to a person: what they show is a screen without escape codes, and keys
//! are pressed when they have asked for them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use vt100::{Callbacks, Parser, Screen};

use crate::program;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Wide enough that nothing a test looks at is wrapped.
const COLUMNS: u16 = 200;

/// A program on a terminal of its own. Killed when dropped.
pub(super) struct Terminal {
    program: Child,
    keyboard: File,
    output: Arc<Output>,
}

struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: Parser<Questions>,
    /// Nothing more will be shown: the program has closed its terminal.
    ended: bool,
}

/// What programs ask terminals, as far as they wait for the answer.
#[derive(Default)]
struct Questions {
    cursor_position: bool,
}

impl Callbacks for Questions {
    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        _: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        self.cursor_position |= c == 'n' && params == [[6]];
    }
}

impl Terminal {
    /// Starts a program on a terminal with so many rows.
    pub(super) fn start(mut command: Command, rows: u16) -> Self {
        let (keyboard, terminal) = open_terminal(rows);
        let end = || Stdio::from(terminal.try_clone().unwrap());
        command.env("TERM", "xterm-256color").stdin(end()).stdout(end()).stderr(end());
        let program = command.spawn().unwrap();
        let size = |number| NonZeroU16::new(number).unwrap();
        let parser = Parser::new_with_callbacks(size(rows), size(COLUMNS), 0, Questions::default());
        let output =
            Output { state: Mutex::new(State { parser, ended: false }), changed: Condvar::new() };
        let output = Arc::new(output);
        let (to_read, shown) = (keyboard.try_clone().unwrap(), Arc::clone(&output));
        thread::spawn(move || shown.follow(to_read));
        // The command holds the program's ends of the terminal; it must not keep them open.
        drop((command, terminal));
        Terminal { program, keyboard, output }
    }

    /// Waits until the screen shows `text`.
    pub(super) fn see(&self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text).then_some(()));
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the program has ended; the last screen, and its exit code.
    pub(super) fn end(mut self) -> (String, i32) {
        let state = self.output.state.lock().unwrap();
        let (state, timeout) =
            self.output.changed.wait_timeout_while(state, PATIENCE, |state| !state.ended).unwrap();
        let screen = state.parser.screen().contents();
        assert!(!timeout.timed_out(), "the program does not end:\n{screen}");
        drop(state);
        let status = program::wait(&mut self.program, PATIENCE).expect("the program does not end");
        (screen, status.code().unwrap())
    }

    /// Waits until `condition` finds on the screen what it looks for.
    fn wait<T>(&self, what: &str, mut condition: impl FnMut(&Screen) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.output.state.lock().unwrap();
        loop {
            if let Some(found) = condition(state.parser.screen()) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let screen = || state.parser.screen().contents();
            assert!(!left.is_zero(), "{what:?} does not appear:\n{}", screen());
            assert!(!state.ended, "the program has ended before {what:?}:\n{}", screen());
            state = self.output.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Output {
    /// Shows what the program writes, and answers what it asks, until it closes its terminal.
    fn follow(&self, mut terminal: File) {
        let mut bytes = [0; 4096];
        // The end of a terminal is an error on Linux.
        while let Ok(count @ 1..) = terminal.read(&mut bytes) {
            let mut state = self.state.lock().unwrap();
            state.parser.process(&bytes[..count]);
            if std::mem::take(&mut state.parser.callbacks_mut().cursor_position) {
                let (row, column) = state.parser.screen().cursor_position();
                let _ = write!(terminal, "\x1b[{};{}R", row + 1, column + 1);
            }
            self.changed.notify_all();
        }
        self.state.lock().unwrap().ended = true;
        self.changed.notify_all();
    }
}

/// A new terminal: the end of the person, and the end of programs.
fn open_terminal(rows: u16) -> (File, OwnedFd) {
    let person = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::fcntl_setfd(&person, FdFlags::CLOEXEC).unwrap();
    rustix::pty::grantpt(&person).unwrap();
    rustix::pty::unlockpt(&person).unwrap();
    let name = rustix::pty::ptsname(&person, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let programs = rustix::fs::open(name, flags, Mode::empty()).unwrap();
    let size = Winsize { ws_row: rows, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&programs, size).unwrap();
    (person.into(), programs)
}

/// `turso db shell` on a terminal.
pub(super) struct Shell(Terminal);

/// What the shell asks for: a statement, or the rest of one.
const PROMPTS: [&str; 2] = ["→", "..."];

impl Shell {
    /// A shell that is to connect.
    pub(super) fn open(terminal: Terminal) -> Self {
        let shell = Shell(terminal);
        shell.prompt_below(None);
        shell
    }

    /// What the shell has shown before its first prompt, and since then.
    pub(super) fn screen(&self) -> String {
        self.0.output.state.lock().unwrap().parser.screen().contents()
    }

    /// Types text, line by line; what the shell answers to the last one.
    pub(super) fn answer(&mut self, text: &str) -> String {
        let mut answer = String::new();
        for line in text.lines() {
            let (asked, _) = self.prompt_below(None);
            self.0.press(&format!("{line}\r"));
            answer = self.prompt_below(Some(asked)).1;
        }
        answer
    }

    /// Leaves the shell as its text says.
    pub(super) fn quit(mut self) {
        self.0.press(".quit\r");
        let (screen, code) = self.0.end();
        assert_eq!(code, 0, "{screen}");
    }

    /// Waits for a prompt below the row `asked`: its row, and what is in between.
    fn prompt_below(&self, asked: Option<u16>) -> (u16, String) {
        self.0.wait("a prompt", |screen| {
            let row = screen.cursor_position().0;
            let lines: Vec<_> =
                screen.rows(0, COLUMNS).map(|line| line.trim_end().to_owned()).collect();
            let is_prompt = PROMPTS.contains(&lines[usize::from(row)].as_str());
            let first = asked.map_or(0, |asked| usize::from(asked) + 1);
            (is_prompt && usize::from(row) >= first)
                .then(|| (row, lines[first..usize::from(row)].join("\n")))
        })
    }
}
