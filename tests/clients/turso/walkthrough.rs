//! docs/workshop.md, command by command: what it tells to type is typed, and what it shows has to appear.

use std::fs;

use serde_json::{Value, json};

use super::super::browser::{App, pictures, run_script};
use super::super::page;
use super::cli::Turso;
use super::terminal::Shell;

/// Where the picture of the terminal begins, and how many lines it has.
const PICTURED: (&str, usize) = (
    r#"$ turso db shell user-1 "INSERT INTO todos (description) VALUES ('see the workshop')""#,
    40,
);

/// A fenced block: its language, and its lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            blocks.push((language, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
    }
    blocks
}

/// The reader of the page.
struct Reader {
    turso: Turso,
    shell: Option<Shell>,
    /// The application of the last part.
    app: Option<App>,
    /// What was shown last.
    shown: String,
    transcript: Transcript,
}

impl Reader {
    /// Types a command; without SQL the shell stays open for what comes next.
    fn command(&mut self, typed: &str) {
        let line = typed.replace("127.0.0.1:8080", &self.turso.host());
        let (program, rest) = line.split_once(' ').unwrap();
        let opens = line.strip_prefix("turso db shell ").is_some_and(|rest| !rest.contains(' '));
        self.shown.clear();
        match program {
            "turso" if opens => {
                self.transcript.typed("$", typed);
                self.shell = Some(Shell::open(self.turso.interactive(rest)));
                return;
            }
            "turso" => match rest.split_once(" || echo ") {
                Some((rest, echo)) => {
                    self.turso.fails(rest);
                    self.shown = echo.to_owned();
                }
                None => self.shown = self.turso.ok(rest),
            },
            "echo" => self.echo(&line),
            "npm" if rest == "start" => self.start_application(),
            // What `make` has done; and the server runs, and the CLI knows of it: see `Turso`.
            _ => {
                let done = ["npm ci", "npm run build", "cd examples/per-user-todos"];
                let set = line.starts_with("export TURSO_") || line == "cargo run --release";
                assert!(set || done.contains(&&*line), "{line}");
                return;
            }
        }
        self.transcript.typed("$", typed);
        self.transcript.shown(&self.shown);
    }

    /// Lets a shell do what is to go into a file.
    fn echo(&mut self, line: &str) {
        let mut shell = self.turso.user_of("sh");
        let status = shell.args(["-e", "-c", line]).status().unwrap();
        assert!(status.success(), "{line}");
    }

    /// Starts the application with the settings that were written down, and does in a browser what the page says.
    fn start_application(&mut self) {
        let settings = fs::read_to_string(self.turso.file(".env.local")).unwrap();
        let settings = settings.lines().map(|line| line.split_once('=').unwrap());
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let app = App::start(&settings);
        let mut node = self.turso.user_of("node");
        node.env("APP", &app.url).env("USER", "ada").env("TODO", "meet Grace");
        run_script(node, "visit.js", &self.turso.server);
        self.shown.clone_from(&app.greeting);
        self.app = Some(app);
    }

    fn sql(&mut self, lines: &[&str]) {
        let mut shell = self.shell.take().expect("a shell that was opened before");
        self.shown.clear();
        for line in lines {
            let screen = shell.screen();
            self.transcript.typed(screen.trim_end().lines().next_back().unwrap(), line);
            if *line == ".quit" {
                return shell.quit();
            }
            let answer = shell.answer(line);
            self.transcript.shown(&answer);
            self.shown += &answer;
            self.shown.push('\n');
        }
        panic!("the shell is not left");
    }

    /// The line of the page has been shown, however wide its columns are.
    fn see(&self, expected: &str) {
        let expected = expected.replace("127.0.0.1:8080", &self.turso.host());
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = squeeze(&self.shown);
        assert!(shown.contains(&squeeze(&expected)), "{expected:?} is not in {:?}", self.shown);
    }
}

/// What was typed, after which prompt, and what was shown, line by line.
#[derive(Default)]
struct Transcript(Vec<(String, String)>);

impl Transcript {
    fn typed(&mut self, prompt: &str, text: &str) {
        self.0.push((prompt.to_owned(), text.to_owned()));
    }

    fn shown(&mut self, text: &str) {
        let lines = text.trim_matches('\n').lines().map(|line| line.trim_end().to_owned());
        self.0.extend(lines.map(|line| (String::new(), line)));
    }

    /// The lines of the picture.
    fn pictured(&self) -> Value {
        let (first, count) = PICTURED;
        let lines = self.0.iter().skip_while(|(prompt, text)| format!("{prompt} {text}") != first);
        lines.take(count).map(|(prompt, text)| json!({ "prompt": prompt, "text": text })).collect()
    }
}

#[test]
fn the_page_of_the_workshop_works_from_top_to_bottom() {
    let page = page("docs/workshop.md");
    let mut reader = Reader {
        turso: Turso::start(),
        shell: None,
        app: None,
        shown: String::new(),
        transcript: Transcript::default(),
    };
    let mut commands = 0;
    for (language, lines) in blocks(&page) {
        match language {
            "console" => {
                for line in lines {
                    match line.strip_prefix("$ ") {
                        Some(command) => {
                            commands += 1;
                            reader.command(command);
                        }
                        None => reader.see(line),
                    }
                }
            }
            "sql" => reader.sql(&lines),
            "text" => lines.iter().for_each(|line| reader.see(line)),
            other => panic!("a block of {other:?}, which nobody executes"),
        }
    }
    assert!(commands > 35, "{commands}");
    assert!(reader.shell.is_none(), "the last shell is not left");
    assert!(reader.app.is_some(), "the application was not started");
    if let Some(directory) = pictures() {
        let file = reader.turso.file("transcript.json");
        fs::write(&file, reader.transcript.pictured().to_string()).unwrap();
        let mut node = reader.turso.user_of("node");
        node.env("TRANSCRIPT", &file).env("PICTURE", directory.join("workshop.png"));
        run_script(node, "terminal.js", &reader.turso.server);
    }
}
